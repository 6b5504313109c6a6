"""A planted fault turns its gate red, the aggregate with it, and nothing else."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import FULL
from tests.e2e.faults import FAULTS, Edit, Fault
from tests.e2e.harness import Event, Run, execute
from tests.e2e.machine import Machine, machine
from tests.e2e.projects import HERE
from tests.e2e.report import Report
from tests.e2e.repository import commit, git, prepare
from tests.e2e.rust import private_rustup

pytestmark = pytest.mark.e2e

REPETITIONS = 10 if FULL else 2
CI = ".github/workflows/ci.yml"


@dataclass(frozen=True)
class Base:
    """The library with its caches warm."""

    here: Machine
    root: Path
    state: Path
    msrv: str

    def run(self, event: Event = "pull_request", workflow: str = "ci.yml") -> Run:
        return execute(self.here, self.root, event, workflow, state=self.state)

    def with_edits(self, *edits: Edit, workflow: str = "ci.yml") -> Run:
        """Run with changes committed, and take them back."""
        head = git(self.root, "rev-parse", "HEAD").strip()
        try:
            for edit in edits:
                edit.apply(self.root)
            commit(self.root, "Change something")
            return self.run(workflow=workflow)
        finally:
            git(self.root, "reset", "--quiet", "--hard", head)


def minimum(here: Machine) -> str:
    """Return the library's own MSRV, or today's stable where that is not installed."""
    stable = here.rustup.toolchains["stable"].version.split()[0]
    return "1.85" if "1.85" in here.rustup.toolchains else stable.rpartition(".")[0]


@pytest.fixture(scope="module")
def library(here: Machine, tmp_path_factory: pytest.TempPathFactory) -> Base:
    folder = tmp_path_factory.mktemp("faults")
    msrv = minimum(here)
    answers = ("coverage.service=none", "coverage.minimum=90", f"toolchains.msrv={msrv}")
    flags = [f"--set={answer}" for answer in answers]
    root = prepare(HERE / "library", folder / "library", *flags)
    base = Base(here, root, folder / "state", msrv)
    run = base.run("push")
    assert not run.red(), run.explain()
    return base


@pytest.mark.parametrize("fault", [pytest.param(f, id=f.about.replace(" ", "-")) for f in FAULTS])
def test_a_fault_turns_its_gate_red(fault: Fault, library: Base, report: Report) -> None:
    if fault.toolchain and fault.toolchain not in library.here.rustup.toolchains:
        pytest.skip(f"needs Rust {fault.toolchain}, which is not installed")
    run = library.with_edits(*fault.edits)
    assert set(run.red()) == fault.red | {"ci"}, run.explain()
    assert not any(outcome.state == "skipped" for outcome in run.outcomes)
    report.faults.append((fault.about, ", ".join(run.red())))


def test_an_msrv_lane_with_another_compiler_is_red(
    library: Base, report: Report, tmp_path: Path
) -> None:
    other = "stable" if library.msrv == "1.85" else "nightly"
    with private_rustup(tmp_path, posing={library.msrv: other}) as rustup:
        there = machine(tmp_path / "machine", library.here.tools, rustup)
        run = execute(there, library.root, state=library.state)
    assert run.red() == ["msrv", "ci"], run.explain()
    assert [o.failed for o in run.outcomes if o.job == "msrv"] == [("Check the compiler",)]
    report.faults.append(("an MSRV lane that gets another compiler", "msrv, ci"))


def test_coverage_below_the_minimum_is_red(library: Base, report: Report) -> None:
    lines = "".join(f"    if number == {n} {{\n        return 0;\n    }}\n" for n in range(40))
    untested = f"\n/// Unused.\npub fn unused(number: u64) -> u64 {{\n{lines}    1\n}}\n"
    run = library.with_edits(Edit("src/lib.rs", new=untested), workflow="coverage.yml")
    assert [o.failed for o in run.outcomes] == [("Judge the coverage",)], run.explain()
    report.faults.append(("coverage below the minimum", "coverage"))


def test_an_untouched_project_stays_green(library: Base) -> None:
    for _ in range(REPETITIONS):
        run = library.run()
        assert not run.red(), run.explain()
        restored = [
            c for c in run.calls if c["action"] == "Swatinem/rust-cache" and c.get("restored")
        ]
        assert restored, "no cache of the push was found"


def test_an_empty_shard_is_red(here: Machine, report: Report, tmp_path: Path) -> None:
    only_test = prepare(HERE / "binary", tmp_path / "binary", "--set=tests.shards=2")
    run = execute(here, only_test, state=tmp_path / "state")
    [shard] = (outcome for outcome in run.outcomes if outcome.failed and outcome.job != "ci")
    assert "no tests to run" in shard.log
    assert run.states("ci") == {"red"}
    report.faults.append(("a shard without a test", ", ".join(run.red())))


@pytest.mark.parametrize(
    ("uses", "problem"),
    [
        (f"octocat/unknown@{'0' * 40}", "octocat/unknown"),
        (f"actions/upload-artifact@{'0' * 40}", "inputs that must be given: path"),
    ],
)
def test_an_unknown_or_misused_action_is_red(
    uses: str, problem: str, here: Machine, tmp_path: Path
) -> None:
    root = tmp_path / "project"
    (root / CI).parent.mkdir(parents=True)
    job = {"runs-on": "ubuntu-24.04", "steps": [{"uses": uses}]}
    workflow = f"on: push\njobs: {json.dumps({'lint': job})}\n".replace('"uses": ', "uses: ")
    (root / CI).write_text(workflow.replace(f'"{uses}"', uses), "utf-8")
    git(root.parent, "init", "--quiet", "--initial-branch=main", str(root))
    commit(root, "Use it")
    run = execute(here, root, "push", state=tmp_path / "state")
    assert run.red() == ["lint"], run.output
    assert problem in run.explain()


def aggregate(jobs: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """Return the workflow's jobs with stand-ins for all but `ci`, which stays as written."""
    stub = {"runs-on": "ubuntu-24.04", "steps": [{"run": "true"}]}
    return {name: others.get(name, stub) for name in jobs if name != "ci"} | {"ci": jobs["ci"]}


RESULTS = {
    "success": {"runs-on": "ubuntu-24.04", "steps": [{"run": "true"}]},
    "failure": {"runs-on": "ubuntu-24.04", "steps": [{"run": "false"}]},
    "skipped": {"runs-on": "ubuntu-24.04", "if": False, "steps": [{"run": "true"}]},
}


@pytest.mark.parametrize("event", ["pull_request", "push", "merge_group"])
@pytest.mark.parametrize("result", RESULTS)
def test_the_aggregate_passes_only_what_succeeded(
    result: str, event: Event, library: Base, tmp_path: Path
) -> None:
    root = tmp_path / "project"
    workflow = yaml.safe_load((library.root / CI).read_text("utf-8"))
    workflow["on"] = workflow.pop(True)  # YAML 1.1 reads `on` as a truth value
    workflow["jobs"] = aggregate(workflow["jobs"], {"clippy": RESULTS[result]})
    (root / CI).parent.mkdir(parents=True)
    (root / CI).write_text(yaml.safe_dump(workflow, sort_keys=False), "utf-8")
    git(root, "init", "--quiet", "--initial-branch=main")
    commit(root, "Add the aggregate")
    run = execute(library.here, root, event, state=tmp_path / "state")
    assert run.states("ci") == ({"green"} if result == "success" else {"red"}), run.output


@pytest.mark.parametrize("result", ["success", "failure", "skipped", "cancelled", ""])
def test_the_aggregates_script_knows_every_result(result: str, library: Base) -> None:
    jobs = yaml.safe_load((library.root / CI).read_text("utf-8"))["jobs"]
    [step] = jobs["ci"]["steps"]
    for place in jobs["ci"]["needs"]:
        needs = {name: {"result": "success", "outputs": {}} for name in jobs["ci"]["needs"]}
        needs[place]["result"] = result
        environment = {"NEEDS": json.dumps(needs), "PATH": "/usr/local/bin:/usr/bin:/bin"}
        script = ["bash", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(script, env=environment, capture_output=True, check=False)
        assert (done.returncode == 0) == (result == "success"), done
