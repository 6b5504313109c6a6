"""Refusals, decisions, reports, and pins on their own."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rustci.errors import ProjectError
from rustci.merge import Change, Conflict, Side, What, adopt_newer_pins, merge3, same_but_pins

BASE = """\
name: CI
on: push
env:
  A: one
  B: one
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: cargo test
"""
OLD, NEW, NEWER = (digit * 40 for digit in "123")


def pinned(ref: str, comment: str = "") -> str:
    """Return the workflow with its action at `ref`."""
    return BASE.replace("@v4", f"@{ref} # {comment}" if comment else f"@{ref}")


THEIRS = BASE.replace("A: one", "A: theirs")
OURS = BASE.replace("A: one", "A: ours").replace("B: one", "B: two")


def test_a_conflict_names_its_place_and_shows_the_three_texts() -> None:
    found = merge3(BASE, THEIRS, OURS)

    assert found.text == THEIRS.replace("B: one", "B: two")
    assert found.conflicts == (
        Conflict(path=("env", "A"), line=4, base="one", theirs="theirs", ours="ours"),
    )


def test_a_conflict_over_lines_shows_them_without_indentation() -> None:
    base = BASE.replace("run: cargo test", "run: |\n          a\n          b")
    found = merge3(base, base.replace("  a\n", "  mine\n"), base.replace("  a\n", "  new\n"))

    assert [one.theirs for one in found.conflicts] == ["|\n          mine\n          b"]


@pytest.mark.parametrize(("prefer", "text"), [(Side.THEIRS, "theirs"), (Side.OURS, "ours")])
def test_a_side_decides_every_conflict(prefer: Side, text: str) -> None:
    found = merge3(BASE, THEIRS, OURS, prefer=prefer)

    assert found.text == THEIRS.replace("theirs", text).replace("B: one", "B: two")
    assert found.conflicts == ()


def test_our_side_decides_on_what_one_side_deleted() -> None:
    gone = BASE.replace("  A: one\n", "")

    assert merge3(BASE, gone, OURS, prefer=Side.OURS).text == OURS
    assert merge3(BASE, THEIRS, gone, prefer=Side.OURS).text == gone


def test_the_report_says_what_each_side_did() -> None:
    theirs = BASE.replace("A: one", "A: theirs").replace("push", "[push, pull_request]")
    found = merge3(BASE, theirs, BASE.replace("B: one", "C: two"))

    assert set(found.applied) == {
        Change(path=("env", "B"), what=What.REMOVED),
        Change(path=("env", "C"), what=What.ADDED),
    }
    assert set(found.kept) == {
        Change(path=("env", "A"), what=What.CHANGED),
        Change(path=("on",), what=What.CHANGED),
    }


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    ("theirs", "line", "problem"),
    [
        ("name: [\n", 2, "not YAML"),
        (BASE.replace("  A: one", "\tA: one"), 4, "not YAML"),
        (BASE.replace("  B: one", "  A: two"), 5, "there twice"),
        (BASE + "name: again\n", 12, "there twice"),
        (BASE.replace("one", "!!python/name:os.system x"), 4, "tag"),
        (BASE.replace("one", "!foo x"), 4, "tag"),
        (BOMB, 5, "more than 100,000 values"),
        (BASE + "---\n" + BASE, 12, "second document"),
        ("- a\n- b\n", 1, "no mapping"),
        ("", 1, "no mapping"),
        (BASE.replace("  A: one\n", "  A: one\r"), 4, "carriage return"),
        ("x: " + "[" * 5000 + "]" * 5000 + "\n", 1, "nested"),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, str) else "",
)
def test_what_cannot_be_merged_safely_is_refused(
    theirs: str, line: int | None, problem: str
) -> None:
    with pytest.raises(ProjectError, match=problem) as refusal:
        merge3(BASE, theirs, OURS, path="ci.yml")

    assert refusal.value.where
    assert refusal.value.where.path == "ci.yml"
    assert refusal.value.where.line == line or line is None
    assert refusal.value.hint


def test_a_text_that_an_edit_would_break_is_one_conflict_as_a_whole() -> None:
    theirs = BASE.replace("  A: one\n  B: one\n", "  ? A\n  : one\n  ? B\n  : one\n")
    found = merge3(BASE, theirs, OURS.replace("A: ours", "Z: new\n  A: one"))

    assert found.text == theirs
    assert [one.path for one in found.conflicts] == [()]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (pinned("v5"), True),
        (pinned(NEW, "v4.2.0"), True),
        (pinned("v4").replace("\n", "\r\n"), True),
        (pinned("v5").replace("actions/", "me/"), False),
        (pinned("v5").replace("cargo test", "cargo test --all"), False),
        (BASE.replace("cargo test", "|\n          uses: actions/checkout@v5"), False),
    ],
)
def test_same_but_pins(other: str, same: bool) -> None:
    assert same_but_pins(BASE, other) is same


@pytest.mark.parametrize(
    ("mine", "other", "result"),
    [
        (("v4",), ("v5",), ("v5",)),
        (("v5",), ("v4",), ("v5",)),
        ((OLD, "v4.1.0"), (NEW, "v4.10.0"), (NEW, "v4.10.0")),
        ((OLD, "v4.10.0"), (NEW, "v4.9.0"), (OLD, "v4.10.0")),
        ((OLD, "v4.1.0"), (NEW, "v4.1.0"), (NEW, "v4.1.0")),
        ((OLD, "v4.1.0"), (NEW, "tag=v4.2.0"), (NEW, "tag=v4.2.0")),
        ((OLD, "4.1.0"), (NEW, "4.2.0"), (NEW, "4.2.0")),
        ((OLD, "v4.1.0"), (NEW,), (NEW,)),
        ((OLD,), (NEW, "v4.1.0"), (NEW, "v4.1.0")),
    ],
)
def test_adopting_pins_takes_the_newer(
    mine: tuple[str, ...], other: tuple[str, ...], result: tuple[str, ...]
) -> None:
    assert adopt_newer_pins(pinned(*mine), pinned(*other)) == pinned(*result)


def test_adopting_pins_finds_the_newest_for_a_new_job() -> None:
    job = "  docs:\n    steps:\n      - uses: actions/checkout@{} # {}\n"
    mine = pinned(OLD, "v4.1.0") + job.format(OLD, "v4.1.0")

    found = adopt_newer_pins(mine, pinned(NEWER, "v5.0.0"))

    assert found == pinned(NEWER, "v5.0.0") + job.format(NEWER, "v5.0.0")


def test_adopted_pins_leave_no_other_difference() -> None:
    mine, other = pinned(OLD, "v4.1.0"), pinned(NEW, "v4.2.0").replace("\n", "\r\n")

    assert adopt_newer_pins(mine, other) == pinned(NEW, "v4.2.0")
