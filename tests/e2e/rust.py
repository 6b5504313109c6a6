"""A private rustup: the machine's toolchains, offered again by a server on this machine.

The jobs run `rustup toolchain install …`. What is installed already installs again at once, without
Rust's own servers; whatever is not is refused, as an unknown release would be. The toolchains are
described anew from the components on disk, so that nothing is ever fetched by surprise.
https://rust-lang.github.io/rustup/dev-guide/index.html
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LLVM = "llvm-tools-preview"
LLVM_BINARIES = ("llvm-cov", "llvm-profdata")
PROXIES = (
    "cargo",
    "rustc",
    "rustdoc",
    "rustfmt",
    "rustup",
    "cargo-fmt",
    "cargo-miri",
    "cargo-clippy",
    "clippy-driver",
)
RENAMED = {
    "clippy": "clippy-preview",
    "llvm-tools": LLVM,
    "miri": "miri-preview",
    "rustfmt": "rustfmt-preview",
}
MINIMAL = ("rustc", "cargo", "rust-std")


@dataclass(frozen=True)
class Component:
    """A part of a toolchain: `rust-std` for a target, or a tool for the host."""

    package: str
    target: str


@dataclass(frozen=True)
class Toolchain:
    """An installed toolchain, under the name of its channel or release."""

    name: str
    folder: Path
    version: str
    llvm: str
    components: frozenset[Component]

    def has(self, component: str, target: str) -> bool:
        """Whether a component can be installed, by the name that rustup's users give it."""
        package = RENAMED.get(component, component)
        if package == LLVM and llvm_binaries(self.llvm):
            return True
        return Component(package, target) in self.components


@dataclass(frozen=True)
class Rustup:
    """A folder of toolchains and the address that they install from."""

    home: Path
    server: str
    host: str
    toolchains: dict[str, Toolchain]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make rustup use this."""
        return {"RUSTUP_HOME": str(self.home), "RUSTUP_DIST_SERVER": self.server}


@contextmanager
def private_rustup(folder: Path, posing: Mapping[str, str] | None = None) -> Iterator[Rustup]:
    """Copy the machine's toolchains (by hard links where possible) and serve them.

    `posing` names toolchains that are another one in truth.
    """
    host = _output("rustc", "-vV").partition("host: ")[2].split()[0]
    home, served = folder / "rustup", folder / "served"
    shutil.rmtree(home, ignore_errors=True)
    (served / "dist").mkdir(parents=True, exist_ok=True)
    (home / "toolchains").mkdir(parents=True)
    (home / "settings.toml").write_text('version = "12"\nprofile = "minimal"\n', "utf-8")
    installed = _installed(host)
    installed |= {name: installed[other] for name, other in (posing or {}).items()}
    toolchains = {name: _copy(path, name, home, host) for name, path in installed.items()}
    for toolchain in toolchains.values():
        _publish(toolchain, served / "dist", host)
    handler = partial(_Quiet, directory=str(served))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Rustup(home, f"http://127.0.0.1:{server.server_port}", host, toolchains)
    finally:
        server.shutdown()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each on standard error."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def _installed(host: str) -> dict[str, Path]:
    """Return the machine's toolchains by name; `stable`, else the default one, by release too."""
    home = Path(os.environ.get("RUSTUP_HOME", Path.home() / ".rustup"))
    folders = sorted((home / "toolchains").glob(f"*-{host}"))
    found = {path.name.removesuffix(f"-{host}"): path for path in folders if not path.is_symlink()}
    stable = found.setdefault("stable", Path(_output("rustc", "--print", "sysroot").strip()))
    release = _output(str(stable / "bin" / "rustc"), "--version").split()[1]
    for name in (release, release.rpartition(".")[0]):
        found.setdefault(name, stable)
    return found


def _copy(source: Path, name: str, home: Path, host: str) -> Toolchain:
    """Link the files of a toolchain, and write anew those that rustup itself keeps."""
    folder = home / "toolchains" / f"{name}-{host}"
    shutil.copytree(
        source, folder, symlinks=True, copy_function=_link, ignore=shutil.ignore_patterns("share")
    )
    components = _components(folder, host)
    about = _output(str(folder / "bin" / "rustc"), "-vV")
    version, llvm = (
        re.search(rf"^{key}(?: version)?:? (\S.*)$", about, re.MULTILINE)
        for key in ("rustc", "LLVM")
    )
    assert version
    assert llvm
    rustlib = folder / "lib" / "rustlib"
    for path in [*rustlib.glob("multirust-*"), rustlib / "components"]:
        path.unlink(missing_ok=True)
    return Toolchain(name, folder, version[1], llvm[1].split(".")[0], components)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _components(folder: Path, host: str) -> frozenset[Component]:
    """Return what is installed, from the file that rustup's installer keeps."""
    lines = (folder / "lib" / "rustlib" / "components").read_text("utf-8").split()
    return frozenset(_component(line, host) for line in lines)


def _component(line: str, host: str) -> Component:
    if line.startswith("rust-std-"):
        return Component("rust-std", line.removeprefix("rust-std-"))
    return Component(line.removesuffix(f"-{host}"), host)


def _publish(toolchain: Toolchain, dist: Path, host: str) -> None:
    """Write the toolchain's manifest, for the server and as the one it was installed from."""
    archive = _llvm_archive(toolchain, dist, host)
    rustlib = toolchain.folder / "lib" / "rustlib"
    text = _manifest(toolchain, host, archive)
    (rustlib / "multirust-channel-manifest.toml").write_text(text, "utf-8")
    (rustlib / "multirust-config.toml").write_text(_configuration(toolchain), "utf-8")
    names = sorted(f"{part.package}-{part.target}\n" for part in toolchain.components)
    (rustlib / "components").write_text("".join(names), "utf-8")
    manifest = dist / f"channel-rust-{toolchain.name}.toml"
    manifest.write_text(text, "utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    manifest.with_name(f"{manifest.name}.sha256").write_text(
        f"{digest}  {manifest.name}\n", "utf-8"
    )


def _manifest(toolchain: Toolchain, host: str, archive: Path | None) -> str:
    parts = sorted(toolchain.components, key=lambda part: (part.package, part.target))
    lines = ['manifest-version = "2"', 'date = "2026-01-01"']
    lines += ["[profiles]", f"minimal = {list(MINIMAL)}"]
    digests = {LLVM: hashlib.sha256(archive.read_bytes()).hexdigest()} if archive else {}
    if archive:
        parts.append(Component(LLVM, host))
    packages = list(dict.fromkeys(part.package for part in parts))
    lines += [f'[renames.{old}]\nto = "{new}"' for old, new in RENAMED.items() if new in packages]
    for package in packages:
        lines += [f"[pkg.{package}]", f'version = "{toolchain.version}"']
        for part in parts:
            if part.package == package:
                lines += [
                    f"[pkg.{package}.target.{part.target}]",
                    "available = true",
                    f'url = "https://static.rust-lang.org/dist/{archive.name if archive else ""}"',
                    f'hash = "{digests.get(package, "0" * 64)}"',
                ]
    lines += ["[pkg.rust]", f'version = "{toolchain.version}"', f"[pkg.rust.target.{host}]"]
    lines += [
        "available = true",
        'url = "https://static.rust-lang.org/dist/rust"',
        f'hash = "{"0" * 64}"',
    ]
    for part in parts:
        kind = "components" if part.package in MINIMAL and part.target == host else "extensions"
        lines += [f"[[pkg.rust.target.{host}.{kind}]]"]
        lines += [f'pkg = "{part.package}"', f'target = "{part.target}"']
    return "\n".join(lines) + "\n"


def _configuration(toolchain: Toolchain) -> str:
    entries = (
        f'[[components]]\npkg = "{part.package}"\ntarget = "{part.target}"\nis_extension = false\n'
        for part in sorted(toolchain.components, key=lambda part: (part.package, part.target))
    )
    return 'config_version = "1"\n\n' + "\n".join(entries)


def llvm_binaries(version: str) -> list[Path]:
    """Return Debian's LLVM tools of a major version, or none."""
    paths = [Path(f"/usr/lib/llvm-{version}/bin") / name for name in LLVM_BINARIES]
    return paths if all(path.exists() for path in paths) else []


def _llvm_archive(toolchain: Toolchain, dist: Path, host: str) -> Path | None:
    """Pack Debian's LLVM tools as the component that the toolchain lacks."""
    binaries = llvm_binaries(toolchain.llvm)
    if Component(LLVM, host) in toolchain.components or not binaries:
        return None
    root = f"llvm-tools-{toolchain.name}-{host}"
    component = f"{LLVM}-{host}"
    staged = dist.parent / "staged" / root
    shutil.rmtree(staged, ignore_errors=True)
    (staged / component).mkdir(parents=True)
    (staged / "rust-installer-version").write_text("3\n", "utf-8")
    (staged / "components").write_text(f"{component}\n", "utf-8")
    files = [f"lib/rustlib/{host}/bin/{path.name}" for path in binaries]
    listing = "".join(f"file:{name}\n" for name in files)
    (staged / component / "manifest.in").write_text(listing, "utf-8")
    for path, name in zip(binaries, files, strict=True):
        target = staged / component / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f'#!/bin/sh\nexec {path} "$@"\n', "utf-8")
        target.chmod(0o755)
    archive = dist / f"{root}.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(staged, root)
    return archive


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
