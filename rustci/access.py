"""Dependencies that not everybody may read: which credentials a job needs, and how it is told.

Tokens and keys are secrets of one environment on GitHub. A step hands them on to the job's later
steps: dependencies are resolved in more than one, and by more tools than Cargo.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from rustci.environment import Setting
from rustci.errors import Location, ProjectError
from rustci.project import Project

REGISTRY = r"[A-Za-z_][A-Za-z0-9_-]*"
"""What Cargo takes for the name of a registry, in ASCII."""
HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?"
ENVIRONMENT = "private"
"""The environment on GitHub that holds the secrets."""
SSH_KEY = "GIT_SSH_KEY"
KNOWN_HOSTS = "GIT_KNOWN_HOSTS"
GITHUB_HOST_KEY = (
    "github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
)
"""The public key of github.com (https://docs.github.com/authentication, "SSH key fingerprints")."""
PUBLIC_FORGES = frozenset(
    {"github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "git.sr.ht", "gitea.com"}
)
"""Hosts whose git repositories everybody can read, unless they are private."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a job needs that resolves dependencies."""

    registries: tuple[str, ...] = ()
    """Those that ask for a token, by the names in `.cargo/config.toml`."""
    ssh: tuple[str, ...] = ()
    """Hosts with git dependencies over ssh."""
    https: tuple[str, ...] = ()
    """Hosts whose git dependencies over https ask for a token."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """The variables in which Cargo looks for the tokens of the registries."""
        return tuple(dict.fromkeys(map(token_of_registry, self.registries)))

    @property
    def hosts(self) -> Mapping[str, str]:
        """For each variable with a token for git, the host that it is for."""
        return {token_of_host(host): host for host in self.https}

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What the environment on GitHub has to hold."""
        found = [_secret(name, "The token of a registry.") for name in self.tokens]
        if self.ssh:
            found += [
                _secret(SSH_KEY, "The private ssh key, of an account that may only read."),
                Setting(
                    name=KNOWN_HOSTS,
                    required=set(self.ssh) != {"github.com"},
                    meaning="Host keys, as `ssh-keyscan` prints them; github.com's is built in.",
                ),
            ]
        return (
            *found,
            *(_secret(n, f"A token that may read from {h}.") for n, h in self.hosts.items()),
        )

    @property
    def env(self) -> Mapping[str, str]:
        """The job's variables, none of them a secret."""
        return {
            **({"CARGO_NET_GIT_FETCH_WITH_CLI": "true"} if self.ssh or self.https else {}),
            **(
                {"CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS": "cargo:token"}
                if self.registries
                else {}
            ),
        }


def token_of_registry(name: str) -> str:
    """Return the variable in which Cargo looks for the token of a registry."""
    return f"CARGO_REGISTRIES_{name.upper().replace('-', '_')}_TOKEN"


def token_of_host(host: str) -> str:
    """Return the secret with the token for git on a host."""
    return "GIT_TOKEN_" + re.sub(r"[^A-Z0-9]", "_", host.upper())


def vendored(project: Project) -> bool:
    """Return whether the dependencies stand in the repository itself."""
    return project.cargo_config is not None and project.cargo_config.offline_sources


def registries(project: Project) -> tuple[str, ...]:
    """Return the registries in use that are not of this machine. Raises ProjectError for a name."""
    config = project.cargo_config
    indexes = config.registries if config else {}
    used = {
        dependency.registry
        for package in project.packages
        for dependency in package.dependencies
        if dependency.registry and "://" not in dependency.registry
    }
    locked = {_bare(source) for source in project.main.locked_sources}
    used |= {name for name, index in indexes.items() if _bare(index) in locked}
    for name in sorted(used):
        if not re.fullmatch(REGISTRY, name):
            raise ProjectError(
                f"`{name}` is no name of a registry",
                where=Location(project.root / config.path) if config else None,
                hint="letters, digits, `-` and `_`, as in `[registries.my-company]`",
            )
    local = {name for name, index in indexes.items() if _bare(index).startswith("file:")}
    return tuple(sorted(used - local - {"crates-io"}))


def git_hosts(project: Project, scheme: str) -> tuple[str, ...]:
    """Return the hosts of the git dependencies, and of git registries, with this scheme."""
    config = project.cargo_config
    named = (d.git for p in project.packages for d in p.dependencies if d.git)
    sources = [*project.main.locked_sources, *named]
    if scheme == "ssh" and config:
        sources += [
            config.registries[name] for name in registries(project) if name in config.registries
        ]
    git = (source for source in sources if not source.startswith(("registry+", "sparse+")))
    return tuple(sorted(set(_hosts(git, scheme))))


def _hosts(sources: Iterable[str], scheme: str) -> Iterable[str]:
    for source in sources:
        try:
            url = urlsplit(_bare(source))
            host = f"{url.hostname}:{url.port}" if url.port else url.hostname or ""
        except ValueError:
            continue
        if url.scheme == scheme and re.fullmatch(HOST, host):
            yield host


def _bare(source: str) -> str:
    return re.sub(r"^(?:registry|git)\+", "", source)


def _secret(name: str, meaning: str) -> Setting:
    return Setting(name=name, secret=True, required=True, meaning=meaning)
