"""The branch of the history, in real repositories: created, raced for, read back, never trusted."""

from __future__ import annotations

import argparse
import base64
import json
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from rustci.bench import branch as branches
from rustci.bench import history, points
from rustci.bench.branch import Branch, add, contents, path_of
from rustci.bench.errors import BenchError
from rustci.bench.points import Reading
from rustci.bench.wording import LONGEST_NAME
from tests.bench.commits import (
    PARSE,
    SORT,
    cloned,
    committed,
    git,
    line,
    point,
    reading,
    result,
    sha,
)


@dataclass(frozen=True)
class Place:
    """A repository with two commits and a release, its remote, and the branch of its history."""

    folder: Path
    remote: Path
    branch: Branch
    first: str
    second: str


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the two repositories, to be copied: git takes its time."""
    folder = tmp_path_factory.mktemp("made")
    git(folder, "init", "--quiet", "--template=", "--initial-branch=main", "work")
    for subject in ("The first", "Parse <b>faster</b>"):
        committed(folder / "work", subject)
    git(folder, "clone", "--quiet", "--template=", "--bare", "work", "remote.git")
    git(folder / "work", "remote", "add", "origin", "../remote.git")
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    folder = tmp_path / "work"
    monkeypatch.chdir(folder)
    for name in ("GITHUB_ACTIONS", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    first, second = git(folder, "rev-list", "--reverse", "HEAD").split()
    return Place(folder, tmp_path / "remote.git", Branch(folder), first, second)


def bench(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    history.add_arguments(parser)
    return history.run(parser.parse_args(arguments))


def pushed(place: Place, files: dict[str, bytes]) -> None:
    """Put files on the branch as anybody with write access could, links as `link:target`."""
    stream = [b"commit refs/heads/bench-history\ncommitter A <a@example.com> 1760000000 +0000\n"]
    stream += [b"data 4\nMore\nfrom refs/heads/bench-history^0\n"]
    for path, data in files.items():
        mode = b"120000" if data.startswith(b"link:") else b"100644"
        name = json.dumps(path).encode()
        stream += [b"M %s inline %s\ndata %d\n%s\n" % (mode, name, len(data), data)]
    subprocess.run(
        ["git", "fast-import", "--quiet"], cwd=place.remote, input=b"".join(stream), check=True
    )


def hook(repository: Path, name: str, script: str) -> None:
    path = repository / "hooks" / name
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def listed(place: Place) -> list[str]:
    return git(place.remote, "ls-tree", "-r", "--name-only", "bench-history").splitlines()


# -- adding -----------------------------------------------------------------------------------


def test_the_first_point_creates_an_orphan_branch(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("add", str(result(tmp_path, place.second, place.first))) == 0
    year = git(place.folder, "log", "-1", "--format=%cd", "--date=format:%Y", place.second)
    name = f"bench/{year}/{place.second}.json"
    assert capsys.readouterr().out == f"added {name} on bench-history at origin\n"
    assert listed(place) == ["README.md", name]
    assert git(place.remote, "rev-list", "--count", "bench-history") == "1"
    (found,) = contents(place.branch).points
    assert (found.head, found.anchor, found.subject) == (
        place.second,
        place.first,
        "Parse <b>faster</b>",
    )
    assert found.readings[0].ratio == 1.01


def test_neither_work_tree_nor_index_nor_references_are_touched(place: Place) -> None:
    (place.folder / "untracked").write_text("mine")
    (place.folder / "staged").write_text("mine")
    git(place.folder, "add", "staged")
    hook(place.folder / ".git", "pre-push", "exit 1")

    def state() -> list[str]:
        return [
            git(place.folder, "status", "--porcelain=2", "--branch"),
            git(place.folder, "for-each-ref", "refs/heads", "refs/tags"),
            (place.folder / ".git" / "index").read_bytes().hex(),
            str(sorted(path.name for path in (place.folder / ".git").iterdir())),
        ]

    before = state()
    assert add(place.branch, point(1, reading(PARSE, 1.0)))
    assert len(contents(place.branch).points) == 1
    assert state() == before


def test_a_commit_has_one_point_for_ever(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = result(tmp_path, place.second, place.first)
    assert [bench("add", str(measured)), bench("add", str(measured))] == [0, 0]
    assert "is there already" in capsys.readouterr().out
    assert git(place.remote, "rev-list", "--count", "bench-history") == "1"


def test_a_dry_run_pushes_nothing(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("add", "--dry-run", str(result(tmp_path, place.second, place.first))) == 0
    assert capsys.readouterr().out.startswith("would add bench/")
    assert git(place.remote, "branch", "--list") == "* main"


def test_a_shallow_detached_clone_can_add(place: Place, tmp_path: Path) -> None:
    add(place.branch, point(1, reading(PARSE, 1.0)))
    shallow = cloned(place.remote, tmp_path / "shallow", "--depth=1")
    git(shallow.folder, "checkout", "--quiet", "--detach")
    below = shallow.folder / "src"
    below.mkdir()
    assert add(replace(shallow, folder=below), point(2, reading(PARSE, 1.0)))
    assert len(contents(place.branch).points) == 2
    assert git(shallow.folder, "rev-list", "--count", "HEAD") == "1"


def test_two_writers_at_once_both_get_through(place: Place, tmp_path: Path) -> None:
    clones = [cloned(place.remote, tmp_path / name) for name in ("one", "two")]
    for start in (10, 20):  # the first time both create the branch
        with ThreadPoolExecutor(2) as pool:
            added = [
                pool.submit(add, clone, point(start + n, reading(PARSE, 1.0)))
                for n, clone in enumerate(clones)
            ]
        assert all(each.result() for each in added)
    assert {each.head for each in contents(place.branch).points} == {
        sha(number) for number in (10, 11, 20, 21)
    }
    assert git(place.remote, "rev-list", "--count", "bench-history") == "4"


def test_a_lost_race_is_run_again_on_top(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another writer is first, between our fetch and our push."""
    add(place.branch, point(1, reading(PARSE, 1.0)))
    other = place.folder.parent / "theirs"
    theirs = cloned(place.remote, other)
    unpushed = branches._committed(theirs, branches._fetched(theirs), point(2, reading(PARSE, 1.0)))
    (place.remote / "once").touch()
    hook(
        place.remote,
        "pre-receive",
        "[ -f once ] || exit 0; rm once\n"
        "unset GIT_QUARANTINE_PATH $(git rev-parse --local-env-vars)\n"
        f'cd "{other}" && git push -q origin {unpushed}:refs/heads/bench-history\n',
    )
    assert add(place.branch, point(3, reading(PARSE, 1.0)))
    assert len(contents(place.branch).points) == 3
    assert not (place.remote / "once").exists()


def test_a_branch_that_is_closed_is_told_after_five_tries(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(place.remote, "pre-receive", "echo x >> tries; exit 1")
    monkeypatch.setattr(branches, "random", lambda: 0.0)
    with pytest.raises(BenchError, match=r"refused 5 times, lastly: .*hook declined"):
        add(place.branch, point(1, reading(PARSE, 1.0)))
    assert (place.remote / "tries").read_text() == "x\n" * 5


def test_a_branch_that_is_no_history_is_left_alone(place: Place) -> None:
    with pytest.raises(BenchError, match="is no benchmark history"):
        add(replace(place.branch, name="main"), point(1, reading(PARSE, 1.0)))


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("--upload-pack=touch x", "b"),
        ("", "b"),
        ("origin", "-f"),
        ("origin", "a..b"),
        ("origin", ""),
    ],
)
def test_no_option_is_smuggled_to_git(place: Place, remote: str, name: str) -> None:
    with pytest.raises(BenchError, match="no branch of a remote"):
        contents(Branch(place.folder, remote, name))


def test_a_remote_that_is_away_is_told_without_its_token(place: Place) -> None:
    remote = "http://x-access-token:s3cret@127.0.0.1:9/nothing.git"
    with pytest.raises(BenchError) as raised:
        contents(replace(place.branch, remote=remote))
    assert "s3cret" not in str(raised.value)
    assert "x-access" not in str(raised.value)
    assert "git ls-remote" in str(raised.value)
    assert "s3cret" not in str(replace(place.branch, remote=remote))


class Gate(BaseHTTPRequestHandler):
    """A server that lets nobody in, and remembers who knocked."""

    knocked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.knocked.extend(self.headers.get_all("Authorization") or [])
        self.send_error(403)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def test_the_jobs_token_goes_to_its_server_alone_and_is_never_told(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Gate) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        header = f"http.{address}/.extraheader"
        git(place.folder, "config", header, "Authorization: Basic bGVmdDpiZWhpbmQ=")
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITHUB_TOKEN", "s3cret")
        monkeypatch.setenv("GIT_TRACE_CURL", "1")
        told = []
        for own in (address, "https://github.com"):
            monkeypatch.setenv("GITHUB_SERVER_URL", own)
            with pytest.raises(BenchError, match="403") as raised:
                contents(replace(place.branch, remote=f"{address}/owner/repo.git"))
            told.append(str(raised.value))
        server.shutdown()
    ours = "Basic " + base64.b64encode(b"x-access-token:s3cret").decode()
    assert Gate.knocked == [ours, "Basic bGVmdDpiZWhpbmQ="]
    assert not any("s3cret" in each or ours[6:] in each for each in told)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no file of ours"),
        ("[]", "schema"),
        ('{"schema": 2}', "schema"),
        ('{"schema": 1}', "`base_sha` is missing"),
        ('{"schema": 1, "base_sha": NaN}', "NaN"),
        ("[" * 100_000, "no file of ours"),
    ],
)
def test_a_broken_result_is_named(place: Place, tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "bench-result.json"
    path.write_text(text)
    with pytest.raises(BenchError, match=why) as raised:
        bench("add", str(path))
    assert raised.value.where == str(path)


def test_a_result_that_measured_nothing_is_no_point(place: Place, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"status": "no-data", "ratio": None}]
    with pytest.raises(BenchError, match="nothing was measured"):
        bench("add", str(result(tmp_path, place.second, place.first, rows)))


def test_a_missing_result_and_a_missing_commit_are_named(place: Place, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="cannot be read"):
        bench("add", str(tmp_path / "none.json"))
    with pytest.raises(BenchError, match="does not have the commit"):
        bench("add", str(result(tmp_path, sha("elsewhere"), place.first)))


# -- reading ----------------------------------------------------------------------------------


def test_what_was_added_is_read_back(place: Place) -> None:
    added = [
        point(1, reading(PARSE, 1.0), Reading(SORT, "new", ns=3.0)),
        point(500, reading(SORT, 1.0)),
    ]
    for each in added:
        add(place.branch, each)
    found = contents(place.branch)
    assert {p.head: len(p.readings) for p in found.points} == {sha(1): 2, sha(500): 1}
    assert {path.split("/")[1] for path in listed(place) if "/" in path} == {"2025", "2027"}
    assert found.skipped == ()


GOOD = points.dumps_point(point(1, reading(PARSE, 1.0)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"status": "ok"}', ""),
        ('"ratio": 1.0', '"ratio": -1.0'),
        ('"ratio": 1.0', '"ratio": 1e999'),
        ('"ratio": 1.0', '"ratio": NaN'),
        ('"ratio": 1.0', f'"ratio": {"9" * 5000}'),
        ('"ratio": 1.0', '"ratio": "1.0"'),
        ('"lo": 0.99', '"lo": 0'),
        ('"readings": [', '"readings": [' + "[" * 100_000),
        (sha("anchor"), "--output=x"),
        (sha("anchor"), sha(1)),
        ('"schema": 1', '"schema": 9'),
        ('"committed": 1', '"committed": 9999999999'),
        ('"group": "parse"', '"group": null'),
        ('"runner": {', '"runner": {"os": [], '),
    ],
)
def test_a_corrupt_point_is_refused(old: str, new: str) -> None:
    assert old in GOOD
    with pytest.raises(BenchError, match="no file of ours") as raised:
        points.read_point(GOOD.replace(old, new).encode(), "bench/x.json")
    assert len(str(raised.value)) < 400


def test_names_and_subjects_are_one_harmless_line() -> None:
    hostile = "a\n::error::b\x1b[31m\u202e\ud800" + "c" * 500
    (read,) = [points.read_point(GOOD.replace("Commit 1", json.dumps(hostile)[1:-1]).encode(), "")]
    assert read.subject.startswith("a\ufffd::error::b\ufffd[31m\ufffd\ufffdccc")
    assert len(read.subject) == LONGEST_NAME


def test_foreign_files_are_named_and_skipped(place: Place) -> None:
    add(place.branch, point(1, reading(PARSE, 1.0)))
    files = {
        f"bench/2025/{sha('broken')}.json": GOOD[:-9].encode(),
        f"bench/2025/{sha('binary')}.json": bytes(range(256)),
        f"bench/2025/{sha('large')}.json": b" " * (points.LARGEST_FILE + 1),
        f"bench/2025/{sha('other')}.json": GOOD.encode(),
        f"bench/2025/{sha('link')}.json": b"link:/etc/passwd",
        "bench/2025/notes\n::error::.txt": b"hello",
    }
    pushed(place, files | {"index.html": b"no business of ours"})
    found = contents(place.branch)
    assert [each.head for each in found.points] == [sha(1)]
    assert not any("\n" in line for line in found.skipped)
    whys = sorted(line.split(": ", 1)[1] for line in found.skipped)
    assert [why.split(":")[0][:30] for why in whys] == [
        "it has 8,000,001 bytes, more t",
        "it is no plain file",
        "it tells of another commit or ",
        "its name is none of ours",
        "this is no file of ours",
        "this is no file of ours",
    ]


def test_a_branch_that_is_too_large_is_read_in_part(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(place, *line(PARSE, [(5, 1.0)]))
    monkeypatch.setattr(branches, "LARGEST_BRANCH", int(3.5 * len(GOOD)))
    found = contents(place.branch)
    assert len(found.points) == 3
    assert found.skipped == ("2 of the oldest files: the branch is too large",)


def test_a_benchmark_that_is_told_twice_counts_once() -> None:
    (series,) = points.series([point(1, reading(PARSE, 1.0), reading(PARSE, 1.5))])
    assert len(series.samples) == 1


# -- chaining ---------------------------------------------------------------------------------


def test_a_new_anchor_that_was_measured_carries_the_ratios_over() -> None:
    (series,) = points.series(
        [
            point(1, reading(PARSE, 1.0)),
            point(2, reading(PARSE, 1.1)),
            point(3, reading(PARSE, 1.0), anchor=2),
            point(4, reading(PARSE, 0.5), anchor=2),
            point(5, reading(PARSE, 2.0), anchor=4),
        ]
    )
    (stretch,) = series.stretches
    assert [sample.ratio for sample in stretch] == pytest.approx([1.0, 1.1, 1.1, 0.55, 1.1])
    assert stretch[3].hi == pytest.approx(0.55 * 1.01)


def test_bounds_that_are_not_known_stay_unknown() -> None:
    unknown = replace(reading(PARSE, 1.1), lo=None)
    (series,) = points.series([point(1, reading(PARSE, 1.0)), point(2, unknown)])
    assert series.samples[1].lo is None
    assert series.samples[1].hi == pytest.approx(1.1 * 1.01)


def test_an_anchor_that_nothing_joins_starts_afresh() -> None:
    (series,) = points.series(
        [point(1, reading(PARSE, 1.2)), point(2, reading(PARSE, 1.0), anchor="another")]
    )
    assert [[sample.ratio for sample in stretch] for stretch in series.stretches] == [[1.2], [1.0]]


def test_a_changed_benchmark_is_not_compared() -> None:
    changed = replace(reading(PARSE, 9.0), status="changed")
    (series,) = points.series([point(1, reading(PARSE, 1.0)), point(2, changed)])
    assert [sample.ratio for sample in series.samples] == [1.0]


def test_a_change_is_found_across_a_new_anchor() -> None:
    series = line(PARSE, [(30, 1.0), (12, 1.06)])
    moved = [
        replace(p, anchor=sha(20), readings=(reading(PARSE, p.readings[0].ratio or 0),))
        if n > 20
        else p
        for n, p in enumerate(series)
    ]
    (found,) = points.series(moved)[0].found()
    assert found.point.head == sha(30)
    assert found.shift == pytest.approx(0.06, abs=0.01)


# -- the anchor -------------------------------------------------------------------------------


def anchor(place: Place) -> str:
    return history.anchor(place.branch, contents(place.branch))


def test_without_history_the_anchor_is_the_last_release_or_the_commit_before(place: Place) -> None:
    third = committed(place.folder, "The third")
    assert anchor(place) == place.second
    git(place.folder, "tag", "v0.1.0", place.first)
    git(place.folder, "tag", "v0.2.0-rc.1", place.second)
    assert anchor(place) == place.first
    git(place.folder, "tag", "-a", "parser-v1.0.0", "-m", "release", place.second)
    assert anchor(place) == place.second
    git(place.folder, "tag", "v9.0.0", third)
    assert anchor(place) == place.second, "HEAD is never its own anchor"


def test_the_anchor_of_the_history_is_kept_until_a_measured_release(place: Place) -> None:
    committed(place.folder, "The third")
    measured = point(1, reading(PARSE, 1.0))
    add(place.branch, replace(measured, head=place.second, anchor=place.first))
    assert anchor(place) == place.first
    git(place.folder, "tag", "v0.2.0", place.second)
    assert anchor(place) == place.second


@pytest.mark.parametrize("status", ["new", "changed", "base-missing"])
def test_an_anchor_that_lacks_a_benchmark_is_replaced(place: Place, status: str) -> None:
    committed(place.folder, "The third")
    measured = point(1, reading(PARSE, 1.0), Reading(SORT, status, ns=1.0))
    add(place.branch, replace(measured, head=place.second, anchor=place.first))
    assert anchor(place) == place.second


def test_a_shallow_clone_is_told_to_fetch_all(place: Place, tmp_path: Path) -> None:
    shallow = cloned(place.remote, tmp_path / "shallow", "--depth=1")
    with pytest.raises(BenchError, match="shallow") as raised:
        history.anchor(shallow, contents(shallow))
    assert "fetch-depth: 0" in raised.value.todo


def test_the_first_commit_has_no_anchor(place: Place) -> None:
    git(place.folder, "checkout", "--quiet", place.first)
    with pytest.raises(BenchError, match="no commit to measure against"):
        anchor(place)


# -- trend and page ---------------------------------------------------------------------------


def stored(place: Place, *series: points.Point) -> None:
    """Put many points on the branch with one commit."""
    add(place.branch, series[0])
    pushed(place, {path_of(each): points.dumps_point(each).encode() for each in series[1:]})


def test_the_trend_tells_what_became_slower_lately(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(place, *line(PARSE, [(30, 1.0), (8, 1.06)]))
    assert bench("trend") == 0
    told = capsys.readouterr().out
    assert "parse/json/1k became 5." in told or "parse/json/1k became 6." in told
    assert f"slower with {sha(30)[:12]} (Commit 30)" in told
    assert "::" not in told
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert bench("trend", "--strict") == 1
    assert "\n::warning title=Slower on the main branch::parse/json/1k" in capsys.readouterr().out


@pytest.mark.parametrize(
    "steps",
    [
        [(30, 1.0), (8, 0.9)],
        [(30, 1.0), (40, 1.06)],
        [(40, 1.0)],
        [(30, 1.0), (6, 1.1), (6, 1.0)],
    ],
)
def test_faster_or_long_ago_or_mended_is_no_alarm(steps: list[tuple[int, float]]) -> None:
    (series,) = points.series(line(PARSE, steps))
    assert series.alarm() is None


def test_the_trend_of_nothing_is_quiet(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("trend", "--strict") == 0
    assert capsys.readouterr().out == "0 commits; benchmarks that became slower lately: 0\n"


def test_the_page_is_written_and_what_was_skipped_is_named(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(place, *line(PARSE, [(3, 1.0)]))
    pushed(place, {"bench/2025/notes.txt": b"hello"})
    out = tmp_path / "site" / "index.html"
    assert bench("page", str(out), "--repository", "owner/repo") == 0
    assert "https://github.com/owner/repo/commit/" in out.read_text("utf-8")
    assert "not read: bench/2025/notes.txt" in capsys.readouterr().err


def test_a_page_needs_a_repository_and_a_place(place: Place, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="OWNER/REPO"):
        bench("page", str(tmp_path / "x.html"), "--repository", 'x"onload=alert(1)')
    with pytest.raises(BenchError, match="cannot be written"):
        bench("page", str(tmp_path))


def test_it_runs_as_a_folder_of_its_own(place: Place, tmp_path: Path) -> None:
    """As in a user's repository, where nothing else of rustci is."""
    add(place.branch, point(1, reading(PARSE, 1.0)))
    source = Path(history.__file__).parent
    done = subprocess.run(
        [sys.executable, "-I", str(source), "history", "page", str(tmp_path / "index.html")],
        cwd=place.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "parse/json/1k" in (tmp_path / "index.html").read_text("utf-8")


def test_a_point_is_small() -> None:
    readings = [reading(replace(PARSE, value=str(n)), 1.0123456789) for n in range(100)]
    text = points.dumps_point(point(1, *readings))
    assert len(text) < 25_000
    assert json.loads(text)["readings"][0]["ratio"] == 1.01235
