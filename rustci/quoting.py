"""Project values are data: how they become YAML, and which of them are refused.

No YAML quoting stops GitHub from expanding `${{ … }}`, and JSON quoting is not YAML quoting (it
writes surrogate pairs). So there is one function, `yaml_scalar`, and text that could not be shown
honestly is refused before it gets there.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Self

from rustci.errors import ProjectError

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./+-]*(?: [A-Za-z0-9_./+()-]+)*")
"""What stands in YAML without quotes and cannot be taken for anything but a string."""

RESERVED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
"""Words that a YAML 1.1 or 1.2 reader takes for a boolean or null."""

HIDDEN = frozenset("\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u2060\ufeff") | {
    chr(point) for point in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
"""Zero-width and bidirectional characters: they make text read other than it runs."""


class Verbatim(str):
    """Text of rustci's own (flags, expressions, comments) that templates print as it stands.

    Never make one from a value of the project: those are plain `str` and get quoted.
    """

    __slots__ = ()

    @classmethod
    def words(cls, *words: str) -> Self:
        """Return the non-empty words, each after a blank: nothing at all where there is none."""
        return cls("".join(f" {word}" for word in words if word))


def refuse_unsafe(text: str, what: str) -> str:
    """Return `text` if it may appear in a workflow.

    Raises ProjectError where it holds an expression, a line break, or a control or hidden
    character. `what` names the value in the message.
    """
    if "${{" in text:
        problem = "`${{`, which GitHub would expand"
    elif any(unicodedata.category(char) in {"Cc", "Cs"} for char in text):
        problem = "a line break or control character"
    elif HIDDEN.intersection(text):
        problem = "an invisible or direction-changing character"
    else:
        return text
    raise ProjectError(
        f"{what} holds {problem}: {text!r}",
        hint="rename it; rustci does not write such text into a workflow",
    )


@lru_cache(maxsize=4096)  # the same pins and labels come in every job
def yaml_scalar(text: str) -> str:
    r"""Return `text` as one YAML scalar that every reader takes for that very string.

    Plain where that is beyond doubt, else in double quotes with `\x \u \U` escapes
    (YAML 1.2.2, section 5.7). Raises ProjectError as `refuse_unsafe` does.
    """
    refuse_unsafe(text, "a value")
    if PLAIN.fullmatch(text) and text.lower() not in RESERVED:
        return text
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isascii() or (char.isprintable() and ord(char) <= 0xFFFF):
        return char
    point = ord(char)
    return f"\\U{point:08X}" if point > 0xFFFF else f"\\u{point:04X}"
