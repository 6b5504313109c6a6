"""What tests draw from: the fixture projects, and every answer that the grammar can take."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy  # noqa: TC002

from rustci import config as configuration
from rustci import jobs, native, services, templates
from rustci.discover import read_project
from rustci.errors import ConfigError, DecisionNeeded
from rustci.kinds import (
    Choice,
    Features,
    Kind,
    Labels,
    Percent,
    Release,
    Switch,
    Text,
    Value,
    Whole,
    Words,
)
from rustci.options import Config
from rustci.paths import PROGRAMS
from rustci.project import Project
from rustci.recommend import recommend
from rustci.runners import runners, validate_label
from rustci.targets import targets
from tests.linters import CUSTOM_LABELS

HERE = Path(__file__).parent
FOLDERS = {
    folder.name: folder
    for family in ("crates", "projects")
    for folder in sorted((HERE / family).iterdir())
    if next(folder.rglob("Cargo.toml"), None)
}
"""Every fixture project by name."""

Answers = Mapping[str, Value]
"""Answers by `section.key`; what is not among them follows the project."""


def copied(name: str, folder: Path) -> Path:
    """Copy a fixture project out of this checkout, whose git would be taken for its own."""
    ignore = shutil.ignore_patterns("target")
    return Path(shutil.copytree(FOLDERS[name], folder / name, ignore=ignore, symlinks=True))


def read(folder: Path) -> Project:
    """Return the facts of a project; where rustci asks which one, take the first that it names."""
    try:
        return read_project(folder)
    except DecisionNeeded as question:
        choice = re.search(r"workflows\.directory=(\S+)", question.hint or "")
        assert choice
        return read_project(folder, PurePosixPath(choice[1]))


def resolved(project: Project, answers: Answers) -> Config:
    """Return the configuration that the answers make of the recommendations."""
    given = {name: configuration.answer(name, value) for name, value in answers.items()}
    return configuration.resolve((recommend(project), given))


def rendered(project: Project, answers: Answers) -> dict[str, str]:
    """Return the output tree, texts by path, without programs: those are rustci's own source."""
    config = resolved(project, answers)
    tree = templates.render(jobs.plan(project, config), project, config)
    return {path: file.text for path, file in tree.items() if not path.startswith(PROGRAMS)}


def agreed(project: Project, answers: Answers) -> tuple[dict[str, str], Answers]:
    """Return the tree for as many of the answers as go together, and those.

    Where some exclude one another, the error has to have a hint and to name one that was given:
    taking that one back is the way on.
    """
    left = dict(answers)
    while True:
        try:
            return rendered(project, left), left
        except ConfigError as problem:
            del left[_to_take_back(problem, left)]


def _to_take_back(problem: ConfigError, answers: Answers) -> str:
    text = f"{problem} (hint: {problem.hint})"
    found: list[str] = re.findall(r"`([\w-]+\.[\w-]+)`", text)
    named = [name for name in found if name in answers]
    assert problem.hint, f"no hint: {text} for {answers}"
    assert named, f"{text} names none of {answers}"
    return named[0]


def answers() -> SearchStrategy[Answers]:
    """Draw answers to any of the grammar's options."""
    names, known = configuration.grammar(), _known()
    return st.fixed_dictionaries(
        {},
        optional={
            name: known[name] if name in known else values(option.kind)
            for name, option in names.items()
            if name != "workflows.directory"  # decides which project is read, before any answer
        },
    )


def _known() -> dict[str, SearchStrategy[Value]]:
    """Return what to draw for the options whose names have to stand in the data files."""
    packages = sorted({name for library in native.libraries() for name in library.packages})
    return {
        "tests.services": _tuples(st.sampled_from(sorted(services.services()))),
        "platforms.targets": _tuples(st.sampled_from([*targets(), "x86_64-unknown-hurd-gnu"])),
        "platforms.experimental": _tuples(st.sampled_from([*labels(), *targets()])),
        "platforms.exclude": _tuples(st.sampled_from([f"{one}/stable" for one in labels()])),
        "tests.packages": _tuples(st.sampled_from(packages)),
        "workflows.timezone": st.sampled_from(["UTC", "Europe/Berlin", "America/Argentina/Salta"]),
    }


def values(kind: Kind) -> SearchStrategy[Value]:
    """Draw what a kind of option accepts. A new kind has to be told here."""
    match kind:
        case Switch():
            return st.booleans()
        case Choice():
            return st.sampled_from([*kind.words, *([False] if kind.off else [])])
        case Release():
            return st.booleans() | st.from_regex(r"1\.[1-9][0-9](\.[0-9])?", fullmatch=True)
        case Whole():
            number = st.integers(kind.low, kind.high)
            return number | st.just(False) if kind.off else number  # noqa: FBT003
        case Percent():
            part = st.integers(1, 10_000).map(lambda hundredths: f"{hundredths / 100:g}%")
            return part | st.just(False) if kind.off else part  # noqa: FBT003
        case Labels():
            return _tuples(st.sampled_from(labels()), least=kind.least)
        case Words():
            return _tuples(_matching(kind.pattern), least=kind.least)
        case Features():
            return st.sampled_from(kind.strategies) | values(kind.names)
        case Text():
            text = _matching(kind.pattern).filter(lambda text: _accepts(kind, text))
            return text | st.just(False) if kind.off else text  # noqa: FBT003
    raise NotImplementedError(type(kind))


def labels() -> list[str]:
    """Return the labels that a Rust job may run on."""
    return [*(label for label in runners() if not validate_label(label)), *CUSTOM_LABELS]


def _matching(pattern: str) -> SearchStrategy[Any]:
    return st.from_regex(pattern, fullmatch=True).filter(lambda text: len(text) < 80)


def _tuples(words: SearchStrategy[Any], least: int = 0) -> SearchStrategy[Value]:
    return st.lists(words, min_size=least, max_size=3, unique=True).map(tuple)


def _accepts(kind: Kind, value: Value) -> bool:
    try:
        kind.check(value)
    except ValueError:
        return False
    return True
