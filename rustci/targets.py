"""How target triples are served, from `data/targets.toml`: tested, built or only checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from rustci.data import load, structure


class Way(StrEnum):
    """The best that can be done for a target."""

    TEST = "test"
    BUILD = "build"
    """Tests are compiled and linked: nothing there runs them."""
    CHECK = "check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One target triple and how it is served."""

    triple: str
    way: Way
    runner: str
    note: str = ""

    @property
    def bare(self) -> bool:
        """Whether it has no operating system, and so no standard library."""
        return "-none" in self.triple

    @property
    def xcode(self) -> bool:
        """Whether the runner's Xcode links for it: nothing but Rust's part has to be fetched."""
        return "-apple-ios" in self.triple


@cache
def targets() -> Mapping[str, Target]:
    """Return every target that is known, by its triple."""
    tables = load("targets")["target"]
    found = (structure(Target, table, f"targets.toml: {table['triple']}") for table in tables)
    return MappingProxyType({target.triple: target for target in found})


def target(triple: str) -> Target:
    """Return how `triple` is served; one that is not known is checked on Linux."""
    unknown = Target(triple=triple, way=Way.CHECK, runner="ubuntu-24.04")
    return targets().get(triple, unknown)
