"""What criterion leaves behind: real files of seven versions, and every way they can be broken."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from rustci.bench import criterion
from rustci.bench.criterion import Reading
from rustci.bench.record import Benchmark

FIXTURES = Path(__file__).parent / "criterion"
VERSIONS = sorted(path.name for path in FIXTURES.iterdir())
GOOD = [10.0, 11.0, 12.0, 13.0, 14.0]


def bench(group: str, function: str | None = None, value: str | None = None) -> Benchmark:
    return Benchmark("pkg", "target", group, function, value)


def read(home: Path, since: float = 0.0) -> tuple[Reading, ...]:
    return criterion.read(home, "pkg", "target", since)


def leave(home: Path, directory: str, sample: object, **fields: Any) -> Path:
    """Write what criterion writes for one benchmark."""
    new = home / directory / "new"
    new.mkdir(parents=True)
    told = {"group_id": directory, "function_id": None, "value_str": None, **fields}
    told.setdefault("directory_name", directory)
    (new / "benchmark.json").write_text(json.dumps(told), "utf-8")
    text = sample if isinstance(sample, str) else json.dumps(sample)
    (new / "sample.json").write_text(text, "utf-8")
    return new


def sample(times: list[Any], iterations: list[Any] | None = None) -> dict[str, Any]:
    counts = [1.0] * len(times) if iterations is None else iterations
    return {"sampling_mode": "Flat", "iters": counts, "times": times}


def only(home: Path) -> Reading:
    (reading,) = read(home)
    return reading


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_is_read(version: str) -> None:
    readings = read(FIXTURES / version)

    assert [reading.benchmark for reading in readings] == [
        bench('a/b: "c"', "f"),
        bench('a/b: "c"', "f", "new"),
        bench('a/b: "c"', "f*", "1"),
        bench('a/b: "c"', "f?", "1"),
        bench("plain"),
    ]
    for reading in readings:
        assert reading.why == ""
        assert reading.n == 10
        assert reading.min_ns
        assert reading.median_ns
        assert 5 < reading.min_ns <= reading.median_ns < 1000


def test_the_two_layouts_of_samples_say_the_same(tmp_path: Path) -> None:
    leave(tmp_path, "object", sample([10.0, 22.0, 33.0, 44.0, 55.0], [1, 2, 3, 4, 5]))
    leave(tmp_path, "pair", [[1, 2, 3, 4, 5], [10.0, 22.0, 33.0, 44.0, 55.0]])

    old, new = read(tmp_path)

    assert (old.min_ns, old.median_ns, old.total_ns, old.n) == (10.0, 11.0, 164.0, 5)
    assert (new.min_ns, new.median_ns, new.total_ns, new.n) == (10.0, 11.0, 164.0, 5)


def test_a_copy_inside_a_copy_is_not_read(tmp_path: Path) -> None:
    # A second run copies f/new, with the benchmark of the value `new` in it, to f/base.
    leave(tmp_path, "f", sample(GOOD))
    leave(tmp_path, "f/new", sample(GOOD), group_id="f", value_str="new")
    shutil.copytree(tmp_path / "f" / "new", tmp_path / "f" / "base")

    assert [reading.benchmark for reading in read(tmp_path)] == [
        bench("f"),
        bench("f", None, "new"),
    ]


def test_an_aborted_benchmark_leaves_no_reading(tmp_path: Path) -> None:
    new = leave(tmp_path, "aborted", sample(GOOD))
    (new / "benchmark.json").unlink()

    assert read(tmp_path) == ()
    assert read(tmp_path / "never made") == ()


def test_a_file_that_is_older_than_the_process_is_a_leftover(tmp_path: Path) -> None:
    new = leave(tmp_path, "stale", sample(GOOD))
    os.utime(new / "sample.json", (1000, 1000))

    (reading,) = read(tmp_path, since=2000)

    assert "leftover" in reading.why
    assert reading.min_ns is None


def test_two_benchmarks_with_one_id_are_both_refused(tmp_path: Path) -> None:
    leave(tmp_path, "twice", sample(GOOD))
    leave(tmp_path, "twice_2", sample(GOOD), group_id="twice")

    reading = only(tmp_path)

    assert reading.benchmark == bench("twice")
    assert reading.min_ns is None
    assert "share this id" in reading.why


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (sample([0.0, *GOOD]), "zero, negative"),
        (sample([-1.0, *GOOD]), "zero, negative"),
        (sample([float("nan"), *GOOD]), "zero, negative"),
        (sample([float("inf"), *GOOD]), "zero, negative"),
        (sample([None, *GOOD]), "zero, negative"),
        (sample(["9", *GOOD]), "zero, negative"),
        (sample(GOOD, [0, 1, 1, 1, 1]), "iteration count"),
        (sample(GOOD, [1, 1]), "2 iteration counts for 5 times"),
        (sample(GOOD[:2]), "2 samples; 5 are needed"),
        (sample([]), "0 samples"),
        ({"iters": 3}, "neither layout"),
        ([[1], [1], [1]], "neither layout"),
        ("", "not JSON"),
        ('{"iters":[1.0,', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "not JSON"),
    ],
)
def test_a_sample_that_cannot_be_trusted_is_told_and_has_no_time(
    tmp_path: Path, content: object, why: str
) -> None:
    leave(tmp_path, "broken", content)

    reading = only(tmp_path)

    assert reading.benchmark == bench("broken")
    assert reading.min_ns is None
    assert why in reading.why


def test_a_missing_sample_is_told(tmp_path: Path) -> None:
    (leave(tmp_path, "lost", "") / "sample.json").unlink()

    assert "missing" in only(tmp_path).why


@pytest.mark.parametrize("text", ["[]", "{}", '{"group_id": 3}', "null", '{"group_id"', "\x00"])
def test_a_benchmark_that_cannot_be_identified_is_told_by_its_place(
    tmp_path: Path, text: str
) -> None:
    new = leave(tmp_path, "who", sample(GOOD))
    (new / "benchmark.json").write_text(text, "utf-8")

    reading = only(tmp_path)

    assert reading.benchmark == bench("who")
    assert reading.why.startswith("benchmark.json: ")


@pytest.mark.parametrize(
    "name",
    ["a/b", "x.*(y)|z$", "[`<b>@me</b>`](x)", "two\nlines", "ä" * 200, "n" * 10_000, "../../etc"],
)
def test_hostile_names_are_data_and_filters_match_them_alone(tmp_path: Path, name: str) -> None:
    leave(tmp_path, "dir", sample(GOOD), group_id=name, directory_name="dir")

    reading = only(tmp_path)
    (argument,) = criterion.filter_for((0, 8), [reading.benchmark])
    pattern = re.compile(argument)

    assert reading.benchmark.name == name
    assert pattern.search(name)
    assert not pattern.search(f"{name}x")
    assert not pattern.search(f"x{name}")


def test_a_filter_escapes_nothing_but_metacharacters() -> None:
    # Old versions of Rust's `regex` refuse `\ `, `\/` and `\"`.
    found = criterion.filter_for((0, 3, 1), [bench('a/b: "c"', "f*", "1"), bench("plain")])

    assert found == (r'^(?:a/b: "c"/f\*/1|plain)$',)


def test_the_filter_of_0_3_0_is_no_pattern() -> None:
    one, other = bench("a|b", "f*"), bench("plain")

    assert criterion.filter_for((0, 3, 0), [one]) == ("--", "a|b/f*")
    assert criterion.filter_for((0, 3, 0), [one, other]) == ()


@pytest.mark.parametrize("kind", ["bench", "benchmark"])
def test_listings_are_read(kind: str) -> None:
    listing = f'WARNING: something.\n\nplain: {kind}\n\na/b: "c"/f: {kind}\n\n'

    assert criterion.titles(listing) == ("plain", 'a/b: "c"/f')


def test_libtest_lists_nothing_of_criterion() -> None:
    assert criterion.titles("0 tests, 0 benchmarks\n") == ()


def test_old_versions_are_told_whole_seconds() -> None:
    old = criterion.arguments((0, 3, 6), 0.1, 0.3, 30)
    new = criterion.arguments((0, 4, 0), 0.1, 0.3, 5)

    assert old[old.index("--warm-up-time") + 1] == "1"
    assert old[old.index("--measurement-time") + 1] == "1"
    assert new[new.index("--measurement-time") + 1] == "0.3"
    assert new[new.index("--sample-size") + 1] == "10"


def message(**fields: Any) -> str:
    return json.dumps(
        {
            "reason": "benchmark-complete",
            "id": "group/f",
            "iteration_count": [1, 2, 3, 4, 5],
            "measured_values": [10.0, 20.0, 30.0, 40.0, 60.0],
            "unit": "ns",
            **fields,
        }
    )


def test_messages_of_cargo_criterion_are_read() -> None:
    text = f'{{"reason":"group-complete"}}\n\n{message()}\n{message(id="other", unit="cycles")}\n'

    known, other = criterion.read_messages(text)

    assert (known.benchmark.group, known.min_ns, known.n) == ("group/f", 10.0, 5)
    assert "another unit" in other.why


@pytest.mark.parametrize("text", ["{", "[1]", message(id=None), message(measured_values=None)])
def test_messages_that_are_broken_are_told_by_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"^line 2: "):
        criterion.read_messages(f"\n{text}")
