"""The few facts that the plan depends on, as the lock remembers them: what changed, and when.

A checkout in CI knows less than a clone (no default branch, no remote): there the lock speaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from rustci.project import Project, TargetKind

Facts = Mapping[str, tuple[str, ...]]
BRANCH, REPOSITORY = "default branch", "repository"
COVERAGE = "coverage service"
"""Where workflows of others upload to: reading those takes longest, and they may go one day."""

NAMES = {
    "members": "workspace member",
    "rust-version": "`rust-version`",
    "features": "feature",
    "benches": "benchmark",
    "tests": "integration test",
    "lock file": "Cargo.lock",
    "toolchain file": "the toolchain file",
}
"""What each fact that Cargo's files tell is called, in the order of the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChange:
    """One fact that is not what it was."""

    fact: str
    added: tuple[str, ...]
    removed: tuple[str, ...]

    def __str__(self) -> str:
        """Return the change in words."""
        name = NAMES[self.fact]
        if self.added and self.removed:
            return f"{name}: {', '.join(self.removed)} became {', '.join(self.added)}"
        verb = "new" if self.added else "gone"
        return f"{verb} {name}: {', '.join(self.added or self.removed)}"


def remembered(project: Project) -> Facts:
    """Return what the lock keeps of a project; empty facts are left out."""
    found = {
        BRANCH: [project.repository.default_branch or ""],
        REPOSITORY: [project.repository.github or project.root.name],
        COVERAGE: [_coverage_service(project) or "none"],
        "members": [package.name for package in project.packages],
        "rust-version": [f"{p.name} {p.rust_version}" for p in project.packages if p.rust_version],
        "features": [f"{p.name}/{feature}" for p in project.packages for feature in p.features],
        "benches": [f"{p.name}/{t.name}" for p, t in project.targets(TargetKind.BENCH)],
        "tests": [f"{p.name}/{t.name}" for p, t in project.targets(TargetKind.TEST)],
        "lock file": ["committed"] if project.main.lockfile else [],
        "toolchain file": [project.toolchain.channel or ""] if project.toolchain else [],
    }
    sorted_ = {name: tuple(sorted(filter(None, values))) for name, values in found.items()}
    return {name: values for name, values in sorted_.items() if values}


def _coverage_service(project: Project) -> str | None:
    repository = project.repository
    found = (w.coverage_service for w in repository.foreign_workflows if w.coverage_service)
    return next(found, repository.coverage_service)


def changed(before: Facts, after: Facts) -> Iterator[FactChange]:
    """Yield what Cargo's files tell differently now; nothing where nothing was remembered."""
    for fact in NAMES if before else ():
        old, new = before.get(fact, ()), after.get(fact, ())
        if old != new:
            yield FactChange(
                fact=fact,
                added=tuple(value for value in new if value not in old),
                removed=tuple(value for value in old if value not in new),
            )


def next_facts(before: Facts, project: Project) -> Facts:
    """Return what the lock keeps from now on: the repository's name stays what it first was."""
    now = remembered(project)
    return {**now, **{name: before[name] for name in (REPOSITORY,) if name in before}}


def recalled(project: Project, facts: Facts) -> Project:
    """Return the project under the name that its schedule was first derived from."""
    name = facts.get(REPOSITORY)
    if not name:
        return project
    return replace(project, repository=replace(project.repository, github=name[0]))
