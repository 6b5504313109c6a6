"""The order of the layers, the one door to each library, and the completeness of the job family."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from rustci.jobs import CATALOGUE, aggregate
from rustci.templates import template_root

ROOT = Path(__file__).parent.parent / "rustci"
JOBS = [*CATALOGUE, aggregate]
LAYERS = (
    "errors affected bench existing",
    "paths quoting project data",
    "environment",
    "access",
    "runners targets actions services workflow yamlio files github policy",
    "native kinds lock merge facts transaction",
    "tomlio options pins",
    "workflow_files discover refresh",
    "jobs",
    "config scaffold fingerprint",
    "starter",
    "precedents recommend questions reference templates",
    "adopt",
    "update",
    "proposal",
    "lanes",
    "probe",
    "checks explanation",
    "output",
    "wizard",
    "commands",
    "cli",
    "__main__",
)
"""Modules and packages, lowest first: each imports only what stands before its line."""
ALONE = {"affected", "bench"}
"""Run on the user's runners without the rest, so they start processes and speak by themselves."""
SHARED_BY_JOBS = {"jobs.base", "jobs.cargo_deny", "jobs.measuring", "jobs.weekly"}
"""What jobs are made of; every other module of the family is one job."""
DOORS = {
    "questionary": {"wizard"},
    "cookiecutter": {"templates"},
    "jinja2": {"templates"},
    "ruamel": {"yamlio"},
    "requests": {"github"},
    "rich": {"output", "wizard", "commands"},
    "tomlkit": {"tomlio"},
    "tomli": {"tomlio", "data", "lock"},
    "click": {"cli", "commands", "wizard"},
    "subprocess": {"github", "affected", "bench", "lanes"},
}
SPEAKERS = {"cli", "__main__", "output"}
"""Who may write to the terminal and end the process."""


@cache
def modules() -> Mapping[str, ast.Module]:
    """Return the syntax trees by dotted name below `rustci`."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
            path.read_text("utf-8")
        )
        for path in sorted(ROOT.rglob("*.py"))
        if path != ROOT / "__init__.py"
    }


def imports(name: str) -> Iterator[str]:
    """Yield the full name of whatever a module imports, wherever the statement stands."""
    for node in ast.walk(modules()[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A package that stands alone does not know the name of what is around it.
            alone = int(top(name) in ALONE)
            assert node.level == alone or not within(node), f"{name}: {ast.unparse(node)}"
            package = f"rustci.{top(name)}" if node.level else ""
            for alias in node.names:
                yield ".".join(filter(None, (package, node.module, alias.name)))


def within(node: ast.ImportFrom) -> bool:
    """Say whether an import is from rustci itself."""
    return node.level > 0 or str(node.module).partition(".")[0] == "rustci"


def of_ours(name: str) -> set[str]:
    """Return the modules of rustci that a module imports, without the prefix."""
    found = set()
    for imported in imports(name):
        if imported.startswith("rustci."):
            target = imported.removeprefix("rustci.")
            while target and target not in modules():
                target = target.rpartition(".")[0]
            found.add(target)
    return found - {""}


def top(name: str) -> str:
    """Return the module or package directly below `rustci` that a module belongs to."""
    return name.partition(".")[0]


def test_every_module_has_a_layer() -> None:
    placed = {name for line in LAYERS for name in line.split()}
    assert {top(name) for name in modules()} <= placed


@pytest.mark.parametrize("name", modules())
def test_only_lower_layers_are_imported(name: str) -> None:
    height = {module: n for n, line in enumerate(LAYERS) for module in line.split()}
    for other in of_ours(name):
        if top(other) != top(name):
            assert height[top(other)] < height[top(name)], f"{name} imports {other}"


def test_nothing_is_imported_in_a_circle() -> None:
    # A package and its members load one another; what they import from outside is judged above.
    graph = {
        name: {other for other in of_ours(name) if not name.startswith(f"{other}.")}
        for name in modules()
    }
    assert list(TopologicalSorter(graph).static_order())


def test_jobs_do_not_import_one_another() -> None:
    for name in modules():
        if name.startswith("jobs.") and name not in SHARED_BY_JOBS:
            siblings = {other for other in of_ours(name) if top(other) == "jobs"}
            assert siblings <= SHARED_BY_JOBS, name


@pytest.mark.parametrize(("library", "allowed"), DOORS.items())
def test_each_library_has_its_door(library: str, allowed: set[str]) -> None:
    importers = {
        top(name)
        for name in modules()
        if any(top(imported) == library for imported in imports(name))
    }
    assert importers <= allowed


def test_only_the_edges_speak() -> None:
    for name, tree in modules().items():
        spoken = [
            ast.unparse(node)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and ast.unparse(node.func) in {"print", "sys.exit", "exit"}
        ]
        assert not spoken or top(name) in SPEAKERS | ALONE, f"{name}: {spoken}"


def test_the_programs_stand_alone() -> None:
    for name in modules():
        if top(name) in ALONE:
            foreign = {top(imported) for imported in imports(name)} - sys.stdlib_module_names
            assert foreign <= {"rustci"}, name
            assert {top(other) for other in of_ours(name)} <= {top(name)}, name


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.ID)
def test_each_job_is_complete(job: object) -> None:
    name: str = job.ID  # type: ignore[attr-defined]
    assert (template_root() / "templates" / "jobs" / f"{name}.yml").is_file()
    assert len(job.__doc__ or "") > 80
    goldens = (Path(__file__).parent / "golden").glob("*/.github/workflows/*.yml")
    texts = "".join(path.read_text("utf-8") for path in goldens)
    assert re.search(rf"^  {name}:$", texts, re.MULTILINE)


def test_each_job_module_is_in_the_catalogue() -> None:
    found = {name for name in modules() if name.startswith("jobs.")} - SHARED_BY_JOBS
    assert found == {job.__name__.removeprefix("rustci.") for job in JOBS}  # type: ignore[attr-defined]
    assert len({job.ID for job in JOBS}) == len(JOBS)
