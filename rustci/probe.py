"""`rustci init --probe`: runs the planned checks here, and softens or drops what is red today.

The only part of rustci that runs the project's code, and only when asked: in a copy, with a target
folder of its own, so that Cargo.lock and `target/` of the user stay as they are. Nothing is
installed: what lacks a toolchain, a component or a tool is named and not judged.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rustci import config as configuration
from rustci import jobs, templates
from rustci.config import Layer
from rustci.errors import OutsideError
from rustci.kinds import Value
from rustci.lanes import INSTALLING, Lane, Machine, Outcome, Result, lanes, run
from rustci.options import Config, Setting, Source
from rustci.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 600
"""Seconds that a check may take."""
CACHE_MARK = "CACHEDIR.TAG"
"""Cargo leaves it in `target/`: what is beside it can be made again (https://bford.info/cachedir/)."""
_QUIET = {
    # A toolchain or component that is missing is named, not downloaded.
    "RUSTUP_AUTO_INSTALL": "0",
    "CARGO_LLVM_COV_SETUP": "no",
    "RUSTC_WRAPPER": "",
}
_DEFAULT_FEATURES: Mapping[str, Value] = {"tests.features": "default", "jobs.features": True}
SOFTER: Mapping[str, tuple[Mapping[str, Value], ...]] = {
    "test": (
        {"tests.runner": "cargo"},
        _DEFAULT_FEATURES,
        {"tests.runner": "cargo", **_DEFAULT_FEATURES},
    ),
    "format": ({"warnings.format": "show"},),
    "clippy": (
        {"warnings.clippy": "shipped"},
        {"warnings.clippy": "show"},
        {"jobs.clippy": False},
    ),
    "docs": ({"warnings.docs": "show"}, {"jobs.docs": False}),
    "lockfile": (),
    "msrv": ({"jobs.msrv": False},),
    "features": ({"jobs.features": False},),
    "targets": ({"jobs.targets": False},),
    "bench": ({"jobs.bench": False},),
    "coverage": ({"jobs.coverage": False},),
}
"""What is tried, in order, for a job that is red. The tests come first: with which features they
pass decides over the others. Tests and the lock file are never dropped."""


JUDGED_BY = {
    "warnings.format": "format",
    "warnings.clippy": "clippy",
    "warnings.docs": "docs",
    "tests.features": "test",
    "jobs.features": "test",
}
"""Which job's run outweighs what existing CI tells of an option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What became of one job: as planned, and the answers that soften it if it is red."""

    job: str
    outcomes: tuple[Outcome, ...]
    """Of each lane, as planned."""
    answers: Mapping[str, Value]
    """None where it is green or not known, or where nothing makes it green."""

    @property
    def result(self) -> Result:
        """Red if one lane is; green if one is and none is red."""
        return _sum(self.outcomes)

    @property
    def cause(self) -> str:
        """Why it is not green; empty where it is."""
        return next((o.cause for o in self.outcomes if o.result is self.result and o.cause), "")


def layer(probes: Iterable[Probe]) -> Layer:
    """Return the PROBED layer: it goes into rustci.toml with the reasons."""
    return {
        name: Setting(value=value, source=Source.PROBED, reason=f"red today: {probe.cause}")
        for probe in probes
        for name, value in probe.answers.items()
    }


def unanswered(precedents: Layer, probes: Iterable[Probe]) -> Layer:
    """Return what existing CI tells of the jobs that the probe could not judge."""
    known = {probe.job for probe in probes if probe.result is not Result.NOT_RUN}
    return {name: setting for name, setting in precedents.items() if JUDGED_BY[name] not in known}


def probe(
    project: Project, layers: tuple[Layer, ...], tell: Callable[[Probe], None]
) -> tuple[Probe, ...]:
    """Run what a push would start, job by job, and `tell` of each. Raises RustciError."""
    with _copied(project) as folder:
        found: list[Probe] = []
        for job in SOFTER:
            probed = _Job(project, (*layers, layer(found)), folder).probe(job)
            if probed.outcomes:
                found.append(probed)
                tell(probed)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Job:
    """The jobs of one plan, run in a copy of the project."""

    project: Project
    layers: tuple[Layer, ...]
    folder: Path

    def probe(self, job: str) -> Probe:
        """Return what became of a job, softened until it is green."""
        planned = self.lanes(job, {})
        outcomes = self.run(planned)
        if _sum(outcomes) is not Result.RED:
            return Probe(job=job, outcomes=outcomes, answers={})
        tried = [planned]
        for answers in SOFTER[job]:
            softer = self.lanes(job, answers)
            if not softer or (softer not in tried and _sum(self.run(softer)) is Result.GREEN):
                return Probe(job=job, outcomes=outcomes, answers=answers)
            tried.append(softer)
        return Probe(job=job, outcomes=outcomes, answers={})

    def lanes(self, job: str, answers: Mapping[str, Value]) -> tuple[Lane, ...]:
        """Return the lanes that a job has with these answers; none where it is off."""
        softened = {
            name: Setting(value=value, source=Source.PROBED, reason="")
            for name, value in answers.items()
        }
        # What a push starts takes every package.
        whole = Setting(value=False, source=Source.PROBED, reason="")
        config = configuration.resolve((*self.layers, {**softened, "jobs.affected": whole}))
        return tuple(lane for lane in self._all(config) if lane.job == job)

    def run(self, planned: tuple[Lane, ...]) -> tuple[Outcome, ...]:
        """Run the lanes one after the other."""
        env = {**_QUIET, "CARGO_TARGET_DIR": str(self.folder / "target")}
        machine = Machine(root=self.folder / "project", limit=LIMIT, env=env, skip=INSTALLING)
        return tuple(run(lane, machine) for lane in planned)

    def _all(self, config: Config) -> Iterator[Lane]:
        workflows = jobs.plan(self.project, config)
        generated = templates.render(workflows, self.project, config)
        for path, file in generated.items():
            place = self.folder / "project" / path
            if file.seed and not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(file.text, encoding="utf-8")
        for workflow in workflows:
            if not workflow.triggers.cron:
                yield from lanes(generated[workflow.path].text, workflow.path)


def _sum(outcomes: tuple[Outcome, ...]) -> Result:
    results = {outcome.result for outcome in outcomes}
    ranked = (Result.RED, Result.GREEN, Result.NOT_RUN)
    return next((result for result in ranked if result in results), Result.NOT_RUN)


@contextmanager
def _copied(project: Project) -> Iterator[Path]:
    """Yield a folder with a copy of the project, less what can be made again."""
    with tempfile.TemporaryDirectory(prefix="rustci-probe-", ignore_cleanup_errors=True) as temp:
        copy = Path(temp) / "project"
        try:
            shutil.copytree(project.root, copy, symlinks=True, ignore=_remade)
        except (OSError, shutil.Error) as problem:
            raise OutsideError(
                f"the project cannot be copied: {problem}",
                hint="free some space in the temporary folder, or leave `--probe` out",
            ) from None
        if not project.main.lockfile:
            # Git ignores it: a fresh checkout has none.
            (copy / project.main.directory / "Cargo.lock").unlink(missing_ok=True)
        yield Path(temp)


def _remade(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if (Path(folder) / name / CACHE_MARK).is_file()]
