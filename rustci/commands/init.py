"""`rustci init`: inspect, ask, preview, write."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from rustci import adopt, discover, transaction
from rustci import config as configuration
from rustci import probe as probing
from rustci import starter as starting
from rustci.adopt import Recognised
from rustci.config import Layer
from rustci.discover.git_files import find_root
from rustci.errors import DecisionNeeded, ExitCode, OutsideError, UsageError
from rustci.options import Option, Source
from rustci.output import json, probes, text, updates
from rustci.precedents import precedents
from rustci.probe import Probe
from rustci.project import Project
from rustci.proposal import Proposal, propose, recognised
from rustci.recommend import recommend
from rustci.reference import flags as flag_text
from rustci.scaffold import OnExisting
from rustci.starter import Starter

EPILOG = """\b
Examples:
  rustci init                                      ask, show, write
  rustci init --yes                                take every recommendation
  rustci init --yes --coverage codecov --coverage-minimum 80 --msrv 1.85
  rustci init --yes --runner ubuntu-24.04 --runner macos-15 --no-job-canary
  rustci init --yes --set tests.shards=3 --on-existing beside
  rustci init --dry-run --diff                     write nothing, show everything
  rustci init --yes --probe                        run the checks here first (runs its code)
  rustci init --starter-bench                      write a first benchmark, and gate it
"""


def grammar_flags(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add one flag for every option of the grammar."""
    for option in reversed([*configuration.grammar().values()]):
        function = _flag(option)(function)
    return function


def _flag(option: Option) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    parameter = option.name.replace(".", "__").replace("-", "_")
    names = [part.strip() for part in flag_text(option).split("/")]
    if len(names) > 1:
        return click.option("/".join(names), parameter, default=None, help=option.help)
    several = option.kind.schema().get("type") == "array" or option.key == "features"
    return click.option(
        names[0], parameter, multiple=several, default=None, metavar="VALUE", help=option.help
    )


@click.command(epilog=EPILOG, context_settings={"max_content_width": 100})
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--yes", "-y", is_flag=True, help="Take the recommendations; ask nothing.")
@click.option(
    "--no-input",
    is_flag=True,
    help="Ask nothing and guess nothing: every question needs an answer.",
)
@click.option("--dry-run", "-n", is_flag=True, help="Write nothing at all.")
@click.option("--diff", is_flag=True, help="Show what changes, as `git diff` would.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text")
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="Answers to start from."
)
@click.option(
    "--set", "assignments", multiple=True, metavar="SECTION.KEY=VALUE", help="One answer."
)
@click.option(
    "--on-existing",
    type=click.Choice([choice.value for choice in OnExisting]),
    help="What to do about files that rustci did not write.",
)
@click.option(
    "--probe",
    is_flag=True,
    help="Run the planned checks here first, in a copy, and soften or drop what is red today. This "
    "runs the project's code: its build scripts, procedural macros and tests.",
)
@click.option(
    "--starter-bench",
    is_flag=True,
    help="Write a first criterion benchmark, and its entries in Cargo.toml, where there is none.",
)
@grammar_flags
def command(path: Path, *, yes: bool, no_input: bool, **parameters: Any) -> ExitCode:
    """Read the Rust project in PATH, ask, show, and write its workflows."""
    run = Run(path=path, yes=yes, no_input=no_input, parameters=parameters)
    return run.interactive() if run.asks else run.scripted()


class Run:
    """One run of `init`: the flags, and the two ways through it."""

    def __init__(
        self, *, path: Path, yes: bool, no_input: bool, parameters: Mapping[str, Any]
    ) -> None:
        self.path = path
        self.yes = yes
        self.no_input = no_input
        self.dry_run: bool = parameters["dry_run"]
        self.diff: bool = parameters["diff"]
        self.probe: bool = parameters["probe"]
        self.starter_bench: bool = parameters["starter_bench"]
        self.starter: Starter | None = None
        self.json: bool = parameters["format_"] == "json"
        self.on_existing = (
            OnExisting(parameters["on_existing"]) if parameters["on_existing"] else None
        )
        self.config_file: Path | None = parameters["config_file"]
        self.flags = _texts(parameters)
        self.assignments: tuple[str, ...] = parameters["assignments"]
        self.recognised: tuple[Recognised, ...] = ()
        self.probes: tuple[Probe, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether somebody is there to ask, and wants to be."""
        terminal = sys.stdin.isatty() and sys.stdout.isatty()
        return terminal and not (self.yes or self.no_input or self.json or self.dry_run)

    def scripted(self) -> ExitCode:
        """Take flags and recommendations, show, write. Never asks."""
        project, layers = self.read()
        if not self.yes and not self.dry_run:
            _require_answers(project, layers)
        proposal = propose(
            project, configuration.resolve(layers), self.on_existing, starter=self.starter
        )
        self.show(proposal)
        if self.dry_run:
            return ExitCode.OK
        _require_decisions(proposal)
        self.write(proposal)
        return ExitCode.OK

    def interactive(self) -> ExitCode:
        """Ask, show, and write on yes."""
        from rustci import wizard

        project, layers = self.read()
        proposal = wizard.run(project, layers, self.on_existing, starter=self.starter)
        out = text.console()
        if proposal is None:
            out.print("Nothing was written.")
            return ExitCode.OK
        _require_decisions(proposal)
        self.write(proposal)
        if proposal.writes:
            out.print("Written.\n")
            text.tasks(proposal, out)
        return ExitCode.OK

    def write(self, proposal: Proposal) -> None:
        """Write everything, and note that it was right. Raises RustciError."""
        from rustci import checks

        transaction.apply(proposal.project.root, proposal.writes)
        checks.seal(self.path, proposal, os.environ, datetime.now(UTC).date())

    def read(self) -> tuple[Project, tuple[Layer, ...]]:
        """Return the project and all layers below the wizard's answers."""
        root = find_root(self.path.resolve()) or self.path
        given = [*self.file_layers(root)]
        given.append(configuration.environment_layer(os.environ))
        given.append(configuration.flag_layer(self.flags, self.assignments))
        project = discover.read_project(self.path, configuration.directory_of(given))
        if self.starter_bench:
            named = configuration.resolve((recommend(project), *given)).benchmarks.packages
            if found := starting.plan(project, named):
                self.starter = found
                project = starting.project_with(project, found)
        layers = (recommend(project), *self.adopted(project), *given)
        return project, (*self.today(project, layers), *layers)

    def today(self, project: Project, layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
        """Return what the code is held to today: by its own workflows, and by a run if asked."""
        known = precedents(project)
        if not self.probe:
            return (known,)
        out = text.console(stderr=True)
        probes.begun(out)
        self.probes = probing.probe(project, layers, lambda found: probes.one(found, out))
        return probing.unanswered(known, self.probes), probing.layer(self.probes)

    def adopted(self, project: Project) -> list[Layer]:
        """Return what hand-written workflows already do, if they are to be taken over."""
        if self.on_existing is not OnExisting.MERGE:
            return []
        self.recognised = recognised(project)
        return [adopt.layer(self.recognised)]

    def file_layers(self, root: Path) -> list[Layer]:
        """Return the layers of the repository's own file and of `--config`."""
        layers = [configuration.own_layer(root)]
        if self.config_file:
            try:
                given = self.config_file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as problem:
                raise OutsideError(
                    f"`{self.config_file}` cannot be read: {problem}",
                    hint="give `--config` a readable TOML file",
                ) from None
            layers.append(configuration.file_layer(given, self.config_file))
        return layers

    def show(self, proposal: Proposal) -> None:
        """Print the proposal in the form that was asked for."""
        if self.json:
            click.echo(
                json.proposal(
                    proposal, diff=self.diff, recognised=self.recognised, probes=self.probes
                )
            )
            return
        out = text.console()
        updates.recognised(self.recognised, out)
        text.proposal(proposal, out)
        if not self.probe:
            probes.unknown(proposal, out)
        if self.diff:
            text.diff(proposal, out)
        if not self.dry_run and not proposal.changes.undecided:
            out.print()
            text.tasks(proposal, out)


def _texts(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the flags that were given, by option name, as text."""
    names = {name.replace(".", "__").replace("-", "_"): name for name in configuration.grammar()}
    found = {}
    for parameter, value in parameters.items():
        if parameter not in names or value is None or value == ():
            continue
        if isinstance(value, bool):
            found[names[parameter]] = str(value).lower()
        else:
            found[names[parameter]] = ",".join(value) if isinstance(value, tuple) else value
    return found


def _require_answers(project: Project, layers: tuple[Layer, ...]) -> None:
    """Raise UsageError for the first question that nobody answered."""
    from rustci.questions import questions

    config = configuration.resolve(layers)
    for question in questions(project, config):
        if config.settings[question.name].source < Source.FILE:
            option = configuration.grammar()[question.name]
            raise UsageError(
                f"no answer to `{question.name}`: {question.text}",
                hint=f"pass `{flag_text(option)}`, or `--yes` to take the recommendations",
            )


def _require_decisions(proposal: Proposal) -> None:
    """Raise DecisionNeeded where files are in the way."""
    if undecided := proposal.changes.undecided:
        names = ", ".join(f"`{change.path}` {change.reason}" for change in undecided)
        raise DecisionNeeded(
            f"{names}; nothing was written",
            hint="`--on-existing keep` leaves such files alone, `replace` overwrites them, "
            "`beside` writes rustci's under another name, `merge` adds what they lack",
        )
