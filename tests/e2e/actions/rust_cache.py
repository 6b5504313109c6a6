"""Swatinem/rust-cache: the compiled dependencies of earlier runs."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from tests.e2e.actions.base import Call, Refused

MACHINE = {"CARGO_HOME", "RUSTUP_HOME", "RUSTUP_DIST_SERVER"}
"""What differs from one session of this machine to the next."""


def main(call: Call) -> None:
    """Restore the cache of the same key, else of the same key but another Cargo.lock."""
    prefix, key = _keys(call)
    caches = call.state / "cache"
    older = sorted(caches.glob(f"{prefix}-*"), key=lambda path: path.stat().st_mtime)
    found = next((path for path in [caches / key, *reversed(older)] if path.is_dir()), None)
    if found and call.flag("cache-targets"):
        for number, (_, target) in enumerate(_workspaces(call)):
            if (found / str(number)).is_dir():
                shutil.copytree(found / str(number), target, symlinks=True)
    exact = found is not None and found.name == key
    call.export("GITHUB_OUTPUT", f"cache-hit={json.dumps(exact)}")
    call.record(key=key, restored=found.name if found else None)


def post(call: Call) -> None:
    """Save the folder under its key, the workspace's own crates left out."""
    if call.inputs["save-if"] not in {"true", "false"}:
        raise Refused(f"save-if is true or false, not {call.inputs['save-if']!r}")
    _, key = _keys(call)
    kept = call.state / "cache" / key
    saves = call.flag("save-if") and not call.flag("lookup-only") and not kept.exists()
    if saves and call.flag("cache-targets"):
        for number, (workspace, target) in enumerate(_workspaces(call)):
            if target.is_dir():
                _clean(workspace, target)
                shutil.copytree(target, kept / str(number), symlinks=True)
    call.record(key=key, saved=saves)


def _workspaces(call: Call) -> list[tuple[Path, Path]]:
    """Return the cargo workspaces and their target folders: lines of `folder -> target`."""
    lines = call.inputs["workspaces"].splitlines() or ["."]
    pairs = [line.partition("->") for line in lines]
    folders = [(call.workspace / a.strip(), b.strip() or "target") for a, _, b in pairs]
    for folder, _ in folders:
        if not (folder / "Cargo.toml").is_file():
            raise Refused(f"no Cargo.toml in {folder.name}: check out first")
    return [(folder, folder / target) for folder, target in folders]


def _keys(call: Call) -> tuple[str, str]:
    """Return the key without and with what changes with Cargo.lock."""
    inputs, job = call.inputs, call.environment["GITHUB_JOB"]
    words = [inputs["prefix-key"], inputs["shared-key"] or f"{inputs['key']}-{job}"]
    compiler = subprocess.run(["rustc", "-vV"], capture_output=True, check=False)
    if compiler.returncode:
        raise Refused(f"rustc -vV: {compiler.stderr.decode()}")
    names = ("CARGO", "CC", "CFLAGS", "CXX", "CMAKE", "RUST")
    settings = {
        name: value
        for name, value in sorted(call.environment.items())
        if name.startswith(names) and name not in MACHINE
    }
    prefix = "-".join([*words, _digest(compiler.stdout, json.dumps(settings).encode())])
    manifests = sorted(
        path
        for folder, _ in _workspaces(call)
        for name in ("Cargo.toml", "Cargo.lock")
        for path in folder.rglob(name)
        if "target" not in path.relative_to(folder).parts
    )
    return prefix, f"{prefix}-{_digest(*(path.read_bytes() for path in manifests))}"


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:8]


def _clean(workspace: Path, target: Path) -> None:
    """Remove what belongs to the workspace's own packages."""
    command = ["cargo", "metadata", "--format-version=1", "--no-deps", "--offline"]
    done = subprocess.run(command, cwd=workspace, capture_output=True, check=True)
    names = {
        variant
        for package in json.loads(done.stdout)["packages"]
        for name in [package["name"], *(entry["name"] for entry in package["targets"])]
        for variant in (name, name.replace("-", "_"))
    }
    own = {stem for name in names for stem in (name, f"lib{name}")}
    for profile in {path.parent for path in target.rglob(".fingerprint")}:
        shutil.rmtree(profile / "incremental", ignore_errors=True)
        for path in (profile / kind for kind in ("deps", "build", ".fingerprint")):
            for entry in path.glob("*"):
                if entry.name.split(".")[0].rpartition("-")[0] in own:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
