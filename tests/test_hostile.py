"""Hostile projects: each threat to a scaffolder, and the proof that it comes to nothing here.

| Threat | Test |
|---|---|
| 1 values rendered as Jinja | test_project_text_is_never_a_template |
| 2 expressions in values | test_any_name_stays_data, test_an_expression_is_refused |
| 3 YAML break-outs | test_any_name_stays_data; test_quoting.py |
| 4 shell break-outs | test_names_reach_cargo_as_they_are, test_a_name_with_a_blank_is_refused |
| 5 colliding job ids | test_job_ids_owe_nothing_to_the_project |
| 6 bidi and hidden characters | test_quoting.py, test_any_name_stays_data |
| 7 traversal, 8 links, 22 Windows names | test_files.py; test_output_paths_are_ours |
| 9 hooks | test_no_hook_runs |
| 10 Cookiecutter's files in HOME | test_home_is_neither_read_nor_written |
| 11 files of the user in rendered folders | test_files.py; test_files_of_the_user_survive |
| 12 foreign templates | test_there_are_no_foreign_templates |
| 13 programs and configuration of the repository | discover/test_errors.py; test_nothing_is_run |
| 14 channels | discover/test_settings.py; test_a_garbage_channel_stops_init |
| 15-20 hostile YAML | discover/test_yamlio.py; test_hostile_workflows_do_not_stop_init |
| 21 huge workspaces | test_a_thousand_members |
| 39 terminal escapes | test_escapes_do_not_reach_the_terminal |
"""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rustci.discover import read_project
from rustci.errors import RustciError
from rustci.project import CrateTarget, Package, Project, TargetKind
from rustci.templates import template_root
from tests.house import is_workflow, parse, steps
from tests.linters import lint_many
from tests.strategies import rendered

MANIFEST = """\
[package]
name = "harmless"
version = "0.1.0"
edition = "2021"
{more}
"""
NAMES = (
    "{{7*7}}",
    "{%raw%}",
    "{#x#}",
    "[=7*7=]",
    "[%include'workflow.yml'%]",
    "[#x#]",
    "[=cycler.__init__.__globals__.os.popen('touch${IFS}canary')=]",
    "$(touch${IFS}canary)",
    "`touch${IFS}canary`",
    ";touch${IFS}canary;",
    "-Z",
    "--config=x",
    "*",
    "~",
    "$HOME",
    "a'b\"c",
    "a\\b",
    "x:y",
    "#x",
    "&x",
    "!x",
    "é",
    "\U0001f980",
    "::error::x",
)
UNSAFE = ("${{github.token}}", "a\u202eb", "a\nb", "a\rb", "a\x1b[31mb", "a\u200bb", "a\ufeffb")
HARMLESS = "harmless-bench"


def crate(folder: Path, more: str = "", files: Mapping[str, str] | None = None) -> Path:
    """Write a package with a library; `more` goes into its manifest."""
    for path, text in {
        "Cargo.toml": MANIFEST.format(more=more),
        "src/lib.rs": "pub fn nothing() {}\n",
        **(files or {}),
    }.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode("utf-8", "surrogateescape"))
    return folder


def with_bench(project: Project, name: str) -> Project:
    """Return the project with one benchmark of that name: Cargo takes almost any."""
    bench = CrateTarget(
        kind=TargetKind.BENCH,
        name=name,
        path=PurePosixPath("benches/x.rs"),
        crate_types=("bin",),
        edition="2021",
        harness=False,
    )
    package = project.packages[0]
    targets = tuple(target for target in package.targets if target.kind is not TargetKind.BENCH)
    changed = dataclasses.replace(package, targets=(*targets, bench))
    main = dataclasses.replace(project.main, members=(changed, *project.packages[1:]))
    return dataclasses.replace(project, main=main)


def expressions(tree: Mapping[str, str]) -> Counter[str]:
    """Return every expression in the workflows with its count."""
    texts = (text for path, text in tree.items() if is_workflow(path))
    return Counter(re.findall(r"\$\{\{.*?\}\}", "\n".join(texts)))


def ci(tree: Mapping[str, str]) -> Mapping[str, Mapping[str, Mapping[str, object]]]:
    """Return the jobs of the main workflow."""
    jobs: Mapping[str, Mapping[str, Mapping[str, object]]] = parse(
        tree[".github/workflows/ci.yml"]
    )["jobs"]
    return jobs


def run(*arguments: object, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run rustci as people do."""
    return subprocess.run(
        [sys.executable, "-m", "rustci", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a harmless project with one benchmark."""
    return with_bench(read_project(crate(tmp_path / "p")), HARMLESS)


@pytest.mark.parametrize("name", NAMES)
def test_project_text_is_never_a_template(
    name: str, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tree = rendered(with_bench(project, name), {})
    assert ci(tree)["bench"]["env"]["BENCHES"] == name
    assert not list(tmp_path.rglob("canary"))


def test_no_linter_minds_the_names(project: Project) -> None:
    trees = {n: rendered(with_bench(project, name), {}) for n, name in enumerate(NAMES)}
    path = ".github/workflows/ci.yml"
    assert lint_many({f"{n}/{path}": tree[path] for n, tree in trees.items()}) == []


@pytest.mark.parametrize("field", ["description", "authors", "license", "homepage", "readme"])
def test_other_text_of_the_manifest_is_not_even_used(field: str, tmp_path: Path) -> None:
    evil = "[= 7*7 =] {{ 7*7 }} ${{ github.token }} [% include 'x' %] [# x #]"
    value = f'["{evil}"]' if field == "authors" else f'"{evil}"'
    plain = rendered(read_project(crate(tmp_path / "a" / "p")), {})
    assert rendered(read_project(crate(tmp_path / "b" / "p", f"{field} = {value}")), {}) == plain


@pytest.mark.parametrize("name", UNSAFE, ids=ascii)
def test_an_expression_is_refused(name: str, project: Project) -> None:
    with pytest.raises(RustciError) as refusal:
        rendered(with_bench(project, name), {})
    assert refusal.value.hint


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=30))
@example("${{ github.token }}")
@example("x\n  evil: {}")
def test_any_name_stays_data(name: str) -> None:
    project = PLAIN
    tree, harmless = None, rendered(with_bench(project, HARMLESS), {})
    try:
        tree = rendered(with_bench(project, name), {})
    except RustciError as refusal:
        assert refusal.hint  # noqa: PT017 either way is right
    if tree:
        assert expressions(tree) == expressions(harmless)
        jobs, others = ci(tree), ci(harmless)
        assert jobs["bench"]["env"].pop("BENCHES") == name  # type: ignore[attr-defined]
        assert others["bench"]["env"].pop("BENCHES") == HARMLESS  # type: ignore[attr-defined]
        assert jobs == others


PLAIN = Project(
    root=Path("/p"),
    main=dataclasses.replace(
        read_project(Path(__file__).parent / "crates" / "chat-server").main,
        directory=PurePosixPath(),
    ),
)
"""A project that hypothesis may use: without a fixture."""


def test_expressions_are_the_templates_own(projects: Mapping[str, Project]) -> None:
    known = set(expressions(rendered(projects["chat-server"], {"cache.sccache": "s3"})))
    known |= {"${{ hashFiles('Cargo.toml') }}", "${{ hashFiles('**/Cargo.toml') }}"}
    axes = ("check", "experimental", "flags", "packages", "target", "targets")
    known |= {f"${{{{ matrix.{axis} }}}}" for axis in axes}
    known |= {"${{ strategy.job-index }}", "${{ github.run_id }}"}
    known |= {"${{ secrets.GIT_SSH_KEY }}", "${{ vars.GIT_KNOWN_HOSTS }}"}
    # The names of registries and hosts, as letters, digits and `_` alone.
    named = re.compile(r"\$\{\{ secrets\.(CARGO_REGISTRIES_\w+_TOKEN|GIT_TOKEN_\w+) \}\}", re.ASCII)
    for name, project in projects.items():
        found = set(expressions(rendered(project, {})))
        assert not [each for each in found - known if not named.fullmatch(each)], name


FAKE = """#!/bin/sh
printf '%s\\0' "$@" >> "$RECORD"
"""


def executed(job: Mapping[str, object], folder: Path) -> list[str]:
    """Run the scripts of a job with a cargo that records its arguments, and return those."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    for program in ("cargo", "rustup"):
        (programs / program).write_text(FAKE, encoding="utf-8")
        (programs / program).chmod(0o755)
    record = folder / "record"
    record.write_bytes(b"")
    for step in steps({"jobs": {"one": job}}):
        if "cargo" not in step.get("run", ""):
            continue
        variables = {**job["env"], **step.get("env", {})}  # type: ignore[dict-item]
        subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=folder,
            env={"PATH": f"{programs}:/usr/bin:/bin", "RECORD": str(record), **variables},
            check=True,
            capture_output=True,
        )
    return record.read_bytes().decode().split("\0")[:-1]


@pytest.mark.parametrize("name", NAMES)
def test_names_reach_cargo_as_they_are(name: str, project: Project, tmp_path: Path) -> None:
    (tmp_path / "other-file").touch()
    arguments = executed(ci(rendered(with_bench(project, name), {}))["bench"], tmp_path)
    assert arguments == ["test", f"--bench={name}"]
    assert not (tmp_path / "canary").exists()


def test_a_name_with_a_blank_is_refused(project: Project) -> None:
    with pytest.raises(RustciError, match="has a blank in its name") as refusal:
        rendered(with_bench(project, "a b"), {})
    assert "jobs.bench" in (refusal.value.hint or "")


def test_features_reach_cargo_as_they_are(tmp_path: Path) -> None:
    more = '[features]\n"a+b.c" = []\n__private = []\nnightly = []'
    tree = rendered(read_project(crate(tmp_path / "p", more)), {"tests.features": "powerset"})
    arguments = executed(ci(tree)["features"], tmp_path)
    assert arguments[arguments.index("--skip") + 1] == "__private,nightly"
    chosen = rendered(read_project(tmp_path / "p"), {"tests.features": ("a+b.c",)})
    arguments = executed(ci(chosen)["clippy"], tmp_path)
    assert arguments[arguments.index("--features") + 1] == "a+b.c"


def test_job_ids_owe_nothing_to_the_project(project: Project) -> None:
    harmless = ci(rendered(project, {})).keys()
    for name in ("ci", "test", "a_b", "a-b"):
        jobs = ci(rendered(with_bench(project, name), {}))
        assert jobs.keys() == harmless
        assert len({job["name"] for job in jobs.values()}) == len(jobs)


def test_output_paths_are_ours(projects: Mapping[str, Project]) -> None:
    for project in projects.values():
        for path in rendered(project, {}):
            inner = path.removeprefix(f"{project.main.directory}/")
            assert re.fullmatch(
                r"\.github/(workflows/)?[a-z]+\.yml|\.github/CI\.md|codecov\.yml|\.config/nextest\.toml",
                inner,
                re.IGNORECASE,
            )


def test_no_hook_runs(tmp_path: Path) -> None:
    hook = "#!/bin/sh\ntouch canary\n"
    hooks = {f"hooks/{name}_gen_project.sh": hook for name in ("pre", "post")}
    folder = crate(tmp_path / "p", files=hooks | {"hooks/pre_prompt.sh": hook})
    for path in (folder / "hooks").iterdir():
        path.chmod(0o755)
    assert run("init", "--yes", folder=folder).returncode == 0
    assert not list(tmp_path.rglob("canary"))
    assert not (template_root() / "hooks").exists()


COOKIECUTTERRC = """\
default_context:
  directory: evil
  _plan: {}
  branch: evil
cookiecutters_dir: "~/evil"
replay_dir: "~/evil"
"""


def output(folder: Path) -> dict[str, str]:
    """Return all files below a folder by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_home_is_neither_read_nor_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".cookiecutterrc").write_text(COOKIECUTTERRC, encoding="utf-8")
    trees = []
    for number, place in enumerate((home, tmp_path / "missing", Path("/dev/null"))):
        folder = crate(tmp_path / str(number) / "p")
        done = run("init", "--yes", folder=folder, HOME=str(place))
        assert done.returncode == 0, done.stderr
        trees.append(output(folder))
    assert trees[0] == trees[1] == trees[2]
    assert output(home) == {".cookiecutterrc": COOKIECUTTERRC}
    assert not (tmp_path / "missing").exists()


def test_files_of_the_user_survive(tmp_path: Path) -> None:
    own = {
        ".github/workflows/deploy.yml": "on: push\njobs: {}\n",
        ".github/CODEOWNERS": "* @me\n",
        ".config/nextest.toml": "# mine\n",
        ".github/dependabot.yml": "# mine\n",
    }
    folder = crate(tmp_path / "p", files=own)
    assert run("init", "--yes", folder=folder).returncode == 0
    after = output(folder)
    assert own.items() <= after.items()
    assert ".github/workflows/ci.yml" in after


def test_there_are_no_foreign_templates(tmp_path: Path) -> None:
    for flag in ("--template", "--checkout", "--replay", "--extension"):
        done = run("init", "--yes", flag, "x", folder=crate(tmp_path / "p"))
        assert done.returncode == 2
        assert "No such option" in done.stderr


def test_nothing_is_run(tmp_path: Path) -> None:
    canary = '#!/bin/sh\ntouch "$CANARY"\n'
    programs = ("cargo", "rustc", "rustup", "git", "sh", "gh", "just", "make")
    config = '[build]\nrustc = "bin/rustc"\nrustc-wrapper = "bin/cargo"\n[alias]\ntest = "!sh"\n'
    folder = crate(
        tmp_path / "p",
        'build = "build.rs"',
        {f"bin/{name}": canary for name in programs}
        | {".cargo/config.toml": config, "build.rs": "fn main() {}", "justfile": "test:\n sh x\n"},
    )
    for name in programs:
        (folder / "bin" / name).chmod(0o755)
    environment = {"PATH": str(folder / "bin"), "CANARY": str(tmp_path / "canary")}
    for arguments in (["inspect"], ["init", "--yes"], ["init", "--dry-run", "--diff"]):
        done = run(*arguments, folder=folder, **environment)
        assert done.returncode == 0, done.stderr
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("channel", ["$(id)", "../x", "stable; id", "${{ github.token }}", "-Z"])
def test_a_garbage_channel_stops_init(channel: str, tmp_path: Path) -> None:
    file = {"rust-toolchain.toml": f'[toolchain]\nchannel = "{channel}"\n'}
    done = run("init", "--yes", folder=crate(tmp_path / "p", files=file))
    assert done.returncode == 2
    assert "rust-toolchain.toml" in done.stderr
    assert not (tmp_path / "p" / ".github").exists()


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "[" * 5_000,
        "a: " * 5_000,
        "on: !!python/object/apply:os.system ['touch canary']",
        "on: !foo x",
        "on: push\non: push",
        "jobs: {a: {}, a: {}}",
        "\ufeffon: push\njobs: {}\n",
        "on: push\r\njobs: {}\r\n",
        "on: push\n\tjobs: {}",
        "on: push\x00",
        "on: push\n---\non: push",
        "\udce9",
        "",
        "name: \x1b[31mred\n",
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_hostile_workflows_do_not_stop_init(text: str, tmp_path: Path) -> None:
    folder = crate(tmp_path / "p", files={".github/workflows/own.yml": text})
    before = (folder / ".github/workflows/own.yml").read_bytes()
    start = time.monotonic()
    done = run("init", "--yes", folder=folder)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - start < 20
    assert (folder / ".github/workflows/own.yml").read_bytes() == before
    assert "\x1b" not in done.stdout + done.stderr
    assert not list(tmp_path.rglob("canary"))


def test_a_thousand_members(project: Project) -> None:
    first = project.packages[0]
    members: tuple[Package, ...] = tuple(
        dataclasses.replace(
            first, name=f"member-{number:04}", directory=PurePosixPath(f"m/{number}")
        )
        for number in range(1_000)
    )
    main = dataclasses.replace(project.main, members=members, virtual=True)
    start = time.monotonic()
    tree = rendered(
        dataclasses.replace(project, main=main), {"platforms.targets": ("wasm32-wasip1",)}
    )
    assert time.monotonic() - start < 10
    assert lint_many({path: text for path, text in tree.items() if is_workflow(path)}) == []


def test_escapes_do_not_reach_the_terminal(tmp_path: Path) -> None:
    escape = "\\u001b]0;owned\\u0007\\r::error::x"
    more = f'[[bin]]\nname = "{escape}"\npath = "src/lib.rs"\n[[bench]]\nname = "{escape}"\n'
    folder = crate(tmp_path / "p", more + 'harness = false\npath = "src/lib.rs"')
    for arguments in (["inspect"], ["init", "--dry-run"], ["init", "--dry-run", "--format=json"]):
        done = run(*arguments, folder=folder)
        assert done.returncode in (0, 2)
        assert not set("\x1b\x07\r") & set(done.stdout + done.stderr)
        assert "Traceback" not in done.stderr
