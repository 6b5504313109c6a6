"""The record of what was written last: readable, stable, and refused when it is not whole."""

from __future__ import annotations

import pytest
import tomli
from hypothesis import example, given
from hypothesis import strategies as st

from rustci.errors import ConfigError
from rustci.lock import PATH, FileState, Lock, LockedFile, dumps, loads

WORKFLOW = "name: CI\non: [push]\njobs:\n  test:\n    run: echo \"it's\" '${{ matrix.os }}' C:\\x\n"
LOCK = Lock(
    version="0.1.0",
    files={
        ".github/workflows/rustci-ci.yml": LockedFile(text=WORKFLOW),
        ".github/workflows/bench.yml": LockedFile(text="", state=FileState.KEPT),
    },
    beside={
        ".github/workflows/ci.yml": ".github/workflows/rustci-ci.yml",
        ".github/dependabot.yml": ".github/rustci-dependabot.yml",
    },
)
TEXT = """\
# Written by rustci. Do not edit it, but commit it with the files that it lists:
# their texts as rustci wrote them last are what `rustci update` compares your edits with.
schema = 1
version = "0.1.0"

[beside]
".github/dependabot.yml" = ".github/rustci-dependabot.yml"
".github/workflows/ci.yml" = ".github/workflows/rustci-ci.yml"

[files.".github/workflows/bench.yml"]
state = "kept"

[files.".github/workflows/rustci-ci.yml"]
state = "written"
text = '''
name: CI
on: [push]
jobs:
  test:
    run: echo "it's" '${{ matrix.os }}' C:\\x
'''
"""

texts = st.text(st.characters(exclude_categories=["Cs"]))
tricky = st.lists(
    st.sampled_from(["'", '"', "\\", "\r", "\n", "<<<<<<< ", "a", "\x00", "\u202e"])
).map("".join)
paths = st.sampled_from(["ci.yml", ".github/workflows/ci.yml", "a b/c", "it's", "é/[x].y=z", "#"])
locked = st.builds(
    LockedFile,
    text=texts | tricky,
    state=st.sampled_from(FileState),
    adopted=st.booleans(),
    apart=st.lists(texts | tricky, max_size=2).map(tuple),
)
locks = st.builds(
    Lock,
    version=texts | tricky,
    files=st.dictionaries(paths, locked, max_size=3),
    beside=st.dictionaries(paths, paths, max_size=2),
)


def one(text: str) -> Lock:
    return Lock(version="1", files={"ci.yml": LockedFile(text=text)})


def test_a_reviewer_can_read_it() -> None:
    assert dumps(LOCK) == TEXT


def test_the_order_of_files_does_not_matter() -> None:
    turned = Lock(
        version="0.1.0", files=dict(reversed(list(LOCK.files.items()))), beside=LOCK.beside
    )
    assert dumps(turned) == TEXT


@given(locks)
def test_round_trip(lock: Lock) -> None:
    text = dumps(lock)
    assert loads(text) == lock
    assert dumps(loads(text)) == text


@given(texts | tricky)
@example("a'")
@example("a''")
@example("'''a")
@example("\r\n")
@example("\nleading")
@example('"""')
@example("\\")
@example("<<<<<<< HEAD\n")
@example("\ufeffname: CI\n")
def test_every_text_survives(text: str) -> None:
    written = dumps(one(text))
    assert loads(written) == one(text)
    assert tomli.loads(written)["files"]["ci.yml"].get("text", "") == text
    assert all(char in "\n\t" or char.isprintable() for char in written)


@given(locks)
def test_git_may_change_its_line_ends(lock: Lock) -> None:
    assert loads("\ufeff" + dumps(lock).replace("\n", "\r\n")) == lock


BROKEN = {
    "not TOML": (TEXT.replace("[beside]", "[beside"), 6, "not valid TOML"),
    "cut off": (TEXT[:-5], None, "not valid TOML"),
    "unresolved merge": (TEXT.replace("  test:", "<<<<<<< HEAD\n  test:"), 19, "merge conflict"),
    "newer schema": (TEXT.replace("schema = 1", "schema = 2"), 3, "newer rustci"),
    "no schema": (TEXT.replace("schema = 1\n", ""), None, "`schema` is None"),
    "schema is no number": (TEXT.replace("schema = 1", "schema = true"), 3, "`schema` is True"),
    "no version": (TEXT.replace('version = "0.1.0"\n', ""), None, "expected a string"),
    "version is no string": (TEXT.replace('"0.1.0"', "1"), 4, "expected a string"),
    "unknown key": (TEXT.replace("version", "color = 1\nversion"), 4, "unknown key 'color'"),
    "unknown key of a file": (
        TEXT.replace('state = "kept"', 'state = "kept"\nmode = 1'),
        10,
        "unknown key 'mode'",
    ),
    "unknown state": (TEXT.replace('"kept"', '"mine"'), 10, "state 'mine'"),
    "state is no string": (TEXT.replace('"kept"', "[1]"), 10, "state [1]"),
    "text is no string": (TEXT.replace('"kept"', '"kept"\ntext = 1'), 10, "expected a string"),
    "files is no table": ("schema = 1\nversion = '1'\nfiles = 1\n", 3, "not a table"),
    "file is no table": ("schema = 1\nversion = '1'\nfiles.a = 1\n", None, "no table for 'a'"),
    "path leads outside": (TEXT.replace('s.".github/workflows/bench', 's."../bench'), 10, "`..`"),
    "beside leads outside": (TEXT.replace(' = ".github/r', ' = "/r'), 7, "relative path"),
}


@pytest.mark.parametrize(("text", "line", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_lock_is_refused_with_its_place(text: str, line: int | None, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(text)
    assert message in caught.value.message
    assert caught.value.where
    assert caught.value.where.path == PATH
    assert caught.value.hint
    if line:
        assert caught.value.where.line == line
