"""The issue about the scheduled checks: opened, refreshed and closed by GitHub's own `gh`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml

from tests.e2e.harness import execute
from tests.e2e.issues import GH, Issue, Issues, serving
from tests.e2e.machine import Machine, machine
from tests.e2e.projects import HERE
from tests.e2e.repository import commit, prepare

pytestmark = pytest.mark.e2e

TITLE = "Scheduled checks fail"


def test_there_is_one_issue_that_follows_the_runs(here: Machine, tmp_path: Path) -> None:
    gh = shutil.which("gh")
    if not gh:
        reason = "needs gh, which is not installed"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    root = prepare(HERE / "library", tmp_path / "library")
    file = root / ".github" / "workflows" / "scheduled.yml"
    workflow = yaml.safe_load(file.read_text("utf-8"))
    workflow["on"] = workflow.pop(True)  # YAML 1.1 reads `on` as a truth value
    others = [name for name in workflow["jobs"] if name != "report"]
    issues = Issues([Issue("Something else")])
    there = machine(tmp_path / "machine", here.tools, here.rustup)

    def run(script: str) -> None:
        """Run the report as written, after jobs of which the last runs a script."""
        for name in others:
            step = {"run": script if name == others[-1] else "true"}
            workflow["jobs"][name] = {"runs-on": "ubuntu-24.04", "steps": [step]}
        file.write_text(yaml.safe_dump(workflow, sort_keys=False), "utf-8")
        commit(root, "Change the checks")
        found = execute(there, root, "schedule", "scheduled.yml", state=tmp_path / "state")
        assert found.states("report") == {"green"}, found.output

    with serving(issues) as address:
        (there.bin / "gh").write_text(GH % (address, gh), "utf-8")
        run("true")
        assert issues.found == [Issue("Something else")]
        run("false")
        run("false")
        [_, opened] = issues.found
        assert (opened.title, opened.state) == (TITLE, "OPEN")
        assert opened.body.endswith(f"\n\n- {others[-1]}: failure")
        assert opened.comments == [opened.body]
        run("true")
        assert opened.state == "CLOSED"
        assert opened.comments[1].startswith("Everything passed again: https://github.com/")
        run("false")
        assert [(issue.title, issue.state) for issue in issues.found] == [
            ("Something else", "OPEN"),
            (TITLE, "CLOSED"),
            (TITLE, "OPEN"),
        ]
