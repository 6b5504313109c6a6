"""The selection against brute force on generated workspaces: nothing that could change is missed.

The oracle knows what each package is built from because it made the workspace: it compares the
contents of all those files at the base and at the head. It shares no code with the program.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.affected.repository import commit, git, merged, outputs, selected

pytestmark = pytest.mark.skipif(not shutil.which("cargo"), reason="cargo describes the workspace")

KINDS = ("dependencies", "dev-dependencies", "build-dependencies", "target", "optional")
READS = (
    'include_str!("{up}{to}")',
    'include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/{out}{to}"))',
    'std::fs::read("{out}{to}")',
    'std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("{out}").join("{to}")',
    '#[path = "{up}{to}"] mod other;',
    "link",
    "climb",
)
OUTSIDE = ("README.md", "old/data.txt", "old/src/inner.rs")
"""Files of no member: one for people, and those of a package that is left out of the workspace."""


@dataclass(frozen=True)
class Member:
    """One package: where it is, what it depends on, and what it reads elsewhere."""

    folder: str
    needs: tuple[tuple[int, str], ...]
    """Members by number, and how."""
    reads: tuple[tuple[int, str, bool], ...]
    """Whose `data.txt` or module is read (a member's, or -1 for the package that is left out, -2
    for the root's README.md), how, and whether only tests do."""
    script: bool


@st.composite
def workspaces(draw: st.DrawFn) -> tuple[Member, ...]:
    """Draw four to seven members; each depends on earlier ones, and reads of any."""
    count = draw(st.integers(4, 7))
    folders: list[str] = []
    for number in range(count):
        inside = draw(st.sampled_from(["", "crates/", *(f"{folder}/" for folder in folders[:3])]))
        folders.append(f"{inside}p{number}")
    if draw(st.booleans()):
        folders[0] = "p0" if any(f.startswith(folders[0]) for f in folders[1:]) else "."
    members = []
    for number, folder in enumerate(folders):
        earlier = st.tuples(st.integers(0, max(number - 1, 0)), st.sampled_from(KINDS))
        needs = draw(st.lists(earlier, max_size=2)) if number else []
        other = st.sampled_from([n for n in range(-2, count) if n != number])
        read = st.tuples(other, st.sampled_from(READS), st.booleans())
        reads = draw(st.lists(read, max_size=1)) if draw(st.booleans()) else []
        members.append(
            Member(folder, tuple(dict(needs).items()), tuple(reads), draw(st.booleans()))
        )
    return tuple(members)


@st.composite
def edits(draw: st.DrawFn) -> list[tuple[str, int, str]]:
    """Draw one to three changes: what is done, to which member, to which of its files."""
    own = ("src/lib.rs", "src/inner.rs", "data.txt", "tests/it.rs", "build.rs")
    names = st.sampled_from([*own, *OUTSIDE])
    one = st.tuples(st.sampled_from(["edit", "delete", "move", "add"]), st.integers(0, 6), names)
    return draw(st.lists(one, min_size=1, max_size=3))


def aim(members: tuple[Member, ...], other: int, how: str) -> str:
    """Return the path of the file that is read."""
    if other == -2:
        return "README.md"
    folder = "old" if other == -1 else members[other].folder
    return ("" if folder == "." else f"{folder}/") + (
        "src/inner.rs" if "#[path" in how else "data.txt"
    )


def up(folder: str) -> str:
    """Return the way from a folder to the root."""
    return "" if folder == "." else "../" * len(Path(folder).parts)


def write(root: Path, path: str, text: str) -> None:
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, "utf-8")


def build(root: Path, members: tuple[Member, ...]) -> None:
    """Write the workspace."""
    listed = ", ".join(f'"{m.folder}"' for m in members if m.folder != ".")
    write(
        root,
        "Cargo.toml",
        f'[workspace]\nresolver = "2"\nmembers = [{listed}]\nexclude = ["old"]\n',
    )
    write(root, "README.md", "A workspace.\n")
    write(root, "old/Cargo.toml", '[package]\nname = "old"\nversion = "0.1.0"\n')
    write(root, "old/data.txt", "old\n")
    write(root, "old/src/inner.rs", "// old\n")
    write(root, ".gitignore", "target\nCargo.lock\n")
    for number, member in enumerate(members):
        tables: dict[str, str] = {}
        for other, kind in member.needs:
            table = 'target."cfg(unix)".dependencies' if kind == "target" else kind
            table = "dependencies" if kind == "optional" else table
            path = f"{up(member.folder)}{members[other].folder}"
            flags = ", optional = true" if kind == "optional" else ""
            entry = f'p{other} = {{ path = "{path}"{flags} }}\n'
            tables[table] = tables.get(table, "") + entry
        text = f'[package]\nname = "p{number}"\nversion = "0.1.0"\nedition = "2021"\n'
        text += "".join(f"[{table}]\n{entries}" for table, entries in tables.items())
        manifest = root / member.folder / "Cargo.toml"
        before = manifest.read_text("utf-8") if manifest.exists() else ""
        write(root, f"{member.folder}/Cargo.toml", text + before)
        lines: dict[bool, list[str]] = {False: [], True: []}
        for other, how, only_tests in member.reads:
            target = aim(members, other, how)
            out = up(member.folder)
            if how == "link":
                link = root / member.folder / ("tests" if only_tests else "src") / "linked.txt"
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(f"{out}../{target}")
            elif how == "climb":
                climb = 'let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(9);'
                lines[only_tests].append(climb)
            else:
                lines[only_tests].append(how.format(up=f"{out}../", out=out, to=target))
        write(root, f"{member.folder}/src/lib.rs", "\n".join(["mod inner;", *lines[False], ""]))
        write(root, f"{member.folder}/src/inner.rs", f"// {number}\n")
        write(root, f"{member.folder}/tests/it.rs", "\n".join([*lines[True], ""]))
        write(root, f"{member.folder}/data.txt", f"{number}\n")
        if member.script:
            write(root, f"{member.folder}/build.rs", "fn main() {}\n")


def change(root: Path, members: tuple[Member, ...], drawn: list[tuple[str, int, str]]) -> None:
    """Change the files; targets stay where they are, and files are moved to another member."""
    for what, number, name in drawn:
        member = members[number % len(members)]
        file = root / name if name in OUTSIDE else root / member.folder / name
        if what == "add":
            write(root, f"{member.folder}/new-{name.replace('/', '-')}", "new\n")
        elif not file.exists():
            continue
        elif what == "edit" or name in {"src/lib.rs", "tests/it.rs"}:
            file.write_text(file.read_text("utf-8") + "// changed\n", "utf-8")
        elif what == "delete":
            file.unlink()
        else:
            other = members[(number + 1) % len(members)]
            file.rename(root / other.folder / f"moved-{Path(name).name}")


def contents(root: Path) -> dict[str, str]:
    """Return every tracked file with what it holds, a link with where it leads."""
    names = git(root, "ls-files", "-z").split("\0")
    return {
        name: str(path.readlink())
        if (path := root / name).is_symlink()
        else path.read_text("utf-8")
        for name in filter(None, names)
    }


def compiled(number: int, members: tuple[Member, ...]) -> set[int]:
    """Return the members that the tests of one are compiled from."""
    built = {number}
    waiting = [other for other, _ in members[number].needs]
    while waiting:
        one = waiting.pop()
        built.add(one)
        waiting += [n for n, kind in members[one].needs if kind != "dev-dependencies"]
    return built


def inputs(number: int, members: tuple[Member, ...], files: dict[str, str]) -> dict[str, str]:
    """Return all that the tests of a member are built from, as its maker knows it."""
    built = compiled(number, members)
    found: dict[str, str] = {}
    for one in built:
        folder = members[one].folder
        inner = {m.folder for m in members if m.folder != folder}
        for path, text in files.items():
            within = path.startswith(f"{folder}/")
            if folder == ".":
                within = path.startswith(("src/", "tests/")) or path == "build.rs"
            if within and not any(path.startswith(f"{i}/") and len(i) > len(folder) for i in inner):
                found[path] = text
        for other, how, only_tests in members[one].reads:
            if only_tests and one != number:
                continue
            wanted = files if how == "climb" else {aim(members, other, how): ""}
            found.update({path: files.get(path, "") for path in wanted})
    return found


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(members=workspaces(), drawn=edits())
def test_no_package_that_could_change_is_missed(
    members: tuple[Member, ...], drawn: list[tuple[str, int, str]]
) -> None:
    missed, _ = compared(members, drawn)
    assert not missed


def compared(members: tuple[Member, ...], drawn: Any) -> tuple[set[str], tuple[int, int, int]]:
    """Return what is missed; and how many changed, were selected, and there are."""
    with tempfile.TemporaryDirectory(prefix="rustci-affected-") as temp:
        root = Path(temp) / "workspace"
        root.mkdir()
        git(root, "init", "--quiet", "--initial-branch=main")
        build(root, members)
        base = commit(root)
        before = contents(root)
        change(root, members, drawn)
        commit(root)
        after = contents(root)
        merged(root, base)
        said, told = outputs(root, Path(temp), {})
    names = {f"p{n}" for n in range(len(members))}
    changed = {
        f"p{n}"
        for n in range(len(members))
        if inputs(n, members, before) != inputs(n, members, after)
    }
    assert "::warning::" not in told or changed, told
    chosen = selected(said["packages"])
    chosen = names if chosen is None else chosen
    return changed - chosen, (len(changed), len(chosen), len(names))
