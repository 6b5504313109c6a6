"""What existing workflows are seen to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from rustci.discover import commands, read_project
from rustci.existing import CiTask, ExistingWorkflow
from tests.discover.conftest import Write


def workflow(project: Path, name: str) -> ExistingWorkflow:
    found = read_project(project).repository.workflows
    return next(existing for existing in found if existing.path.name == name)


def seen(script: str) -> set[str]:
    return {str(task) for words in commands.split(script) for task in commands.tasks(words)}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("cargo test", {"test", "doctest"}),
        ("cargo t --lib", {"test"}),
        ("cargo test --doc", {"doctest"}),
        ("cargo test --no-run", set()),
        ("cargo +nightly fmt --all -- --check", {"format"}),
        ("RUSTFLAGS=-Dwarnings cargo --locked clippy", {"clippy"}),
        ("cargo \\\n  nextest run", {"test"}),
        ("set -e; cd x && cargo bench | tee out", {"bench"}),
        ("rustup run 1.70 cargo doc", {"docs"}),
        ("cross test --target x --tests", {"test"}),
        ("${{ env.CARGO }} miri test", {"miri"}),
        ("cargo hack --feature-powerset clippy", {"features", "clippy"}),
        ("cargo hack --rust-version check", {"msrv"}),
        ("cargo llvm-cov nextest --lcov", {"coverage"}),
        ("cargo publish --dry-run", {"manifests"}),
        ("cargo machete && cargo +nightly udeps", {"unused"}),
        ("typos; taplo fmt --check", {"typos", "manifests"}),
        ("zizmor . && actionlint", {"workflows"}),
        ("cargo publish -p x", {"release"}),
        ("cargo audit", {"audit"}),
        ("if true; then cargo semver-checks; fi", {"semver"}),
        ("cargo +nightly fuzz run parse", {"fuzz"}),
        ("cargo careful test --lib", {"careful", "test"}),
        ("cargo minimal-versions check --direct", {"minimal"}),
        ("cargo +nightly update -Z direct-minimal-versions", {"minimal"}),
        ("cargo mutants --in-diff x.diff; cargo insta test", {"mutants", "snapshots"}),
        ("# cargo test", set()),
        ("echo 'unfinished", set()),
        ("cargo build", set()),
        ("cargo", set()),
    ],
)
def test_commands(script: str, expected: set[str]) -> None:
    assert seen(script) == expected


def test_just_make_scripts_and_actions_are_followed(projects: Path) -> None:
    found = workflow(projects / "ci", "ci.yml")
    assert found.name == "CI"
    assert set(found.tasks) == {
        CiTask.AUDIT,
        CiTask.BENCH,
        CiTask.CLIPPY,
        CiTask.COVERAGE,
        CiTask.DENY,
        CiTask.DOC,
        CiTask.DOCTEST,
        CiTask.FEATURES,
        CiTask.FORMAT,
        CiTask.MANIFESTS,
        CiTask.MIRI,
        CiTask.MSRV,
        CiTask.TEST,
    }
    assert found.coverage_service == "codecov"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("env: { RUSTFLAGS: --cfg loom }\n        run: cargo test", CiTask.LOOM),
        ("env: { RUSTFLAGS: -Zsanitizer=thread }\n        run: cargo test", CiTask.SANITIZERS),
        ("run: cargo test --target x86_64-unknown-linux-gnuasan", CiTask.SANITIZERS),
        ("uses: actions/deploy-pages@v5", CiTask.PAGES),
        ("run: cargo test", None),
    ],
)
def test_what_flags_tell_of_a_run(
    step: str, expected: CiTask | None, crate: Path, write: Write
) -> None:
    text = f"on: push\njobs:\n  one:\n    steps:\n      - {step}\n"
    write(".github/workflows/ci.yml", text)
    found = set(workflow(crate, "ci.yml").tasks) - {CiTask.TEST, CiTask.DOCTEST}
    assert found == ({expected} if expected else set())


@pytest.mark.parametrize(
    ("step", "shards"),
    [
        ("cargo nextest run --partition hash:${{ matrix.shard }}/4", 4),
        ("cargo nextest run --partition=slice:1/3 --profile ci", 3),
        ("cargo nextest run --partition count:1/2000", 1),
        ("cargo nextest run", 1),
        ("split --partition halves", 1),
    ],
)
def test_the_slices_of_the_tests(step: str, shards: int, crate: Path, write: Write) -> None:
    write(".github/workflows/w.yml", f"jobs:\n  j:\n    steps:\n      - run: {step}\n")
    assert workflow(crate, "w.yml").shards == shards


def test_the_fourth_hop_is_not_followed(projects: Path) -> None:
    """just → ci/deny.sh → ci/further.sh → ci/furthest.sh, which is left."""
    assert workflow(projects / "ci", "ci.yml").unseen == ("bash ci/furthest.sh",)


def test_what_cannot_be_followed_is_listed(projects: Path) -> None:
    found = workflow(projects / "ci", "release.yaml")
    assert found.tasks == (CiTask.RELEASE,)
    assert found.unseen == (
        "just missing",
        "task build",
        "./ci/absent.sh --flag",
        "example/shared/.github/workflows/build.yml@v1",
    )


def test_aliases_and_xtask_are_followed(projects: Path) -> None:
    found = workflow(projects / "cargo-config", "ci.yml")
    assert found.tasks == (CiTask.CLIPPY, CiTask.DOCTEST, CiTask.FORMAT, CiTask.TEST)
    assert found.unseen == ()


def test_broken_workflow_does_not_stop_the_inspection(projects: Path) -> None:
    found = workflow(projects / "ci", "broken.yml")
    assert found.problem == "the key 'a' is there twice (line 4)"
    assert found.tasks == ()


def test_circles_end(crate: Path, write: Write) -> None:
    write("justfile", "a: b\n\nb: a\n    just a\n    cargo test --lib\n")
    step = "runs:\n  steps:\n    - uses: ./act\n    - run: just a\n"
    write("act/action.yml", step)
    write(".github/workflows/w.yml", "jobs:\n  j:\n    steps:\n      - uses: ./act\n")
    assert workflow(crate, "w.yml").tasks == (CiTask.TEST,)


@pytest.mark.parametrize(
    "text",
    [
        "jobs: 3\n",
        "jobs:\n  a: 1\n",
        "jobs: {a: {steps: {run: x}}}\n",
        "jobs: {a: {steps: [1, {run: 2}]}}\n",
    ],
)
def test_odd_shapes_are_no_failure(text: str, crate: Path, write: Write) -> None:
    write(".github/workflows/w.yml", text)
    assert workflow(crate, "w.yml").tasks == ()


def test_workflow_in_another_encoding(crate: Path) -> None:
    path = crate / ".github/workflows/w.yml"
    path.parent.mkdir(parents=True)
    path.write_bytes("name: caf\xe9\n".encode("latin-1"))
    assert workflow(crate, "w.yml").problem == "the file is not UTF-8: byte 0xe9 (line 1)"
