"""Generated workflows, run as written: rendered, committed, executed by act on this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any, Literal

import yaml

from tests.e2e import act
from tests.e2e.actions import STAND_INS
from tests.e2e.rust import PROXIES, Rustup

ROOT = Path(__file__).parents[2]
REPOSITORY = "octocat/project"
LINUX = ("ubuntu-",)
PASSED_ON = re.compile(
    r"(?i)^(https?_proxy|no_proxy|ssl_cert_.*|cargo_(http|net|registr|source).*)$"
)
"""How this machine reaches the network; nothing else of its environment comes through."""

State = Literal["green", "red", "skipped", "not executable"]
Event = Literal["pull_request", "push", "merge_group", "workflow_dispatch"]
EVENTS: Mapping[Event, Mapping[str, Any]] = {
    "pull_request": {
        "pull_request": {
            "number": 1,
            "head": {"ref": "topic", "repo": {"fork": False, "full_name": REPOSITORY}},
            "base": {"ref": "main"},
        }
    },
    "push": {"ref": "refs/heads/main"},
    "workflow_dispatch": {"ref": "refs/heads/main"},
    "merge_group": {"merge_group": {"base_ref": "refs/heads/main"}, "action": "checks_requested"},
}
MAIN_JS = """\
const { spawnSync } = require("node:child_process");
const { E2E_PYTHON, E2E_ROOT } = process.env;
const command = ["-B", "-m", "tests.e2e.actions", "%(action)s", "%(phase)s"];
const env = { ...process.env, PYTHONPATH: E2E_ROOT };
process.exitCode = spawnSync(E2E_PYTHON, command, { stdio: "inherit", env }).status ?? 1;
"""


@dataclass(frozen=True)
class Outcome:
    """How one job, or one lane of its matrix, ended."""

    job: str
    matrix: act.Matrix
    state: State
    seconds: float
    failed: tuple[str, ...]
    reason: str
    log: str = field(repr=False)

    @property
    def name(self) -> str:
        """The job, with what tells its lane from the others."""
        values = [value for key, value in sorted(self.matrix) if key != "rustc"]
        return f"{self.job} ({', '.join(values)})" if values else self.job


@dataclass(frozen=True)
class Run:
    """What became of one workflow on one event."""

    workflow: str
    event: Event
    outcomes: tuple[Outcome, ...]
    calls: tuple[Mapping[str, Any], ...] = field(repr=False)
    output: str = field(repr=False)

    def states(self, job: str) -> set[State]:
        """Return how the lanes of a job ended."""
        return {outcome.state for outcome in self.outcomes if outcome.job == job}

    def red(self) -> list[str]:
        """Return the jobs with a red lane, in the order of the file."""
        return list(dict.fromkeys(o.job for o in self.outcomes if o.state == "red"))

    def explain(self) -> str:
        """Return what to read when something is red: each red lane with the end of its log."""
        return "\n\n".join(
            f"{o.name}: {o.state} at {', '.join(o.failed)}\n{o.log[-4000:]}"
            for o in self.outcomes
            if o.state == "red"
        )


@dataclass(frozen=True)
class Machine:
    """What runs the jobs: act, the tools, a private rustup and a folder of its own."""

    folder: Path
    tools: Path
    rustup: Rustup

    @property
    def bin(self) -> Path:
        """Rust's commands alone: what else lies beside them here is not on a runner."""
        return self.folder / "bin"


def machine(folder: Path, tools: Path, rustup: Rustup) -> Machine:
    """Lay out the machine's folders and the stand-ins as act wants them."""
    result = Machine(folder, tools, rustup)
    result.bin.mkdir(parents=True)
    (folder / "home").mkdir()
    proxy = Path(shutil.which("rustup") or "rustup")
    for name in PROXIES:
        (result.bin / name).symlink_to(proxy.resolve())
    cargo = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    (folder / "cargo").mkdir()
    (cargo / "registry").mkdir(parents=True, exist_ok=True)
    (folder / "cargo" / "registry").symlink_to(cargo / "registry")
    for name in ("config.toml", "config"):
        if (cargo / name).is_file():
            shutil.copy(cargo / name, folder / "cargo" / name)
    for action, module in STAND_INS.items():
        _lay_out(folder / "actions" / action.replace("/", "-"), action, hasattr(module, "post"))
    return result


def _lay_out(folder: Path, action: str, has_post: bool) -> None:
    folder.mkdir(parents=True)
    runs = {"using": "node20", "main": "main.js"}
    if has_post:
        runs |= {"post": "post.js", "post-if": "success()"}
    for phase in ("main", "post"):
        text = MAIN_JS % {"action": action, "phase": phase}
        (folder / f"{phase}.js").write_text(text, "utf-8")
    description = {"name": action, "description": "stand-in", "runs": runs}
    (folder / "action.yml").write_text(yaml.safe_dump(description), "utf-8")


def prepare(source: Path, folder: Path, *arguments: str) -> Path:
    """Copy a project, run `rustci init --yes` with the arguments, and commit all of it."""
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("target"), symlinks=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    command = [sys.executable, "-m", "rustci", "init", str(folder), "--yes", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    commit(folder, "Add the project")
    return folder


def commit(folder: Path, message: str) -> None:
    """Commit everything in a folder."""
    git(folder, "add", "--all")
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    git(folder, *identity, "commit", "--quiet", "--allow-empty", "--message", message)


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return what it says."""
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def execute(
    here: Machine,
    repository: Path,
    event: Event = "pull_request",
    workflow: str = "ci.yml",
    *,
    state: Path | None = None,
    concurrency: int = 2,
    timeout: float = 900,
) -> Run:
    """Run a workflow file of a repository as written; lanes that cannot run here are told apart.

    `state` keeps caches and artifacts between runs of one repository.
    """
    file = repository / ".github" / "workflows" / workflow
    jobs: Mapping[str, Any] = yaml.safe_load(file.read_text("utf-8"))["jobs"]
    expected = [
        (job, values, obstacle(here.rustup, definition, values))
        for job, definition in jobs.items()
        for values in lanes(definition)
    ]
    state = state or here.folder / "state" / repository.name
    state.mkdir(parents=True, exist_ok=True)
    calls = state / "calls.jsonl"
    calls.unlink(missing_ok=True)
    found, output = act.run(
        _command(here, repository, file, event, state, _choice(expected), concurrency),
        _environment(here, repository, state),
        repository,
        timeout,
    )
    seen = {(lane.job, lane.matrix): lane for lane in found}
    outcomes = [
        _outcome(job, values, reason, seen.get((job, act.matrix(values))))
        for job, values, reason in expected
    ]
    records = calls.read_text("utf-8").splitlines() if calls.exists() else []
    return Run(
        workflow,
        event,
        tuple(_excuse_dependents(jobs, outcomes)),
        tuple(map(json.loads, records)),
        output,
    )


def lanes(job: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    """Yield the values of each lane, as GitHub combines the axes and `include`.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
    """
    matrix = dict((job.get("strategy") or {}).get("matrix") or {})
    rows = matrix.pop("include", [])
    combined = [dict(zip(matrix, each, strict=True)) for each in product(*matrix.values())]
    combined = combined if matrix else []
    further = []
    for row in rows:
        fits = [lane for lane in combined if all(lane[k] == row[k] for k in row if k in matrix)]
        for lane in fits:
            lane.update(row)
        further += [] if fits else [row]
    for lane in [*combined, *further] or [{}]:
        yield {key: str(value) for key, value in lane.items()}


def obstacle(rustup: Rustup, job: Mapping[str, Any], matrix: Mapping[str, str]) -> str:
    """Return why a lane cannot run on this machine, as far as the workflow tells; else nothing."""
    runner = fill(job["runs-on"], matrix)
    if not runner.startswith(LINUX):
        return f"needs the runner {runner}"
    environment = {k: fill(str(v), matrix) for k, v in (job.get("env") or {}).items()}
    name = environment.get("RUSTUP_TOOLCHAIN")
    if not name:
        return ""
    toolchain = rustup.toolchains.get(name)
    if not toolchain:
        return f"needs Rust {name}, which is not installed"
    steps = "\n".join(str(step.get("run", "")) for step in job["steps"])
    for component in re.findall(r"--component (\S+)", steps):
        if not toolchain.has(component, rustup.host):
            return f"needs the component {component} of Rust {name}, which is not installed"
    target = environment.get("TARGET")
    if target and not toolchain.has("rust-std", target):
        return f"needs the target {target} of Rust {name}, which is not installed"
    if "sudo apt-get" in steps and not shutil.which("sudo"):
        return "needs sudo to install native packages"
    return ""


def fill(text: str, matrix: Mapping[str, str]) -> str:
    """Put the lane's values into `${{ matrix.… }}`."""
    return re.sub(r"\$\{\{ matrix\.([\w-]+) \}\}", lambda found: str(matrix[found[1]]), text)


Expected = tuple[str, Mapping[str, str], str]


def _choice(expected: Iterable[Expected]) -> list[str]:
    """Return act's flags that leave lanes out which cannot run: by runner, toolchain and target."""
    lanes = [(values, reason) for _, values, reason in expected]
    flags = []
    for axis in ("runner", "toolchain", "target"):
        every = {values[axis] for values, _ in lanes if axis in values}
        able = {values[axis] for values, reason in lanes if axis in values and not reason}
        if able < every:
            flags += [f"--matrix={axis}:{value}" for value in sorted(able) or ["none"]]
    return flags


def _command(
    here: Machine,
    repository: Path,
    file: Path,
    event: Event,
    state: Path,
    choice: list[str],
    concurrency: int,
) -> list[str]:
    text = file.read_text("utf-8")
    payload = state / "event.json"
    payload.write_text(json.dumps(EVENTS[event]), "utf-8")
    stand_ins = [
        f"--local-repository={action}@{ref}={here.folder / 'actions' / action.replace('/', '-')}"
        for action, ref in sorted(set(re.findall(r"uses: ([\w-]+/[\w-]+)@(\w+)", text)))
        if action in STAND_INS
    ]
    return [
        str(here.tools / "act"),
        event,
        f"--directory={repository}",
        f"--workflows={file}",
        f"--eventpath={payload}",
        f"--concurrent-jobs={concurrency}",
        f"--action-cache-path={here.folder / 'act'}",
        "--cache-server-addr=127.0.0.1",
        f"--cache-server-path={state / 'service'}",
        *(f"--platform={label}=-self-hosted" for label in _labels(text)),
        *stand_ins,
        *choice,
        "--no-skip-checkout",
        "--container-daemon-socket=-",
        "--action-offline-mode",
        "--pull=false",
        "--json",
        "--rm",
    ]


def _labels(text: str) -> list[str]:
    """Return the labels of runners that this machine can stand for."""
    return sorted({word for word in re.findall(r"[\w.-]+", text) if word.startswith(LINUX)})


def _environment(here: Machine, repository: Path, state: Path) -> dict[str, str]:
    node = Path(shutil.which("node") or "node").parent
    path = [here.bin, "/usr/local/bin", "/usr/bin", "/bin", node]
    return {
        **{name: value for name, value in os.environ.items() if PASSED_ON.match(name)},
        **here.rustup.environment,
        "PATH": os.pathsep.join(map(str, path)),
        "HOME": str(here.folder / "home"),
        "LANG": "C.UTF-8",
        "CARGO_HOME": str(here.folder / "cargo"),
        "E2E_PYTHON": sys.executable,
        "E2E_ROOT": str(ROOT),
        "E2E_REPOSITORY": str(repository),
        "E2E_STATE": str(state),
        "E2E_TOOLS": str(here.tools),
    }


def _outcome(job: str, values: Mapping[str, str], reason: str, lane: act.Lane | None) -> Outcome:
    state: State = "skipped"
    if lane:
        state = "red" if lane.failed else "green" if lane.ran else "skipped"
    return Outcome(
        job=job,
        matrix=act.matrix(values),
        state="not executable" if reason else state,
        seconds=lane.seconds if lane else 0,
        failed=tuple(dict.fromkeys(lane.failed)) if lane else (),
        reason=reason,
        log="\n".join(lane.log) if lane else "",
    )


def _excuse_dependents(jobs: Mapping[str, Any], outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Tell a job apart whose needs could not run here at all: what it says is of no weight."""
    outcomes = list(outcomes)
    absent = {
        job for job in jobs if all(o.state == "not executable" for o in outcomes if o.job == job)
    }
    for outcome in outcomes:
        needs = jobs[outcome.job].get("needs", [])
        missing = absent & set([needs] if isinstance(needs, str) else needs)
        if missing and outcome.state != "not executable":
            reason = f"needs {', '.join(sorted(missing))}, which cannot run here"
            yield replace(outcome, state="not executable", reason=reason)
        else:
            yield outcome
