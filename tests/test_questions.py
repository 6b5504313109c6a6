"""What is asked, when, and what an answer records: the interview without a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from rustci import config as configuration
from rustci.config import Layer
from rustci.errors import ConfigError
from rustci.kinds import Value
from rustci.project import Project
from rustci.questions import JOBS, QUESTIONS, Interview, Question
from rustci.recommend import recommend
from tests.strategies import copied, read

PATH = ".github/rustci.toml"


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A package with tests, benchmarks, features, a lock file and a `rust-version`."""
    return read(copied("chat-server", tmp_path_factory.mktemp("chat")))


def interview(project: Project, file: str = "", **flags: str) -> Interview:
    named = {name.replace("__", "."): text for name, text in flags.items()}
    layers: tuple[Layer, ...] = (
        recommend(project),
        configuration.file_layer(file, PATH),
        configuration.flag_layer(named, ()),
    )
    return Interview(project=project, layers=layers)


def asked(start: Interview, answers: Mapping[str, Value]) -> tuple[list[str], Interview]:
    """Answer as given, else with the default; return the names of the questions and the end."""
    names = []
    state = start
    while question := state.question:
        names.append(question.name)
        state = state.answer(answers.get(question.name, state.default(question)))
    return names, state


def recorded(state: Interview) -> dict[str, Value]:
    return dict(configuration.decided(state.config))


def to(start: Interview, name: str) -> tuple[Interview, Question]:
    """Answer with defaults up to the question called `name`."""
    state = start
    while (question := state.question) and question.name != name:
        state = state.answer(state.default(question))
    assert question
    return state, question


def test_every_question_is_about_an_option_and_offers_only_what_it_takes() -> None:
    grammar = configuration.grammar()
    for question in QUESTIONS:
        option = grammar[question.name]
        for value in question.hints:
            option.kind.check([value] if isinstance(option.default, tuple) else value)
        assert set(question.clears) <= set(grammar)


def test_enter_alone_asks_nine_questions_and_records_nothing(chat: Project) -> None:
    names, end = asked(interview(chat), {})
    assert names == [
        "toolchains.channels",
        "toolchains.msrv",
        "platforms.runners",
        "coverage.service",
        "coverage.minimum",
        "cache.cargo",
        "benchmarks.gate",
        "load.tool",
        "jobs",
    ]
    assert recorded(end) == {}


def test_follow_ups_depend_on_the_answers(chat: Project) -> None:
    names, _ = asked(interview(chat), {"coverage.service": False})
    assert "coverage.minimum" not in names


def test_follow_ups_depend_on_the_project(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/main.rs").write_text("fn main() {}\n")
    (tmp_path / "Cargo.toml").write_text('[package]\nname = "bare"\nversion = "0.1.0"\n')
    names, _ = asked(interview(read(tmp_path)), {})
    of_others = {"coverage.service", "coverage.minimum", "benchmarks.gate", "load.tool"}
    assert not of_others & set(names)


def test_sccache_is_asked_about_where_somebody_chose_it(chat: Project) -> None:
    names, _ = asked(interview(chat, '[cache]\nsccache = "github"\n'), {})
    assert "cache.sccache" in names


def test_what_a_flag_says_is_not_asked(chat: Project) -> None:
    names, end = asked(interview(chat, coverage__service="codecov"), {})
    assert "coverage.service" not in names
    assert "coverage.minimum" in names
    assert recorded(end) == {"coverage.service": "codecov"}


def test_only_what_differs_is_recorded(chat: Project) -> None:
    _, end = asked(interview(chat), {"coverage.service": "codecov", "coverage.minimum": 80})
    assert recorded(end) == {"coverage.service": "codecov", "coverage.minimum": 80}


def test_back_to_the_recommended_value_is_recorded_where_the_file_says_otherwise(
    chat: Project,
) -> None:
    start = interview(chat, '[coverage]\nservice = "codecov"\n')
    state, question = to(start, "coverage.service")
    assert state.default(question) == "codecov"
    assert state.reason(question) == f"set by `{PATH}`"
    assert state.recommended(question) == ("none", "measured in the run; no service is set up")
    _, end = asked(start, {"coverage.service": "none"})
    assert recorded(end) == {"coverage.service": "none"}


def test_no_coverage_clears_the_minimum_that_the_file_has(chat: Project) -> None:
    start = interview(chat, '[coverage]\nservice = "none"\nminimum = 70\n')
    _, end = asked(start, {"coverage.service": False})
    assert recorded(end) == {"coverage.service": False, "coverage.minimum": False}


def test_a_job_whose_ground_is_taken_away_goes_off(chat: Project) -> None:
    start = interview(chat, "[jobs]\ncanary = true\n")
    channels = ("stable", "beta", "nightly")
    _, end = asked(start, {"toolchains.channels": channels})
    assert recorded(end) == {"toolchains.channels": channels, "jobs.canary": False}


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("coverage.minimum", 200, "must be a whole number from 1 to 100"),
        ("platforms.runners", (), "must name at least 1"),
        ("platforms.runners", ("ubuntu-latest",), "use ubuntu-24.04"),
        ("toolchains.msrv", "new", "must be a Rust version"),
    ],
)
def test_a_refused_answer_tells_why(chat: Project, name: str, value: Value, reason: str) -> None:
    state, _ = to(interview(chat), name)
    with pytest.raises(ValueError, match=reason):
        state.answer(value)


def test_answers_that_exclude_one_another_are_refused_at_the_question(chat: Project) -> None:
    file = '[tests]\nservices = ["postgres"]\n[platforms]\nrunners = ["ubuntu-24.04"]\n'
    state, _ = to(interview(chat, file), "platforms.runners")
    with pytest.raises(ConfigError, match="services"):
        state.answer(("ubuntu-24.04", "windows-2025"))
    assert state.answer(("ubuntu-24.04",)).question


def test_a_job_that_cannot_work_is_refused(chat: Project) -> None:
    state, _ = to(interview(chat), "jobs")
    with pytest.raises(ConfigError, match=r"`platforms\.targets` names none"):
        state.answer(("targets",))


class TestJobs:
    """One question, recorded as the switches that differ."""

    def default(self, state: Interview) -> tuple[str, ...]:
        value = state.default(JOBS)
        assert isinstance(value, tuple)
        return value

    def test_the_default_is_what_the_rules_say(self, chat: Project) -> None:
        state, _ = to(interview(chat), "jobs")
        assert {"test", "msrv", "bench"} <= {*self.default(state)}
        assert "targets" not in self.default(state)

    def test_only_differences_are_recorded(self, chat: Project) -> None:
        state, _ = to(interview(chat), "jobs")
        end = state.answer(tuple(name for name in self.default(state) if name != "canary"))
        assert recorded(end) == {"jobs.canary": False}

    def test_the_file_is_the_default_and_can_be_answered_away(self, chat: Project) -> None:
        state, _ = to(interview(chat, "[jobs]\ncanary = false\n"), "jobs")
        assert "canary" not in self.default(state)
        assert recorded(state.answer(self.default(state))) == {"jobs.canary": False}
        assert recorded(state.answer((*self.default(state), "canary"))) == {"jobs.canary": True}

    def test_going_back_keeps_the_choice_and_follows_new_answers(self, chat: Project) -> None:
        state, _ = to(interview(chat), "jobs")
        state = state.answer(tuple(name for name in self.default(state) if name != "canary"))
        state = state.back().back().back()
        assert state.question
        assert state.question.name == "benchmarks.gate"
        state = state.answer(value=False)
        assert not {"canary", "gate", "creep"} & {*self.default(state)}

    def test_a_choice_that_was_mended_is_forgotten(self, chat: Project) -> None:
        state, _ = to(interview(chat), "jobs")
        everything = self.default(state)
        state = state.answer(everything[1:]).back().answer(everything).back()
        assert self.default(state) == everything


class TestBack:
    """Going back forgets what was recorded, and remembers what was answered."""

    def test_before_the_first_question_is_nothing(self, chat: Project) -> None:
        start = interview(chat)
        assert start.back() == start

    def test_the_answer_is_the_default_when_the_question_comes_again(self, chat: Project) -> None:
        state, question = to(interview(chat), "coverage.service")
        state = state.answer("codecov").answer(80)
        assert recorded(state) == {"coverage.service": "codecov", "coverage.minimum": 80}
        state = state.back().back()
        assert recorded(state) == {}
        assert state.default(question) == "codecov"
        state = state.answer("coveralls")
        assert state.question
        assert state.default(state.question) == 80

    def test_what_is_no_longer_asked_is_not_recorded(self, chat: Project) -> None:
        state, _ = to(interview(chat), "coverage.service")
        _, end = asked(
            state.answer("codecov").answer(80).back().back(), {"coverage.service": False}
        )
        assert recorded(end) == {"coverage.service": False}


def test_targets_are_asked_about_where_one_is_recommended(tmp_path: Path) -> None:
    state, question = to(interview(read(copied("wasm", tmp_path))), "platforms.targets")
    assert state.default(question) == ("wasm32-unknown-unknown",)
    assert state.reason(question) == "`in-browser` depends on `wasm-bindgen`"
    assert state.answer(()).config.platforms.targets == ()
