"""The service containers that tests may run beside, from `data/services.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

from rustci.data import load, structure

_STARTS_ITS_OWN = frozenset({"testcontainers", "testcontainers-modules"})
"""Crates that start containers from within the tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service: what to run, when it is ready, how tests find it, and which crates imply it."""

    id: str
    repository: str
    """Where the image is: `owner/name`, with the registry's host unless it is Docker Hub."""
    tag: str
    digest: str
    """Of the image index: `sha256:` and 64 hex digits."""
    digest_seen_in: int
    """In how many independent public projects this tag had this digest."""
    ports: tuple[str, ...]
    """`host:container`."""
    health: str
    """The command that succeeds inside the container once the service answers."""
    env: Mapping[str, str] = field(default_factory=dict)
    test_env: Mapping[str, str]
    """What to set for the tests. All values are constants for tests, none is a secret."""
    crates: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The dependencies that imply it; with features, one of them must be on."""

    @property
    def image(self) -> str:
        """The value of `image:`, pinned by digest."""
        return f"{self.repository}:{self.tag}@{self.digest}"

    @property
    def claims(self) -> frozenset[str]:
        """The ports and variables that no other service beside it may use."""
        return frozenset(self.ports) | frozenset(self.test_env)

    @property
    def options(self) -> str:
        """The value of `options:`: the job's steps wait until the health command succeeds."""
        timing = "--health-interval 5s --health-timeout 5s --health-retries 20"
        return f'--health-cmd "{self.health}" {timing}'


@cache
def services() -> Mapping[str, Service]:
    """Return every service by id."""
    tables = load("services")["service"]
    found = (structure(Service, table, f"services.toml: {table['id']}") for table in tables)
    return MappingProxyType({service.id: service for service in found})


def starts_its_own(dependencies: Mapping[str, frozenset[str]]) -> bool:
    """Return whether the tests start their containers themselves."""
    return bool(_STARTS_ITS_OWN & dependencies.keys())


def services_for(dependencies: Mapping[str, frozenset[str]]) -> tuple[tuple[Service, str], ...]:
    """Return the services that the dependencies (with their features) imply, each with the reason.

    None where the tests start their own containers through testcontainers.
    """
    if starts_its_own(dependencies):
        return ()
    return tuple(
        (service, reasons[0])
        for service in services().values()
        if (reasons := _reasons(service, dependencies))
    )


def _reasons(service: Service, dependencies: Mapping[str, frozenset[str]]) -> list[str]:
    found = []
    for crate, needed in sorted(service.crates.items()):
        features = dependencies.get(crate)
        if features is None or (needed and not needed & features):
            continue
        with_feature = f" with feature {min(needed & features)}" if needed else ""
        found.append(f"depends on {crate}{with_feature}")
    return found
