"""Does `rustci init --yes` make CI that is green on the first push? Tried on real repositories.

    nox -s trial -- FOLDER… [--limit SECONDS] [--report FILE] [--probe]

Each repository is cloned, `rustci init --yes` writes workflows in the place of the project's own,
and every job that a push starts and this machine can run is run. What cannot run here is told, and
never counted as green. The code of the repositories is executed: try only what you trust.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rustci import lock
from rustci.lanes import Machine, Outcome, Result, lanes, run
from tests.trial.report import Trial, markdown

PUSHED = (".github/workflows/ci.yml", ".github/workflows/coverage.yml")
"""The workflows that a push starts."""


def main() -> int:
    """Try every repository; 1 if a job is red."""
    parser = argparse.ArgumentParser(prog="trial", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--limit", type=int, default=240, help="seconds for a job (240)")
    parser.add_argument("--report", type=Path, help="write the table there as well")
    parser.add_argument("--probe", action="store_true", help="`init --probe` in place of `init`")
    given = parser.parse_args()
    trials = []
    with tempfile.TemporaryDirectory(prefix="trial-") as temp:
        for repository in repositories(given.folders):
            print(f"== {repository.name}", flush=True)
            machine = Machine(
                root=Path(temp) / repository.name,
                limit=given.limit,
                env={
                    # What the projects have in common is compiled once.
                    "CARGO_TARGET_DIR": f"{temp}/target",
                    # A coverage report takes in whatever lies in its folder.
                    "CARGO_LLVM_COV_TARGET_DIR": f"{temp}/coverage/{repository.name}",
                },
            )
            trials.append(tried(repository, machine, probe=given.probe))
            if given.report:
                given.report.write_text(markdown(trials), "utf-8")
    print(markdown(trials))
    return int(any(o.result is Result.RED for trial in trials for o in trial.outcomes))


def repositories(folders: list[Path]) -> Iterator[Path]:
    """Yield the repositories: each folder that is one, and those directly in each that is not."""
    for folder in folders:
        if (folder / ".git").exists():
            yield folder.resolve()
        else:
            yield from sorted(p.resolve() for p in folder.iterdir() if (p / ".git").exists())


def tried(repository: Path, machine: Machine, *, probe: bool) -> Trial:
    """Return what became of one repository, cloned to where the machine works."""
    git("clone", "--quiet", str(repository), str(machine.root))
    if refused := initialised(machine.root, probe=probe):
        return Trial(repository=repository.name, refused=refused)
    return Trial(repository=repository.name, outcomes=tuple(executed(machine)))


def initialised(project: Path, *, probe: bool) -> str:
    """Put rustci's workflows in the place of the project's own; return why that was refused."""
    flags = ["--yes", "--on-existing", "replace", *(["--probe"] if probe else [])]
    done = subprocess.run(
        [sys.executable, "-m", "rustci", "init", *flags, str(project)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    if done.returncode:
        return done.stderr.strip()
    git("add", "--all", folder=project)
    git("-c", "user.name=trial", "-c", "user.email=", "commit", "-m", "rustci", folder=project)
    return ""


def executed(machine: Machine) -> Iterator[Outcome]:
    """Yield the outcome of every lane that a push starts, each run in a clean checkout."""
    written = lock.read(machine.root)
    for path in PUSHED:
        text = written.files[path].text if written and path in written.files else ""
        for lane in lanes(text, path) if text else ():
            outcome = run(lane, machine)
            print("  ", lane.name, outcome.result, outcome.seconds, outcome.cause, flush=True)
            for line in outcome.tail if outcome.result is Result.RED else ():
                print("     ", line)
            yield outcome
            git("reset", "--quiet", "--hard", folder=machine.root)
            git("clean", "--quiet", "-fdx", folder=machine.root)


def git(*arguments: str, folder: Path = Path()) -> None:
    """Run git without a word."""
    subprocess.run(["git", *arguments], cwd=folder, stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    sys.exit(main())
