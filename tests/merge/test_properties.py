"""What holds for any edits of the user and any change of the template, on a generated workflow.

The oracle knows nothing of merging: edits that do not overlap are simply made one after the other.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rustci.merge import Side, merge3
from tests.merge.edits import (
    Edit,
    apart,
    edited,
    edits,
    job_ids,
    overlap,
    rename_job,
    set_timeout,
)

LOADER = yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader
BASE = (Path(__file__).with_name("generated") / "ci.yml").read_text()
USER = edits(BASE, "user")
TEMPLATE = edits(BASE, "new")
FEWER = settings(max_examples=max(1, settings().max_examples // 12))
"""For what another property, or a scenario, holds as well."""
JOBS = [job for job in job_ids(BASE) if job != "ci"]


def value(text: str) -> Any:
    """Return what a workflow means: the order of steps is looked at apart."""
    found = yaml.load(text, Loader=LOADER)
    for job in found["jobs"].values():
        job["steps"] = sorted(job["steps"], key=repr)
        job["needs"] = sorted(job.get("needs", []))
    return found


def written(text: str) -> Counter[str]:
    """Return every line that is not blank; `needs`, whose order means nothing, left out."""
    lines = (line for line in text.splitlines() if line.strip())
    return Counter(line for line in lines if not line.startswith("    needs:"))


@st.composite
def both_sides(draw: st.DrawFn) -> tuple[list[Edit], list[Edit]]:
    """Return edits of the user and of the template that do not overlap."""
    mine = apart(draw(st.lists(USER, min_size=1, max_size=4)))
    new = apart(draw(st.lists(TEMPLATE, min_size=1, max_size=4)))
    new = [edit for edit in new if not any(overlap(edit.place, one.place) for one in mine)]
    if draw(st.booleans()):
        rename = rename_job(draw(st.sampled_from(JOBS)), "renamed")
        touched = [overlap(rename.place, one.place) for one in mine]
        gone = [overlap(rename.place, one.place) and len(one.place) == 2 for one in new]
        if not any([*touched, *gone]):
            mine.append(rename)
    return mine, new


@settings(max_examples=max(1, settings().max_examples // 6))
@given(both_sides())
def test_no_edit_of_either_side_is_lost(sides: tuple[list[Edit], list[Edit]]) -> None:
    mine, new = sides
    theirs, ours = edited(BASE, mine), edited(BASE, new)
    expected = edited(BASE, [*new, *mine])

    found = merge3(BASE, theirs, ours)

    assert found.conflicts == ()
    assert value(found.text) == value(expected)
    assert written(found.text) == written(expected)


@FEWER
@given(both_sides())
def test_all_else_stays_in_its_place(sides: tuple[list[Edit], list[Edit]]) -> None:
    mine, new = sides
    new = [edit for edit in new if edit.what not in {"move", "delete"}]
    theirs, ours = edited(BASE, mine), edited(BASE, new)

    found = merge3(BASE, theirs, ours).text

    before, after = ([*filter(_not_needs, text.splitlines())] for text in (theirs, found))
    assert _in_order(before, after) == sum((Counter(before) & Counter(after)).values())


@FEWER
@given(both_sides(), st.sampled_from(JOBS), st.integers(40, 60), st.integers(40, 60))
def test_a_conflict_is_what_both_sides_changed_differently(
    sides: tuple[list[Edit], list[Edit]], job: str, mine: int, new: int
) -> None:
    place = set_timeout(job, 1).place
    others = [[edit for edit in side if not overlap(edit.place, place)] for side in sides]
    others[0] = [edit for edit in others[0] if edit.what != "rename"]
    theirs = edited(BASE, [*others[0], set_timeout(job, mine)])
    ours = edited(BASE, [*others[1], set_timeout(job, new)])

    found = merge3(BASE, theirs, ours)
    decided = merge3(BASE, theirs, ours, prefer=Side.OURS)

    assert [one.path for one in found.conflicts] == ([] if mine == new else [place])
    assert value(found.text)["jobs"][job]["timeout-minutes"] == str(mine)
    assert decided.conflicts == ()
    assert value(decided.text)["jobs"][job]["timeout-minutes"] == str(new)


@FEWER
@given(both_sides(), st.booleans(), st.booleans())
def test_line_ends_and_bom_are_the_users(
    sides: tuple[list[Edit], list[Edit]], crlf: bool, bom: bool
) -> None:
    theirs, ours = (edited(BASE, side) for side in sides)

    def styled(text: str) -> str:
        return ("\ufeff" if bom else "") + (text.replace("\n", "\r\n") if crlf else text)

    found = merge3(BASE, styled(theirs), ours)

    assert found.text == styled(merge3(BASE, theirs, ours).text)


@FEWER
@given(st.lists(USER, max_size=5), st.booleans())
def test_where_one_side_changed_nothing_the_other_is_the_result(
    some: list[Edit], crlf: bool
) -> None:
    text = edited(BASE, apart(some))
    styled = BASE.replace("\n", "\r\n") if crlf else BASE

    assert merge3(BASE, text, BASE).text == text
    assert merge3(BASE, BASE, text).text == text
    assert merge3(BASE, styled, text).text == (text.replace("\n", "\r\n") if crlf else text)


@FEWER
@given(both_sides())
def test_merging_twice_is_merging_once(sides: tuple[list[Edit], list[Edit]]) -> None:
    theirs, ours = (edited(BASE, side) for side in sides)
    once = merge3(BASE, theirs, ours).text

    assert merge3(ours, once, ours).text == once
    assert merge3(BASE, once, ours).text == once, "an update that was not recorded"


def _not_needs(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("    needs:")


def _in_order(before: list[str], after: list[str]) -> int:
    """Return how many lines of `before` follow one another in `after` as well."""
    best = [0] * (len(after) + 1)
    for line in before:
        above = best[:]
        for index, other in enumerate(after):
            best[index + 1] = (
                above[index] + 1 if line == other else max(best[index], above[index + 1])
            )
    return best[-1]
