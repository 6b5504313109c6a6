"""The rules that `rustci check` reports, and how they are run."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from rustci import config as configuration
from rustci import files, scaffold, transaction
from rustci import lock as lockfile
from rustci.checks import (
    aggregate,
    caches,
    credentials,
    drift,
    matrix,
    permissions,
    pins,
    readable,
    runners,
    timeouts,
    unknown_workflows,
    version,
)
from rustci.checks import facts as changed_facts
from rustci.checks.base import Context, Finding, Level, Rule, read_workflows
from rustci.errors import ConfigError, Location
from rustci.fingerprint import fingerprint, holds
from rustci.lock import Seal
from rustci.paths import CONFIG
from rustci.proposal import Proposal, propose, settled, written_lock
from rustci.update import Terms

RULES: tuple[Rule, ...] = (
    version,
    readable,
    drift,
    changed_facts,
    pins,
    runners,
    permissions,
    timeouts,
    credentials,
    caches,
    matrix,
    aggregate,
    unknown_workflows,
)
"""Every rule, in the order of the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the rules found, and what somebody decided to ignore."""

    findings: tuple[Finding, ...]
    ignored: Mapping[str, str]
    """Rules that are not asked, each with the reason."""
    proposal: Proposal | None = None

    @property
    def clean(self) -> bool:
        """Whether an update would change nothing and every rule holds."""
        return not any(finding.level is Level.ERROR for finding in self.findings)


def examine(path: Path, environ: Mapping[str, str], today: date) -> Report:
    """Return what is wrong with the repository that `path` is in. Raises RustciError."""
    root, lock = written_lock(path)
    workflows, unreadable = read_workflows(root, lock)
    proposal = None
    if not unreadable and not version.newer(lock.version):
        project, config = settled(path, root, lock, environ)
        proposal = propose(project, config, None, Terms(restore=frozenset()))
    context = Context(
        root=root,
        lock=lock,
        today=today,
        workflows=workflows,
        unreadable=unreadable,
        proposal=proposal,
    )
    return judged(context)


def judged(context: Context) -> Report:
    """Return what all rules find, those left out that are ignored. Raises ConfigError."""
    skipped = ignored(context.root)
    found = [f for rule in RULES if rule.ID not in skipped for f in rule.check(context)]
    return Report(findings=tuple(found), ignored=skipped, proposal=context.proposal)


def ignored(root: Path) -> Mapping[str, str]:
    """Return the rules under `[checks.ignore]`, each with its reason. Raises ConfigError."""
    text = files.read_text(root, CONFIG) or ""
    table = configuration.ignored_checks(text, CONFIG)
    names = [rule.ID for rule in RULES]
    for name, reason in table.items():
        where = Location(CONFIG, _line(text, name))
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
            hint = f"did you mean `{near[0]}`?" if near else f"rules are {', '.join(names)}"
            raise ConfigError(f"unknown rule `{name}` in `checks.ignore`", where=where, hint=hint)
        if not isinstance(reason, str) or not reason.strip():
            raise ConfigError(
                f"`checks.ignore.{name}` gives no reason",
                where=where,
                hint=f'say why: `{name} = "we measure that elsewhere"`',
            )
    return table


def seal(path: Path, proposal: Proposal, environ: Mapping[str, str], today: date) -> None:
    """Note in the lock, once all is written, that nothing is wrong. Raises RustciError.

    `rustci check` then takes a fraction of the time until something changes.
    """
    root, lock = proposal.project.root, proposal.lock
    if holds(path, root, lock, environ, today):
        return
    workflows, unreadable = read_workflows(root, lock)
    context = Context(root=root, lock=lock, today=today, workflows=workflows, unreadable=unreadable)
    report = judged(context)
    if not report.clean:
        return
    until = min(day for day in _turning_days(context) if day > today)
    found = Seal(
        fingerprint=fingerprint(path, root, lock, environ),
        until=str(until),
        notes=(*map(note, report.findings), *unasked(report)),
    )
    sealed = replace(lock, seal=found)
    if write := scaffold.lock_write(sealed, files.read_bytes(root, lockfile.PATH)):
        transaction.apply(root, [write])


def unasked(report: Report) -> tuple[str, ...]:
    """Return a line for each rule that is ignored."""
    return tuple(f"ignored: {rule}: {reason}" for rule, reason in report.ignored.items())


def note(finding: Finding) -> str:
    """Return a note on one line."""
    return f"note: {finding.path}:{finding.line}: {finding.message} [{finding.rule}]"


def section(rule: Rule, name: str) -> str:
    """Return a paragraph of a rule's docstring (What, Why, Fix, Example) on one line."""
    found = re.search(rf"(?ms)^{name}: (.*?)(?:\n\n|\Z)", rule.__doc__ or "")
    return " ".join(found[1].split()) if found else ""


def _turning_days(context: Context) -> Iterable[date]:
    return [*pins.turning_days(context), *runners.turning_days(context), date.max]


def _line(text: str, name: str) -> int | None:
    found = re.search(rf"(?m)^\s*[\"']?{re.escape(name)}[\"']?\s*=", text)
    return text.count("\n", 0, found.end()) + 1 if found else None
