"""Which questions the wizard asks, when, and what an answer means. Pure: prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from rustci import config as configuration
from rustci import jobs
from rustci.config import Layer
from rustci.jobs.base import Verdict, has_tests
from rustci.jobs.load import servers
from rustci.jobs.measuring import COUNTING, CRITERION, benchmarked_with
from rustci.kinds import Value
from rustci.options import Config, Setting, Source
from rustci.project import Project
from rustci.runners import State, System, runners

MANY_PACKAGES = 200
"""Locked packages from which on sccache may pay."""

Condition = Callable[[Project, Config], bool]


def _always(project: Project, config: Config) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question about one option; asked only where `when` holds for the answers so far."""

    name: str
    """`section.key`"""
    label: str
    """One or two words, for the list of answers."""
    text: str
    reason: str = ""
    """Why the grammar's default is recommended, where nothing was read off the project."""
    note: str = ""
    """What helps with the answer."""
    hints: Mapping[Value, str] = field(default_factory=dict)
    """Values to choose from, in order, each with what it means."""
    when: Condition = _always
    clears: tuple[str, ...] = ()
    """Options that mean nothing once this one is answered with no."""


def _runner_hints() -> dict[Value, str]:
    """Return the current runner labels with system, architecture and price."""
    systems = {System.LINUX: "Linux", System.MACOS: "macOS", System.WINDOWS: "Windows"}
    return {
        label: f"{systems[runner.os]:<7}  {runner.arch:<5}  ${runner.dollars_per_minute:.3f}"
        for label, runner in runners().items()
        if runner.rust and runner.os and runner.state is State.CURRENT
    }


def _tested(project: Project, config: Config) -> bool:
    return has_tests(project)


def _measured(project: Project, config: Config) -> bool:
    return has_tests(project) and config.coverage.service is not False


def _ported(project: Project, config: Config) -> bool:
    """Whether any target is known of: elsewhere nobody should have to read triples."""
    return bool(config.platforms.targets)


def _much_to_compile(project: Project, config: Config) -> bool:
    """Whether sccache may pay: elsewhere the question would only cost time."""
    chosen = config.cache.sccache is not False
    return chosen or len(project.main.locked_packages) >= MANY_PACKAGES


def _benchmarked(project: Project, config: Config) -> bool:
    return bool(benchmarked_with(project, CRITERION | COUNTING))


def _served(project: Project, config: Config) -> bool:
    return bool(servers(project))


QUESTIONS = (
    Question(
        name="toolchains.channels",
        label="Toolchains",
        text="Which toolchains should the tests run with?",
        hints={
            "stable": "what your users have",
            "beta": "may fail without failing the run",
            "nightly": "may fail without failing the run",
        },
    ),
    Question(
        name="toolchains.msrv",
        label="MSRV",
        text="Which is the oldest Rust that must compile it?",
        note="A version, `yes` for each package's own `rust-version`, or `no`.",
    ),
    Question(
        name="platforms.runners",
        label="Systems",
        text="On which systems should the tests run?",
        note="Prices are per minute in private repositories; public ones pay nothing.",
        hints=_runner_hints(),
    ),
    Question(
        name="platforms.targets",
        label="Targets",
        text="Which further targets must it work on?",
        note="Tests run where anything can run them; elsewhere it must compile. A job for each.",
        hints={
            "wasm32-unknown-unknown": "WebAssembly",
            "wasm32-wasip1": "WebAssembly outside of browsers",
            "aarch64-unknown-linux-gnu": "Linux on Arm",
            "x86_64-unknown-linux-musl": "Linux without glibc",
            "i686-unknown-linux-gnu": "32 bits",
            "s390x-unknown-linux-gnu": "big endian",
            "aarch64-linux-android": "Android",
            "aarch64-apple-ios": "iOS",
            "thumbv7em-none-eabi": "bare metal",
        },
        when=_ported,
    ),
    Question(
        name="coverage.service",
        label="Coverage",
        text="Where should the coverage report go?",
        hints={
            "codecov": "codecov.io, needs its GitHub app",
            "coveralls": "coveralls.io, needs an account",
            "none": "stays in the run; no service, no account",
            False: "nothing is measured",
        },
        when=_tested,
        clears=("coverage.minimum",),
    ),
    Question(
        name="coverage.minimum",
        label="Minimum",
        text="Below how many percent of lines should coverage fail?",
        reason="no minimum was decided yet",
        note="A whole number from 1 to 100, or `no`.",
        when=_measured,
    ),
    Question(
        name="cache.cargo",
        label="Cache",
        text="Keep downloaded and built dependencies between runs?",
        reason="saves minutes in every run, and nothing has to be set up",
    ),
    Question(
        name="cache.sccache",
        label="sccache",
        text="Cache single compilations with sccache as well?",
        hints={
            "github": "GitHub's own cache; nothing to set up",
            "s3": "Amazon S3 and compatible",
            "gcs": "Google Cloud Storage",
            "azure": "Azure Blob Storage",
            "redis": "a Redis server",
            "webdav": "a WebDAV server",
            False: "the plain cache only",
        },
        when=_much_to_compile,
    ),
    Question(
        name="benchmarks.gate",
        label="Benchmarks",
        text="Guard the benchmarks?",
        note="Two builds and up to ten minutes of measuring on each pull request; a change that "
        "leaves the executables as they are costs the builds alone.",
        when=_benchmarked,
    ),
    Question(
        name="load.tool",
        label="Load",
        text="Put the server under load every week?",
        note="On pull requests it runs where they carry the label `load`.",
        hints={
            "k6": "one program, thousands of users",
            "artillery": "from npm; knows Socket.IO too",
            False: "no load tests",
        },
        when=_served,
    ),
)

JOBS = Question(
    name="jobs",
    label="Jobs",
    text="Which jobs should run?",
    note="Ticked is what the project and your answers call for. What it has nothing for is not "
    "shown; `rustci explain JOB` says why.",
)
"""The last question, about all `jobs.*` at once: its answer are the IDs that run."""


def because(setting: Setting) -> str:
    """Return why an option has its value: what was found, or who decided."""
    return setting.reason if setting.source < Source.FILE else f"set by {setting.reason}"


def questions(project: Project, config: Config) -> Iterator[Question]:
    """Yield the questions that `config`, as far as it is answered, calls for."""
    return (question for question in QUESTIONS if question.when(project, config))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered, and the settings that it makes: none where it changes nothing."""

    question: Question
    value: Value
    layer: Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Interview:
    """The answers so far. Going on and going back make a new one."""

    project: Project
    layers: tuple[Layer, ...]
    """All below the answers."""
    answers: tuple[Answer, ...] = ()
    memory: Mapping[str, Value] = field(default_factory=dict)
    """What was answered before going back: the default when the question comes again."""

    @property
    def base(self) -> Config:
        """What holds without any answer."""
        return configuration.resolve(self.layers)

    @property
    def config(self) -> Config:
        """What holds with the answers so far."""
        return configuration.resolve((*self.layers, *(answer.layer for answer in self.answers)))

    def beneath(self, layer: Layer) -> Interview:
        """Return the same answers on top of one more layer."""
        return replace(self, layers=(*self.layers, layer))

    @property
    def question(self) -> Question | None:
        """The next question; None when all are answered. Flags and variables are answers too."""
        settings = self.base.settings
        done = {answer.question.name for answer in self.answers}
        for question in questions(self.project, self.config):
            given = settings[question.name].source in {Source.ENVIRONMENT, Source.COMMAND_LINE}
            if question.name not in done and not given:
                return question
        return None if JOBS.name in done else JOBS

    def default(self, question: Question) -> Value:
        """Return what Enter answers."""
        if question is JOBS:
            return tuple(name for name, verdict in self.verdicts().items() if verdict.on)
        return self.memory.get(question.name, self.config.settings[question.name].value)

    def reason(self, question: Question) -> str:
        """Return why the default is what it is."""
        if question is JOBS:
            return ""
        setting = self.base.settings[question.name]
        if setting.source is Source.DEFAULT:
            return question.reason
        return because(setting)

    def recommended(self, question: Question) -> tuple[Value, str] | None:
        """Return what would be recommended and why, where somebody decided otherwise."""
        if question is JOBS or self.base.settings[question.name].source <= Source.DETECTED:
            return None
        setting = configuration.default_layer()[question.name]
        for layer in self.layers:
            found = layer.get(question.name)
            setting = found if found and found.source is Source.DETECTED else setting
        if setting.value == self.base.settings[question.name].value:
            return None
        reason = question.reason if setting.source is Source.DEFAULT else setting.reason
        return setting.value, reason

    def verdicts(self) -> Mapping[str, Verdict]:
        """Return each catalogue job with why, and whether it runs unless the answer says otherwise.

        One that cannot work with the answers so far is off.
        """
        config = self.config
        found = {}
        for job in jobs.CATALOGUE:
            name = f"jobs.{job.ID}"
            verdict = job.wanted(self.project, config)
            if verdict.possible and name in self.memory:
                verdict = replace(verdict, on=bool(self.memory[name]))
            elif verdict.possible and job.ID in config.jobs:
                reason = because(config.settings[name])
                verdict = replace(verdict, on=config.jobs[job.ID], reason=reason)
            found[job.ID] = verdict
        return found

    def answer(self, value: Value) -> Interview:
        """Return the interview with `value` as the answer to `question`.

        Raises ValueError for a value that the option does not take, and ConfigError for one that
        does not go together with the others; both tell why.
        """
        question = self.question
        if question is None:
            raise ValueError("everything is answered")
        layer = self._switches(value) if question is JOBS else self._setting(question, value)
        forgotten = [name for name in self.memory if _about(question, name)]
        memory = {name: old for name, old in self.memory.items() if name not in forgotten}
        done = Answer(question=question, value=value, layer=layer)
        following = replace(self, answers=(*self.answers, done), memory=memory)
        if question is not JOBS:
            off = following._impossible()  # noqa: SLF001
            done = replace(done, layer={**layer, **off})
            following = replace(following, answers=(*self.answers, done))
        jobs.plan(self.project, following.config)
        return following

    def back(self) -> Interview:
        """Return the interview before the last answer, which becomes the default."""
        if not self.answers:
            return self
        last = self.answers[-1]
        switched = {name: setting.value for name, setting in last.layer.items()}
        own = switched if last.question is JOBS else {last.question.name: last.value}
        return replace(self, answers=self.answers[:-1], memory={**self.memory, **own})

    def _setting(self, question: Question, value: Value) -> Layer:
        """Return what the answer changes, with the options that it makes meaningless."""
        value = configuration.grammar()[question.name].kind.check(value)
        answers = {question.name: value}
        if value is False:
            answers |= dict.fromkeys(question.clears, False)
        settings = self.base.settings
        return {
            name: configuration.answer(name, new)
            for name, new in answers.items()
            if new != settings[name].value
        }

    def _switches(self, value: Value) -> Layer:
        """Return the switches of the jobs for which the answer differs from what would hold."""
        chosen = value if isinstance(value, tuple) else ()
        without_memory = replace(self, memory={})
        return {
            f"jobs.{name}": configuration.answer(f"jobs.{name}", name in chosen)
            for name, verdict in without_memory.verdicts().items()
            if verdict.on != (name in chosen)
        }

    def _impossible(self) -> Layer:
        """Return switches off for jobs that were on and cannot work with the last answer."""
        config = self.config
        return {
            f"jobs.{job.ID}": configuration.answer(f"jobs.{job.ID}", value=False)
            for job in jobs.CATALOGUE
            if config.jobs.get(job.ID) and not job.wanted(self.project, config).possible
        }


def _about(question: Question, name: str) -> bool:
    return name == question.name or (question is JOBS and name.startswith("jobs."))
