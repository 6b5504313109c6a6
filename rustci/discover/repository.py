"""What git and the rest of the tree say of a repository."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rustci import facts, lock
from rustci.discover.git_files import GitDirectory, default_branch, github_remote
from rustci.discover.ignore import Ignore
from rustci.discover.toml import read_toml
from rustci.discover.tree import Tree, join, upward
from rustci.lock import FileState, Lock
from rustci.project import CargoConfig, Repository

if TYPE_CHECKING:
    from rustci.existing import ExistingWorkflow

KNOWN_FILES = (
    ".cargo/audit.toml",
    ".cargo/deny.toml",
    ".cargo/mutants.toml",
    ".clippy.toml",
    ".codecov.yml",
    ".codespellrc",
    ".config/hakari.toml",
    ".config/nextest.toml",
    ".coveralls.yml",
    ".deny.toml",
    ".editorconfig",
    ".github/actionlint.yaml",
    ".github/actionlint.yml",
    ".github/actions.lock",
    ".github/codecov.yml",
    ".github/dependabot.yaml",
    ".github/dependabot.yml",
    ".github/renovate.json",
    ".github/renovate.json5",
    ".github/workflows/actions.lock",
    ".github/zizmor.yaml",
    ".github/zizmor.yml",
    ".gitlab-ci.yml",
    ".justfile",
    ".pre-commit-config.yaml",
    ".renovaterc",
    ".renovaterc.json",
    ".rustfmt.toml",
    ".taplo.toml",
    ".tarpaulin.toml",
    ".typos.toml",
    "_typos.toml",
    "CHANGELOG.md",
    "Cross.toml",
    "Justfile",
    "Makefile",
    "Makefile.toml",
    "book.toml",
    "cliff.toml",
    "clippy.toml",
    "codecov.yml",
    "deny.toml",
    "dist-workspace.toml",
    "docs/book.toml",
    "flake.nix",
    "justfile",
    "lefthook.yml",
    "release-plz.toml",
    "release.toml",
    "renovate.json",
    "renovate.json5",
    "rustfmt.toml",
    "supply-chain/config.toml",
    "tarpaulin.toml",
    "taplo.toml",
    "tomlfmt.toml",
    "typos.toml",
    "zizmor.yaml",
    "zizmor.yml",
)
"""Looked for at the repository's root and in the main workspace, told by these names alike."""
STABLE_RUSTFMT = frozenset(
    [
        "array_width",
        "attr_fn_like_width",
        "chain_width",
        "disable_all_formatting",
        "edition",
        "fn_args_layout",
        "fn_call_width",
        "fn_params_layout",
        "force_explicit_abi",
        "hard_tabs",
        "match_arm_leading_pipes",
        "match_block_trailing_comma",
        "max_width",
        "merge_derives",
        "newline_style",
        "remove_nested_parens",
        "reorder_imports",
        "reorder_modules",
        "short_array_element_width_threshold",
        "single_line_if_else_max_width",
        "single_line_let_else_max_width",
        "struct_lit_width",
        "struct_variant_width",
        "style_edition",
        "tab_spaces",
        "use_field_init_shorthand",
        "use_small_heuristics",
        "use_try_shorthand",
    ]
)
"""What rustfmt 1.9 takes on stable (`rustfmt --help=config`)."""


def read_repository(
    tree: Tree,
    git: GitDirectory | None,
    ignore: Ignore,
    workspace: str,
    config: CargoConfig | None,
    packages: Mapping[str, str] | None,
) -> Repository:
    """Return the repository's own facts.

    `packages`: the folder of each by name; None where workflows are not to be read.
    """
    remote = github_remote(git) if git else None
    files = {name for name in KNOWN_FILES if _there(tree, name, workspace)}
    locked = lock.loads(tree.read_text(lock.PATH)) if tree.is_file(lock.PATH) else None
    return Repository(
        git=git is not None,
        default_branch=default_branch(git) if git else None,
        github=remote.name if remote else None,
        host=remote.host if remote else None,
        workflows=()
        if packages is None
        else _workflows(tree, workspace, config.aliases if config else {}, packages),
        files=frozenset(files),
        nextest_profiles=_nextest_profiles(tree, workspace),
        nextest_ignored=ignore.ignores(join(workspace, ".config/nextest.toml")),
        rustfmt_unstable=_rustfmt_unstable(tree, workspace),
        written=_written(locked),
        coverage_service=_coverage_service(locked),
        dependabot=bool({".github/dependabot.yml", ".github/dependabot.yaml"} & files),
        renovate=any("renovate" in name for name in files),
    )


def _workflows(
    tree: Tree, workspace: str, aliases: Mapping[str, str], packages: Mapping[str, str]
) -> tuple[ExistingWorkflow, ...]:
    from rustci.discover.ci import read_workflows  # 10 ms that a sealed `check` does not pay

    return read_workflows(tree, workspace, aliases, packages)


def _written(locked: Lock | None) -> frozenset[str]:
    files = locked.files if locked else {}
    return frozenset(path for path, file in files.items() if file.state is FileState.WRITTEN)


def _coverage_service(locked: Lock | None) -> str | None:
    found = locked.facts.get(facts.COVERAGE, ()) if locked else ()
    return found[0] if found and found != ("none",) else None


def _there(tree: Tree, name: str, workspace: str) -> bool:
    return tree.is_file(name) or tree.is_file(join(workspace, name))


def _nextest_profiles(tree: Tree, workspace: str) -> tuple[str, ...]:
    path = join(workspace, ".config/nextest.toml")
    profiles = read_toml(tree, path).table("profile") if tree.is_file(path) else None
    return tuple(sorted(profiles.values)) if profiles else ()


def _rustfmt_unstable(tree: Tree, workspace: str) -> tuple[str, ...]:
    """Return the keys beyond the stable ones in the nearest rustfmt.toml."""
    names = (".rustfmt.toml", "rustfmt.toml")
    paths = (join(folder, name) for folder in upward(workspace) for name in names)
    found = next((path for path in paths if tree.is_file(path)), None)
    keys = set(read_toml(tree, found).values) if found else set()
    return tuple(sorted(keys - STABLE_RUSTFMT))
