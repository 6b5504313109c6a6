"""Kinds of values: what an option accepts, from text and from TOML, and how that is told.

Lists are tuples. `False` switches a thing off.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from rustci.project import RustVersion
from rustci.runners import validate_label

Value: TypeAlias = bool | int | str | tuple[str, ...]
"""What an option may hold."""


class Kind(Protocol):
    """What values an option takes. Both methods raise ValueError with the reason."""

    def parse(self, text: str) -> Value:
        """Return the value that `text` (a flag, `--set` or a variable) stands for."""

    def check(self, value: object) -> Value:
        """Return the value that TOML or JSON gave, in its frozen form."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the value."""

    def describe(self) -> str:
        """Return the values in words, for people."""


@dataclass(frozen=True, slots=True)
class Switch:
    """True or false."""

    def parse(self, text: str) -> Value:
        """Accept `true` and `false` (and `yes`, `no`, `on`, `off`, `1`, `0`)."""
        return _boolean(text)

    def check(self, value: object) -> Value:
        """Accept a boolean."""
        if not isinstance(value, bool):
            raise ValueError("must be true or false")
        return value

    def schema(self) -> dict[str, Any]:
        """A boolean."""
        return {"type": "boolean"}

    def describe(self) -> str:
        """In words."""
        return "`true` or `false`"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words; with `off` also false."""

    words: tuple[str, ...]
    off: bool = False

    def parse(self, text: str) -> Value:
        """Accept one of the words."""
        if self.off and text.lower() in FALSE:
            return False
        return self.check(text)

    def check(self, value: object) -> Value:
        """Accept one of the words."""
        if value is False and self.off:
            return False
        if not isinstance(value, str) or value not in self.words:
            raise ValueError(f"must be {self.describe()}")
        return value

    def schema(self) -> dict[str, Any]:
        """An enumeration."""
        return {"enum": [*self.words, *([False] if self.off else [])]}

    def describe(self) -> str:
        """In words."""
        words = [f'`"{word}"`' for word in self.words] + (["`false`"] if self.off else [])
        return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


@dataclass(frozen=True, slots=True)
class Release:
    """A Rust version such as `1.85`; false for none; true for what each package declares."""

    def parse(self, text: str) -> Value:
        """Accept `1.85`, `1.85.0`, true or false."""
        if text.lower() in TRUE | FALSE:
            return _boolean(text)
        return self.check(text)

    def check(self, value: object) -> Value:
        """Accept a version in quotes, true or false."""
        if isinstance(value, bool):
            return value
        if isinstance(value, float):
            raise ValueError(f'must be in quotes: `"{value}"` (TOML reads 1.100 as 1.1)')
        try:
            return str(RustVersion.parse(str(value)))
        except ValueError:
            raise ValueError(f"must be {self.describe()}") from None

    def schema(self) -> dict[str, Any]:
        """A version or a boolean."""
        return {
            "anyOf": [{"type": "string", "pattern": r"^\d+\.\d+(\.\d+)?$"}, {"type": "boolean"}]
        }

    def describe(self) -> str:
        """In words."""
        return 'a Rust version such as `"1.85"`, `true` (each package\'s own) or `false`'


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds; with `off` also false."""

    low: int
    high: int
    off: bool = False

    def parse(self, text: str) -> Value:
        """Accept the digits of a number within the bounds."""
        if self.off and text.lower() in FALSE - {"0"}:
            return False
        return self.check(int(text) if text.isascii() and text.isdigit() else text)

    def check(self, value: object) -> Value:
        """Accept a number within the bounds."""
        if value is False and self.off:
            return False
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"must be {self.describe()}")
        if not self.low <= value <= self.high:
            raise ValueError(f"must be {self.describe()}, not {value}")
        return value

    def schema(self) -> dict[str, Any]:
        """An integer with its bounds."""
        number = {"type": "integer", "minimum": self.low, "maximum": self.high}
        return {"anyOf": [number, {"const": False}]} if self.off else number

    def describe(self) -> str:
        """In words."""
        return f"a whole number from {self.low} to {self.high}" + (" or `false`" * self.off)


@dataclass(frozen=True, slots=True)
class Percent:
    """A percentage such as `5%` or `2.5%`, kept in that form; with `off` also false."""

    off: bool = False

    def parse(self, text: str) -> Value:
        """Accept `2.5%` and `2.5`."""
        if self.off and text.lower() in FALSE - {"0"}:
            return False
        return self.check(text if text.endswith("%") else f"{text}%")

    def check(self, value: object) -> Value:
        """Accept a number, or a text with the sign, above 0 and up to 100."""
        if value is False and self.off:
            return False
        text = f"{value}%" if type(value) in (int, float) else value
        if not isinstance(text, str) or not re.fullmatch(r"\d{1,3}(\.\d{1,2})?%", text):
            raise ValueError(f"must be {self.describe()}")
        if not 0 < percent(text) <= 100:
            raise ValueError(f"must be {self.describe()}, not {text}")
        return text

    def schema(self) -> dict[str, Any]:
        """A number, or a text with the sign."""
        number = {"type": "number", "exclusiveMinimum": 0, "maximum": 100}
        text = {"type": "string", "pattern": r"^\d{1,3}(\.\d{1,2})?%$"}
        return {"anyOf": [number, text, *([{"const": False}] if self.off else [])]}

    def describe(self) -> str:
        """In words."""
        return 'a percentage such as `"2.5%"`' + (" or `false`" * self.off)


def percent(text: str) -> float:
    """Return the number of `2.5%`."""
    return float(text.removesuffix("%"))


@dataclass(frozen=True, slots=True)
class Words:
    """A list of words that match `pattern`; on the command line with commas between them."""

    pattern: str
    noun: str
    least: int = 0

    def parse(self, text: str) -> Value:
        """Accept words with commas between them."""
        return self.check([word.strip() for word in text.split(",") if word.strip()])

    def check(self, value: object) -> Value:
        """Accept a list of words, each at most once."""
        if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
            raise ValueError(f"must be a list of {self.noun}")
        for word in value:
            if not re.fullmatch(self.pattern, word):
                raise ValueError(f"`{word}` is no {self.noun.rstrip('s')}")
        if len(value) < self.least:
            raise ValueError(f"must name at least {self.least} of the {self.noun}")
        return tuple(dict.fromkeys(value))

    def schema(self) -> dict[str, Any]:
        """An array of unique strings."""
        words = {"type": "string", "pattern": f"^({self.pattern})$"}
        return {"type": "array", "items": words, "uniqueItems": True, "minItems": self.least}

    def describe(self) -> str:
        """In words."""
        return f"a list of {self.noun}"


@dataclass(frozen=True, slots=True)
class Labels(Words):
    """A list of runner labels: those that move or are gone are refused with the one to take."""

    def check(self, value: object) -> Value:
        """Accept current labels and the labels of self-hosted runners."""
        labels = Words.check(self, value)
        for label in labels if isinstance(labels, tuple) else ():
            if problem := validate_label(label):
                raise ValueError(problem)
        return labels


@dataclass(frozen=True, slots=True)
class Features:
    """A strategy for features, or the list of those to test with."""

    strategies: tuple[str, ...]
    names: Words

    def parse(self, text: str) -> Value:
        """Accept a strategy, or features with commas between them."""
        return text if text in self.strategies else self.names.parse(text)

    def check(self, value: object) -> Value:
        """Accept a strategy or a list."""
        if isinstance(value, str):
            if value not in self.strategies:
                raise ValueError(f"must be {self.describe()}")
            return value
        return self.names.check(value)

    def schema(self) -> dict[str, Any]:
        """An enumeration or an array."""
        return {"anyOf": [{"enum": list(self.strategies)}, self.names.schema()]}

    def describe(self) -> str:
        """In words."""
        return f"{Choice(self.strategies).describe()}, or {self.names.describe()}"


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text that matches `pattern` and holds no `..` part; with `off` also false."""

    pattern: str
    noun: str
    off: bool = False

    def parse(self, text: str) -> Value:
        """Accept the text."""
        if self.off and text.lower() in FALSE:
            return False
        return self.check(text)

    def check(self, value: object) -> Value:
        """Accept the text."""
        if value is False and self.off:
            return False
        if (
            not isinstance(value, str)
            or not re.fullmatch(self.pattern, value)
            or ".." in value.split("/")
            # As a flag it would mean `false`.
            or (self.off and value.lower() in FALSE)
        ):
            raise ValueError(f"must be {self.describe()}")
        return value

    def schema(self) -> dict[str, Any]:
        """A string."""
        text = {"type": "string", "pattern": f"^({self.pattern})$"}
        return {"anyOf": [text, {"const": False}]} if self.off else text

    def describe(self) -> str:
        """In words."""
        return self.noun + (" or `false`" * self.off)


TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0"})


def _boolean(text: str) -> bool:
    if text.lower() not in TRUE | FALSE:
        raise ValueError("must be true or false")
    return text.lower() in TRUE
