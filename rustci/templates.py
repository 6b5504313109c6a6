"""From the plan to the texts of all files, through the one Cookiecutter template.

Every decision was taken before; templates only print. Project values reach them as finished YAML
scalars and are never rendered as Jinja: `generate_files` renders file bodies and names, not values,
and neither hooks, replay files nor a user's Cookiecutter configuration are in play.
"""

from __future__ import annotations

import dataclasses
import json
import re
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from rustci import actions, environment, services
from rustci.access import ENVIRONMENT, GITHUB_HOST_KEY, Access
from rustci.errors import ProjectError
from rustci.options import Config
from rustci.paths import CONFIG, DEPENDABOT, PROGRAMS
from rustci.project import Project
from rustci.quoting import Verbatim, refuse_unsafe, yaml_scalar
from rustci.scaffold import Generated
from rustci.starter import INSIDE, Starter
from rustci.workflow import FILE_LIMIT, Job, Matrix, Workflow
from rustci.workflow_files import FILES

GUIDE_PATH = ".github/CI.md"
SEEDS = frozenset({"codecov.yml", ".config/nextest.toml", DEPENDABOT})
"""Files that are written where absent and belong to the user from then on."""

WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def template_root() -> Path:
    """Return the folder of the template: in the wheel, else beside the checkout's package."""
    package = Path(__file__).resolve().parent
    packed = package / "_templates" / "github"
    return packed if packed.is_dir() else package.parent / "cookiecutter-templates" / "github"


def render(
    workflows: tuple[Workflow, ...],
    project: Project,
    config: Config,
    starter: Starter | None = None,
) -> Mapping[str, Generated]:
    """Return every file by its path in the repository, sorted. Raises ProjectError.

    Not thread-safe: Cookiecutter changes the working directory while it renders.
    """
    plan = plan_context(workflows, project, config) | {"starter": starter}
    texts = _generate({"cookiecutter": {"directory": "tree", "_plan": plan}})
    directory = config.workflows.directory
    seeds = _seeds(workflows)
    found = {}
    for path, text in sorted(texts.items()):
        inside = path.startswith(".config/") or path in seeds
        place = f"{directory}/{path}" if inside and directory != "." else path
        if starter and path == INSIDE:
            place = starter.path
        found[place] = Generated(text=_checked(path, text), seed=path in SEEDS or path in seeds)
    return dict(sorted((found | _programs(workflows)).items()))


def _programs(workflows: tuple[Workflow, ...]) -> dict[str, Generated]:
    """Return the sources of the programs that jobs run, by path in the repository."""
    names = {name for workflow in workflows for job in workflow.jobs for name in job.programs}
    return {path: file for name in names for path, file in _sources(name).items()}


@cache
def _sources(name: str) -> Mapping[str, Generated]:
    package = Path(__file__).resolve().parent
    return {
        PROGRAMS + path.relative_to(package).as_posix(): Generated(text=path.read_text("utf-8"))
        for path in (package / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _seeds(workflows: tuple[Workflow, ...]) -> dict[str, Mapping[str, object]]:
    """Return the files that jobs bring along, by path in the workspace."""
    jobs = (job for workflow in workflows for job in workflow.jobs)
    return {path: printed for job in jobs for path, printed in job.seeds.items()}


def _generate(context: Mapping[str, Any]) -> dict[str, str]:
    from cookiecutter.generate import (
        generate_files,
    )  # a quarter of a second that `check` may not need

    settings = json.loads((template_root() / "cookiecutter.json").read_text(encoding="utf-8"))
    context = {"cookiecutter": settings | context["cookiecutter"]}
    with tempfile.TemporaryDirectory(prefix="rustci-") as folder:
        made = Path(
            generate_files(
                repo_dir=str(template_root()),
                context=context,
                output_dir=folder,
                accept_hooks=False,
            )
        )
        files = (path for path in made.rglob("*") if path.is_file())
        texts = {
            path.relative_to(made).as_posix(): path.read_text(encoding="utf-8") for path in files
        }
    # A template that has nothing to say renders to blanks: that file is not wanted.
    return {path: text for path, text in texts.items() if text.strip()}


def _checked(path: str, text: str) -> str:
    if len(text.encode()) > FILE_LIMIT:
        raise ProjectError(
            f"`{path}` would have {len(text.encode()):,} bytes; GitHub ignores files above "
            f"{FILE_LIMIT:,}",
            hint="set fewer lanes or jobs",
        )
    return text


def plan_context(
    workflows: tuple[Workflow, ...], project: Project, config: Config
) -> dict[str, Any]:
    """Return what the templates see as `plan`: each string a finished YAML scalar or ours."""
    directory = config.workflows.directory
    nested = directory != "."
    by_id = {workflow.id: workflow for workflow in workflows}
    files = project.repository.files
    codecov = config.coverage.service == "codecov" and "coverage" in by_id
    return {
        "config": CONFIG,
        "guide": GUIDE_PATH,
        "branch": yaml_scalar(config.workflows.branch),
        "merge_queue": config.workflows.merge_queue,
        "directory": yaml_scalar(directory) if nested else "",
        "root": yaml_scalar(f"/{directory}" if nested else "/"),
        "manifest": yaml_scalar(f"{directory}/Cargo.toml"),
        "report": yaml_scalar(f"{directory}/lcov.info" if nested else "lcov.info"),
        "pins": {name: pin.uses for name, pin in actions.catalogue().items()},
        "sccache_version": f"v{actions.tool('sccache').version}",
        "workflows": {name: _workflow(by_id[name]) if name in by_id else None for name in FILES},
        "seeds": _printable(_seeds(workflows)),
        "starter": None,
        "guides": _guides(workflows),
        "dependabot": config.workflows.dependabot,
        "codecov": codecov,
        "codecov_file": codecov and not files & {".codecov.yml", ".github/codecov.yml"},
        "nextest": config.tests.runner == "nextest"
        and not project.repository.nextest_ignored
        and any(job.details.get("nextest") for workflow in workflows for job in workflow.jobs),
    }


COMMON_ENV = {
    "CARGO_TERM_COLOR": "always",
    # Incremental builds help nobody on a fresh machine, and make caches larger.
    "CARGO_INCREMENTAL": "0",
    "CARGO_NET_RETRY": "10",
    "RUSTUP_MAX_RETRIES": "10",
}


def _workflow(workflow: Workflow) -> dict[str, Any]:
    plain: dict[str, Any] = _printable(workflow)
    return plain | {
        "env": _printable(COMMON_ENV | dict(workflow.env)),
        "jobs": [_job(job) for job in workflow.jobs],
    }


SCOPED = '|\n          read -ra scope <<< "$SCOPE"\n          '
"""What stands before a command that takes the packages in `$SCOPE`."""


def _job(job: Job) -> dict[str, Any]:
    toolchain = job.env.get("RUSTUP_TOOLCHAIN", "")
    plain: dict[str, Any] = _printable(dataclasses.replace(job, troubles=(), seeds={}))
    return plain | {
        "partial": job.id,
        "scope": Verbatim(SCOPED if job.narrowed else ""),
        "condition": job.condition or _on(job.events),
        "title": Verbatim(f"{job.name} ({_lane(job.matrix)})")
        if job.matrix
        else yaml_scalar(job.name),
        "setup": _printable(job.setup)
        | {
            "sccache_settings": [
                {"name": setting.name, "value": setting.expression}
                for setting in job.setup.sccache_settings
            ],
            "access": _access(job.setup.access) if job.setup.access else None,
            "access_env": _access_env(job.setup.access) if job.setup.access else {},
            "packages_text": yaml_scalar(" ".join(job.setup.packages)),
            "tools_text": yaml_scalar(",".join(job.setup.tools)),
            "rustup_flags": "".join(
                [
                    *(f" --component {_word(name)}" for name in job.setup.components),
                    *(f" --target {_word(name)}" for name in job.setup.targets),
                    # The newest nightly may lack a component: take the newest that has it.
                    *(
                        [" --allow-downgrade"]
                        if toolchain == "nightly" and job.setup.components
                        else []
                    ),
                ]
            ),
        },
    }


def _access(found: Access) -> dict[str, bool]:
    return {"tokens": bool(found.tokens), "ssh": bool(found.ssh), "https": bool(found.https)}


def _access_env(found: Access) -> dict[str, str]:
    """Return what the step that opens private dependencies reads, the secrets first."""
    secrets = [s.name for s in found.settings if s.secret]
    lists = {
        "SECRETS": secrets,
        "TOKENS": list(found.tokens),
        "HOSTS": [f"{name}={host}" for name, host in found.hosts.items()],
    }
    return {
        **{setting.name: setting.expression for setting in found.settings},
        **({"GITHUB_HOST_KEY": yaml_scalar(GITHUB_HOST_KEY)} if found.ssh else {}),
        **{name: yaml_scalar(" ".join(words)) for name, words in lists.items() if words},
    }


def _on(events: tuple[str, ...]) -> str:
    return " || ".join(f"github.event_name == '{event}'" for event in events)


def _lane(matrix: Matrix) -> str:
    names = matrix.title or matrix.axes or ("toolchain",)
    return ", ".join(f"${{{{ matrix.{name} }}}}" for name in names)


def _word(text: str) -> str:
    if not WORD.fullmatch(text):
        raise ProjectError(
            f"`{text}` is no name of a component or target",
            hint="look at `components` and `targets` in the toolchain file",
        )
    return text


def _printable(value: Any) -> Any:
    """Return `value` for Jinja: strings of the project quoted, those of ours as they stand."""
    if isinstance(value, Verbatim):
        return value
    if isinstance(value, str):
        return yaml_scalar(value)
    if isinstance(value, Matrix):
        return {
            "axes": _printable(value.axes),
            "exclude": _printable(value.exclude),
            "include": [
                {
                    key: str(item).lower() if isinstance(item, bool) else _printable(item)
                    for key, item in row.items()
                }
                for row in value.include
            ],
        }
    if dataclasses.is_dataclass(value):
        return {
            field.name: _printable(getattr(value, field.name))
            for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_printable(item) for item in value]
    return value


def variables(job: Job) -> set[str]:
    """Return the names of all environment variables that the job may set."""
    setup = job.setup
    return {
        *job.env,
        *job.variables,
        *(("RUSTC",) if setup.rust else ()),
        *(("PACKAGES_APT",) if setup.packages else ()),
        *(("SCCACHE_IDLE_TIMEOUT",) if setup.sccache_settings else ()),
        *((_access_variables(setup.access)) if setup.access else ()),
        *(("MIGRATIONS",) if setup.migrations else ()),
        *(("SCCACHE_GCS_KEY_PATH",) if setup.sccache == "gcs" else ()),
        *(setting.name for setting in setup.sccache_settings),
    }


def _access_variables(found: Access) -> set[str]:
    made = {
        "GIT_SSH_COMMAND": found.ssh,
        "GIT_CONFIG_COUNT": found.https,
        "GIT_CONFIG_KEY": found.https,
        "GIT_CONFIG_VALUE": found.https,
    }
    names = set(_access_env(found)) - {setting.name for setting in found.settings}
    return names | {name for name, wanted in made.items() if wanted}


def meanings() -> Mapping[str, str]:
    """Return one line on every variable that a job may set."""
    services_ = services.services().values()
    return {
        **environment.environment(),
        **{s.name: s.meaning for backend in environment.backends().values() for s in backend},
        **{name: f"Where the tests find {s.id}." for s in services_ for name in s.test_env},
        "DATABASE_URL": "Where the tests find the database.",
    }


def _guides(workflows: tuple[Workflow, ...]) -> dict[str, Any]:
    """Return what `.github/CI.md` tells: jobs, variables, secrets and troubles, as Markdown."""
    jobs = [job for workflow in workflows for job in workflow.jobs]
    used = set(COMMON_ENV).union(*map(variables, jobs))
    known = meanings()
    troubles = dict.fromkeys(trouble for job in jobs for trouble in job.troubles)
    settings = dict.fromkeys(s for job in jobs for s in job.setup.settings)
    holders = {job.environment for job in jobs if job.environment and job.setup.settings}
    return {
        "workflows": [
            {
                "file": f"{workflow.id}.yml",
                "name": workflow.name,
                "when": workflow.when,
                "size": workflow.size,
                "jobs": [
                    {
                        "name": refuse_unsafe(job.name, "a job's name"),
                        "why": job.why,
                        "size": job.size,
                        "timeout": job.timeout,
                    }
                    for job in workflow.jobs
                ],
            }
            for workflow in workflows
        ],
        "environment": [(name, known[name.rstrip("_0123456789")]) for name in sorted(used)],
        "settings": [dataclasses.asdict(setting) for setting in settings],
        "holder": next(iter(sorted(holders)), "sccache"),
        "private": ENVIRONMENT in holders,
        "troubles": [dataclasses.asdict(trouble) for trouble in troubles],
    }
