"""What `rustci explain` says, for people and for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rustci.explanation import Explanation, Line, Owner, Run, reason, why
from rustci.jobs import CATALOGUE
from rustci.jobs.base import Verdict
from rustci.options import Config
from rustci.output.cost import price
from rustci.output.json import SCHEMA, plain
from rustci.output.text import shown, visible
from rustci.paths import CONFIG

_OWNERS = {
    Owner.RUSTCI: "as rustci wrote it",
    Owner.USER: "yours: rustci wrote it otherwise, or not at all",
}


def overview(config: Config, verdicts: Mapping[str, Verdict]) -> str:
    """Return one line on every job."""
    width = max(map(len, verdicts))
    rows = (
        f"  {name:<{width}}  {'on ' if verdict.on else 'off'}  {reason(config, name, verdict)}"
        for name, verdict in verdicts.items()
    )
    tail = "", "`rustci explain JOB` tells more, `rustci explain FILE:LINE` of a line."
    return "".join(f"{visible(line)}\n" for line in ("Jobs", *rows, *tail))


def overview_document(config: Config, verdicts: Mapping[str, Verdict]) -> str:
    """Return the same as a JSON document."""
    jobs = {
        name: plain(verdict) | {"reason": reason(config, name, verdict)}
        for name, verdict in verdicts.items()
    }
    return json.dumps({"schema": SCHEMA, "jobs": jobs}, indent=2, ensure_ascii=False) + "\n"


def document(found: Explanation) -> str:
    """Return the explanation as a JSON document."""
    answers: dict[str, Any] = {
        name: {
            "value": plain(setting.value),
            "source": setting.source.name.lower(),
            "reason": setting.reason,
        }
        for name, setting in found.answers.items()
    }
    body = plain(found) | {"answers": answers}
    return json.dumps({"schema": SCHEMA, **body}, indent=2, ensure_ascii=False) + "\n"


def text(found: Explanation) -> str:
    """Return the explanation as lines."""
    return "".join(f"{visible(line)}\n" for line in _lines(found))


def _lines(found: Explanation) -> Iterator[str]:
    if found.line:
        yield from _line(found.line)
    yield f"{found.title} (`{found.id}`) in {found.path}"
    yield f"  {'on' if found.on else 'off'}: {found.reason}"
    yield ""
    yield from (f"  {line}".rstrip() for line in found.about.split("\n"))
    if found.answers:
        yield from ("", "Answers behind it")
        yield from _answers(found)
    if found.run:
        yield from _run(found.run)
    yield from ("", "Change it", *_ways(found))


def _line(line: Line) -> Iterator[str]:
    yield f"{line.path}:{line.number}"
    yield f"  {line.text}"
    yield f"  {_OWNERS[line.owner]}" + (f", in the step `{line.step}`" if line.step else "")
    yield from (f"  {note}" for note in line.notes)
    yield ""


def _answers(found: Explanation) -> Iterator[str]:
    names = max(map(len, found.answers))
    values = {name: shown(setting.value) for name, setting in found.answers.items()}
    width = max(map(len, values.values()))
    for name, setting in found.answers.items():
        yield f"  {name:<{names}}  {values[name]:<{width}}  {why(setting)}"


def _run(run: Run) -> Iterator[str]:
    yield from ("", "Cost", f"  {price(run.cost)}", "", "Permissions and secrets")
    for permission in run.permissions:
        reason = f"  {permission.reason}" if permission.reason else ""
        yield f"  {permission.scope}: {permission.level}{reason}"
    yield f"  secrets: {', '.join(run.secrets) or 'none'}"
    if run.environment:
        width = max(map(len, run.environment))
        yield from ("", "Environment variables")
        yield from (f"  {name:<{width}}  {means}" for name, means in run.environment.items())
    for trouble in run.troubles:
        yield from ("", f"When you see {trouble.symptom}", f"  {trouble.cause}", f"  {trouble.fix}")


def _ways(found: Explanation) -> Iterator[str]:
    if found.id in {job.ID for job in CATALOGUE}:
        no, other = ("no-", "false") if found.on else ("", "true")
        yield f"  rustci init --{no}job-{found.id}    or `jobs.{found.id} = {other}` in {CONFIG}"
    if found.answers:
        yield f"  rustci init --set OPTION=VALUE    for an answer above, or its key in {CONFIG}"
    yield "  edit the job in its file          it is yours: updates keep what you changed"
