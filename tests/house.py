"""The house rules: what rustci promises of its files, and no linter knows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import tomli
import yaml

from rustci.lanes import rows
from rustci.workflow import FILE_LIMIT, MATRIX_LIMIT, SCALAR_LIMIT

PIN = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
CHANGES = {"push", "pull_request", "workflow_dispatch"}
SCHEDULED = {"schedule", "workflow_dispatch"}
TRIGGERS = (
    CHANGES,
    CHANGES - {"pull_request"},
    SCHEDULED,
    CHANGES | SCHEDULED,
    (CHANGES | SCHEDULED) - {"push"},
)
RUST = re.compile(r"\b(cargo|rustc|rustdoc)\b")
PERMISSIONS = {
    ("contents", "read"),
    ("id-token", "write"),
    # Of the jobs that hand findings to code scanning.
    ("security-events", "write"),
    ("actions", "read"),
}
WRITING = {
    ("contents", "write"),
    ("issues", "write"),
    ("attestations", "write"),
    ("pages", "write"),
}
"""Of jobs that run none of the project's code."""
RELEASING = {("contents", "write"), ("pull-requests", "read"), ("pull-requests", "write")}
"""Of the jobs of release-plz, which packages what it releases."""
LOCKING = {"cargo +stable generate-lockfile"}
"""Scripts that may take another toolchain: an old Cargo cannot pick versions that fit it."""
COMPILER_CHECK = 'rustc --version | grep --extended-regexp -e "$RUSTC"'


class Core(yaml.CSafeLoader):
    """YAML 1.2 core: `on` is a string, as GitHub reads it."""


Core.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("int", r"-?[0-9]+", "-0123456789"),
    ("float", r"-?[0-9]+\.[0-9]+", "-0123456789"),
    ("null", r"null|~|", ["n", "~", ""]),
):
    Core.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
    )


def parse(text: str) -> Any:
    """Return the YAML document as GitHub reads it."""
    return yaml.load(text, Loader=Core)


def is_workflow(name: str) -> bool:
    """Whether a file is a workflow."""
    return ".github/workflows/" in name


def steps(workflow: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield every step of a workflow."""
    return (step for job in workflow["jobs"].values() for step in job["steps"])


def broken(name: str, text: str) -> Iterator[str]:
    """Yield each rule that a file breaks."""
    yield from _layout(name, text)
    if name.endswith(".toml"):
        tomli.loads(text)
    if is_workflow(name):
        workflow = parse(text)
        yield from _text(text, workflow)
        yield from _workflow(workflow)
        for job_id, job in workflow["jobs"].items():
            yield from (f"job {job_id}: {problem}" for problem in _job(job))
        if "ci" in workflow["jobs"]:
            yield from _aggregate(workflow["jobs"])


def _layout(name: str, text: str) -> Iterator[str]:
    if not text.endswith("\n") or text.endswith("\n\n") or text.startswith("\n"):
        yield "does not begin with text and end with one newline"
    if "\n\n\n" in text:
        yield "two empty lines in a row"
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip() or "\t" in line or not line.isprintable():
            yield f"line {number} has trailing blanks, tabs or hidden characters"
        if name.endswith(".yml") and (len(line) - len(line.lstrip(" "))) % 2:
            yield f"line {number} is not indented by twos"
    if len(text.encode()) > FILE_LIMIT:
        yield f"more than {FILE_LIMIT} bytes"


def _text(text: str, workflow: Mapping[str, Any]) -> Iterator[str]:
    for pin in re.findall(r"uses: (.*)", text):
        if not PIN.fullmatch(pin):
            yield f"{pin} is no full pin with its version"
    if "-latest" in text:
        yield "a label that moves"
    if re.search(r"zizmor: ignore|shellcheck disable|# *actionlint", text):
        yield "a linter is silenced"
    for scalar in _scalars(workflow):
        if "${{" in scalar and len(scalar) > SCALAR_LIMIT:
            yield f"an expression in a scalar of {len(scalar)} characters"


def _scalars(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _scalars(item)
    elif isinstance(value, list):
        for item in value:
            yield from _scalars(item)


def _workflow(workflow: Mapping[str, Any]) -> Iterator[str]:
    if not workflow.get("name"):
        yield "no name"
    if workflow["permissions"] != {}:
        yield "permissions at the top"
    if workflow["defaults"]["run"]["shell"] != "bash":
        yield "another shell than bash"
    if set(workflow["on"]) - {"merge_group"} not in TRIGGERS:
        yield f"it runs on {set(workflow['on'])}"
    cancel = workflow["concurrency"]["cancel-in-progress"]
    if cancel not in (False, "${{ github.event_name == 'pull_request' }}"):
        yield "more than pull requests is cancelled"
    if "secrets" in str(workflow.get("env")):
        yield "a secret for every job"


def _job(job: Mapping[str, Any]) -> Iterator[str]:
    if not job.get("name"):
        yield "no name"
    if type(job.get("timeout-minutes")) is not int or not 0 < job["timeout-minutes"] <= 360:
        yield "no time limit"
    allowed = PERMISSIONS if any(map(_runs_rust, job["steps"])) else PERMISSIONS | WRITING
    if any("release-plz/action@" in step.get("uses", "") for step in job["steps"]):
        allowed = PERMISSIONS | RELEASING
    if set(job["permissions"].items()) - allowed:
        yield f"permissions {job['permissions']}"
    if "strategy" in job and not 0 < _size(job["strategy"]["matrix"] or {}) <= MATRIX_LIMIT:
        yield f"no lane or more than {MATRIX_LIMIT}"
    yield from _secrets(job)
    yield from (problem for step in job["steps"] for problem in _step(step))
    yield from _compiler(job)


def _secrets(job: Mapping[str, Any]) -> Iterator[str]:
    if "secrets." in str(job) and job.get("environment") not in ("private", "sccache"):
        yield "a secret outside the environment that guards it"
    if "secrets." in str(job.get("env")):
        yield "a secret for every step"


def _step(step: Mapping[str, Any]) -> Iterator[str]:
    script = step.get("run", "")
    if "${{" in script:
        yield f"an expression in the script {script!r}"
    if re.search(r"\S  ", script):
        yield f"two blanks in a row in the script {script!r}"
    checkout = "actions/checkout" in step.get("uses", "")
    if checkout and step["with"].get("persist-credentials") is not False:
        yield "the checkout leaves its credentials behind"


def _runs_rust(step: Mapping[str, Any]) -> bool:
    return bool(RUST.search(step.get("run", "")))


def _compiler(job: Mapping[str, Any]) -> Iterator[str]:
    """Whatever runs Rust names its toolchain, and proves it before anything else uses it."""
    rust = [step["run"] for step in job["steps"] if _runs_rust(step)]
    if not rust:
        return
    if not job.get("env", {}).get("RUSTUP_TOOLCHAIN"):
        yield "no RUSTUP_TOOLCHAIN"
    if rust[0] != COMPILER_CHECK:
        yield f"the first use of Rust is not the check of the compiler but {rust[0]!r}"
    for step in job["steps"]:
        other = "RUSTUP_TOOLCHAIN" in step.get("env", {}) or "cargo +" in step.get("run", "")
        if other and step["run"] not in LOCKING:
            yield "a step takes another toolchain than its job's"


def _size(matrix: Mapping[str, Any]) -> int:
    return len(rows(matrix))


def _aggregate(jobs: Mapping[str, Any]) -> Iterator[str]:
    *others, last = jobs
    if last != "ci" or jobs["ci"]["needs"] != others or jobs["ci"]["if"] != "always()":
        yield "the last job does not wait for all others"
    for place, name in enumerate(others):
        # Only for what it works with, which stands above it.
        if set(jobs[name].get("needs", ())) - set(others[:place]):
            yield f"job {name} waits for one that stands below it"
