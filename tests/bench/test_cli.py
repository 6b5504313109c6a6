"""The command line: what it takes, what it prints, and what it exits with."""

from __future__ import annotations

import ast
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rustci.bench import cli
from rustci.bench.errors import BenchError
from rustci.bench.record import Record, dumps_measurement, dumps_run
from rustci.cli import main as rustci
from tests.bench.records import around, bench, record, rounds

BENCH = Path(__file__).parents[2] / "rustci" / "bench"
SAME = record(rounds(bench("parse"), around(1.0, many=10)))
SLOWER = record(rounds(bench("parse"), around(1.2, many=20)))
NOTHING = record()
HOSTILE = "`<img onerror=1>`\n@team ::error::x | [a](b) " + "n" * 10_000


@pytest.fixture(autouse=True)
def _not_on_github(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.chdir(tmp_path)


def written(folder: Path, content: Record) -> str:
    """Write a record and return its path."""
    path = folder / "bench-raw.jsonl"
    lines = [dumps_run(content.run), *map(dumps_measurement, content.measurements)]
    path.write_text("".join(lines), "utf-8")
    return str(path)


@pytest.mark.parametrize(("content", "code"), [(SAME, 0), (SLOWER, 1), (NOTHING, 2)])
def test_the_exit_code_is_the_verdict(tmp_path: Path, content: Record, code: int) -> None:
    assert cli.main(["judge", written(tmp_path, content)]) == code


@pytest.mark.parametrize(("content", "code"), [(SAME, 0), (SLOWER, 1), (None, 2)])
def test_a_summary_that_cannot_be_written_leaves_the_exit_code(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    content: Record | None,
    code: int,
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    file = written(tmp_path, content) if content else "missing.jsonl"

    assert cli.main(["judge", file]) == code
    assert f"warning: {tmp_path}: the summary cannot be written" in capsys.readouterr().err


def test_every_form_of_the_verdict_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", "utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    cli.main(["judge", written(tmp_path, SLOWER), "--output", str(tmp_path / "out")])

    shown = capsys.readouterr().out
    assert "::error" in shown
    assert "parse" in shown
    assert summary.read_text("utf-8").startswith("before\n")
    assert "parse" in summary.read_text("utf-8")
    result = json.loads((tmp_path / "out" / "bench-result.json").read_text("utf-8"))
    assert result["results"][0]["status"] == "regressed"
    assert (tmp_path / "out" / "forest.svg").read_text("utf-8").startswith("<svg")


@pytest.mark.parametrize("form", sorted(cli.FORMS))
def test_a_report_prints_one_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    assert cli.main(["report", written(tmp_path, SLOWER), "--format", form]) == 0
    assert "parse" in capsys.readouterr().out


def test_hostile_names_start_no_workflow_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    cli.main(["judge", written(tmp_path, record(rounds(bench(HOSTILE), around(1.2, many=20))))])

    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if line.startswith("::") and "title=" not in line]


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["judge", "missing.jsonl"], "missing.jsonl"),
        (["judge"], "nothing to judge"),
        (["judge", "--base", "a.json"], "a.json"),
        (["run", "--target", "5%", "--tolerance", "6%"], "--tolerance"),
        (["run"], "not in a git repository"),
        (["counts"], "not in a git repository"),
        (["self-test"], "not in a git repository"),
        (["self-test", "--rounds", "3"], "--rounds"),
    ],
)
def test_bad_input_is_told_and_exits_with_2(
    capsys: pytest.CaptureFixture[str], argv: list[str], told: str
) -> None:
    assert cli.main(argv) == 2

    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert told in error


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["rum"],
        ["run", "--target", "5"],
        ["run", "--alpha", "nan%"],
        ["run", "--budget", "0"],
        ["run", "--budget", "soon"],
        ["run", "--rounds", "1"],
        ["run", "--layouts", "-1"],
        ["report", "x", "--format", "pdf"],
    ],
)
def test_wrong_usage_exits_with_2(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(argv)
    assert stop.value.code == 2


def test_an_error_reaches_the_summary_and_the_annotations_as_data(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    cli._fail(BenchError("failed:\n````\n::error::no", where="head"))

    assert capsys.readouterr().out.count("\n") == 1
    assert "`````text\nhead: failed:" in (tmp_path / "summary.md").read_text("utf-8")


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("0.5m", 30)])
def test_durations(text: str, seconds: float) -> None:
    assert cli.duration(text) == seconds


@pytest.mark.parametrize(("text", "fraction"), [("5%", 0.05), ("2.5%", 0.025), ("0.05", 0.05)])
def test_percentages(text: str, fraction: float) -> None:
    assert cli.percent(text) == pytest.approx(fraction)


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    say = cli.Progress()

    say("round 1 of 10")
    say("round 2 of 10")
    say.close()

    assert terminal.getvalue() == "\r\x1b[Kround 1 of 10\r\x1b[Kround 2 of 10\r\x1b[K"


def test_progress_is_seldom_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    say = cli.Progress()

    for text in ("building head", "round 1 of 10", "round 2 of 10", "linking anew"):
        say(text)

    assert capsys.readouterr().err.splitlines() == ["building head", "linking anew"]


def message(times: list[float]) -> str:
    fields = {"reason": "benchmark-complete", "id": "f", "unit": "ns"}
    return json.dumps({**fields, "iteration_count": [1] * 5, "measured_values": times})


def test_messages_of_cargo_criterion_are_judged_in_pairs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["judge"]
    for side, time in (("base", 100.0), ("head", 120.0)):
        argv.append(f"--{side}")
        for number in range(12):
            path = tmp_path / f"{side}{number}.json"
            path.write_text(message([time] * 5), "utf-8")
            argv.append(str(path))

    assert cli.main(argv) == 1
    assert "+20" in capsys.readouterr().out
    assert cli.main(argv[:-1]) == 2
    assert "12 runs of base and 11 of head" in capsys.readouterr().err


def alone(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of the package as a repository has it, without anything installed."""
    copy = folder / ".github" / "rustci" / "bench"
    shutil.copytree(BENCH, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return subprocess.run(
        [sys.executable, "-ISW", "error", str(copy), *argv],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_folder_runs_alone(tmp_path: Path) -> None:
    done = alone(tmp_path, "judge", written(tmp_path, SLOWER))

    assert done.returncode == 1, done.stderr
    assert "parse" in done.stdout


def test_the_folder_hides_no_module_of_the_standard_library(tmp_path: Path) -> None:
    (tmp_path / ".github" / "rustci").mkdir(parents=True)
    named = {path.stem for path in BENCH.glob("*.py")}

    done = alone(tmp_path, "--help")

    assert done.returncode == 0, done.stderr
    assert not named & sys.stdlib_module_names


def test_help_of_every_command_is_there() -> None:
    for name in cli.COMMANDS:
        with pytest.raises(SystemExit) as stop:
            cli.main([name, "--help"])
        assert stop.value.code == 0


def test_rustci_passes_everything_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, SLOWER)

    assert rustci(["bench", "judge", path]) == 1
    assert rustci(["bench", "judge", "missing"]) == 2
    assert rustci(["bench", "run", "--help"]) == 0
    assert rustci(["bench"]) == 0
    assert rustci(["bench", "run", "--budget", "x"]) == 2
    assert "usage: rustci bench run" in capsys.readouterr().out


@pytest.mark.parametrize("path", sorted(BENCH.glob("*.py")), ids=lambda path: path.name)
def test_the_grammar_is_that_of_python_3_9(path: Path) -> None:
    ast.parse(path.read_text("utf-8"), feature_version=(3, 9))
