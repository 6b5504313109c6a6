"""`rustci update`: what the user did stays, what the template brings arrives, twice is once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rustci import actions, refresh, update
from rustci.lock import PATH, FileState, loads
from rustci.merge import Side
from tests.github_server import serving
from tests.house import parse
from tests.rights import let_in, unprivileged
from tests.upkeep import CI, Repository

OLDER = ("timeout-minutes: 20", "timeout-minutes: 19")
"""What the lock is made to say that an older template wrote for Clippy and the documentation."""
GUIDE = ".github/CI.md"
COVERAGE = ".github/workflows/coverage.yml"


def aged(repository: Repository) -> None:
    """Make the files those of an older template."""
    repository.wrote_last(*OLDER)
    repository.edit(*OLDER, count=0)


def test_twice_is_once(repository: Repository) -> None:
    aged(repository)
    assert repository.run("update").code == 0
    once = repository.tree()
    assert repository.run("update").code == 0
    assert repository.tree() == once
    assert OLDER[1] not in repository.read()


OTHER = ".github/workflows/other.yml"
CHECKOUT = actions.pin("actions/checkout")
USES = f"""\
on: push
jobs:
  other:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@{CHECKOUT.sha} # {CHECKOUT.version}
"""

EDITS = {
    "timeout": (r"timeout-minutes: 10$", "timeout-minutes: 17"),
    "comment": (r"^  # A diff here never reaches review\.", "  # Ours to word."),
    "env": (r"^env:\n", "env:\n  OURS: 1\n"),
    "trigger": (r"^  pull_request:\n", "  pull_request:\n    paths-ignore: [docs/**]\n"),
    "step": (
        r"^      - name: Check formatting",
        "      - run: ./mine.sh\n      - name: Check formatting",
    ),
    "job": (
        r"^jobs:\n",
        "jobs:\n  mine:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: ls\n\n",
    ),
    "deleted step": (r"^      - name: Run the documentation tests\n.*\n", ""),
    "pin": (r"actions/checkout@\w+ # v7\.0\.1", f"actions/checkout@{'c' * 40} # v7.3.0"),
}


@pytest.mark.parametrize(("old", "new"), EDITS.values(), ids=EDITS)
def test_an_edit_stays_while_the_template_moves_on(
    old: str, new: str, repository: Repository
) -> None:
    repository.edit(old, new)
    mine = repository.read()
    repository.wrote_last(*OLDER)
    repository.edit(*OLDER, count=0)
    assert repository.run("update").code == 0
    assert repository.read() == mine
    assert repository.run("update").out.endswith("everything is up to date\n")


UPLOADS = """\
on: [push]
jobs:
  cover:
    runs-on: ubuntu-24.04
    steps:
      - run: cargo llvm-cov --codecov --output-path codecov.json
      - uses: codecov/codecov-action@v5
"""


def test_the_coverage_service_stays_when_the_workflow_that_named_it_goes(
    project_folder: Callable[[str], Path],
) -> None:
    repository = Repository(project_folder("chat-server"))
    repository.write(UPLOADS, ".github/workflows/cover.yml")
    assert repository.run("init", "--yes", "--branch", "main").code == 0
    assert "codecov-action" in repository.read(COVERAGE)
    (repository.root / ".github/workflows/cover.yml").unlink()
    assert repository.run("check").out.startswith("clean")
    assert repository.run("update").out.endswith("everything is up to date\n")
    assert repository.run("init", "--yes").code == 0
    assert "codecov-action" in repository.read(COVERAGE)


def test_a_lock_that_names_no_coverage_service_learns_it(repository: Repository) -> None:
    repository.edit(r'^"coverage service" = .*\n', "", PATH)
    repository.write(UPLOADS, ".github/workflows/cover.yml")
    assert repository.run("update").code == 0
    assert '"coverage service" = ["codecov"]' in repository.read(PATH)
    assert "codecov-action" in repository.read(COVERAGE)


def test_a_bump_of_a_bot_is_learnt_by_the_lock_and_never_undone(repository: Repository) -> None:
    newer = f"{'c' * 40} # v7.3.0"
    repository.edit(r"(actions/checkout@)\w+ # v7\.0\.1", rf"\g<1>{newer}", count=0)
    mine = repository.read()
    assert repository.run("update").code == 0
    assert repository.read() == mine
    assert newer in loads(repository.read(PATH)).files[CI].text
    raised = repository.read("Cargo.toml").replace('"1.85"', '"1.88"')
    repository.write(raised, "Cargo.toml")
    assert repository.run("update").code == 0
    assert repository.read().count(newer) == mine.count(newer)


class TestConflict:
    """The user and the template changed the same time limit."""

    @pytest.fixture
    def torn(self, repository: Repository) -> Repository:
        repository.wrote_last(*OLDER)
        repository.edit(r"timeout-minutes: 20", "timeout-minutes: 77")
        return repository

    def test_nothing_is_written_and_all_three_are_shown(self, torn: Repository) -> None:
        before = torn.tree()
        done = torn.run("update")
        assert done.code == 3
        assert torn.tree() == before
        line = torn.line("timeout-minutes: 77")
        assert f"{CI}:{line}: jobs.clippy.timeout-minutes" in done.out
        told = [text.strip() for text in done.out.split("clippy.timeout-minutes")[1].splitlines()]
        assert [text for text in told if text.isdigit()] == ["19", "77", "20"]
        assert "--conflict theirs" in done.err

    def test_for_scripts(self, torn: Repository) -> None:
        done = torn.run("update", "--format", "json")
        assert done.code == 3
        assert not done.json["written"]
        (conflict,) = next(f["conflicts"] for f in done.json["files"] if f["path"] == CI)
        assert conflict == {
            "path": ["jobs", "clippy", "timeout-minutes"],
            "line": torn.line("timeout-minutes: 77"),
            "base": "19",
            "theirs": "77",
            "ours": "20",
        }

    @pytest.mark.parametrize(("side", "minutes"), [("theirs", 77), ("ours", 20)])
    def test_is_decided(self, side: str, minutes: int, torn: Repository) -> None:
        assert torn.run("update", "--conflict", side).code == 0
        jobs = parse(torn.read())["jobs"]
        assert jobs["clippy"]["timeout-minutes"] == minutes
        assert torn.run("update").out.endswith("everything is up to date\n")
        assert torn.run("check").code == 0

    def test_is_found_by_check_with_its_place(self, torn: Repository) -> None:
        done = torn.run("check")
        assert done.code == 1
        place = f"{CI}:{torn.line('timeout-minutes: 77')}"
        assert f"error: {place}: you and the template both changed" in done.out

    def test_init_asks_as_well(self, torn: Repository) -> None:
        before = torn.tree()
        assert torn.run("init", "--yes").code == 3
        assert torn.tree() == before


def test_init_merges_where_it_can(repository: Repository) -> None:
    repository.edit("timeout-minutes: 30", "timeout-minutes: 77")
    assert repository.run("init", "--yes", "--runner", "ubuntu-24.04").code == 0
    assert "runner: [ubuntu-24.04]" in repository.read()
    assert "timeout-minutes: 77" in repository.read()
    assert repository.run("check").code == 0


class TestBeside:
    """The user's `ci.yml` stays, and rustci's stands beside it: upkeep is the same."""

    PLACE = ".github/workflows/rustci-ci.yml"

    @pytest.fixture
    def beside(self, project_folder: Callable[[str], Path]) -> Repository:
        found = Repository(project_folder("chat-server"))
        found.write("on: push\njobs:\n  mine:\n    runs-on: x\n    steps: []\n")
        flags = ("--branch", "main", "--on-existing", "beside")
        assert found.run("init", "--yes", *flags).code == 0
        return found

    @pytest.mark.parametrize("only", ["rustci-ci.yml", PLACE, CI, "clippy"])
    def test_a_part_by_any_name(self, only: str, beside: Repository) -> None:
        beside.wrote_last(*OLDER)
        beside.edit(*OLDER, self.PLACE, count=0)
        mine = beside.read()
        assert beside.run("update", "--only", only).code == 0
        minutes = parse(beside.read(self.PLACE))["jobs"]["clippy"]["timeout-minutes"]
        assert (minutes, beside.read()) == (20, mine)
        assert beside.run("update").code == 0
        assert beside.run("check").code == 0

    def test_the_lock_learns_a_bump(self, beside: Repository) -> None:
        newer = f"{'c' * 40} # v7.3.0"
        beside.edit(r"(actions/checkout@)\w+ # v7\.0\.1", rf"\g<1>{newer}", self.PLACE, count=0)
        mine = beside.read(self.PLACE)
        assert beside.run("update").code == 0
        assert beside.read(self.PLACE) == mine
        assert newer in loads(beside.read(PATH)).files[self.PLACE].text


class TestParts:
    def test_a_file(self, repository: Repository) -> None:
        aged(repository)
        coverage = ".github/workflows/coverage.yml"
        repository.edit(r"timeout-minutes: \d+", "timeout-minutes: 3", coverage)
        repository.wrote_last("workflow_dispatch", "workflow_call")
        assert repository.run("update", "--only", "coverage.yml").code == 0
        assert OLDER[1] in repository.read()
        assert repository.run("check").code == 1
        assert repository.run("update").code == 0
        assert OLDER[1] not in repository.read()
        assert repository.run("check").code == 0

    def test_a_job(self, repository: Repository) -> None:
        aged(repository)
        assert repository.run("update", "--only", "clippy").code == 0
        jobs = parse(repository.read())["jobs"]
        assert (jobs["clippy"]["timeout-minutes"], jobs["docs"]["timeout-minutes"]) == (20, 19)
        assert repository.run("update").code == 0
        assert repository.run("check").code == 0

    def test_a_new_job_joins_the_aggregate(self, repository: Repository) -> None:
        config = ".github/rustci.toml"
        repository.write(repository.read(config) + "\n[jobs]\nlockfile = false\n", config)
        aged(repository)
        assert repository.run("update", "--only", "lockfile").code == 0
        jobs = parse(repository.read())["jobs"]
        assert "lockfile" not in {*jobs, *jobs["ci"]["needs"]}
        assert jobs["docs"]["timeout-minutes"] == 19
        repository.edit(r"^lockfile = false", "lockfile = true", config)
        assert repository.run("update", "--only", "lockfile").code == 0
        jobs = parse(repository.read())["jobs"]
        assert "lockfile" in jobs
        assert "lockfile" in jobs["ci"]["needs"]
        assert jobs["docs"]["timeout-minutes"] == 19

    def test_neither(self, repository: Repository) -> None:
        before = repository.tree()
        done = repository.run("update", "--only", "clipy")
        assert (done.code, repository.tree()) == (2, before)
        assert "did you mean `clippy`?" in done.err


class TestDeleted:
    @pytest.fixture
    def without(self, repository: Repository) -> Repository:
        (repository.root / GUIDE).unlink()
        return repository

    def test_stays_so(self, without: Repository) -> None:
        for command in ("update", "init"):
            assert without.run(command, *["--yes"] * (command == "init")).code == 0
            assert not (without.root / GUIDE).exists()
        assert loads(without.read(PATH)).files[GUIDE].state is FileState.DELETED

    def test_comes_back_if_asked(self, without: Repository) -> None:
        without.run("update")
        assert without.run("update", "--restore", "CI.md").code == 0
        assert loads(without.read(PATH)).files[GUIDE].state is FileState.WRITTEN
        assert "Continuous integration" in without.read(GUIDE)

    def test_by_hand_it_is_the_users(self, without: Repository) -> None:
        without.run("update")
        without.write("# Mine\n", GUIDE)
        assert without.run("update").code == 0
        assert without.read(GUIDE) == "# Mine\n"

    def test_no_such_file(self, without: Repository) -> None:
        done = without.run("update", "--restore", "nothing.yml")
        assert done.code == 2
        assert GUIDE in done.err


def test_a_dry_run_writes_nothing_and_shows_all(repository: Repository) -> None:
    aged(repository)
    before = repository.tree()
    done = repository.run("update", "--dry-run", "--diff")
    assert (done.code, repository.tree()) == (0, before)
    assert f"-    {OLDER[1]}" in done.out
    assert f"+    {OLDER[0]}" in done.out
    assert "would change 1 file" in done.out


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (b"jobs:\n\tx: 1\n", ":2:1: the file is not YAML"),
        (b"on: push\non: push\n", ":2:1: the key 'on' is there twice"),
        (b"a: !!python/x 1\n", ":1:4: the tag"),
        (b"on: push\na: \xff\n", ":2: the file is not UTF-8"),
    ],
    ids=["tab", "twice", "tag", "no UTF-8"],
)
def test_what_cannot_be_merged_safely_is_named_and_left_alone(
    broken: bytes, problem: str, repository: Repository
) -> None:
    aged(repository)
    (repository.root / CI).write_bytes(broken)
    before = repository.tree()
    done = repository.run("update")
    assert (done.code, repository.tree()) == (2, before)
    assert done.err.startswith(f"error: {CI}{problem}")


def test_a_newer_rustci_is_not_undone(repository: Repository) -> None:
    repository.wrote_last('version = "0.1.0"', 'version = "99.0"')
    before = repository.tree()
    done = repository.run("update")
    assert (done.code, repository.tree()) == (2, before)
    assert "pip install --upgrade rustci" in done.err


def test_pins_that_cannot_be_asked_for_leave_everything_untouched(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    aged(repository)
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("GITHUB_TOKEN", "secret-of-the-test")
    before = repository.tree()
    done = repository.run("update", "--pins")
    assert (done.code, repository.tree()) == (4, before)
    assert "secret-of-the-test" not in done.out + done.err


def test_a_folder_that_may_not_be_written(repository: Repository) -> None:
    aged(repository)
    before = repository.tree()
    let_in(repository.root)
    folder = repository.root / ".github/workflows"
    folder.chmod(0o555)
    with unprivileged():
        done = repository.run("update")
    folder.chmod(0o755)
    assert (done.code, repository.tree()) == (4, before), done.err
    assert "Permission denied" in done.err


def test_what_a_killed_run_left_is_swept_even_where_nothing_is_to_write(
    repository: Repository,
) -> None:
    left = repository.root / ".github/workflows" / f".rustci-{'0' * 32}.tmp"
    assert repository.run("update").code == 0
    left.write_text("half", encoding="utf-8")
    assert repository.run("update").code == 0
    assert not left.exists()


def test_a_killed_update_is_finished_by_the_next_one(repository: Repository) -> None:
    aged(repository)
    command = [sys.executable, "-m", "rustci", "update", str(repository.root)]
    env = {"PYTHONPATH": str(Path(__file__).parents[1])}
    running = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    temporary = repository.root / ".github/workflows"
    deadline = time.monotonic() + 20
    while running.poll() is None and time.monotonic() < deadline:
        if any(temporary.glob(".rustci-*.tmp")):
            running.send_signal(signal.SIGKILL)
            break
    running.wait()
    assert repository.run("update").code == 0
    assert repository.run("check").code == 0
    assert not [*repository.root.rglob("*.tmp")]


class TestLines:
    """Markdown has no structure that a merge could follow: lines it is."""

    BASE = "a\nb\nc\nd\ne\n"

    @pytest.mark.parametrize(
        ("theirs", "ours", "merged"),
        [
            ("a\nB\nc\nd\ne\n", "a\nb\nc\nd\nE\n", "a\nB\nc\nd\nE\n"),
            ("a\nB\nc\nd\ne\n", "a\nB\nc\nd\ne\n", "a\nB\nc\nd\ne\n"),
            ("a\r\nB\r\nc\r\nd\r\ne\r\n", "b\nc\nd\ne\n", None),
            ("a\r\nb\r\nC\r\nd\r\ne\r\n", "b\nc\nd\ne\n", "b\r\nC\r\nd\r\ne\r\n"),
            ("x\na\nb\nc\nd\ne\n", "a\nb\nc\nd\ne\ny\n", "x\na\nb\nc\nd\ne\ny\n"),
        ],
    )
    def test_what_does_not_touch_is_merged(
        self, theirs: str, ours: str, merged: str | None
    ) -> None:
        found = update.by_lines(self.BASE, theirs, ours, None)
        assert (None if found.conflicts else found.text) == merged

    def test_a_conflict_is_decided(self) -> None:
        sides = ("a\nX\nc\nd\ne\n", "a\nY\nc\nd\ne\n")
        found = update.by_lines(self.BASE, *sides, None)
        assert [(c.line, c.base, c.theirs, c.ours) for c in found.conflicts] == [
            (2, "b\n", "X\n", "Y\n")
        ]
        assert found.text == sides[0]
        assert update.by_lines(self.BASE, *sides, Side.THEIRS).text == sides[0]
        assert update.by_lines(self.BASE, *sides, Side.OURS).text == sides[1]

    LINES = st.lists(st.sampled_from("abcd"), max_size=6).map(
        lambda x: "".join(f"{c}\n" for c in x)
    )

    @given(base=LINES, theirs=LINES, ours=LINES)
    @settings(max_examples=200, suppress_health_check=[HealthCheck.differing_executors])
    def test_one_side_alone_decides(self, base: str, theirs: str, ours: str) -> None:
        assert update.by_lines(base, theirs, base, None).text == theirs
        assert update.by_lines(base, base, ours, None).text == ours
        assert update.by_lines(base, ours, ours, None).text == ours
        assert update.by_lines(base, theirs, ours, Side.THEIRS).conflicts == ()


class TestPins:
    """`--pins`: what moves is written with the merge, or not at all."""

    @pytest.fixture
    def newer(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
        """The commit of a release of actions/checkout that rustci does not know."""
        with serving() as server:
            for name, pin in actions.catalogue().items():
                if name == pin.repo:
                    repo = server.repo(name)
                    repo.release(pin.version, commit=pin.sha)
                    if ids := refresh.known_ids(None).get(name.lower()):
                        repo.repo_id, repo.owner_id = ids.repo_id, ids.owner_id
            monkeypatch.setenv("GITHUB_API_URL", server.base)
            monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
            yield server.repos["actions/checkout"].release("v7.2.0")

    def test_they_move_on_request_and_stay_moved(self, newer: str, repository: Repository) -> None:
        repository.write(USES, OTHER)
        done = repository.run("update", "--pins")
        assert done.code == 0, done.err
        for path in (CI, OTHER):
            assert f"actions/checkout@{newer} # v7.2.0" in repository.read(path)
            assert actions.pin("actions/checkout").sha not in repository.read(path)
        assert newer in loads(repository.read(PATH)).files[CI].text
        moved = repository.tree()
        assert repository.run("check").code == 0
        assert repository.run("update").code == 0
        assert repository.run("init", "--yes").code == 0
        assert repository.tree() == moved

    def test_the_template_arrives_with_them(self, newer: str, repository: Repository) -> None:
        aged(repository)
        done = repository.run("update", "--pins", "--format", "json")
        assert done.code == 0, done.err
        assert {pin["target"]["version"] for pin in done.json["pins"] if pin["target"]} == {
            "v7.2.0"
        }
        assert CI in {file["path"] for file in done.json["files"] if file["state"] == "merge"}
        assert OLDER[1] not in repository.read()
        assert newer in repository.read()
        assert repository.run("check").code == 0

    def test_nothing_moves_where_something_else_is_undecided(
        self, newer: str, repository: Repository
    ) -> None:
        repository.wrote_last(*OLDER)
        repository.edit(r"timeout-minutes: 20", "timeout-minutes: 77")
        before = repository.tree()
        done = repository.run("update", "--pins")
        assert (done.code, repository.tree()) == (3, before)
        assert "would move" in done.out
        assert newer not in repository.read()

    def test_only_the_files_that_are_named(self, newer: str, repository: Repository) -> None:
        repository.write(USES, OTHER)
        assert repository.run("update", "--pins", "--only", "ci.yml").code == 0
        changed = {path for path in repository.tree() if newer in repository.read(path)}
        assert changed == {CI, PATH}

    def test_a_dry_run_moves_nothing(self, newer: str, repository: Repository) -> None:
        before = repository.tree()
        assert f"+        uses: actions/checkout@{newer}" in (
            repository.run("update", "--pins", "--dry-run", "--diff").out
        )
        assert repository.tree() == before


FUZZ = """\
  fuzz:
    name: Fuzz
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions: {}
    steps:
      - run: ls
"""


class TestJoiningNeeds:
    """A job that the user added, and the one check to require."""

    @pytest.fixture
    def grown(self, repository: Repository) -> Repository:
        repository.edit(r"^jobs:\n", f"jobs:\n{FUZZ}\n")
        return repository

    def needs(self, repository: Repository) -> list[str]:
        found: list[str] = parse(repository.read())["jobs"]["ci"]["needs"]
        return found

    def test_it_joins_if_told(self, grown: Repository) -> None:
        before = grown.read()
        assert grown.run("check").code == 1
        assert "rustci update --join-needs" in grown.run("check").out
        done = grown.run("update", "--join-needs")
        assert done.code == 0
        assert "`ci` now waits for `fuzz`" in done.out
        assert self.needs(grown)[-1] == "fuzz"
        changed = set(before.splitlines()) ^ set(grown.read().splitlines())
        assert len(changed) == 2
        once = grown.tree()
        assert grown.run("update", "--join-needs").code == 0
        assert grown.tree() == once
        assert grown.run("check").out.startswith("clean")

    def test_declining_is_remembered(self, grown: Repository) -> None:
        before = grown.read()
        assert grown.run("update", "--no-join-needs").code == 0
        assert grown.read() == before
        assert loads(grown.read(PATH)).files[CI].apart == ("fuzz",)
        assert grown.run("check").out.startswith("clean")
        aged(grown)
        done = grown.run("update")
        assert "fuzz" not in done.out
        assert "fuzz" not in self.needs(grown)
        assert grown.run("check").code == 0

    def test_without_an_answer_it_is_named_and_nothing_is_guessed(self, grown: Repository) -> None:
        done = grown.run("update", "--format", "json")
        assert done.json["unjoined"] == ["fuzz"]
        assert "`CI` does not wait for `fuzz`" in grown.run("update").out
        assert "fuzz" not in self.needs(grown)

    def test_needs_in_block_style_with_crlf_stays_so(self, grown: Repository) -> None:
        names = "".join(f"\n      - {name}" for name in self.needs(grown))
        grown.edit(r"^    needs: \[.*\]$", f"    needs:{names}")
        grown.write(grown.read().replace("\n", "\r\n"))
        before = grown.read()
        assert grown.run("update", "--join-needs").code == 0
        last = f"      - {self.needs(grown)[-2]}\r\n"
        assert grown.read() == before.replace(last, f"{last}      - fuzz\r\n")

    def test_a_job_that_another_one_waits_for_is_no_question(self, grown: Repository) -> None:
        grown.edit(r"^(  clippy:\n)", r"\1    needs: fuzz\n")
        assert grown.run("update", "--format", "json").json["unjoined"] == []
        assert grown.run("check").code == 0

    @pytest.mark.parametrize(("key", "waits"), [("y", True), ("n", False), ("\x03", None)])
    def test_on_a_terminal_it_is_asked(
        self, key: str, waits: bool | None, grown: Repository
    ) -> None:
        before = grown.tree()
        terminal = pexpect.spawn(
            sys.executable,
            ["-m", "rustci", "update"],
            cwd=str(grown.root),
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            encoding="utf-8",
            timeout=30,
        )
        terminal.expect("wait for the job `fuzz` as well")
        terminal.send(key if waits is None else f"{key}\r")
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == (130 if waits is None else 0)
        assert ("fuzz" in self.needs(grown)) is bool(waits)
        if waits is None:
            assert grown.tree() == before
        else:
            assert grown.run("check").out.startswith("clean")
