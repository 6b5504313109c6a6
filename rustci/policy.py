"""What deny.toml says where rustci writes it: the licences and sources that a project starts with.

Its options: https://embarkstudios.github.io/cargo-deny/checks/cfg.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from rustci.project import Project
from rustci.quoting import Verbatim, refuse_unsafe

PATH = "deny.toml"
PLACES = (PATH, ".deny.toml", ".cargo/deny.toml")
"""Where cargo-deny looks for its configuration."""
PERMISSIVE = (
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
)
"""SPDX names of licences that ask for no more than a notice."""
_BETWEEN = re.compile(r"\s+(?:OR|AND)\s+|[()]")


def licences(project: Project) -> tuple[str, ...]:
    """Return the permissive licences and those that the project's own packages name, sorted."""
    own = {name for package in project.packages for name in _names(package.license or "")}
    return tuple(sorted(own | set(PERMISSIVE)))


def _names(expression: str) -> Iterable[str]:
    """Yield the licences in an SPDX expression; nothing for what is none."""
    try:
        # Cargo's older form `MIT/Apache-2.0` means OR.
        canonical = canonicalize_license_expression(expression.replace("/", " OR "))
    except InvalidLicenseExpression:
        return ()
    return (part.strip() for part in _BETWEEN.split(canonical) if part.strip())


def seed(project: Project) -> Mapping[str, Mapping[str, object]]:
    """Return deny.toml, as a job's `seeds` take it; nothing where the project has its own."""
    if project.repository.files & set(PLACES[1:]):
        return {}
    sources = project.main.locked_sources or _named(project)
    git = {_bare(source) for source in sources if source.startswith("git+")}
    registries = {
        source.removeprefix("registry+") for source in sources if not source.startswith("git+")
    }
    return {
        PATH: {
            "licences": _quoted(licences(project)),
            "git": _quoted(sorted(git)),
            "registries": _quoted(sorted(registries)),
        }
    }


def _named(project: Project) -> frozenset[str]:
    """Return the git sources of the manifests, as Cargo.lock would write them."""
    dependencies = (d for package in project.packages for d in package.dependencies)
    return frozenset(f"git+{d.git}" for d in dependencies if d.git)


def _bare(source: str) -> str:
    """Return the URL of a git source, without branch and commit."""
    return re.split(r"[?#]", source.removeprefix("git+"), maxsplit=1)[0]


def _quoted(texts: Iterable[str]) -> tuple[Verbatim, ...]:
    """Return TOML strings: JSON's are, once control characters are refused."""
    return tuple(
        Verbatim(json.dumps(refuse_unsafe(text, "a source"), ensure_ascii=False)) for text in texts
    )
