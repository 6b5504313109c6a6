"""What becomes of each file: every rule once, then all of them against one another."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rustci.lock import PATH, FileState, Lock, LockedFile, dumps
from rustci.scaffold import (
    Change,
    ChangeKind,
    ChangeSet,
    Disk,
    Generated,
    OnExisting,
    compare,
    lock_write,
    next_lock,
    paths,
    unified_diff,
)
from rustci.transaction import Write

CI = ".github/workflows/ci.yml"
BESIDE = ".github/workflows/rustci-ci.yml"
KEPT = LockedFile(text="", state=FileState.KEPT)


def ci(
    disk: bytes | None,
    base: str | LockedFile | None,
    new: str | None,
    *,
    on_existing: OnExisting | None = None,
    seed: bool = False,
) -> ChangeSet:
    """Compare a single file: what is on disk, what was written last, what is generated."""
    file = LockedFile(text=base) if isinstance(base, str) else base
    lock = Lock(version="1", files={CI: file}) if file else None
    generated = {} if new is None else {CI: Generated(text=new, seed=seed)}
    return compare(generated, {CI: disk}, lock, on_existing)


def kinds(changes: ChangeSet) -> dict[str, str]:
    return {change.path: change.kind.value for change in changes.changes}


RULES = {
    "nothing there": (None, None, "new\n", "create"),
    "deleted by the user": (None, "base\n", "base\n", "create"),
    "deleted by the user, who had kept it": (None, KEPT, "new\n", "create"),
    "identical": (b"new\n", "new\n", "new\n", "unchanged"),
    "identical, never written": (b"new\n", None, "new\n", "unchanged"),
    "identical, base lost": (b"new\n", "base\n", "new\n", "unchanged"),
    "template changed": (b"base\n", "base\n", "new\n", "update"),
    "user edited": (b"mine\n", "new\n", "new\n", "keep"),
    "both changed": (b"mine\n", "base\n", "new\n", "conflict"),
    "foreign": (b"mine\n", None, "new\n", "foreign"),
    "foreign and no text at all": (b"\xff\x00", None, "new\n", "foreign"),
    "kept": (b"mine\n", KEPT, "new\n", "keep"),
    "CRLF and identical": (b"a\r\nb\r\n", "a\nb\n", "a\nb\n", "unchanged"),
    "BOM and identical": (b"\xef\xbb\xbfa\n", None, "a\n", "unchanged"),
    "CRLF and template changed": (b"a\r\nb\r\n", "a\nb\n", "new\n", "update"),
    "no longer generated": (b"base\n", "base\n", None, "remove"),
    "no longer generated, CRLF": (b"base\r\n", "base\n", None, "remove"),
    "no longer generated but edited": (b"mine\n", "base\n", None, "keep"),
}


@pytest.mark.parametrize(("disk", "base", "new", "kind"), RULES.values(), ids=RULES)
def test_rule(
    disk: bytes | None, base: str | LockedFile | None, new: str | None, kind: str
) -> None:
    assert kinds(ci(disk, base, new)) == {CI: kind}


SEEDS = {
    "nothing there": (None, None, "create"),
    "not ours": (b"mine\n", None, "keep"),
    "unedited": (b"base\n", "base\n", "update"),
    "edited": (b"mine\n", "base\n", "keep"),
    "identical": (b"new\n", "new\n", "unchanged"),
}


@pytest.mark.parametrize(("disk", "base", "kind"), SEEDS.values(), ids=SEEDS)
def test_seed(disk: bytes | None, base: str | None, kind: str) -> None:
    assert kinds(ci(disk, base, "new\n", seed=True)) == {CI: kind}


def test_a_foreign_seed_is_kept_silently_and_not_recorded() -> None:
    generated = {"codecov.yml": Generated(text="new\n", seed=True)}
    changes = compare(generated, {"codecov.yml": b"mine\n"}, None, None)
    assert [change.reason for change in changes.changes] == [""]
    assert next_lock(changes, generated, None, "1").files == {}


@pytest.mark.parametrize(("disk", "base"), [(None, "base\n"), (b"mine\n", KEPT)])
def test_what_is_gone_or_kept_and_no_longer_generated_is_not_mentioned(
    disk: bytes | None, base: str | LockedFile
) -> None:
    assert ci(disk, base, None).changes == ()


def test_an_edited_file_is_let_go_with_a_word() -> None:
    changes = ci(b"mine\n", "base\n", None)
    assert "no longer manages" in changes.changes[0].reason
    assert not changes.changed
    assert next_lock(changes, {}, None, "1").files == {}


@pytest.mark.parametrize("base", [None, "base\n"], ids=["foreign", "conflict"])
class TestDecisions:
    def test_none_writes_nothing(self, base: str | None) -> None:
        changes = ci(b"mine\n", base, "new\n")
        assert [change.path for change in changes.undecided] == [CI]
        assert changes.writes == ()
        assert changes.changed

    def test_none_leaves_the_record_as_it_was(self, base: str | None) -> None:
        changes = ci(b"mine\n", base, "new\n")
        previous = Lock(version="1", files={CI: LockedFile(text=base)} if base else {})
        assert next_lock(changes, {CI: Generated(text="new\n")}, previous, "1") == previous

    def test_keep_is_remembered(self, base: str | None) -> None:
        changes = ci(b"mine\n", base, "new\n", on_existing=OnExisting.KEEP)
        lock = next_lock(changes, {CI: Generated(text="new\n")}, None, "1")
        assert (kinds(changes), lock.files) == ({CI: "keep"}, {CI: KEPT})

    def test_replace(self, base: str | None) -> None:
        changes = ci(b"mine\n", base, "new\n", on_existing=OnExisting.REPLACE)
        assert kinds(changes) == {CI: "replace"}
        assert changes.writes == (Write(path=CI, text="new\n", expected=b"mine\n"),)

    def test_beside_is_remembered(self, base: str | None) -> None:
        changes = ci(b"mine\n", base, "new\n", on_existing=OnExisting.BESIDE)
        generated = {CI: Generated(text="new\n")}
        lock = next_lock(changes, generated, None, "1")
        assert kinds(changes) == {CI: "keep", BESIDE: "create"}
        assert lock.files == {BESIDE: LockedFile(text="new\n")}
        assert lock.beside == {CI: BESIDE}

        again = compare({CI: Generated(text="newer\n")}, {CI: b"x", BESIDE: b"new\n"}, lock, None)
        assert kinds(again) == {CI: "keep", BESIDE: "update"}


def test_a_foreign_file_beside_is_a_question_too() -> None:
    disk = {CI: b"mine\n", BESIDE: b"mine as well\n"}
    changes = compare({CI: Generated(text="new\n")}, disk, None, OnExisting.BESIDE)
    assert kinds(changes) == {CI: "keep", BESIDE: "foreign"}


def test_each_file_has_its_own_decision() -> None:
    docs, other = ".github/CI.md", ".github/workflows/scheduled.yml"
    generated = {path: Generated(text="new\n") for path in (CI, docs, other)}
    disk = dict.fromkeys(generated, b"mine\n")
    decisions = {CI: OnExisting.BESIDE, docs: OnExisting.REPLACE}
    changes = compare(generated, disk, None, decisions)
    assert kinds(changes) == {CI: "keep", BESIDE: "create", docs: "replace", other: "foreign"}


def test_the_file_beside_goes_with_its_reason() -> None:
    lock = Lock(version="1", files={BESIDE: LockedFile(text="new\n")}, beside={CI: BESIDE})
    changes = compare({}, {CI: b"mine\n", BESIDE: b"new\n"}, lock, None)
    assert kinds(changes) == {BESIDE: "remove"}
    assert next_lock(changes, {}, lock, "1") == Lock(version="1")


def test_paths_names_all_that_compare_looks_at() -> None:
    lock = Lock(version="1", files={"old.yml": KEPT}, beside={CI: "mine.yml"})
    assert paths({CI: Generated(text="")}, lock) == (CI, BESIDE, "mine.yml", "old.yml")


@pytest.mark.parametrize(
    ("disk", "new"),
    [
        (b"a\r\nb\r\n", "c\r\nd\r\n"),
        (b"\xef\xbb\xbfa\nb\n", "\ufeffc\nd\n"),
        (b"a\r\nb\n", "c\nd\n"),
        (b"", "c\nd\n"),
    ],
    ids=["CRLF", "BOM", "mixed", "empty"],
)
def test_an_update_keeps_line_ends_and_bom(disk: bytes, new: str) -> None:
    changes = ci(disk, disk.decode(), "c\nd\n")
    assert changes.writes == (Write(path=CI, text=new, expected=disk),)


def test_the_lock_is_written_only_when_it_says_something_new() -> None:
    lock = Lock(version="1")
    text = dumps(lock).encode()
    assert lock_write(lock, None) == Write(path=PATH, text=text.decode(), expected=None)
    assert lock_write(lock, text.replace(b"\n", b"\r\n")) is None
    assert lock_write(Lock(version="2"), text) is not None


# Small worlds: few paths and texts, so that every coincidence happens.
TEXTS = ["", "a\n", "b\n", "c\nd\n", "c"]
NAMES = ["ci.yml", "bench.yml", "codecov.yml"]
generated_trees = st.dictionaries(
    st.sampled_from(NAMES), st.builds(Generated, text=st.sampled_from(TEXTS))
).map(lambda tree: {n: Generated(text=f.text, seed=n == "codecov.yml") for n, f in tree.items()})
contents = st.sampled_from(TEXTS).flatmap(
    lambda text: st.sampled_from(
        [text.encode(), text.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + text.encode()]
    )
)
disks = st.dictionaries(st.sampled_from([*NAMES, *(f"rustci-{name}" for name in NAMES)]), contents)
locks = st.builds(
    Lock,
    version=st.just("1"),
    files=st.dictionaries(
        st.sampled_from([*NAMES, "rustci-ci.yml"]),
        st.sampled_from([KEPT, *(LockedFile(text=text) for text in TEXTS)]),
    ),
    beside=st.sampled_from([{}, {"ci.yml": "rustci-ci.yml"}]),
)


def applied(disk: Disk, changes: ChangeSet) -> dict[str, bytes]:
    after = {path: data for path, data in disk.items() if data is not None}
    for write in changes.writes:
        assert after.pop(write.path, None) == write.expected
        if write.text is not None:
            after[write.path] = write.text.encode()
    return after


@given(generated_trees, disks, st.none() | locks, st.none() | st.sampled_from(OnExisting))
def test_a_second_run_changes_nothing(
    generated: dict[str, Generated],
    disk: dict[str, bytes],
    lock: Lock | None,
    on_existing: OnExisting | None,
) -> None:
    changes = compare(generated, disk, lock, on_existing)
    assume(not changes.undecided)
    after = applied(disk, changes)
    locked = next_lock(changes, generated, lock, "1")

    again = compare(generated, after, locked, None)

    assert {change.kind for change in again.changes} <= {ChangeKind.UNCHANGED, ChangeKind.KEEP}
    assert dumps(next_lock(again, generated, locked, "1")) == dumps(locked)


@given(generated_trees, disks, st.none() | locks, st.none() | st.sampled_from(OnExisting))
def test_no_edit_is_lost_unasked(
    generated: dict[str, Generated],
    disk: dict[str, bytes],
    lock: Lock | None,
    on_existing: OnExisting | None,
) -> None:
    """What is overwritten or removed is as rustci wrote it, or `replace` was said."""
    for write in compare(generated, disk, lock, on_existing).writes:
        if write.expected is not None and on_existing is not OnExisting.REPLACE:
            assert lock
            base = lock.files[write.path]
            assert base.state is FileState.WRITTEN
            plain = write.expected.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
            assert plain == base.text.encode()


@given(generated_trees, disks, st.none() | locks)
def test_keep_and_replace_decide_everything(
    generated: dict[str, Generated], disk: dict[str, bytes], lock: Lock | None
) -> None:
    for decision in (OnExisting.KEEP, OnExisting.REPLACE):
        assert compare(generated, disk, lock, decision).undecided == ()


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        (ChangeKind.CREATE, None, "a\nb\n"),
        (ChangeKind.REMOVE, b"a\nb\n", None),
        (ChangeKind.UPDATE, b"a\nb\nc\n", "a\nB\nc\n"),
        (ChangeKind.UPDATE, b"a\x0cb\x85\nc", "a\x0cb\nd"),
        (ChangeKind.CONFLICT, b"a\n", "a"),
    ],
    ids=["create", "remove", "update", "odd characters, no last newline", "newline lost"],
)
def test_git_can_apply_the_diff(
    tmp_path: Path, kind: ChangeKind, old: bytes | None, new: str | None
) -> None:
    target = tmp_path / "ci.yml"
    if old is not None:
        target.write_bytes(old.decode(errors="replace").encode())
    diff = unified_diff(Change(path="ci.yml", kind=kind, old=old, new=new))
    subprocess.run(["git", "apply", "-"], input=diff.encode(), cwd=tmp_path, check=True)
    assert (target.read_bytes().decode() if target.exists() else None) == new


@pytest.mark.parametrize("kind", [ChangeKind.KEEP, ChangeKind.UNCHANGED])
def test_no_change_has_no_diff(kind: ChangeKind) -> None:
    assert unified_diff(Change(path="a", kind=kind, old=b"a\n", new="b\n")) == ""


def test_line_ends_are_no_difference() -> None:
    change = Change(path="a", kind=ChangeKind.UPDATE, old=b"\xef\xbb\xbfa\r\nb\r\n", new="a\nc\n")
    assert unified_diff(change) == "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
