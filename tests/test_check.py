"""`rustci check`: the answer, its forms, and the seal that makes it quick."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft4Validator

from rustci import fingerprint, proposal
from rustci.lock import PATH, loads
from rustci.output.github import _data, _property
from rustci.paths import PROGRAMS
from tests.strategies import Answers, agreed, answers, copied, read
from tests.upkeep import CI, TODAY, Repository

SARIF = Path(__file__).parent / "fixtures" / "sarif-2.1.0-rtm.5.json"
RAISED = ('rust-version = "1.85"', 'rust-version = "1.88"')


def raise_msrv(repository: Repository) -> None:
    repository.edit(*RAISED, "Cargo.toml")


def test_after_init_all_is_well(repository: Repository) -> None:
    before = repository.tree()
    done = repository.run("check")
    assert (done.code, done.out) == (0, f"{fingerprint.CLEAN}\n")
    assert repository.run("check", "--format", "json").json == {
        "schema": 1,
        "clean": True,
        "findings": [],
        "ignored": {},
    }
    assert repository.tree() == before


def test_without_a_lock_there_is_nothing_to_check(tmp_path: Path) -> None:
    done = Repository(copied("single", tmp_path)).run("check")
    assert done.code == 2
    assert "rustci init" in done.err


def test_a_raised_msrv_is_found_told_and_mended(repository: Repository) -> None:
    raise_msrv(repository)
    before = repository.tree()
    done = repository.run("check", "--diff")
    assert done.code == 1
    line = repository.line('toolchain: "1.85"')
    assert f"error: {CI}:{line}: " in done.out
    assert (
        "error: Cargo.toml:5: `rust-version`: chat-server 1.85 became chat-server 1.88" in done.out
    )
    assert "fix: rustci update" in done.out
    assert '\n+          - toolchain: "1.88"\n' in done.out
    assert repository.tree() == before
    assert repository.run("update").code == 0
    assert repository.run("check").code == 0


BENCH = "[[bench]]\nname = 'new'\nharness = false\n"
FACTS = {
    "benchmark": ({"Cargo.toml": BENCH, "benches/new.rs": ""}, "new benchmark: chat-server/new"),
    "toolchain": ({"rust-toolchain.toml": "[toolchain]\nchannel = '1.90'\n"}, "toolchain file"),
}


@pytest.mark.parametrize(("files", "told"), FACTS.values(), ids=FACTS)
def test_the_fact_behind_the_drift_is_named(
    files: dict[str, str], told: str, repository: Repository
) -> None:
    for path, text in files.items():
        before = repository.read(path) if (repository.root / path).exists() else ""
        repository.write(before + text, path)
    done = repository.run("check")
    assert done.code == 1
    assert told in done.out
    assert repository.run("update").code == 0
    assert repository.run("check").code == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"timeout-minutes: 30", "timeout-minutes: 45"),
        (r"^# Written by rustci.*\n", "# Ours.\n"),
        (r"cargo fmt --all --check", "cargo fmt --check"),
        (r"actions/checkout@\w+ # v7\.0\.1", f"actions/checkout@{'b' * 40} # v7.1.0"),
    ],
    ids=["timeout", "comment", "command", "pin moved by a bot"],
)
def test_an_edit_of_the_user_is_no_drift(old: str, new: str, repository: Repository) -> None:
    repository.edit(old, new)
    assert repository.run("check").code == 0
    assert repository.run("check", "--format", "json").json["clean"]


def test_a_missing_file_stays_deleted_and_is_no_drift(repository: Repository) -> None:
    (repository.root / ".github/CI.md").unlink()
    assert repository.run("check").code == 0


def test_a_workflow_that_cannot_be_read_is_named_with_its_line(repository: Repository) -> None:
    repository.edit(r"^jobs:\n", "jobs:\n\tx: 1\n")
    done = repository.run("check")
    assert done.code == 1
    assert f"error: {CI}:{repository.line(chr(9))}: the file is not YAML" in done.out


def test_every_error_has_a_place_a_reason_and_a_fix(repository: Repository) -> None:
    raise_msrv(repository)
    repository.edit("checkout@.*", "checkout@v7")
    found = repository.run("check", "--format", "json").json["findings"]
    assert {one["rule"] for one in found} == {"drift", "facts", "pins"}
    assert all(one[key] for one in found for key in ("path", "line", "message", "why", "fix"))


class TestGithub:
    def test_each_finding_is_one_command(self, repository: Repository) -> None:
        raise_msrv(repository)
        done = repository.run("check", "--format", "github")
        lines = done.out.splitlines()
        assert done.code == 1
        assert len(lines) == 2
        line = repository.line('toolchain: "1.85"')
        assert lines[0].startswith(f"::error file={CI},line={line},title=rustci drift::")
        assert lines[1].startswith("::error file=Cargo.toml,line=5,title=rustci facts::")
        assert all("%0AFix: rustci update" in each for each in lines)

    def test_text_cannot_begin_a_command_of_its_own(self) -> None:
        # The runner's own rules: a command ends with its line, a property with `,` and `:`.
        assert _data("50%\r\n::set-env name=x::y") == "50%25%0D%0A::set-env name=x::y"
        assert _property("a:b,c%\n") == "a%3Ab%2Cc%25%0A"

    def test_a_note_is_a_notice(self, repository: Repository) -> None:
        repository.write("on: push\n", ".github/workflows/a,b.yml")
        done = repository.run("check", "--format", "github")
        assert done.code == 0
        assert done.out.startswith("::notice file=.github/workflows/a%2Cb.yml,line=1,")


def problems(log: Any) -> list[str]:
    """Return what the schema of SARIF 2.1.0 says against a log."""
    schema = json.loads(SARIF.read_text("utf-8"))
    validator = Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(log)]


class TestSarif:
    def test_a_log_without_findings_is_valid(self, repository: Repository) -> None:
        done = repository.run("check", "--format", "sarif")
        assert done.code == 0
        assert not problems(done.json)

    def test_the_log_is_valid(self, repository: Repository) -> None:
        raise_msrv(repository)
        repository.edit("checkout@.*", "checkout@v7")
        done = repository.run("check", "--format", "sarif")
        log = done.json
        assert not problems(log)
        assert problems({**log, "version": "2.0.0"})
        (run,) = log["runs"]
        rules = run["tool"]["driver"]["rules"]
        assert {result["ruleId"] for result in run["results"]} == {"drift", "facts", "pins"}
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            (place,) = result["locations"]
            file = place["physicalLocation"]["artifactLocation"]["uri"]
            lines = repository.read(file).count("\n")
            assert 1 <= place["physicalLocation"]["region"]["startLine"] <= lines


class TestSeal:
    def slow(self, repository: Repository) -> bool:
        """Whether the lock does not vouch for the files."""
        _, lock = proposal.written_lock(repository.root)
        return not fingerprint.holds(repository.root, repository.root, lock, {}, TODAY)

    def test_init_and_update_leave_one(self, repository: Repository) -> None:
        assert not self.slow(repository)
        raise_msrv(repository)
        assert self.slow(repository)
        repository.run("update")
        assert not self.slow(repository)

    @pytest.mark.parametrize("path", [CI, ".github/CI.md", "Cargo.toml", ".github/rustci.toml"])
    def test_any_change_breaks_it(self, path: str, repository: Repository) -> None:
        text = repository.read(path)
        repository.write(text.replace("1.85", "1.84") + "\n[coverage]\nminimum = 5\n", path)
        assert self.slow(repository)

    def test_so_do_a_variable_a_new_workflow_and_another_version(
        self, repository: Repository
    ) -> None:
        _, lock = proposal.written_lock(repository.root)
        root = repository.root
        assert not fingerprint.holds(root, root, lock, {"RUSTCI_TESTS_SHARDS": "2"}, TODAY)
        repository.write("on: push\n", ".github/workflows/other.yml")
        assert self.slow(repository)
        (root / ".github/workflows/other.yml").unlink()
        assert not self.slow(repository)
        repository.wrote_last('version = "0.1.0"', 'version = "0.0.9"')
        assert self.slow(repository)

    def test_so_does_time(self, repository: Repository) -> None:
        repository.edit("runs-on: ubuntu-24.04", "runs-on: ubuntu-22.04")
        repository.run("update")
        _, lock = proposal.written_lock(repository.root)
        assert lock.seal
        assert lock.seal.until == "2027-01-17"
        assert lock.seal.notes

    def test_a_change_of_the_code_does_not(self, repository: Repository) -> None:
        source = "src/logging.rs"
        repository.write(repository.read(source) + "\nfn more() {}\n", source)
        assert not self.slow(repository)

    def test_a_checkout_in_ci_without_remote_and_branch_needs_no_rendering(
        self, repository: Repository
    ) -> None:
        git = repository.root / ".git"
        git.mkdir()
        (git / "HEAD").write_text(f"{'0' * 40}\n")
        assert not self.slow(repository)
        assert repository.run("check", "--format", "json").json["clean"]

    def test_what_is_wrong_is_never_sealed(self, repository: Repository) -> None:
        repository.edit("checkout@.*", "checkout@v7")
        repository.run("update")
        assert repository.run("check").code == 1

    def test_it_says_what_the_whole_check_says(self, repository: Repository) -> None:
        repository.edit("runs-on: ubuntu-24.04", "runs-on: ubuntu-latest")
        repository.write("on: push\n", ".github/workflows/other.yml")
        full = repository.run("check").out
        repository.run("update")
        assert repository.run("check").out == full
        assert full.count("note: ") == 2

    def test_nothing_is_rendered(self, repository: Repository) -> None:
        code = (
            "import sys; sys.argv[1:] = ['check']\n"
            "from rustci.__main__ import run\n"
            "run()\n"
            "print(*{'click', 'cookiecutter', 'jinja2', 'ruamel', 'rich'} & {*sys.modules})\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=repository.root,
            env={"PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"{fingerprint.CLEAN}\n\n"


@given(drawn=answers())
@settings(max_examples=6)
def test_whatever_was_answered_a_check_after_init_is_clean(
    drawn: Answers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = copied("single", tmp_path_factory.mktemp("answered"))
    _, given = agreed(read(root), drawn)
    words = [f"--set={name}={_text(value)}" for name, value in given.items()]
    repository = Repository(root)
    assert repository.run("init", "--yes", *words).code == 0
    before = repository.tree()
    report = repository.run("check", "--format", "json").json
    assert {one["rule"] for one in report["findings"]} <= {"runners"}
    assert repository.run("update").code == 0
    assert repository.tree() == before


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_locks_of_every_released_schema_are_read() -> None:
    paths = [*(Path(__file__).parent / "fixtures" / "locks").glob("*.lock")]
    assert {path.stem for path in paths} == {"schema-1"}
    for path in paths:
        lock = loads(path.read_text("utf-8"))
        assert lock.files
        assert lock.facts
        assert lock.seal
        assert re.fullmatch(r"\d+\.\d+\.\d+", lock.version)


def test_the_lock_of_the_first_schema_still_serves(repository: Repository) -> None:
    fixture = Path(__file__).parent / "fixtures" / "locks" / "schema-1.lock"
    repository.write(fixture.read_text("utf-8"), PATH)
    # That version had no gate.
    (repository.root / ".github/workflows/bench.yml").unlink()
    shutil.rmtree(repository.root / PROGRAMS)
    assert repository.run("update").code == 0
    assert repository.run("check").code == 0
