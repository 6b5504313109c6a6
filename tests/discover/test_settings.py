"""`.cargo/config.toml` and the toolchain file."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from rustci.discover import read_project
from rustci.errors import ProjectError
from rustci.project import CargoConfig, ToolchainFile
from tests.discover.conftest import Write


def test_cargo_config(projects: Path) -> None:
    assert read_project(projects / "cargo-config").cargo_config == CargoConfig(
        path=PurePosixPath(".cargo/config.toml"),
        build_targets=("thumbv7em-none-eabihf",),
        rustflags=True,
        rustdocflags=True,
        aliases={"xtask": "run --package xtask --", "ci": "test '--all features'"},
        target_dir="out",
        registries={"private": "sparse+https://registry.example/index/"},
        offline_sources=True,
        unstable=True,
        env=("DEFMT_LOG",),
        runners=("thumbv7em-none-eabihf",),
        rustc_wrapper="sccache",
    )


def test_no_cargo_config(projects: Path) -> None:
    assert read_project(projects / "single").cargo_config is None


def test_nearer_config_wins_and_the_older_name_too(crate: Path, write: Write) -> None:
    write(".git/HEAD", "ref: refs/heads/main\n")
    write(".cargo/config.toml", '[alias]\na = "outer"\nb = "outer"\n[build]\ntarget = ["x", "y"]\n')
    write("inner/.cargo/config", '[alias]\na = "inner"\n')
    write("inner/.cargo/config.toml", '[alias]\na = "shadowed"\n')
    write("inner/Cargo.toml", '[package]\nname = "inner"\n[workspace]\n')
    write("inner/src/lib.rs", "")
    config = read_project(crate / "inner").cargo_config
    assert config is not None
    assert config.path == PurePosixPath("inner/.cargo/config")
    assert config.aliases == {"a": "inner", "b": "outer"}
    assert config.build_targets == ("x", "y")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "toolchain-legacy",
            ToolchainFile(path=PurePosixPath("rust-toolchain"), channel="1.74.1"),
        ),
        (
            "toolchain-nightly",
            ToolchainFile(
                path=PurePosixPath("rust-toolchain.toml"),
                channel="nightly-2026-01-31",
                components=("rust-src", "miri"),
                targets=("thumbv7em-none-eabihf",),
            ),
        ),
        (
            "toolchain-components",
            ToolchainFile(
                path=PurePosixPath("rust-toolchain.toml"), channel=None, components=("rust-src",)
            ),
        ),
    ],
)
def test_toolchain_file(name: str, expected: ToolchainFile, projects: Path) -> None:
    assert read_project(projects / name).toolchain == expected


@pytest.mark.parametrize("channel", ["stable", "beta", "nightly", "1.85", "1.85.0-aarch64-x"])
def test_channels(channel: str, crate: Path, write: Write) -> None:
    write("rust-toolchain", f"{channel}\n")
    found = read_project(crate).toolchain
    assert found is not None
    assert found.channel == channel


@pytest.mark.parametrize(
    "channel", ["", "$(id)", "1", "nightly-2026 x", "stable\\n", "../x", "/opt/rust", "${{ x }}"]
)
def test_garbage_channels(channel: str, crate: Path, write: Write) -> None:
    write("rust-toolchain.toml", f'[toolchain]\nchannel = "{channel}"\n')
    with pytest.raises(ProjectError, match="is no toolchain channel") as caught:
        read_project(crate)
    assert caught.value.where is not None
    assert str(caught.value.where).startswith(str(crate / "rust-toolchain.toml"))


def test_toolchain_by_path(crate: Path, write: Write) -> None:
    write("rust-toolchain.toml", '[toolchain]\npath = "/opt/rust"\n')
    with pytest.raises(ProjectError, match="a `path` on one machine") as caught:
        read_project(crate)
    assert str(caught.value.where) == f"{crate / 'rust-toolchain.toml'}:2"
