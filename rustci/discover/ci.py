"""What the workflows that are already there do. They are read as text: never run, never trusted."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from rustci.discover import commands, recipes
from rustci.discover.tree import Tree, join
from rustci.errors import ProjectError
from rustci.existing import CargoCall, CiTask, ExistingJob, ExistingWorkflow

FOLDER = ".github/workflows"
MAX_HOPS = 3
"""From a step's command: through just, make, a script …"""
MAX_VARIANTS = 50
"""Of one command, through the values of the matrix."""
BY_ACTION = {
    "actions-rs/audit-check": CiTask.AUDIT,
    "actions-rs/clippy-check": CiTask.CLIPPY,
    "actions-rs/tarpaulin": CiTask.COVERAGE,
    "actions-rust-lang/audit": CiTask.AUDIT,
    "actions-rust-lang/rustfmt": CiTask.FORMAT,
    "actions/dependency-review-action": CiTask.REVIEW,
    "actions/deploy-pages": CiTask.PAGES,
    "benchmark-action/github-action-benchmark": CiTask.BENCH,
    "bnjbvr/cargo-machete": CiTask.UNUSED,
    "boa-dev/criterion-compare-action": CiTask.BENCH,
    "clechasseur/rs-clippy-check": CiTask.CLIPPY,
    "codecov/codecov-action": CiTask.COVERAGE,
    "codspeedhq/action": CiTask.BENCH,
    "coverallsapp/github-action": CiTask.COVERAGE,
    "crate-ci/typos": CiTask.TYPOS,
    "embarkstudios/cargo-deny-action": CiTask.DENY,
    "giraffate/clippy-action": CiTask.CLIPPY,
    "katyo/publish-crates": CiTask.RELEASE,
    "marcoieni/release-plz-action": CiTask.RELEASE,
    "ncipollo/release-action": CiTask.RELEASE,
    "jamesives/github-pages-deploy-action": CiTask.PAGES,
    "obi1kenobi/cargo-semver-checks-action": CiTask.SEMVER,
    "peaceiris/actions-gh-pages": CiTask.PAGES,
    "raven-actions/actionlint": CiTask.WORKFLOWS,
    "release-plz/action": CiTask.RELEASE,
    "rustsec/audit-check": CiTask.AUDIT,
    "softprops/action-gh-release": CiTask.RELEASE,
    "taiki-e/create-gh-release-action": CiTask.RELEASE,
    "taiki-e/upload-rust-binary-action": CiTask.RELEASE,
    "zizmorcore/zizmor-action": CiTask.WORKFLOWS,
}
CARGO_ACTIONS = frozenset(
    {"actions-rs/cargo", "clechasseur/rs-cargo", "houseabsolute/actions-rust-cross"}
)
"""Actions that run the cargo subcommand in their `command`."""
RUNNERS = frozenset(
    ["bazel", "buck2", "dagger", "earthly", "mise", "nix", "nox", "pants", "task", "tox"]
)
"""Task runners whose files are not followed."""
_RECIPES = {"just": "just", "make": "make", "gmake": "make", "makers": "cargo make"}
_SCRIPT_PROGRAMS = frozenset(["bash", "dash", "python", "python3", "sh", "zsh"])
_SERVICES = {"codecov": "codecov", "coverallsapp": "coveralls", "coveralls": "coveralls"}
_HERE = ("./", "$/")
"""What a workflow or action of the same repository starts with."""
_MATRIX = re.compile(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")
_FLAGS = {
    CiTask.LOOM: re.compile(r"--cfg[ =]?\"?\w*loom\b"),
    CiTask.SANITIZERS: re.compile(r"-Z\s*sanitizer=|-linux-gnu[amt]san\b"),
}
"""What flags of the compiler, in a command or in the variables around it, tell of a test run."""
_MSRV = re.compile(r"\bmsrv\b|minimum[ -](?:supported )?rust|min[-_]rust", re.IGNORECASE)
_SHOWN = 80
"""Characters of a command that could not be followed."""


def read_workflows(
    tree: Tree, workspace: str, aliases: Mapping[str, str], packages: Mapping[str, str]
) -> tuple[ExistingWorkflow, ...]:
    """Return the repository's workflows by path. `packages`: the folder of each by name."""
    names = sorted(tree.listing(FOLDER).files)
    context = _Context(tree, workspace, aliases, packages)
    return tuple(
        _read(context, f"{FOLDER}/{name}") for name in names if name.endswith((".yml", ".yaml"))
    )


@dataclass(frozen=True, slots=True)
class _Context:
    """What following a command needs."""

    tree: Tree
    workspace: str
    aliases: Mapping[str, str]
    packages: Mapping[str, str]


class _Place(NamedTuple):
    """Where a command stands: its working directory, and the hops that led there."""

    folder: str = "."
    hops: int = 0
    within: str = ""
    """The task runner whose recipe it is in."""

    def further(self, runner: str = "") -> _Place:
        """Return the place one hop on; recipes of one file that call each other are one hop."""
        same = bool(runner) and runner == self.within
        return self._replace(hops=self.hops + (not same), within=runner)


def _read(context: _Context, path: str) -> ExistingWorkflow:
    place = PurePosixPath(path)
    try:
        workflow = _yaml(context.tree, path)
    except ProjectError as error:
        line = f" (line {error.where.line})" if error.where and error.where.line else ""
        problem = f"{error.message}{line}"
        return ExistingWorkflow(path=place, name=None, tasks=(), problem=problem)
    env = _env(workflow)
    readers = {name: _Reader(context, env) for name in _mapping(workflow.get("jobs"))}
    for identifier, reader in readers.items():
        reader.job(identifier, _mapping(workflow["jobs"][identifier]))
    name = workflow.get("name")
    unseen = itertools.chain.from_iterable(reader.unseen for reader in readers.values())
    return ExistingWorkflow(
        path=place,
        name=name if isinstance(name, str) else None,
        tasks=tuple(sorted({task for reader in readers.values() for task in reader.tasks})),
        unseen=tuple(dict.fromkeys(unseen)),
        jobs=tuple(
            ExistingJob(id=identifier, tasks=tuple(sorted(reader.tasks)))
            for identifier, reader in readers.items()
        ),
        calls=tuple(sorted({call for reader in readers.values() for call in reader.calls})),
        coverage_service=next((r.service for r in readers.values() if r.service), None),
        shards=max((reader.shards for reader in readers.values()), default=1),
    )


@dataclass(slots=True)
class _Reader:
    """Reads one job and holds what it has been seen to do so far."""

    context: _Context
    env: Mapping[str, str]
    """The variables around the command that is read."""
    tasks: set[CiTask] = field(default_factory=set)
    calls: set[CargoCall] = field(default_factory=set)
    unseen: list[str] = field(default_factory=list)
    service: str | None = None
    shards: int = 1
    followed: set[str] = field(default_factory=set)

    def job(self, identifier: str, job: Mapping[str, Any]) -> None:
        """Take in one job."""
        matrix = _matrix(job)
        values = " ".join(itertools.chain(*matrix.values()))
        if _MSRV.search(f"{identifier} {job.get('name')} {values}"):
            self.tasks.add(CiTask.MSRV)
        called = job.get("uses")
        if isinstance(called, str) and not called.startswith(_HERE):
            self._hide(called)
        self.env = {**self.env, **_env(job)}
        self._steps(job.get("steps"), matrix, 0)

    def _steps(self, steps: Any, matrix: Mapping[str, list[str]], hops: int) -> None:
        around = self.env
        for step in map(_mapping, steps if isinstance(steps, list) else []):
            self.env = {**around, **_env(step)}
            folder = step.get("working-directory")
            known = isinstance(folder, str) and "${{" not in folder
            place = _Place(join(str(folder)) if known else ".", hops)
            for script in _variants(step.get("run"), matrix):
                self._script(script, place)
            for action in _variants(step.get("uses"), matrix):
                self._action(action, _mapping(step.get("with")), hops)
        self.env = around

    def _action(self, uses: str, inputs: Mapping[str, Any], hops: int) -> None:
        if uses.startswith(_HERE):
            self._composite(join(uses.removeprefix("$/")), hops)
            return
        name = "/".join(uses.split("@", maxsplit=1)[0].lower().split("/")[:2])
        if name in BY_ACTION:
            self.tasks.add(BY_ACTION[name])
            self.calls |= _by_action(BY_ACTION[name], str(inputs.get("args")), self.env)
        self.service = self.service or _SERVICES.get(name.split("/")[0])
        if name in CARGO_ACTIONS and isinstance(inputs.get("command"), str):
            line = f"cargo {inputs['command']} {inputs.get('args') or ''}"
            self._script(line, _Place(hops=hops))

    def _composite(self, folder: str, hops: int) -> None:
        tree = self.context.tree
        paths = [join(folder, name) for name in ("action.yml", "action.yaml")]
        path = next((path for path in paths if tree.is_file(path)), None)
        if path is None:
            self._hide(f"./{folder}")
        elif self._follows(path, hops, f"./{folder}"):
            try:
                action = _yaml(tree, path)
            except ProjectError:
                self._hide(f"./{folder}")
                return
            self._steps(_mapping(action.get("runs")).get("steps"), {}, hops + 1)

    def _script(self, script: str, place: _Place) -> None:
        for words in commands.split(script):
            self._command(words, place)

    def _command(self, words: list[str], place: _Place) -> None:
        self._take(words)
        self.service = self.service or _service(words)
        self.shards = max(self.shards, _shards(words))
        program = posixpath.basename(words[0])
        arguments = commands.cargo_arguments(words)
        if arguments is not None:
            self._cargo(arguments, place)
        elif program in _RECIPES:
            self._recipe(_RECIPES[program], words[1:], place)
        elif program in RUNNERS:
            self._hide(" ".join(words))
        else:
            self._file(words, place)

    def _take(self, words: list[str]) -> None:
        """Take in what one command does by itself."""
        found = commands.tasks(words)
        self.tasks |= found | (_by_flags(self.env, words) if found else set())
        self.calls.update(commands.calls(words, self.env))

    def _cargo(self, arguments: list[str], place: _Place) -> None:
        subcommand, rest = arguments[0], arguments[1:]
        if subcommand == "make":
            self._recipe("cargo make", rest, place)
        elif subcommand in self.context.aliases:
            line = f"cargo {self.context.aliases[subcommand]}"
            if self._follows(line, place.hops, line):
                self._script(line, place.further())
        elif subcommand == "run":
            self._program(_package(rest), f"cargo run {' '.join(rest)}", place.hops)
        elif subcommand == "xtask":
            self._program("xtask", " ".join(["cargo", *arguments]), place.hops)

    def _program(self, name: str | None, line: str, hops: int) -> None:
        """Take in every cargo command in the source of a package, whatever its arguments choose."""
        folder = self.context.packages.get(name) if name else None
        sources = _sources(self.context.tree, folder) if folder and hops < MAX_HOPS else ()
        found = False
        for path in sources:
            for words in commands.embedded(_text(self.context.tree, path)):
                found = found or bool(commands.tasks(words))
                self._take(words)
        if name == "xtask" and not found:
            self._hide(line)

    def _recipe(self, kind: str, names: list[str], place: _Place) -> None:
        line = " ".join([kind, *names])
        folders = (place.folder, self.context.workspace)
        tables = (recipes.READERS[kind](self.context.tree, folder) for folder in folders)
        known = next((table for table in tables if table), {})
        chosen = [name for name in names if name in known]
        if not any(not name.startswith("-") and "=" not in name for name in names):
            chosen = [name for name in ("default", "") if name in known][:1]
        if not chosen:
            self._hide(line)
        for name in chosen:
            on = place.further(kind)
            if self._follows(f"{kind} {place.folder} {name}", on.hops - 1, line):
                self._script(known[name], on)

    def _file(self, words: list[str], place: _Place) -> None:
        """Follow a script of the repository: `./ci/test.sh`, `bash ci/test.sh`, `python x.py`."""
        name = _script_name(words)
        path = _script_path(self.context, name, place.folder) if name else None
        if path is None:
            if name and (name.endswith((".sh", ".py")) or _looks_own(name)):
                self._hide(" ".join(words))
        elif self._follows(path, place.hops, " ".join(words)):
            text = _text(self.context.tree, path)
            if path.endswith(".sh") or re.match(r"#!.*\b(?:ba|da|z)?sh\b", text):
                self._script(text, place.further())
            else:
                for embedded in commands.embedded(text):
                    self._take(embedded)

    def _follows(self, place: str, hops: int, line: str) -> bool:
        """Whether to go on at a place: only once, and no further than MAX_HOPS."""
        if hops >= MAX_HOPS:
            self._hide(line)
            return False
        new = place not in self.followed
        self.followed.add(place)
        return new

    def _hide(self, text: str) -> None:
        """Note a command that cannot be followed."""
        shown = " ".join(text.split())[:_SHOWN]
        if shown not in self.unseen:
            self.unseen.append(shown)


def _package(arguments: list[str]) -> str | None:
    """Return the package that `cargo run` is told to run."""
    for flag, value in itertools.pairwise(arguments):
        if flag in ("-p", "--package", "--bin"):
            return value
        if flag == "--manifest-path":
            return posixpath.basename(posixpath.dirname(value))
    return None


def _sources(tree: Tree, folder: str) -> Iterator[str]:
    for directory, listing in tree.walk(join(folder, "src")):
        yield from (f"{directory}/{name}" for name in sorted(listing.files) if name.endswith(".rs"))


def _script_name(words: list[str]) -> str | None:
    plain = [word for word in words if not word.startswith("-")]
    if plain[0] in _SCRIPT_PROGRAMS:
        return plain[1] if len(plain) > 1 else None
    return plain[0] if "/" in plain[0] else None


def _looks_own(name: str) -> bool:
    return name.startswith("./") and "node_modules" not in name


def _script_path(context: _Context, name: str, folder: str) -> str | None:
    if name.startswith("/") or "$" in name:
        return None
    paths = (join(start, name) for start in dict.fromkeys((folder, context.workspace, ".")))
    return next((p for p in paths if not p.startswith("..") and context.tree.is_file(p)), None)


def _service(words: Iterable[str]) -> str | None:
    text = " ".join(words)
    if re.search(r"codecov\.io|(?:^|/)codecov(?:cli)?\b|codecov-cli", text):
        return "codecov"
    return "coveralls" if re.search(r"coveralls", text) else None


def _shards(words: Iterable[str]) -> int:
    """Return the N of nextest's `--partition slice:K/N`, or 1."""
    found = re.search(r"--partition[ =](?:count|hash|slice):[^ /]*/(\d{1,2})\b", " ".join(words))
    return int(found[1]) if found else 1


def _matrix(job: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return every value that a matrix key takes, as text."""
    matrix = _mapping(_mapping(job.get("strategy")).get("matrix"))
    rows = matrix.get("include")
    values: dict[str, list[str]] = {}
    for key, listed in matrix.items():
        if key not in ("include", "exclude") and isinstance(listed, list):
            values[key] = [str(value) for value in listed if not isinstance(value, (dict, list))]
    for row in map(_mapping, rows if isinstance(rows, list) else []):
        for key, value in row.items():
            if not isinstance(value, (dict, list)):
                values.setdefault(key, []).append(str(value))
    return {key: list(dict.fromkeys(found)) for key, found in values.items()}


def _variants(text: Any, matrix: Mapping[str, list[str]]) -> list[str]:
    """Return a step's text once for each value of the matrix keys in it; none if it is no text."""
    if not isinstance(text, str):
        return []
    variants = [text]
    for key in dict.fromkeys(_MATRIX.findall(text)):
        pattern = re.compile(rf"\$\{{\{{\s*matrix\.{re.escape(key)}\s*\}}\}}")
        values = matrix.get(key) or [""]
        variants = [
            pattern.sub(lambda _, chosen=value: chosen, variant)  # type: ignore[misc]
            for variant in variants
            for value in values
        ][:MAX_VARIANTS]
    return variants


def _yaml(tree: Tree, path: str) -> Mapping[str, Any]:
    from rustci.yamlio import load_workflow  # 50 ms that only a repository with workflows pays

    return load_workflow(tree.read_text(path), path)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _by_flags(env: Mapping[str, str], words: list[str]) -> set[CiTask]:
    text = " ".join([*words, env.get("RUSTFLAGS", "")])
    return {task for task, flags in _FLAGS.items() if flags.search(text)}


def _by_action(task: CiTask, arguments: str, env: Mapping[str, str]) -> set[CargoCall]:
    """Return the command that an action runs for Clippy; of the others nothing is known."""
    words = ["cargo", "clippy", *arguments.split()] if task is CiTask.CLIPPY else []
    return set(commands.calls(words, env)) if words else set()


def _env(around: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables that a workflow, job or step sets."""
    return {str(name): str(value) for name, value in _mapping(around.get("env")).items()}


def _text(tree: Tree, path: str) -> str:
    try:
        return tree.read_text(path)
    except ProjectError:
        return ""
