"""Planted faults, read from faults.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Edit:
    """A text put in the place of another one; without an `old` one it is added to the file."""

    path: str
    new: str
    old: str = ""

    def apply(self, root: Path) -> None:
        """Change the file, which has to hold the old text once."""
        file = root / self.path
        text = file.read_text("utf-8") if file.exists() else ""
        if self.old:
            assert text.count(self.old) == 1, f"{self.old!r} is not once in {self.path}"
            text = text.replace(self.old, self.new)
        else:
            text += self.new
        file.write_text(text, "utf-8")


@dataclass(frozen=True)
class Fault:
    """What is wrong, and which jobs besides `ci` notice."""

    about: str
    red: frozenset[str]
    edits: tuple[Edit, ...]
    toolchain: str


FAULTS = tuple(
    Fault(
        entry["about"],
        frozenset(entry["red"]),
        tuple(Edit(**edit) for edit in entry["edit"]),
        entry.get("toolchain", ""),
    )
    for entry in tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))["fault"]
)
