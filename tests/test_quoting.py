"""Any text becomes a YAML scalar that every reader takes for that very text, or is refused."""

from __future__ import annotations

import unicodedata

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from rustci.errors import ProjectError
from rustci.quoting import HIDDEN, Verbatim, refuse_unsafe, yaml_scalar
from tests.house import parse

TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters=HIDDEN)).filter(
    lambda text: "${{" not in text
)
AWKWARD = (
    *("", " ", "~", "null", "Null", "yes", "NO", "on", "y", "true", "FALSE", "1.90", "1e3", "0x10"),
    *("1:30", "2026-11-22", "-", "- a", "? a", "a: b", "a #b", "#", "&a", "*a", "!a", "%a", "@a"),
    *(
        "`a",
        "'",
        '"',
        "\\",
        "[a",
        "{a",
        "a,b",
        "=",
        "<<",
        ".",
        "...",
        "---",
        "é",
        "日本",
        "\U0001f980",
    ),
    *(" a", "a ", "a  b", "\u00ad", "\u0378", "\ufffe", "a\u0300"),
)


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_text_survives(text: str) -> None:
    _check(text)


@given(TEXT)
@example("\u00a0")
def test_any_text_survives(text: str) -> None:
    _check(text)


def _check(text: str) -> None:
    scalar = yaml_scalar(text)
    assert "\n" not in scalar
    for document in (f"key: {scalar}\n", f"key: [{scalar}, x]\n", f"- {scalar}\n"):
        plain = yaml.safe_load(document)
        assert text in _values(plain)
        assert YAML(typ="safe", pure=True).load(document) == plain
        assert parse(document) == plain


def _values(document: object) -> list[object]:
    if isinstance(document, dict):
        return _values(document["key"])
    return list(document) if isinstance(document, list) else [document]


@given(st.text())
def test_what_is_unsafe_is_refused(text: str) -> None:
    unsafe = (
        "${{" in text
        or HIDDEN.intersection(text)
        or any(unicodedata.category(char) in {"Cc", "Cs"} for char in text)
    )
    if not unsafe:
        assert refuse_unsafe(text, "a name") == text
        return
    with pytest.raises(ProjectError) as refusal:
        refuse_unsafe(text, "a name")
    assert refusal.value.hint
    with pytest.raises(ProjectError):
        yaml_scalar(text)


@pytest.mark.parametrize(
    "char",
    [
        *map(chr, range(0x202A, 0x202F)),
        *map(chr, range(0x2066, 0x206A)),
        *map(chr, range(0x200B, 0x2010)),
        *"\ufeff\u2028\u2029\u2060\u0085\x1b\r\n\t\0\x7f\ud800",
    ],
    ids=lambda char: f"U+{ord(char):04X}",
)
def test_hidden_characters_are_refused(char: str) -> None:
    with pytest.raises(ProjectError, match="benchmark"):
        refuse_unsafe(f"a{char}b", "the benchmark")


def test_arguments_go_after_a_blank_each() -> None:
    assert Verbatim.words("--a", "", "--b") == " --a --b"
    assert Verbatim.words("") == ""
