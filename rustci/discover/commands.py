"""What a shell command does for CI. Text in, tasks out; nothing is run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

from rustci.existing import CargoCall, CiTask

BY_SUBCOMMAND = {
    "all-features": CiTask.FEATURES,
    "audit": CiTask.AUDIT,
    "bench": CiTask.BENCH,
    "build-all-features": CiTask.FEATURES,
    "check-all-features": CiTask.FEATURES,
    "clippy": CiTask.CLIPPY,
    "codspeed": CiTask.BENCH,
    "criterion": CiTask.BENCH,
    "deny": CiTask.DENY,
    "dist": CiTask.RELEASE,
    "doc": CiTask.DOC,
    "docs-rs": CiTask.DOC,
    "fmt": CiTask.FORMAT,
    "fuzz": CiTask.FUZZ,
    "insta": CiTask.SNAPSHOTS,
    "llvm-cov": CiTask.COVERAGE,
    "machete": CiTask.UNUSED,
    "minimal-versions": CiTask.MINIMAL,
    "miri": CiTask.MIRI,
    "msrv": CiTask.MSRV,
    "mutants": CiTask.MUTANTS,
    "nextest": CiTask.TEST,
    "package": CiTask.MANIFESTS,
    "publish": CiTask.RELEASE,
    "release": CiTask.RELEASE,
    "rustdoc": CiTask.DOC,
    "semver-checks": CiTask.SEMVER,
    "shear": CiTask.UNUSED,
    "sort": CiTask.MANIFESTS,
    "tarpaulin": CiTask.COVERAGE,
    "test-all-features": CiTask.FEATURES,
    "udeps": CiTask.UNUSED,
    "vet": CiTask.DENY,
}
BY_PROGRAM = {
    "actionlint": CiTask.WORKFLOWS,
    "cargo-audit": CiTask.AUDIT,
    "cargo-deny": CiTask.DENY,
    "cargo-fuzz": CiTask.FUZZ,
    "cargo-machete": CiTask.UNUSED,
    "cargo-mutants": CiTask.MUTANTS,
    "cargo-msrv": CiTask.MSRV,
    "cargo-semver-checks": CiTask.SEMVER,
    "cargo-shear": CiTask.UNUSED,
    "codecov": CiTask.COVERAGE,
    "coveralls": CiTask.COVERAGE,
    "dist": CiTask.RELEASE,
    "grcov": CiTask.COVERAGE,
    "release-plz": CiTask.RELEASE,
    "rustfmt": CiTask.FORMAT,
    "taplo": CiTask.MANIFESTS,
    "typos": CiTask.TYPOS,
    "zizmor": CiTask.WORKFLOWS,
}
SHORT = {"b": "build", "c": "check", "d": "doc", "r": "run", "rm": "remove", "t": "test"}
"""Cargo's own aliases."""
BUILT_IN = frozenset(
    [
        "add",
        "build",
        "check",
        "clean",
        "doc",
        "fetch",
        "fix",
        "generate-lockfile",
        "init",
        "install",
        "locate-project",
        "login",
        "metadata",
        "new",
        "pkgid",
        "remove",
        "run",
        "rustc",
        "search",
        "tree",
        "uninstall",
        "update",
        "vendor",
        "version",
    ]
)
_SELECTS_TARGETS = re.compile(r"--(?:lib|bins?|tests?|examples?|benches|bench|all-targets)\b")
_TEST_TARGETS = frozenset({"--all-targets", "--tests", "--test", "--benches", "--examples"})
_DENIES = re.compile(r"(?:-D|-F|--deny|--forbid)[ =]?\s*(?:warnings|clippy::all|rustdoc::all)\b")
_MINIMAL = re.compile(r"-Z\s*(?:direct-)?minimal-versions\b")
_CARGO = re.compile(r"\$\{\{\s*env\.CARGO\s*\}\}|\$\{?CARGO\}?(?=\s)")
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
_SEPARATOR = re.compile(r"&&|\|\||[;|\n()`]")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*")
_PREFIXES = frozenset(
    [
        "!",
        "command",
        "do",
        "elif",
        "else",
        "env",
        "exec",
        "if",
        "nice",
        "nohup",
        "retry",
        "rtk",
        "sudo",
        "then",
        "time",
        "until",
        "while",
        "xvfb-run",
    ]
)
_TOOLCHAIN_RUN = 3
"""The words of `rustup run TOOLCHAIN`."""


def split(script: str) -> Iterator[list[str]]:
    """Yield the simple commands of a shell script as words, prefixes taken off."""
    joined = _CARGO.sub("cargo", re.sub(r"\\\n", " ", script))
    joined = re.sub(r"(?m)(?:^|\s)#.*$", "", _EXPRESSION.sub("EXPRESSION", joined))
    for part in _SEPARATOR.split(joined):
        words = _without_prefixes(_words(part))
        if words:
            yield words


def embedded(text: str) -> Iterator[list[str]]:
    """Yield the cargo commands that a program in another language seems to start."""
    plain = re.sub(r"\.args?\b|\.to_(?:string|owned)\b|[\"'\[\](),&{}!]", " ", text)
    for match in re.finditer(r"\bcargo\s+(?:\+\S+\s+)?([a-z][a-z-]*)([^\n]*)", plain):
        yield ["cargo", match[1], *match[2].split()]


def cargo_arguments(words: list[str]) -> list[str] | None:
    """Return subcommand and arguments of a cargo (or cross) command, its options taken off."""
    if words[0].rsplit("/", 1)[-1] not in ("cargo", "cargo.exe", "cross"):
        return None
    rest = words[1:]
    while rest and rest[0].startswith(("-", "+")):
        valued = rest[0] in ("-Z", "-C", "--config", "--color", "--manifest-path")
        rest = rest[2:] if valued else rest[1:]
    return [SHORT.get(rest[0], rest[0]), *rest[1:]] if rest else None


def tasks(words: list[str]) -> set[CiTask]:
    """Return what one simple command does by itself."""
    program = words[0].rsplit("/", 1)[-1]
    if program in BY_PROGRAM:
        return {BY_PROGRAM[program]}
    if words[:2] == ["gh", "release"]:
        return {CiTask.RELEASE}
    arguments = cargo_arguments(words)
    minimal = {CiTask.MINIMAL} if _MINIMAL.search(" ".join(words)) else set()
    return minimal | _cargo_tasks(arguments) if arguments else set()


def calls(words: list[str], env: Mapping[str, str]) -> Iterator[CargoCall]:
    """Yield what a cargo command checks, and how under these variables."""
    for task in tasks(words):
        flags = env.get("RUSTDOCFLAGS" if task is CiTask.DOC else "RUSTFLAGS", "")
        yield CargoCall(
            task=task,
            # cargo-hack ends `--each-feature` with a run of all of them.
            all_features=not {"--all-features", "--each-feature"}.isdisjoint(words),
            with_tests=not _TEST_TARGETS.isdisjoint(words),
            denies_warnings=_DENIES.search(" ".join([*words, flags])) is not None,
        )


def _cargo_tasks(arguments: list[str]) -> set[CiTask]:
    subcommand, rest = arguments[0], arguments[1:]
    if subcommand == "test":
        return _test_tasks(rest)
    if subcommand == "hack":
        return _hack_tasks(rest)
    if subcommand == "careful":
        return {CiTask.CAREFUL} | (_cargo_tasks(rest) if rest else set())
    if subcommand == "publish" and "--dry-run" in rest:
        return {CiTask.MANIFESTS}
    found = BY_SUBCOMMAND.get(subcommand)
    return {found} if found else set()


def _test_tasks(rest: list[str]) -> set[CiTask]:
    if "--no-run" in rest:
        return set()
    if "--doc" in rest:
        return {CiTask.DOCTEST}
    selects = any(_SELECTS_TARGETS.match(word) for word in rest)
    return {CiTask.TEST} if selects else {CiTask.TEST, CiTask.DOCTEST}


def _hack_tasks(rest: list[str]) -> set[CiTask]:
    found = set()
    if {"--each-feature", "--feature-powerset"} & set(rest):
        found.add(CiTask.FEATURES)
    if any(word.split("=")[0] in ("--rust-version", "--version-range") for word in rest):
        found.add(CiTask.MSRV)
    known = {*BY_SUBCOMMAND, *BUILT_IN, "test"}
    inner = next((at for at, word in enumerate(rest) if word in known), None)
    return found if inner is None else found | _cargo_tasks(rest[inner:])


def _words(part: str) -> list[str]:
    try:
        return shlex.split(part)
    except ValueError:
        return part.split()


def _without_prefixes(words: list[str]) -> list[str]:
    while words:
        if words[0] in _PREFIXES or _ASSIGNMENT.fullmatch(words[0]) or words[0].startswith("-"):
            words = words[1:]
        elif words[:2] == ["rustup", "run"]:
            words = words[_TOOLCHAIN_RUN:]
        elif words[0] == "timeout":
            words = words[2:]
        else:
            break
    return words
