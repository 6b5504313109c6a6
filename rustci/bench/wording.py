"""How names and numbers are said, in whatever form they are shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Optional
from unicodedata import east_asian_width

LONGEST_NAME = 80
FEW = 5
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_UNITS = (("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9))


def clean(text: str, length: int = LONGEST_NAME) -> str:
    """Return a text in one line, without invisible characters, cut to a length."""
    seen = _UNSAFE.sub("\ufffd", text[: length + 1])
    return seen if len(seen) <= length else f"{seen[: length - 1]}…"


def escaped(text: str) -> str:
    """Return a text as the message of a workflow command of GitHub."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def columns(text: str) -> int:
    """Return the width of a text where letters have one width and ideographs two."""
    return len(text) + sum(east_asian_width(letter) in {"W", "F"} for letter in text)


def fit(text: str, width: int) -> str:
    """Return a text cut to so many columns."""
    if columns(text) <= width:
        return text
    while columns(text) > width - 1:
        text = text[:-1]
    return f"{text}…"


def change(ratio: Optional[float]) -> str:
    """Return a ratio as a change: `+6.1 %`."""
    return "–" if ratio is None else f"{signed(ratio)} %"


def signed(ratio: float) -> str:
    """Return a ratio as a change in percent, without the sign of percent."""
    percent = (ratio - 1) * 100
    text = f"{percent:+.1f}" if abs(percent) < 1000 else f"{percent:+.3g}"
    return text if text != "-0.0" else "+0.0"


def duration(ns: Optional[float]) -> str:
    """Return a time with three digits and its unit."""
    if ns is None:
        return "–"
    unit, size = next((each for each in reversed(_UNITS) if ns >= each[1]), _UNITS[0])
    value = ns / size
    return f"{value:.{max(0, 3 - len(str(int(value))))}f} {unit}"


def percent(fraction: float) -> str:
    """Return a fraction in percent: `2.5 %`."""
    return f"{fraction * 100:.3g} %"


def few(names: Sequence[str]) -> str:
    """Return the first names and the number of the others."""
    shown = ", ".join(names[:FEW])
    return f"{shown} and {len(names) - FEW} more" if len(names) > FEW else shown
