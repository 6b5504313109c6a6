"""taiki-e/setup-cross-toolchain-action: a linker and an emulator for a target, where they are."""

from __future__ import annotations

import shutil

from tests.e2e.actions.base import Call, Refused

SELF_CONTAINED = frozenset(
    {"x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl", "i686-unknown-linux-musl"}
)
"""Targets that this machine's own linker and processor serve."""


def main(call: Call) -> None:
    """Make the target cargo's default; refuse one that nothing here links or runs."""
    target = call.inputs["target"]
    call.export("GITHUB_ENV", f"CARGO_BUILD_TARGET={target}")
    if target not in SELF_CONTAINED:
        _foreign(call, target)
    call.record(target=target)


def _foreign(call: Call, target: str) -> None:
    """Set linker and emulator as Debian's cross compilers and QEMU have them."""
    arch = target.partition("-")[0]
    linker, emulator = f"{arch}-linux-gnu-gcc", f"qemu-{arch}"
    if absent := [name for name in (linker, emulator) if not shutil.which(name)]:
        raise Refused(f"{target} needs {' and '.join(absent)}")
    variable = f"CARGO_TARGET_{target.upper().replace('-', '_')}"
    call.export("GITHUB_ENV", f"{variable}_LINKER={linker}")
    call.export("GITHUB_ENV", f"{variable}_RUNNER={emulator} -L /usr/{arch}-linux-gnu")
