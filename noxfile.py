# /// script
# dependencies = ["nox>=2025.5.1"]
# ///
"""The project's tasks. `nox -l` lists them; `nox -s tests` is what the README names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.sessions = ["lint", "tests"]
nox.options.error_on_external_run = True
nox.options.reuse_existing_virtualenvs = True

ROOT = Path(__file__).parent
TOOLS = ROOT / ".nox" / "tools"
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
PROJECT = nox.project.load_toml("pyproject.toml")


def install(session: nox.Session, *groups: str) -> None:
    """Install rustci and the named dependency groups."""
    packages = nox.project.dependency_groups(PROJECT, *groups)
    session.install("-e", ".", *packages)


def missing(session: nox.Session, what: str, why: str) -> None:
    """Say what is missing; on CI that is an error."""
    if os.environ.get("CI"):
        session.error(f"{what} is missing: {why}")
    session.warn(f"{what} is missing: {why}")


def actionlint(session: nox.Session) -> dict[str, str]:
    """Return the environment that names actionlint, built through Go once."""
    binary = TOOLS / ("actionlint.exe" if os.name == "nt" else "actionlint")
    if not binary.exists():
        if not shutil.which("go"):
            missing(session, "Go", "it builds actionlint; the lint tests are skipped without it")
            return {}
        TOOLS.mkdir(parents=True, exist_ok=True)
        session.run("go", "install", ACTIONLINT, external=True, env={"GOBIN": str(TOOLS)})
    return {"ACTIONLINT": str(binary)}


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests: `nox -s tests -- -k wizard` for some of them."""
    if not shutil.which("cargo"):
        missing(session, "cargo", "the facts are not compared with `cargo metadata` without it")
    environment = actionlint(session)
    install(session, "test")
    session.run("pytest", "-n", "auto", *session.posargs, env=environment)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and that generated pages are current."""
    install(session, "test", "lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("python", "tools/generate.py", "--check")


@nox.session
def docs(session: nox.Session) -> None:
    """Write the pages that are made from the code."""
    install(session)
    session.run("python", "tools/generate.py")


@nox.session
def golden(session: nox.Session) -> None:
    """Accept what the templates print now as the golden trees; review the diff."""
    install(session, "test")
    session.run("pytest", "tests/test_golden.py", env={"ACCEPT_GOLDENS": "1"})


def needed(session: nox.Session) -> None:
    """Fail where a program is missing that the workflows or their runner call."""
    programs = ("bash", "cargo", "git", "go", "jq", "node", "rustup")
    if absent := [name for name in programs if not shutil.which(name)]:
        session.error(f"needed to run the workflows: {', '.join(absent)}")


@nox.session
def e2e(session: nox.Session) -> None:
    """Run generated workflows on real projects, and plant faults that turn their gates red."""
    needed(session)
    install(session, "test")
    report = {"E2E_REPORT": str(ROOT / ".nox" / "proof.md")}
    session.run("pytest", "-m", "e2e", "tests/e2e", *session.posargs, env=report)


@nox.session
def e2e_full(session: nox.Session) -> None:
    """Run every variant and ten repetitions as well, and write docs/explanation/proof.md."""
    needed(session)
    install(session, "test")
    report = {"E2E_REPORT": str(ROOT / "docs" / "explanation" / "proof.md"), "E2E_FULL": "1"}
    session.run("pytest", "-m", "e2e", "tests/e2e", *session.posargs, env=report)


@nox.session
def trial(session: nox.Session) -> None:
    """Try `rustci init` on real repositories and run the jobs: `nox -s trial -- FOLDER…`."""
    install(session, "test")
    session.run("python", "-m", "tests.trial", *session.posargs)


@nox.session
def census(session: nox.Session) -> None:
    """Compare with what real repositories run: `nox -s census -- FOLDER… [--write]`."""
    install(session, "test")
    session.run("python", "-m", "tests.census", *session.posargs)


@nox.session
def affected(session: nox.Session) -> None:
    """Replay commits as pull requests: `nox -s affected -- FOLDER [COUNT [TIMED]]`."""
    install(session, "test")
    session.run("python", "-m", "tests.affected.replay", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Print speed ratios, measured side by side."""
    install(session, "test")
    chosen = ("-m", "benchmark and not e2e")
    session.run("pytest", *chosen, "-s", "-q", "tests/benchmarks", *session.posargs)


@nox.session
def figures(session: nox.Session) -> None:
    """Print what a pull request's workflow costs beside the usual starter's; takes minutes."""
    needed(session)
    install(session, "test")
    chosen = ("-m", "benchmark and e2e")
    session.run("pytest", *chosen, "-s", "-q", "tests/benchmarks", *session.posargs)


@nox.session
def page(session: nox.Session) -> None:
    """Look at the page of the benchmark history in headless Chromium."""
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))):
        missing(session, "Chromium", "the page is looked at in it")
        return
    install(session, "test", "page")
    session.run("pytest", "-m", "browser", "tests/bench/test_page.py", *session.posargs)


@nox.session
def bench_study(session: nox.Session) -> None:
    """Replay the recorded rounds at length; `-- --write` puts the tables into the docs."""
    install(session, "test")
    studies = ("tests/bench/test_study.py", "tests/bench/test_trend.py")
    session.run("pytest", "-m", "slow", "-n", "auto", *studies)
    session.run("python", "-m", "tests.bench.study", *(session.posargs or ["--check"]))


@nox.session
def bench_live(session: nox.Session) -> None:
    """Run the benchmark gate on real benchmarks: `nox -s bench_live -- 20` runs of each change."""
    install(session, "test")
    session.run("pytest", "-m", "slow", "tests/bench/test_live.py")
    session.run("python", "tests/bench/live.py", *(session.posargs or ("20",)))


@nox.session
def nightly(session: nox.Session) -> None:
    """Draw 10,000 combinations of answers and lint what they make."""
    environment = actionlint(session)
    install(session, "test")
    session.run("pytest", "tests/test_clean.py", "--hypothesis-profile=nightly", env=environment)


@nox.session(venv_backend="none")
def crate(session: nox.Session) -> None:
    """Lint and test the chat server with cargo itself."""
    target = {"CARGO_TARGET_DIR": str(ROOT / ".nox" / "target")}
    with session.chdir(ROOT / "tests" / "crates" / "chat-server"):
        for command in (
            ("fmt", "--check"),
            ("clippy", "--all-targets", "--all-features", "--locked", "--", "-D", "warnings"),
            ("test", "--all-features", "--locked"),
        ):
            session.run("cargo", *command, external=True, env=target)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel, install it alone, and run the main job and plain Cookiecutter from it."""
    session.install("build")
    built = Path(session.create_tmp()).resolve() / "dist"
    shutil.rmtree(built, ignore_errors=True)
    session.run("python", "-m", "build", "--wheel", "--outdir", str(built), silent=True)
    session.run("pip", "uninstall", "--yes", "rustci", silent=True)
    session.install("--force-reinstall", str(next(built.glob("*.whl"))))
    demo = built.with_name("demo")
    shutil.rmtree(demo, ignore_errors=True)
    shutil.copytree(ROOT / "tests" / "crates" / "chat-server", demo)
    session.run("git", "init", "--quiet", str(demo), external=True)
    with session.chdir(demo):
        session.run("rustci", "init", "--yes", "--coverage", "codecov")
        session.run("rustci", "init", "--yes", silent=True)
        session.run(
            "cookiecutter",
            "--no-input",
            "--output-dir",
            str(demo / "plain"),
            str(ROOT / "cookiecutter-templates" / "github"),
        )
    for written in (demo, demo / "plain" / "rust-workflows"):
        if not (written / ".github" / "workflows" / "ci.yml").is_file():
            session.error(f"no ci.yml in {written}")
