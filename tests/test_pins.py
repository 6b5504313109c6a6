"""Pins: found and rewritten to the byte, judged offline and by GitHub, learnt by the lock."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from rustci import actions, refresh
from rustci.cli import main
from rustci.errors import ProjectError
from rustci.github import Access, Client
from rustci.lock import FileState, Lock, LockedFile
from rustci.pins import (
    Comment,
    Kind,
    Use,
    compatible,
    edits,
    find,
    locked_by_gh,
    parse_version,
    splice,
)
from rustci.refresh import Ids, Rules, State, Target, Upstream, Verdict
from rustci.scaffold import Generated
from rustci.update import with_newer_pins
from tests.github_server import TODAY, GitHub, serving, sha

OLD, NEW = "0" * 40, "f" * 40
PATH = ".github/workflows/ci.yml"
DAY = timedelta(days=1)
CHECKOUT = actions.pin("actions/checkout")


def workflow(*lines: str) -> str:
    """Return a workflow whose steps are these `uses:` lines."""
    steps = "".join(f"      - {line}\n" for line in lines)
    return f"on: push\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    steps:\n{steps}"


def use(line: str) -> Use:
    (found,) = find(workflow(line), PATH).uses
    return found


# Finding


@pytest.mark.parametrize(
    ("line", "action", "ref", "kind", "comment", "version"),
    [
        ("uses: a/b@v4", "a/b", "v4", Kind.TAG, Comment.NONE, None),
        (f"uses: a/b@{OLD} # v4.1.0", "a/b", OLD, Kind.SHA, Comment.VERSION, "v4.1.0"),
        (f"uses: a/b/c/d@{OLD} #4.1", "a/b/c/d", OLD, Kind.SHA, Comment.VERSION, "4.1"),
        (f"uses: a/b@{OLD} # tag=v4.1.0", "a/b", OLD, Kind.SHA, Comment.VERSION, "v4.1.0"),
        (f"uses: a/b@{OLD} # pin@v4", "a/b", OLD, Kind.SHA, Comment.VERSION, "v4"),
        (f"uses: a/b@{OLD} # v4 # zizmor: ignore[x]", "a/b", OLD, Kind.SHA, Comment.VERSION, "v4"),
        (f"uses: a/b@{OLD} # v4 breaks on Windows", "a/b", OLD, Kind.SHA, Comment.OWN, None),
        (f"uses: a/b@{OLD} # why", "a/b", OLD, Kind.SHA, Comment.OWN, None),
        (f"uses: a/b@{OLD} # frozen: v4.1.0", "a/b", OLD, Kind.SHA, Comment.HELD, None),
        (f"uses: a/b@{OLD} # ratchet:a/b@v4", "a/b", OLD, Kind.SHA, Comment.HELD, None),
        (f"uses: 'a/b@{OLD}'  # v4.1.0", "a/b", OLD, Kind.SHA, Comment.VERSION, "v4.1.0"),
        (f'"uses": "a/b@{OLD}"', "a/b", OLD, Kind.SHA, Comment.NONE, None),
        (f"{{ uses: a/b@{OLD} }} # v4", "a/b", OLD, Kind.SHA, Comment.CODE, None),
        ("uses: a/b@stable", "a/b", "stable", Kind.BRANCH, Comment.NONE, None),
        ("uses: a/b@release/v1", "a/b", "release/v1", Kind.BRANCH, Comment.NONE, None),
        ("uses: a/b@abc1234", "a/b", "abc1234", Kind.BRANCH, Comment.NONE, None),
        ("uses: ./.github/actions/x", "./.github/actions/x", "", Kind.LOCAL, Comment.NONE, None),
        ("uses: $/actions/x", "$/actions/x", "", Kind.LOCAL, Comment.NONE, None),
        ("uses: docker://alpine:3", "docker://alpine:3", "", Kind.DOCKER, Comment.NONE, None),
    ],
)
def test_what_a_use_is(
    *, line: str, action: str, ref: str, kind: Kind, comment: Comment, version: str | None
) -> None:
    found = use(line)
    assert (found.action, found.ref, found.kind, found.comment, found.version) == (
        action,
        ref,
        kind,
        comment,
        version,
    )
    assert found.repo == "/".join(action.split("/")[:2])


def test_where_a_use_is() -> None:
    text = workflow("uses: a/b@v1", "name: x", "uses: 'c/d@v2'")
    assert [(u.line, u.column) for u in find(text, PATH).uses] == [(6, 15), (8, 15)]
    crlf = "\ufeff" + text.replace("\n", "\r\n")
    assert [u.line for u in find(crlf, PATH).uses] == [6, 8]


def test_only_what_github_reads_is_a_use() -> None:
    text = workflow(
        "run: |\n          uses: not/this@v1",
        "with: {uses: nor/this@v1}",
        'name: "uses: nor/that@v1"',
        "# uses: nor/that@v1\n        env:\n          uses: nor/that@v1",
    )
    assert find(text, PATH).uses == ()


def test_reusable_workflows_and_composite_actions() -> None:
    job = "jobs:\n  a:\n    uses: a/b/.github/workflows/x.yml@v1\n"
    composite = "runs:\n  using: composite\n  steps:\n    - uses: a/b@v1\n"
    assert [u.action for u in find(job, PATH).uses] == ["a/b/.github/workflows/x.yml"]
    assert [u.action for u in find(composite, PATH).uses] == ["a/b"]


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("uses: |\n          a/b@v1", 6),
        (r'uses: "a/b\x40v1"', 6),
        ("uses: a/b", 6),
        ("uses: a/..@v1", 6),
        ("uses:\n          >-\n          a/b@v1", 7),
    ],
)
def test_a_form_that_is_not_followed_is_told(line: str, number: int) -> None:
    found = find(workflow(line), PATH)
    assert found.uses == ()
    assert [unseen.line for unseen in found.unseen] == [number]


def test_an_alias_repeats_what_is_pinned_elsewhere() -> None:
    text = workflow("uses: &checkout a/b@v1", "uses: *checkout")
    (found,) = find(text, PATH).uses
    assert "&checkout a/b@v2 # v2\n" in rewrite(text, found, "v2", "v2")


def test_a_file_that_is_not_yaml() -> None:
    with pytest.raises(ProjectError) as caught:
        find("jobs: {uses: [\n", PATH)
    assert str(caught.value.where).startswith(PATH)


# Rewriting


def rewrite(text: str, use: Use, ref: str, version: str) -> str:
    return splice(text, edits(use, ref, version))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("uses: a/b@v4", f"uses: a/b@{NEW} # v5.0.0"),
        ("uses: a/b@v4  ", f"uses: a/b@{NEW} # v5.0.0  "),
        ("uses: 'a/b@v4'", f"uses: 'a/b@{NEW}' # v5.0.0"),
        ('uses:   "a/b@v4"   # v4', f'uses:   "a/b@{NEW}"   # v5.0.0'),
        (f"uses: a/b@{OLD} #4.1", f"uses: a/b@{NEW} #v5.0.0"),
        (f"uses: a/b@{OLD} # tag=v4", f"uses: a/b@{NEW} # tag=v5.0.0"),
        (f"uses: a/b@{OLD} # v4 # ignore[x]", f"uses: a/b@{NEW} # v5.0.0 # ignore[x]"),
        (f"uses: a/b@{OLD} # why v4", f"uses: a/b@{NEW} # why v4"),
    ],
)
def test_only_ref_and_version_change(before: str, after: str) -> None:
    text = workflow("name: '\tx'", before, "uses: c/d@v1")
    found = find(text, PATH).uses[0]
    assert rewrite(text, found, NEW, "v5.0.0") == workflow("name: '\tx'", after, "uses: c/d@v1")


names = st.from_regex(r"[a-z][a-z0-9-]{0,8}/[a-z._-]{1,8}[a-z](/[a-z]{1,5})?", fullmatch=True)
refs = st.sampled_from([OLD, "A" * 40, "v4", "v4.1.0", "main"])
comments = st.sampled_from(["", " # v4.1.0", "  #v4", "   # tag=v4.1", " # why 'not'", " # v4 # é"])
others = st.sampled_from(
    [
        "",
        "# uses: x/y@v1",
        "      - run: |\n          uses: x/y@v1\t# v1",
        "      - name: 'tab\there'\n        with: {uses: x/y@v1}",
        '      - name: "\U0001f600 \\"uses: x/y@v1\\""',
    ]
)
styles = st.sampled_from(["{}", "'{}'", '"{}"', "&pin {}"])
steps = st.builds(
    lambda name, ref, comment, style, other: (
        f"{other}\n      - uses: {style.format(f'{name}@{ref}')}{comment}\n",
        f"{name}@{ref}",
        comment,
    ),
    names,
    refs,
    comments,
    styles,
    others,
)


@settings(max_examples=settings().max_examples // 3)
@given(st.lists(steps, min_size=1, max_size=4), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_all_other_bytes_stay(drawn: list[tuple[str, str, str]], end: str, bom: bool) -> None:
    text = "jobs:\n  a:\n    steps:\n" + "".join(step for step, _, _ in drawn)
    text = "\ufeff" * bom + text.replace("\n", end)
    found = find(text, PATH).uses
    assert [f"{u.action}@{u.ref}" for u in found] == [value for _, value, _ in drawn]
    new = splice(text, (edit for u in found for edit in edits(u, NEW, "v9.9.9")))
    expected = "".join(_moved(*step) for step in drawn)
    expected = "jobs:\n  a:\n    steps:\n" + expected
    assert new == "\ufeff" * bom + expected.replace("\n", end)
    assert [u.ref for u in find(new, PATH).uses] == [NEW] * len(drawn)


def _moved(step: str, value: str, comment: str) -> str:
    """Return a drawn step as a person would move its pin: by search and replace."""
    line = step.split("\n")[-2]
    new = line.replace(f"@{value.split('@')[1]}", f"@{NEW}", 1)
    if not comment:
        new += " # v9.9.9"
    for version in ("v4.1.0", "v4.1", "v4"):
        if version in comment:
            head, tail = new[: len(new) - len(comment)], comment
            new = head + tail.replace(version, "v9.9.9", 1)
            break
    return step[: len(step) - len(line) - 1] + new + "\n"


# Versions


def test_versions_are_compared_by_number() -> None:
    order = ["v1", "v1.9.0", "v1.10.0", "v2.0.0-rc.1", "v2.0.0"]
    parsed = [parse_version(tag) for tag in order]
    assert parsed == sorted(version for version in parsed if version)


@pytest.mark.parametrize("text", ["stable", "main", "v", "", "v1.x", "release-1", "1!2", "v1 2"])
def test_what_is_no_version(text: str) -> None:
    assert parse_version(text) is None


@pytest.mark.parametrize(
    ("current", "new", "expected"),
    [
        ("4.1.0", "4.2.0", True),
        ("4", "4.9.9", True),
        ("4.9", "5.0", False),
        ("0.5.1", "0.5.2", True),
        ("0.5.1", "0.6.0", False),
        ("0.0.9", "0.0.11", True),
        ("0", "0.6", True),
        ("0.9", "1.0", False),
    ],
)
def test_major_jumps(current: str, new: str, expected: bool) -> None:
    assert compatible(Version(current), Version(new)) is expected


# Offline


def known(line: str, *, major: bool = False) -> Verdict:
    return refresh.offline(use(line), major=major)


def test_states_by_the_catalogue() -> None:
    pinned = f"uses: actions/checkout@{CHECKOUT.sha}"
    states = {
        f"{pinned} # {CHECKOUT.version}": State.CURRENT,
        pinned: State.CURRENT,
        f"{pinned} # v7": State.CURRENT,
        f"{pinned} # v6.0.0": State.MISMATCH,
        f"uses: actions/checkout@{OLD} # {CHECKOUT.version}": State.MISMATCH,
        f"uses: actions/checkout@{OLD} # v7.0.0": State.BEHIND,
        f"uses: actions/checkout@{OLD} # v4.1.0": State.MAJOR_BEHIND,
        f"uses: actions/checkout@{OLD} # v99.0.0": State.CURRENT,
        f"uses: actions/checkout@{OLD}": State.UNNAMED,
        "uses: actions/checkout@v4": State.UNPINNED,
        "uses: actions/checkout@main": State.UNPINNED,
        "uses: nobody/knows@v4": State.UNPINNED,
        f"uses: nobody/knows@{OLD} # v4.1.0": State.UNKNOWN_ACTION,
        "uses: ./x": State.LOCAL,
        "uses: docker://x": State.DOCKER,
    }
    assert {line: known(line).state for line in states} == states


def test_no_major_jump_unless_asked() -> None:
    target = Target(CHECKOUT.sha, CHECKOUT.version)
    assert known("uses: actions/checkout@v4").target is None
    assert known("uses: actions/checkout@v4", major=True).target == target
    assert known("uses: Actions/Checkout@v7").target == target
    assert known(f"uses: actions/checkout@{OLD} # v7.0.0").target == target


# By GitHub


@pytest.fixture
def server() -> Iterator[GitHub]:
    with serving() as found:
        yield found


def upstream(server: GitHub, ids: Mapping[str, Ids] | None = None) -> Upstream:
    return Upstream(Client(Access(base=server.base), sleep=lambda _: None), ids)


def rules(*, days: int = 7, major: bool = False) -> Rules:
    return Rules(now=TODAY, cooldown=days * DAY, major=major)


def moved(server: GitHub, line: str, *, days: int = 7, major: bool = False) -> Verdict:
    return upstream(server).update(use(line), rules(days=days, major=major))


def test_a_newer_release_is_taken(server: GitHub) -> None:
    repo = server.repo("a/b")
    old = repo.release("v1.9.0")
    new = repo.release("v1.10.0", nested=2, age=8 * DAY)
    verdict = moved(server, f"uses: a/b/sub@{old} # v1.9.0")
    assert verdict.state is State.BEHIND
    assert verdict.target == Target(new, "v1.10.0")


def test_a_fresh_release_waits(server: GitHub) -> None:
    repo = server.repo("a/b")
    old = repo.release("v1.0.0")
    middle = repo.release("v1.1.0", age=8 * DAY)
    fresh = repo.release("v1.2.0", age=6 * DAY)
    line = f"uses: a/b@{old} # v1.0.0"
    assert moved(server, line).target == Target(middle, "v1.1.0")
    assert moved(server, line, days=6).target == Target(fresh, "v1.2.0")
    current = moved(server, f"uses: a/b@{middle} # v1.1.0")
    assert (current.state, current.target, current.newest) == (State.COOLING, None, "v1.2.0")


def test_a_tag_moved_under_an_old_release_waits_as_well(server: GitHub) -> None:
    repo = server.repo("a/b")
    old = repo.release("v1.0.0")
    new = repo.release("v1.1.0")
    repo.commits[new] = TODAY - DAY
    assert moved(server, f"uses: a/b@{old} # v1.0.0").state is State.COOLING


def test_majors_and_downgrades(server: GitHub) -> None:
    repo = server.repo("a/b")
    repo.release("v1.0.0")
    old = repo.release("v1.5.0")
    new = repo.release("v2.0.0")
    repo.release("v1.4.9", age=30 * DAY)
    line = f"uses: a/b@{old} # v1.5.0"
    assert moved(server, line).state is State.MAJOR_BEHIND
    assert moved(server, line).target is None
    assert moved(server, line, major=True).target == Target(new, "v2.0.0")


def test_prereleases_are_for_those_who_run_one(server: GitHub) -> None:
    repo = server.repo("a/b")
    stable = repo.release("v1.0.0")
    first = repo.release("v1.1.0-rc.1", prerelease=True)
    second = repo.release("v1.1.0-rc.2", prerelease=True)
    assert moved(server, f"uses: a/b@{stable} # v1.0.0").state is State.CURRENT
    verdict = moved(server, f"uses: a/b@{first} # v1.1.0-rc.1")
    assert verdict.target == Target(second, "v1.1.0-rc.2")


def test_an_action_without_releases_goes_by_its_tags(server: GitHub) -> None:
    repo = server.repo("a/b")
    old = repo.release("v1.9.0", published=False)
    new = repo.release("v1.10.0", published=False)
    repo.release("v1.11.0", published=False, age=DAY)
    assert moved(server, f"uses: a/b@{old} # v1.9.0").target == Target(new, "v1.10.0")


def test_a_tag_becomes_a_pin(server: GitHub) -> None:
    repo = server.repo("a/b")
    commit = repo.release("v4.2.0", age=30 * DAY)
    repo.refs["v4"] = ("commit", commit)
    for ref in ("v4", "v4.2.0", "v4.2"):
        repo.refs.setdefault(ref, ("commit", commit))
        assert moved(server, f"uses: a/b@{ref}").target == Target(commit, "v4.2.0"), ref


def test_a_branch_is_left_alone(server: GitHub) -> None:
    server.repo("a/b")
    assert moved(server, "uses: a/b@stable").target is None
    assert moved(server, "uses: a/b@1.85.0").reason == "`1.85.0` is no tag"


@pytest.mark.parametrize(
    "line", [f"uses: a/b@{OLD} # frozen: v1", f"{{uses: a/b@{OLD}}}", "uses: a/b@v1 # needs v1"]
)
def test_lines_that_are_left_alone(server: GitHub, line: str) -> None:
    verdict = moved(server, line)
    assert (verdict.state, verdict.target) == (State.HELD, None)
    assert server.seen == []


def test_a_comment_of_somebody_stays(server: GitHub) -> None:
    repo = server.repo("a/b")
    old, new = repo.release("v1.0.0"), repo.release("v1.1.0")
    verdict = moved(server, f"uses: a/b@{old} # why")
    assert verdict.target == Target(new, "v1.1.0")
    assert "comment stays" in verdict.reason


def both(server: GitHub, line: str) -> set[State]:
    """Return what `check` and `update` say of a use; neither moves it."""
    update = moved(server, line)
    assert update.target is None
    return {upstream(server).check(use(line)).state, update.state}


def test_a_commit_that_is_its_tag(server: GitHub) -> None:
    commit = server.repo("a/b").release("v1.0.0", nested=1)
    for line in (f"{commit} # v1.0.0", f"{commit} # v1", f"{commit.upper()} # 1.0.0", commit):
        verdict = upstream(server).check(use(f"uses: a/b@{line}"))
        assert (verdict.state, verdict.reason) == (State.VERIFIED, "is v1.0.0") or (
            verdict.state is State.VERIFIED and "1.0.0" in line
        )


def test_the_tag_object_is_not_the_commit(server: GitHub) -> None:
    repo = server.repo("a/b")
    repo.release("v1.0.0", nested=1)
    (tag_object,) = repo.tag_objects
    assert both(server, f"uses: a/b@{tag_object} # v1.0.0") == {State.MISMATCH}


def test_an_impostor_with_a_right_looking_comment(server: GitHub) -> None:
    server.repo("a/b").release("v1.0.0")
    assert both(server, f"uses: a/b@{OLD} # v1.0.0") == {State.MISMATCH}
    assert both(server, f"uses: a/b@{OLD} # v9.0.0") == {State.UNKNOWN_COMMIT}
    assert both(server, f"uses: a/b@{OLD}") == {State.UNKNOWN_COMMIT}


def test_a_comment_that_names_another_version(server: GitHub) -> None:
    repo = server.repo("a/b")
    commit = repo.release("v1.0.0")
    repo.release("v1.1.0")
    assert both(server, f"uses: a/b@{commit} # v1.1.0") == {State.MISMATCH}
    assert both(server, f"uses: a/b@{commit} # v2") == {State.MISMATCH}


def test_a_moved_tag_is_never_followed(server: GitHub) -> None:
    server.repo("actions/checkout").release(CHECKOUT.version, commit=OLD)
    line = f"uses: actions/checkout@{CHECKOUT.sha} # {CHECKOUT.version}"
    assert both(server, line) == {State.MOVED}
    assert moved(server, "uses: actions/checkout@v7").state is State.UNPINNED
    server.repos["actions/checkout"].refs["v7"] = ("commit", OLD)
    assert moved(server, "uses: actions/checkout@v7").state is State.MOVED


def test_a_renamed_repository_is_not_followed(server: GitHub) -> None:
    server.moved["a/b"] = f"{server.base}/repositories/1"
    assert both(server, f"uses: a/b@{OLD} # v1.0.0") == {State.RENAMED}
    server.repo("c/d", full_name="c/other")
    assert both(server, f"uses: c/d@{OLD} # v1.0.0") == {State.RENAMED}


def test_the_case_of_a_name_does_not_matter(server: GitHub) -> None:
    commit = server.repo("A/b", full_name="a/B").release("v1.0.0")
    assert moved(server, f"uses: A/b@{commit} # v1.0.0").state is State.CURRENT


def test_a_name_that_somebody_else_took_over(server: GitHub) -> None:
    repo = server.repo("a/b")
    line = f"uses: a/b@{repo.release('v1.0.0')} # v1.0.0"
    lock = "version: v0.0.2\ndependencies:\n  A/b/sub@v1:\n    owner_id: 1\n    repo_id: {}\n"
    same = refresh.known_ids(lock.format(repo.repo_id))
    other = refresh.known_ids(lock.format(5))
    assert upstream(server, same).check(use(line)).state is State.VERIFIED
    assert upstream(server, other).check(use(line)).state is State.RENAMED


@pytest.mark.parametrize(
    "text", [None, "", "[", "dependencies: 7", "dependencies: {a/b: {repo_id: x}}"]
)
def test_ids_that_are_not_there(text: str | None) -> None:
    assert refresh.known_ids(text) == refresh.known_ids(None)


def test_the_catalogue_knows_who_repositories_are(server: GitHub) -> None:
    repo = server.repo("actions/checkout")
    repo.release(CHECKOUT.version, commit=CHECKOUT.sha)
    line = f"uses: actions/checkout@{CHECKOUT.sha} # {CHECKOUT.version}"
    ids = refresh.known_ids(None)
    assert upstream(server, ids).check(use(line)).state is State.RENAMED
    repo.repo_id, repo.owner_id = 197814629, 44036562
    assert upstream(server, ids).check(use(line)).state is State.VERIFIED
    assert set(ids) <= {pin.repo.casefold() for pin in actions.catalogue().values()}


def test_a_repository_that_is_gone(server: GitHub) -> None:
    assert both(server, f"uses: a/b@{OLD} # v1.0.0") == {State.MISSING}


def test_each_repository_is_asked_once(server: GitHub) -> None:
    repo = server.repo("a/b")
    line = f"uses: a/b@{repo.release('v1.0.0')} # v1.0.0"
    asking = upstream(server)
    for _ in range(3):
        asking.update(use(line), rules())
    assert len(server.seen) == len({seen.path for seen in server.seen})


# actions.lock

ACTIONS_LOCK = f"""\
version: 'v0.0.2'
workflows:
    '{PATH}':
        - 'actions/checkout@v4'
"""


def test_what_actions_lock_governs() -> None:
    free, composite = ".github/workflows/free.yml", ".github/actions/x/action.yml"
    paths = [PATH, free, composite]
    assert locked_by_gh(None, paths) == frozenset()
    assert locked_by_gh(ACTIONS_LOCK, paths) == {PATH, composite}
    for odd in (ACTIONS_LOCK.replace("v0.0.2", "v9"), "", "[", "version: v0.0.2"):
        assert locked_by_gh(odd, paths) == set(paths)


# The lock of rustci


def learnt(base: str, disk: str) -> str:
    """Return what rustci writes, and so locks, where it wrote `base` last and finds `disk`."""
    lock = Lock(version="1", files={PATH: LockedFile(text=base)})
    return with_newer_pins({PATH: Generated(text=base)}, {PATH: disk.encode()}, lock)[PATH].text


def pin(ref: str, rest: str = "") -> str:
    return f"uses: a/b@{ref}{rest}"


def test_a_bump_is_no_drift() -> None:
    base = workflow(pin(OLD, " # v1.0.0"), "run: x", pin(OLD, " # v1.0.0"))
    disk = workflow(pin(NEW, " # v1.1.0"), "run: x", pin(NEW, " # v1.1.0"))
    assert learnt(base, disk) == disk
    assert learnt(base, "\ufeff" + disk.replace("\n", "\r\n")) == disk


def test_edits_are_not_learnt() -> None:
    base = workflow(pin(OLD, " # v1.0.0"), "run: x")
    disk = workflow("uses: c/d@v1", pin(NEW, " # v1.1.0 # mine"), "run: y")
    assert learnt(base, disk) == workflow(pin(NEW, " # v1.1.0 # mine"), "run: x")


def test_an_added_step_does_not_confuse() -> None:
    base = workflow(pin(OLD, " # v1.0.0"))
    disk = workflow(pin(NEW, " # v1.1.0"), pin(NEW, " # v1.1.0"))
    assert learnt(base, disk) == workflow(pin(NEW, " # v1.1.0"))
    mixed = workflow(pin(NEW, " # v1.1.0"), pin("1" * 40, " # v1.2.0"))
    assert learnt(base, mixed) == workflow(pin(NEW, " # v1.1.0"))


def test_a_digest_alone_is_learnt() -> None:
    assert learnt(workflow(pin(OLD)), workflow(pin(NEW))) == workflow(pin(NEW))
    assert learnt(workflow(pin(OLD, " # v1")), workflow(pin(NEW, " # why"))) == workflow(
        pin(NEW, " # why")
    )


def test_a_pin_made_a_tag_is_an_edit() -> None:
    base = workflow(pin(OLD, " # v1.0.0"))
    assert learnt(base, workflow(pin("v1"))) == base


def test_only_written_files_learn() -> None:
    disk = {PATH: workflow(pin(NEW)).encode()}
    ours = {PATH: Generated(text=workflow(pin(OLD)))}
    kept = Lock(version="1", files={PATH: LockedFile(text="", state=FileState.KEPT)})
    other = Lock(version="1", files={"other.yml": LockedFile(text=ours[PATH].text)})
    assert with_newer_pins(ours, disk, kept) == ours
    assert with_newer_pins(ours, disk, other) == ours


# The command


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/HEAD").write_text("ref: refs/heads/main\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_Canary")
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    return tmp_path


def write(root: Path, text: str, path: str = PATH) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(text.encode())


Output = Callable[[], str]


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Output:
    def read() -> str:
        captured = capsys.readouterr()
        assert "ghp_Canary" not in captured.out + captured.err
        return captured.out + captured.err

    return read


def test_list_is_offline(repository: Path, output: Output) -> None:
    write(repository, workflow("uses: actions/checkout@v4"))
    write(repository, "runs: {steps: [{uses: a/b@main}]}", ".github/actions/x/action.yml")
    assert main(["pins"]) == 0
    shown = output()
    assert f"{PATH}:6" in shown
    assert ".github/actions/x/action.yml:1" in shown
    assert main(["pins", "--format", "json"]) == 0
    found = json.loads(output())["pins"]
    assert [(p["action"], p["state"]) for p in found] == [
        ("a/b", "unpinned"),
        ("actions/checkout", "unpinned"),
    ]


def test_an_escape_in_a_name_does_not_reach_the_terminal(repository: Path, output: Output) -> None:
    write(repository, workflow(r"uses: ./\x1b[31m".replace(r"\x1b", "\x9b")))
    main(["pins"])
    assert "\x9b" not in output()


def test_update_writes_in_place(
    repository: Path, server: GitHub, monkeypatch: pytest.MonkeyPatch, output: Output
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", server.base)
    repo = server.repo("a/b")
    old, new = repo.release("v1.0.0"), repo.release("v1.1.0")
    before = workflow(f"uses: a/b@{old} # v1.0.0")
    after = workflow(f"uses: a/b@{new} # v1.1.0")
    write(repository, before)
    assert main(["pins", "update", "--dry-run", "--diff"]) == 0
    assert f"+      - uses: a/b@{new} # v1.1.0" in output()
    assert (repository / PATH).read_text() == before
    assert main(["pins", "update"]) == 0
    assert (repository / PATH).read_text() == after
    assert main(["pins", "check"]) == 0
    assert main(["pins", "update"]) == 0
    assert (repository / PATH).read_text() == after


def test_the_cooldown_of_the_file_counts(
    repository: Path, server: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", server.base)
    monkeypatch.setattr(refresh, "utc_now", lambda: TODAY)
    repo = server.repo("a/b")
    old, new = repo.release("v1.0.0"), repo.release("v1.1.0", age=20 * DAY)
    before = workflow(f"uses: a/b@{old} # v1.0.0")
    write(repository, before)
    write(repository, "[pins]\ncooldown_days = 30\n", ".github/rustci.toml")
    assert main(["pins", "update"]) == 0
    assert (repository / PATH).read_text() == before
    assert main(["pins", "update", "--cooldown-days", "10"]) == 0
    assert new in (repository / PATH).read_text()


def test_what_needs_a_look_stops_that_action_alone(
    repository: Path, server: GitHub, monkeypatch: pytest.MonkeyPatch, output: Output
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", server.base)
    server.repo("a/b").release("v1.0.0")
    repo = server.repo("c/d")
    old, new = repo.release("v1.0.0"), repo.release("v1.1.0")
    bad = f"uses: a/b@{OLD} # v1.0.0"
    write(repository, workflow(bad, f"uses: c/d@{old} # v1.0.0"))
    assert main(["pins", "check"]) == 1
    assert main(["pins", "update"]) == 3
    assert "mismatch" in output()
    assert (repository / PATH).read_text() == workflow(bad, f"uses: c/d@{new} # v1.1.0")


def test_only_the_named_actions_move(repository: Path, output: Output) -> None:
    write(repository, workflow("uses: actions/checkout@v7", "uses: actions/cache/save@v6"))
    assert main(["pins", "update", "--offline", "Actions/Cache"]) == 0
    text = (repository / PATH).read_text()
    assert "actions/checkout@v7\n" in text
    assert f"actions/cache/save@{actions.pin('actions/cache').sha} # v6" in text
    assert main(["pins", "update", "--offline", "actions/chekout"]) == 2
    assert "did you mean actions/checkout?" in output()


def test_what_actions_lock_governs_is_left_alone(repository: Path, output: Output) -> None:
    before = workflow("uses: actions/checkout@v7")
    write(repository, before)
    write(repository, ACTIONS_LOCK, ".github/workflows/actions.lock")
    write(repository, before, ".github/workflows/free.yml")
    assert main(["pins", "update", "--offline"]) == 0
    assert "gh actions-lock" in output()
    assert (repository / PATH).read_text() == before
    assert (repository / ".github/workflows/free.yml").read_text() != before


def test_nothing_changes_where_github_fails(
    repository: Path, server: GitHub, monkeypatch: pytest.MonkeyPatch, output: Output
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", server.base)
    repo = server.repo("a/b")
    before = workflow(f"uses: a/b@{repo.release('v1.0.0')} # v1.0.0", "uses: c/d@v1")
    repo.release("v1.1.0")
    write(repository, before)
    server.moved["c/d"] = "https://elsewhere.example.com/"
    for format_ in ("text", "json"):
        assert main(["pins", "update", "--format", format_]) == 4
        assert "another host" in output()
    assert (repository / PATH).read_text() == before
    assert sorted(path.name for path in repository.iterdir()) == [".git", ".github", "cache"]


def test_a_token_that_is_none_is_not_shown(
    repository: Path, monkeypatch: pytest.MonkeyPatch, output: Output
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_Canary\nX")
    write(repository, workflow("uses: actions/checkout@v4"))
    assert main(["pins", "update"]) == 2
    assert "GITHUB_TOKEN" in output()


def test_a_broken_file_does_not_hide_the_others(repository: Path, output: Output) -> None:
    write(repository, "jobs: {uses: [\n", ".github/workflows/broken.yml")
    write(repository, workflow("uses: actions/checkout@v7"))
    assert main(["pins", "update", "--offline"]) == 2
    assert ".github/workflows/broken.yml:2" in output()
    assert CHECKOUT.sha in (repository / PATH).read_text()


def test_a_server_has_every_shape(server: GitHub) -> None:
    """The server itself: a tag object stands before its commit."""
    repo = server.repo("a/b")
    commit = repo.release("v1", nested=2)
    assert repo.refs["v1"][0] == "tag"
    assert repo.peeled("v1") == commit == sha("a/b v1")
