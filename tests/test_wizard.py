"""The wizard: its logic with scripted replies, and the real thing in a real terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pexpect
import pytest
from rich.console import Console

from rustci import config as configuration
from rustci import wizard
from rustci.config import Layer
from rustci.errors import ConfigError
from rustci.project import Project
from rustci.proposal import Proposal
from rustci.recommend import recommend
from rustci.scaffold import OnExisting
from rustci.wizard.prompts import AnyOf, Line, OneOf, Prompt, Reply, YesNo
from tests.strategies import read

CARGO_TOML = """\
[package]
name = "abacus"
version = "0.1.0"
edition = "2021"
rust-version = "1.74"

[dev-dependencies]
criterion = "0.5"

[[bench]]
name = "sum"
harness = false
"""
LIB = """\
pub fn one() -> u32 {
    1
}

#[test]
fn one_is_one() {
    assert_eq!(one(), 1);
}
"""
CI = ".github/workflows/ci.yml"
SETTINGS = ".github/rustci.toml"
HAND_WRITTEN = """\
on: [pull_request]
jobs:
  style:
    runs-on: ubuntu-latest
    steps:
    - run: cargo fmt --check
  all:
    runs-on: ubuntu-latest
    steps:
    - run: cargo test
"""


@pytest.fixture
def crate(tmp_path: Path) -> Path:
    """A small library with a test, a benchmark and a `rust-version`, in a git repository."""
    files = {"Cargo.toml": CARGO_TOML, "src/lib.rs": LIB, "benches/sum.rs": "fn main() {}\n"}
    root = tmp_path / "abacus"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["git", "init", "-q", "-b", "main", root], check=True)
    return root


def tree(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


def answers(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / SETTINGS).read_text())


class Script:
    """Replies by the beginning of the question; takes the default where it has none."""

    def __init__(self, replies: Mapping[str, Sequence[Reply]] | None = None) -> None:
        self.replies = {text: [*given] for text, given in (replies or {}).items()}
        self.asked: list[Prompt] = []
        self.told: list[tuple[str, str]] = []
        self.shown: list[str] = []

    def ask(self, prompt: Prompt) -> Reply:
        self.asked.append(prompt)
        assert len(self.asked) < 50, "asked in a circle"
        for text, given in self.replies.items():
            if prompt.text.startswith(text) and given:
                return given.pop(0)
        return "" if isinstance(prompt, Line) else prompt.default

    def answered(self, label: str, value: str) -> None:
        self.told.append((label, value))

    def taken_back(self) -> None:
        self.told.pop()

    def show(self, printer: Callable[[Console], None], *, long: bool = False) -> None:
        out = Console(width=200 if long else 80, color_system=None, markup=False)
        with out.capture() as captured:
            printer(out)
        self.shown.append(captured.get())

    def prompt(self, text: str) -> Prompt:
        return next(prompt for prompt in reversed(self.asked) if prompt.text.startswith(text))


def run(
    root: Path, script: Script, *, file: str = "", on_existing: OnExisting | None = None
) -> Proposal | None:
    project: Project = read(root)
    layers: tuple[Layer, ...] = (recommend(project), configuration.file_layer(file, SETTINGS))
    return wizard.run(project, layers, on_existing, script)


def decided(found: Proposal | None) -> dict[str, object]:
    assert found
    return dict(configuration.decided(found.config))


class TestPrompts:
    """The kind of an option decides how it is asked."""

    @pytest.fixture
    def script(self, crate: Path) -> Script:
        script = Script()
        assert decided(run(crate, script, file='[platforms]\nrunners = ["big-box"]\n'))
        return script

    def test_switch(self, script: Script) -> None:
        prompt = script.prompt("Guard the benchmarks")
        assert isinstance(prompt, YesNo)
        assert prompt.default is True
        why, cost = prompt.notes
        assert why == "Why: `abacus` measures with `criterion`"
        assert cost.startswith("Two builds and up to ten minutes of measuring")

    def test_choice(self, script: Script) -> None:
        prompt = script.prompt("Where should the coverage")
        assert isinstance(prompt, OneOf)
        assert [item.title for item in prompt.items] == ["codecov", "coveralls", "none", "no"]
        assert prompt.default == "none"

    def test_release(self, script: Script) -> None:
        prompt = script.prompt("Which is the oldest Rust")
        assert isinstance(prompt, Line)
        assert prompt.default == "1.74"

    def test_labels(self, script: Script) -> None:
        prompt = script.prompt("On which systems")
        assert isinstance(prompt, AnyOf)
        hints = {item.value: item.hint for item in prompt.items}
        assert "Linux" in hints["ubuntu-24.04"]
        assert "$0.062" in hints["macos-15"]
        assert "ubuntu-latest" not in hints
        assert "macos-13" not in hints
        assert hints["big-box"] == ""
        assert prompt.default == ("big-box",)
        labels = "ubuntu-24.04, macos-15, windows-2025"
        assert prompt.notes[:2] == (
            f"Why: set by `{SETTINGS}`",
            f"Recommended: {labels} (nothing ties the code to one system)",
        )

    def test_jobs(self, script: Script) -> None:
        prompt = script.prompt("Which jobs")
        assert isinstance(prompt, AnyOf)
        assert not prompt.other
        items = {item.value: item for item in prompt.items}
        assert items["msrv"].hint == "`rust-version` in Cargo.toml"
        assert items["msrv"].group == "Every change"
        assert "targets" not in items

    def test_answers_are_told(self, script: Script) -> None:
        assert ("MSRV", "1.74") in script.told
        assert ("Minimum", "no") in script.told


def test_free_text_is_read_by_the_kind(crate: Path) -> None:
    script = Script({"Below how many": ["80"], "Which is the oldest": [" 1.70 "]})
    found = decided(run(crate, script))
    assert found == {"coverage.minimum": 80, "toolchains.msrv": "1.70"}


def test_a_refused_answer_is_asked_again_with_the_reason(crate: Path) -> None:
    script = Script({"Below how many": ["abc", "200", "80"]})
    assert decided(run(crate, script)) == {"coverage.minimum": 80}
    problems = [p.problem for p in script.asked if p.text.startswith("Below")]
    assert problems == [
        "",
        "`abc` cannot be used: it must be a whole number from 1 to 100 or `false`",
        "`200` cannot be used: it must be a whole number from 1 to 100 or `false`, not 200",
    ]


def test_a_refused_choice_is_asked_again_with_what_was_ticked(crate: Path) -> None:
    ticked = ("ubuntu-24.04", "windows-2025", "ubuntu-18.04")
    script = Script({"On which systems": [ticked]})
    found = run(crate, script)
    prompt = script.prompt("On which systems")
    assert isinstance(prompt, AnyOf)
    assert prompt.default == ("ubuntu-24.04", "windows-2025")
    assert "ubuntu-18.04 was removed" in prompt.problem
    assert decided(found) == {"platforms.runners": ("ubuntu-24.04", "windows-2025")}


def test_answers_that_exclude_one_another_are_told_with_the_way_out(crate: Path) -> None:
    file = '[platforms]\nrunners = ["ubuntu-24.04"]\n[tests]\nservices = ["postgres"]\n'
    script = Script({"On which systems": [("ubuntu-24.04", "macos-15"), ("ubuntu-24.04",)]})
    run(crate, script, file=file)
    problem = script.prompt("On which systems").problem
    assert "`platforms.runners` names `macos-15`" in problem
    assert "leave that runner out" in problem


def test_the_order_of_ticks_keeps_the_main_one_first(crate: Path) -> None:
    file = '[toolchains]\nchannels = ["nightly", "stable"]\n'
    script = Script({"Which toolchains": [("stable", "beta", "nightly")]})
    found = decided(run(crate, script, file=file))
    assert found == {"toolchains.channels": ("nightly", "stable", "beta")}


def test_going_back_changes_an_earlier_answer(crate: Path) -> None:
    replies: dict[str, Sequence[Reply]] = {
        "Where should": ["codecov", "coveralls"],
        "Below how many": [None, "75"],
    }
    script = Script(replies)
    found = decided(run(crate, script))
    assert found == {"coverage.service": "coveralls", "coverage.minimum": 75}
    assert [value for label, value in script.told if label == "Coverage"] == ["coveralls"]


def test_going_back_at_the_first_question_asks_it_again(crate: Path) -> None:
    script = Script({"Which toolchains": [None, None]})
    assert decided(run(crate, script)) == {}
    assert [prompt.text for prompt in script.asked[:3]] == [script.asked[0].text] * 3


def test_jobs_are_told_as_what_differs(crate: Path) -> None:
    everything = Script()
    run(crate, everything)
    prompt = everything.prompt("Which jobs")
    assert isinstance(prompt, AnyOf)
    assert everything.told[-1] == ("Jobs", f"{len(prompt.default)}, as recommended")
    script = Script({"Which jobs": [tuple(j for j in prompt.default if j != "canary")]})
    assert decided(run(crate, script)) == {"jobs.canary": False}
    assert script.told[-1] == ("Jobs", "without canary")


class TestReview:
    """The last word before anything is written."""

    def test_it_shows_jobs_sizes_and_files(self, crate: Path) -> None:
        script = Script()
        found = run(crate, script)
        review = script.shown[-1]
        assert "Tests x3" in review
        assert "once a week: Coming Rust x2" in review
        assert f"+ create    {CI}" in review
        assert max(map(len, review.split("\n"))) <= 80
        assert found
        assert {change.path for change in found.files} >= {CI, SETTINGS}

    def test_no(self, crate: Path) -> None:
        assert run(crate, Script({"Write these": [False]})) is None

    def test_diff(self, crate: Path) -> None:
        script = Script({"Write these": ["diff"]})
        assert run(crate, script)
        assert f"+++ b/{CI}" in script.shown[-1]

    def test_back(self, crate: Path) -> None:
        script = Script({"Write these": [None]})
        assert decided(run(crate, script)) == {}
        assert [p.text for p in script.asked].count("Which jobs should run?") == 2


class TestFilesInTheWay:
    """Files that rustci did not write are named, and each is asked about."""

    NAMES = ("bench.yml", "ci.yml", "coverage.yml", "scheduled.yml")

    @pytest.fixture
    def crate(self, crate: Path) -> Path:
        for name in self.NAMES:
            path = crate / ".github/workflows" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("name: mine\n")
        return crate

    def kinds(self, found: Proposal | None) -> dict[str, str]:
        assert found
        return {
            change.path.rpartition("/")[2]: change.kind.value
            for change in found.changes.changes
            if "workflows" in change.path
        }

    def test_each_has_its_decision(self, crate: Path) -> None:
        script = Script(
            {
                f"What about .github/workflows/{name}": [decision]
                for name, decision in zip(
                    self.NAMES, ("keep", "beside", "replace", "keep"), strict=True
                )
            }
        )
        assert self.kinds(run(crate, script)) == {
            "bench.yml": "keep",
            "ci.yml": "keep",
            "rustci-ci.yml": "create",
            "coverage.yml": "replace",
            "scheduled.yml": "keep",
        }
        assert script.prompt("What about").notes == ("It was not written by rustci.",)

    def test_merging_shows_what_it_recognises_and_adds_the_rest(self, crate: Path) -> None:
        (crate / CI).write_text(HAND_WRITTEN)
        script = Script({f"What about {CI}": ["merge"]})
        found = run(crate, script)
        assert self.kinds(found)["ci.yml"] == "merge"
        prompt = script.prompt(f"What about {CI}")
        assert isinstance(prompt, OneOf)
        assert prompt.default == "keep"
        hints = {item.value: item.hint for item in prompt.items}
        assert hints["merge"].endswith("(`style` is its `format`, `all` is its `test`)")
        assert found
        new = next(change.new for change in found.changes.changes if change.path == CI)
        assert new
        assert HAND_WRITTEN.partition("jobs:")[2] in new
        assert not re.search(r"^  (?:format|test):", new, re.MULTILINE)
        assert decided(found)["jobs.format"] is False

    def test_what_is_replaced_is_not_recognised(self, crate: Path) -> None:
        (crate / CI).write_text(HAND_WRITTEN)
        (crate / ".github/workflows/coverage.yml").write_text(HAND_WRITTEN)
        replies = {f"What about {CI}": ["replace"], "What about": ["merge", "keep"]}
        found = run(crate, Script(replies))
        assert found
        assert "coverage.yml" in found.config.settings["jobs.format"].reason

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("jobs:\n\tci: {}\n", "the file is not YAML"),
            ("on: push\njobs:\n  ci:\n    steps: []\n", "job `ci` does something of its own"),
        ],
    )
    def test_merging_is_not_offered_where_it_cannot_be(
        self, text: str, problem: str, crate: Path
    ) -> None:
        (crate / CI).write_text(text)
        script = Script()
        assert self.kinds(run(crate, script))["ci.yml"] == "keep"
        prompt = script.prompt(f"What about {CI}")
        assert isinstance(prompt, OneOf)
        assert "merge" not in [item.value for item in prompt.items]
        assert problem in prompt.notes[1]

    def test_the_default_leaves_them_alone(self, crate: Path) -> None:
        assert set(self.kinds(run(crate, Script())).values()) == {"keep"}

    def test_a_flag_decides_for_all(self, crate: Path) -> None:
        script = Script()
        found = run(crate, script, on_existing=OnExisting.REPLACE)
        assert set(self.kinds(found).values()) == {"replace"}
        assert not [prompt for prompt in script.asked if prompt.text.startswith("What about")]

    def test_one_can_look_first_and_go_back(self, crate: Path) -> None:
        script = Script(
            {
                "What about .github/workflows/ci.yml": ["keep", "diff", "replace"],
                "What about .github/workflows/coverage.yml": [None],
            }
        )
        assert self.kinds(run(crate, script))["ci.yml"] == "replace"
        assert any(f"--- a/{CI}" in shown for shown in script.shown)

    def test_a_file_in_the_way_of_the_one_beside_is_asked_about_too(self, crate: Path) -> None:
        (crate / ".github/workflows/rustci-ci.yml").write_text("name: mine as well\n")
        script = Script({"What about .github/workflows/ci.yml": ["beside"]})
        assert self.kinds(run(crate, script))["rustci-ci.yml"] == "keep"
        prompt = script.prompt("What about .github/workflows/rustci-ci.yml")
        assert isinstance(prompt, OneOf)
        assert [item.value for item in prompt.items] == ["keep", "merge", "replace", "diff"]


def test_leaving_says_that_nothing_was_written(crate: Path) -> None:
    class Leaver(Script):
        def ask(self, prompt: Prompt) -> Reply:
            self.asked.append(prompt)
            raise EOFError

    script = Leaver()
    with pytest.raises(KeyboardInterrupt):
        run(crate, script)
    assert script.shown[-1] == "Nothing was written.\n"


def test_settings_that_cannot_be_used_are_told_before_the_first_question(crate: Path) -> None:
    script = Script()
    with pytest.raises(ConfigError, match="targets"):
        run(crate, script, file="[jobs]\ntargets = true\n")
    assert not script.asked


ENTER, ESCAPE, DOWN, INTERRUPT, END = "\r", "\x1b", "\x1b[B", "\x03", "\x04"
QUESTIONS = (
    "Which toolchains",
    "oldest Rust",
    "On which systems",
    "coverage report",
    "Below how many",
    "Keep downloaded",
    "Guard the benchmarks",
    "Which jobs",
    "Write these files",
)


class Terminal:
    """`rustci init` in a pseudo-terminal."""

    def __init__(self, root: Path, *, rows: int = 40, columns: int = 100, **env: str) -> None:
        plain = {"TERM": "xterm", "PAGER": "cat", "PROMPT_TOOLKIT_NO_CPR": "1"}
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "rustci", "init", str(root)],
            env={**os.environ, **plain, **env},
            dimensions=(rows, columns),
            encoding="utf-8",
            timeout=20,
        )
        # It waits until a question is there before it types, so it need not wait any longer.
        self.child.delaybeforesend = None
        self.child.delayafterclose = 0.01
        self.output = ""

    def until(self, text: str) -> str:
        """Return what is printed up to and with `text`."""
        self.child.expect_exact(text)
        part = f"{self.child.before}{self.child.after}"
        self.output += part
        return part

    def reply(self, question: str, keys: str) -> None:
        self.until(question)
        self.child.send(keys)

    def enter(self, *questions: str) -> None:
        for question in questions:
            self.reply(question, ENTER)

    def end(self) -> int:
        """Read to the end and return the exit code."""
        self.child.expect(pexpect.EOF)
        self.output += self.child.before or ""
        self.child.close()
        assert "Traceback" not in self.output
        status = self.child.exitstatus
        assert isinstance(status, int), f"killed by signal {self.child.signalstatus}"
        return status


@pytest.fixture
def terminal(crate: Path) -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(**options: Any) -> Terminal:
        started.append(Terminal(crate, **options))
        return started[-1]

    yield start
    for one in started:
        one.child.close(force=True)


def test_enter_alone_writes_and_again_changes_nothing(
    crate: Path, terminal: Callable[..., Terminal]
) -> None:
    first = terminal()
    assert "Found one package: abacus" in first.until("Esc goes back")
    first.enter(*QUESTIONS)
    assert first.end() == 0
    assert "Written." in first.output
    assert "Require the check `CI`" in first.output
    assert answers(crate) == {}
    assert (crate / CI).is_file()

    before = tree(crate)
    again = terminal()
    again.enter(*QUESTIONS[:-1])
    assert again.end() == 0
    assert "there is nothing to write" in again.output
    assert tree(crate) == before


def test_answers_are_checked_changed_and_kept(
    crate: Path, terminal: Callable[..., Terminal]
) -> None:
    first = terminal()
    first.enter(*QUESTIONS[:3])
    first.reply("coverage report", DOWN + ENTER)  # from "none" to "no"
    first.reply("Keep downloaded", ESCAPE)
    first.until("coverage report")
    first.child.send("k" * 3 + ENTER)  # from "no" up to "codecov"
    first.reply("Below how many", "abc" + ENTER)
    first.reply("`abc` cannot be used", "200" + ENTER)
    first.reply("`200` cannot be used", "80" + ENTER)
    first.enter(*QUESTIONS[5:8])
    first.reply("Write these files", DOWN * 2 + ENTER)
    first.until(f"+++ b/{CI}")
    first.enter("Write these files")
    assert first.end() == 0
    assert answers(crate) == {"coverage": {"service": "codecov", "minimum": 80}}

    again = terminal()
    again.enter(*QUESTIONS[:4])
    assert "set by `.github/rustci.toml`" in again.until("Recommended: no")
    again.until("80")
    again.child.send(INTERRUPT)
    assert again.end() == 130


def test_other_words_are_typed(crate: Path, terminal: Callable[..., Terminal]) -> None:
    run = terminal()
    run.reply("Which toolchains", DOWN * 3 + " " + ENTER)
    run.reply("Which other toolchains", ESCAPE)
    run.reply("Which toolchains", DOWN * 3 + " " + ENTER)
    run.reply("Which other toolchains", "1.80, nightly-2026-01-01" + ENTER)
    run.enter(*QUESTIONS[1:])
    assert run.end() == 0
    channels = ["stable", "1.80", "nightly-2026-01-01"]
    assert answers(crate) == {"toolchains": {"channels": channels}}


def test_no_writes_nothing_even_in_a_small_window(
    crate: Path, terminal: Callable[..., Terminal]
) -> None:
    before = tree(crate)
    run = terminal(rows=8, columns=40)
    run.enter(*QUESTIONS[:-1])
    run.reply("Write these files", DOWN + ENTER)
    assert run.end() == 0
    assert "Nothing was written." in run.output
    assert tree(crate) == before


@pytest.mark.parametrize("number", range(len(QUESTIONS)), ids=QUESTIONS)
def test_leaving_at_any_question_writes_nothing(
    crate: Path, terminal: Callable[..., Terminal], number: int
) -> None:
    before = tree(crate)
    run = terminal()
    run.enter(*QUESTIONS[:number])
    run.reply(QUESTIONS[number], END if number % 2 else INTERRUPT)
    assert run.end() == 130
    assert "Nothing was written." in run.output
    assert tree(crate) == before


def test_files_of_others_are_named_and_asked_about(
    crate: Path, terminal: Callable[..., Terminal]
) -> None:
    folder = crate / ".github/workflows"
    folder.mkdir(parents=True)
    for name in TestFilesInTheWay.NAMES:
        (folder / name).write_text("name: mine\n")
    run = terminal()
    run.enter(*QUESTIONS[:-1])
    run.enter("What about .github/workflows/bench.yml")
    run.reply("What about .github/workflows/ci.yml", DOWN * 3 + ENTER)
    run.reply("What about .github/workflows/coverage.yml", DOWN * 2 + ENTER)
    run.enter("What about .github/workflows/scheduled.yml", "Write these files")
    assert run.end() == 0
    mine = {path.name for path in folder.iterdir() if path.read_text() == "name: mine\n"}
    assert mine == {"bench.yml", "ci.yml", "scheduled.yml"}
    assert {path.name for path in folder.iterdir()} == {*TestFilesInTheWay.NAMES, "rustci-ci.yml"}


@pytest.mark.parametrize(("env", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_no_color_is_honoured(
    terminal: Callable[..., Terminal], env: Mapping[str, str], *, coloured: bool
) -> None:
    run = terminal(**env)
    run.reply("Which toolchains", ENTER)
    run.reply("oldest Rust", "x" + ENTER)
    run.reply("cannot be used", INTERRUPT)
    assert run.end() == 130
    colours = re.findall(r"\x1b\[[\d;]*(?<=[\[;])(?:3[0-7]|9[0-7]|38;[\d;]*)m", run.output)
    assert bool(colours) is coloured


def test_a_dumb_terminal_is_told_what_to_do(terminal: Callable[..., Terminal]) -> None:
    run = terminal(TERM="dumb")
    assert run.end() == 2
    assert "rustci init --yes" in run.output
