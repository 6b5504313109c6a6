"""Layers of answers, and the one `Config` that they resolve to.

    DEFAULT < DETECTED < ADOPTED < FILE < ENVIRONMENT < COMMAND_LINE < ANSWER

`.github/rustci.toml` holds only what somebody decided. Everything else follows the project: raise
`rust-version` in Cargo.toml and the next run knows.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from rustci import files, tomlio
from rustci.errors import ConfigError, Location
from rustci.jobs import CATALOGUE
from rustci.kinds import Value, percent
from rustci.options import SECTIONS, Config, Option, Setting, Source, declared, job_option
from rustci.paths import CONFIG

CHECKS = "checks"
"""The section that `rustci check` reads: `[checks.ignore]`, rules with reasons."""

Layer = Mapping[str, Setting]
"""Settings of one source by `section.key`."""


def grammar() -> Mapping[str, Option]:
    """Return every option by `section.key`, the switches of the catalogue jobs last."""
    jobs = (job_option(job.ID, job.TITLE) for job in CATALOGUE)
    return {option.name: option for option in (*declared(), *jobs)}


def default_layer() -> Layer:
    """Return what holds where nothing else speaks. A job has no default: its rule decides."""
    return {
        option.name: Setting(value=option.default, source=Source.DEFAULT, reason="default")
        for option in declared()
    }


def file_layer(text: str, path: Path | str, source: Source = Source.FILE) -> Layer:
    """Return the settings of a rustci.toml. Raises ConfigError with file and line."""
    document = tomlio.loads(text, path, error=ConfigError)
    layer = {}
    for section, table in document.items():
        if section == CHECKS:
            continue
        if not isinstance(table, dict):
            raise _unknown(section, path, text)
        for key, value in table.items():
            name = f"{section}.{key}"
            where = Location(path, tomlio.line_of(text, section, key))
            layer[name] = _checked(name, value, source, reason=f"`{path}`", where=where)
    return layer


def own_layer(root: Path) -> Layer:
    """Return the settings of the repository's own file; none without one. Raises RustciError."""
    text = files.read_text(root, CONFIG)
    return {} if text is None else file_layer(text, CONFIG)


def directory_of(layers: Iterable[Layer]) -> PurePosixPath | None:
    """Return the workspace's folder that somebody named; None leaves it to the project."""
    named = [layer["workflows.directory"] for layer in layers if "workflows.directory" in layer]
    last = max(named, key=lambda setting: setting.source, default=None)
    return PurePosixPath(str(last.value)) if last else None


def ignored_checks(text: str, path: Path | str) -> Mapping[str, Any]:
    """Return `[checks.ignore]` as it stands. Raises ConfigError for what else is in `checks`."""
    checks = tomlio.loads(text, path, error=ConfigError).get(CHECKS, {})
    table = checks.get("ignore", {}) if isinstance(checks, dict) else None
    if not isinstance(table, dict) or set(checks) - {"ignore"}:
        raise ConfigError(
            "`checks` has no options but the table `ignore`",
            where=_unknown(CHECKS, path, text).where,
            hint='write `[checks.ignore]`, and below it `rule = "reason"`',
        )
    return table


def environment_layer(environ: Mapping[str, str]) -> Layer:
    """Return the settings that `RUSTCI_<SECTION>_<KEY>` variables make. Raises ConfigError."""
    options = {option.variable: option for option in grammar().values()}
    layer = {}
    for variable in sorted(environ):
        if not variable.startswith("RUSTCI_"):
            continue
        if variable not in options:
            raise ConfigError(
                f"unknown environment variable `{variable}`",
                hint=_nearest(variable, options, "unset it"),
            )
        option = options[variable]
        layer[option.name] = _parsed(option, environ[variable], Source.ENVIRONMENT, f"`{variable}`")
    return layer


def flag_layer(flags: Mapping[str, str], assignments: Iterable[str]) -> Layer:
    """Return the settings of named flags (by option name) and of `--set section.key=value`.

    Raises ConfigError.
    """
    options = grammar()
    layer = {
        name: _parsed(options[name], text, Source.COMMAND_LINE, f"`--{options[name].flag}`")
        for name, text in flags.items()
    }
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        name = name.strip()
        if not equals:
            raise ConfigError(
                f"`--set {assignment}` has no value", hint="write `--set section.key=value`"
            )
        if name not in options:
            raise ConfigError(
                f"unknown option `{name}` in `--set`",
                hint=_nearest(name, options, "`rustci schema` lists them all"),
            )
        layer[name] = _parsed(options[name], text.strip(), Source.COMMAND_LINE, "`--set`")
    return layer


def answer(name: str, value: Value) -> Setting:
    """Return the setting that an answer in the wizard makes. Raises ConfigError."""
    return _checked(name, value, Source.ANSWER, reason="your answer", where=None)


def resolve(layers: Iterable[Layer]) -> Config:
    """Return the configuration: of each option the setting with the highest source.

    Raises ConfigError where two answers exclude one another.
    """
    settings: dict[str, Setting] = {}
    for layer in (default_layer(), *layers):
        for name, setting in layer.items():
            if name not in settings or setting.source >= settings[name].source:
                settings[name] = setting
    options = grammar()
    for name, setting in settings.items():
        if setting.source is Source.DETECTED:
            _require_usable(options[name], setting)
    config = Config(
        **{section: _section(section, settings) for section in SECTIONS},
        jobs={
            name.removeprefix("jobs."): bool(setting.value)
            for name, setting in settings.items()
            if name.startswith("jobs.")
        },
        settings=settings,
    )
    _check_together(config)
    return config


def decided(config: Config) -> Mapping[str, Value]:
    """Return what belongs into `.github/rustci.toml`: all that was not merely recommended."""
    return {
        name: setting.value
        for name, setting in config.settings.items()
        if setting.source >= Source.ADOPTED
    }


HEADER = """\
# The answers behind the workflows that rustci wrote, and only those: whatever is not set here
# follows the project (`rustci init --dry-run` shows each value and its reason).
# After a change run `rustci init`. Options: `rustci schema`, or docs/reference/config.md.
"""


def updated_file(
    text: str | None, values: Mapping[str, Value], comments: Mapping[str, str] | None = None
) -> str:
    """Return rustci.toml with `values`; the user's comments and order survive."""
    return tomlio.updated(text if text is not None else HEADER, values, comments)


def _section(section: str, settings: Layer) -> Any:
    cls = SECTIONS[section]
    return cls(**{f.name: settings[f"{section}.{f.name}"].value for f in dataclasses.fields(cls)})


def _checked(
    name: str, value: object, source: Source, *, reason: str, where: Location | None
) -> Setting:
    options = grammar()
    if name not in options:
        raise ConfigError(
            f"unknown key `{name}`",
            where=where,
            hint=_nearest(name, options, "`rustci schema` lists them all"),
        )
    try:
        return Setting(
            value=options[name].kind.check(value), source=source, reason=reason, where=where
        )
    except ValueError as error:
        raise ConfigError(f"`{name}` {error}", where=where, hint=options[name].help) from None


def _parsed(option: Option, text: str, source: Source, reason: str) -> Setting:
    try:
        return Setting(value=option.kind.parse(text), source=source, reason=reason)
    except ValueError as error:
        raise ConfigError(
            f"`{option.name}` {error}", where=Location(reason.strip("`")), hint=option.help
        ) from None


def _unknown(name: str, path: Path | str, text: str) -> ConfigError:
    key = re.compile(rf"""\s*["']?{re.escape(name)}["']?\s*=""")
    number = next((n for n, line in enumerate(text.splitlines(), 1) if key.match(line)), None)
    homes = [option.section for option in grammar().values() if option.key == name]
    return ConfigError(
        f"unknown key `{name}`",
        where=Location(path, number),
        hint=f"write it below `[{homes[0]}]`"
        if homes
        else _nearest(name, [*SECTIONS, "jobs"], "every key stands in a section"),
    )


def _nearest(name: str, names: Iterable[str], otherwise: str) -> str:
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f"did you mean `{close[0]}`?" if close else otherwise


def _require_usable(option: Option, setting: Setting) -> None:
    """Raise ConfigError for a value that was read off the project and the grammar refuses."""
    try:
        option.kind.check(setting.value)
    except ValueError as error:
        raise ConfigError(
            f"`{option.name}`, as read off the project, {error}: {setting.value!r}",
            hint=f"rename it there, or decide with `--set {option.name}=VALUE`",
        ) from None


def _check_together(config: Config) -> None:
    """Raise ConfigError for answers that exclude one another, naming both and the way out."""
    if config.tests.shards > 1 and config.tests.runner != "nextest":
        raise _conflict(
            config,
            "tests.shards",
            "splits the tests with nextest, but `tests.runner` is `cargo`",
            'set `tests.runner = "nextest"` or `tests.shards = 1`',
        )
    if config.coverage.branches and config.coverage.tool != "llvm-cov":
        raise _conflict(
            config,
            "coverage.branches",
            "needs llvm-cov, but `coverage.tool` is `tarpaulin`",
            'set `coverage.tool = "llvm-cov"` or `coverage.branches = false`',
        )
    if config.coverage.service is False and config.coverage.minimum is not False:
        raise _conflict(
            config,
            "coverage.minimum",
            "is set, but `coverage.service` is false: nothing is measured",
            'set `coverage.service = "none"` to measure without a service',
        )
    bench = config.benchmarks
    if isinstance(bench.tolerance, str) and percent(bench.tolerance) >= percent(bench.target):
        raise _conflict(
            config,
            "benchmarks.tolerance",
            f"is {bench.tolerance}, which leaves nothing of `benchmarks.target` ({bench.target})",
            "set it below the target, or `benchmarks.tolerance = false` for half of that",
        )


def _conflict(config: Config, name: str, problem: str, hint: str) -> ConfigError:
    return ConfigError(f"`{name}` {problem}", where=config.settings[name].where, hint=hint)
