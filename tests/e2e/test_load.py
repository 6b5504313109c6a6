"""The load test is green on the chat server, and red for each fault that it is there to find."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e import tools
from tests.e2e.conftest import FULL
from tests.e2e.faults import Edit
from tests.e2e.harness import Run, execute
from tests.e2e.machine import ROOT, Machine
from tests.e2e.projects import HERE
from tests.e2e.report import Report
from tests.e2e.repository import commit, prepare

pytestmark = pytest.mark.e2e

CHAT_SERVER = ROOT / "tests" / "crates" / "chat-server"
TOOLS = {"k6": tools.build_k6, "artillery": tools.fetch_node}
FAST = Edit("Cargo.toml", new="\n[profile.release]\nopt-level = 0\ncodegen-units = 64\n")
"""Compiled in a quarter of the time; ten users do not notice."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with the server, and the steps that fail."""

    about: str
    edit: Edit
    failed: tuple[str, ...]
    tool: str = "k6"
    source: Path = CHAT_SERVER
    further: bool = True
    """Left to the long session: each run compiles the server anew."""


FAULTS = (
    Fault(
        "a server that dies at its start",
        Edit(
            "src/main.rs",
            old="    let shutdown = terminated()?;",
            new="    if addr.port() != 0 {\n        std::process::exit(3);\n    }\n"
            "    let shutdown = terminated()?;",
        ),
        ("Wait until it answers", "Stop the server"),
    ),
    Fault(
        "a route that is missing",
        Edit("src/server.rs", old='.route("/ws", ', new='.route("/chat", '),
        ("Run the scenario",),
        further=False,
    ),
    Fault(
        "a route that is missing, as Artillery sees it",
        Edit("src/server.rs", old='.route("/ws", ', new='.route("/chat", '),
        ("Run the scenario",),
        tool="artillery",
    ),
    Fault(
        "a namespace of Socket.IO that is missing",
        Edit("src/main.rs", old='io.ns("/", ', new='io.ns("/chat", '),
        ("Run the scenario",),
        tool="artillery",
        source=HERE / "socketio",
    ),
    Fault(
        "a server that takes two seconds to connect",
        Edit(
            "src/server.rs",
            old="    let App { registry, heartbeat, shutdown } = app;",
            new="    let App { registry, heartbeat, shutdown } = app;\n"
            "    tokio::time::sleep(Duration::from_secs(2)).await;",
        ),
        ("Run the scenario",),
    ),
    Fault(
        "a server that does not stop on SIGTERM",
        Edit(
            "src/main.rs",
            old="    server.run(shutdown).await",
            new="    let _kept = shutdown;\n    server.run(std::future::pending()).await",
        ),
        ("Stop the server",),
    ),
)


def prepared(tool: str, here: Machine, folder: Path, source: Path = CHAT_SERVER) -> Path:
    """Return a server with its load test, committed; build or fetch the tool."""
    TOOLS[tool](here.tools)
    root = prepare(source, folder / source.name, f"--load-tool={tool}")
    FAST.apply(root)
    commit(root, "Compile fast")
    return root


def run(machine: Machine, root: Path, state: Path) -> Run:
    return execute(machine, root, workflow="load.yml", state=state)


@pytest.mark.parametrize(
    "tool", ["k6", pytest.param("artillery", marks=pytest.mark.skipif(not FULL, reason="slow"))]
)
def test_the_conversation_is_green(tool: str, here: Machine, tmp_path: Path) -> None:
    root = prepared(tool, here, tmp_path)
    found = run(here, root, tmp_path / "state")
    assert [outcome.state for outcome in found.outcomes] == ["green", "green"], found.explain()
    kept = tmp_path / "state" / "artifacts" / "load"
    assert (kept / "ended").read_text() == "0\n"
    assert "listening on" in (kept / "server.log").read_text()
    if tool == "k6":
        metrics = json.loads((kept / "summary.json").read_text())["metrics"]
        assert metrics["ws_sessions"]["count"] >= 2 * 10
        # Whoever says something is heard by all of the room.
        assert metrics["heard"]["count"] > metrics["ws_msgs_sent"]["count"]
        # What the scenario itself allows: a pong may be under way when a user leaves.
        assert metrics["errors"]["value"] < 0.01
    else:
        counters = json.loads((kept / "report.json").read_text())["aggregate"]["counters"]
        assert counters["vusers.completed"] == counters["vusers.created"] == 10
        assert counters["heard"] > counters["sent"] > 0 == counters["lost"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=fault.about.replace(" ", "-"))
        for fault in FAULTS
        if FULL or not fault.further
    ],
)
def test_a_fault_turns_it_red(fault: Fault, here: Machine, report: Report, tmp_path: Path) -> None:
    root = prepared(fault.tool, here, tmp_path, fault.source)
    fault.edit.apply(root)
    commit(root, "Change something")
    found = run(here, root, tmp_path / "state")
    assert found.red() == ["load"], found.explain()
    assert [o.failed for o in found.outcomes if o.job == "load"] == [fault.failed], found.explain()
    report.faults.append((fault.about, "load"))


@pytest.mark.skipif(not FULL, reason="slow")
def test_socket_io_is_spoken(here: Machine, tmp_path: Path) -> None:
    root = prepared("artillery", here, tmp_path, HERE / "socketio")
    found = run(here, root, tmp_path / "state")
    assert [outcome.state for outcome in found.outcomes] == ["green", "green"], found.explain()
    kept = tmp_path / "state" / "artifacts" / "load"
    counters = json.loads((kept / "report.json").read_text())["aggregate"]["counters"]
    assert counters["vusers.completed"] == counters["vusers.created"] == 10
