"""Reading YAML of others: the core schema, and every limit with file and line."""

from __future__ import annotations

from typing import Any

import pytest

from rustci.errors import ProjectError
from rustci.yamlio import MAX_ALIASES, MAX_BYTES, MAX_DEPTH, load_workflow


def bomb() -> str:
    nines = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    return "\n".join(["a0: &a0 [x]", *nines])


@pytest.mark.parametrize(
    ("plain", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("1:30", "1:30"),
        ("1.70", 1.7),
        ("0o17", 15),
        ("0x1F", 31),
        ("017", 17),
        ("2_17", "2_17"),
        ("1e3", 1000.0),
        ("true", True),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ("2026-01-31", "2026-01-31"),
        ("-.inf", float("-inf")),
    ],
)
def test_core_schema(plain: str, value: Any) -> None:
    found = load_workflow(f"key: {plain}\n", "w.yml")["key"]
    assert (found, type(found)) == (value, type(value))


def test_keys_are_strings() -> None:
    assert load_workflow("on: push\n1: a\ntrue: b\n", "w.yml") == {
        "on": "push",
        "1": "a",
        "true": "b",
    }


def test_aliases_share_their_value() -> None:
    found = load_workflow("a: &x {k: [1]}\nb: *x\n", "w.yml")
    assert found["a"] is found["b"]


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("a: 1\na: 2\n", "w.yml:2:1", "the key 'a' is there twice"),
        ("a:\n  b: 1\n  b: 2\n", "w.yml:3:3", "the key 'b' is there twice"),
        ("a: !!python/object:os.system x\n", "w.yml:1:4", "tag"),
        ("a:\n  b: !own x\n", "w.yml:2:6", "tag"),
        ("a:\n\tb: 1\n", "w.yml:2:1", "cannot start any token"),
        ("a: [1\n", "w.yml:2:1", "expected"),
        ("a: 1\n---\nb: 1\n", "w.yml:2:1", "a second document begins"),
        ("? [a]\n: 1\n", "w.yml:1:3", "a key must be a plain word"),
        ("a: &x [*x]\n", "w.yml:1:8", "no finished anchor"),
        ("a: *x\n", "w.yml:1:4", "no finished anchor"),
        ("a: \x00\n", "w.yml", "not YAML"),
        ("", "w.yml:1", "no mapping"),
        ("- a\n", "w.yml:1", "no mapping"),
    ],
)
def test_refusals_name_the_place(text: str, where: str, message: str) -> None:
    with pytest.raises(ProjectError, match=message) as caught:
        load_workflow(text, "w.yml")
    assert str(caught.value.where) == where


def test_depth_up_to_the_limit() -> None:
    assert load_workflow(f"a: {'[' * (MAX_DEPTH - 1)}{']' * (MAX_DEPTH - 1)}", "w.yml")
    with pytest.raises(ProjectError, match="nested deeper than 64 levels"):
        load_workflow(f"a: {'[' * MAX_DEPTH}{']' * MAX_DEPTH}", "w.yml")


def test_aliases_up_to_the_limit() -> None:
    many = "a: &x 1\nb:\n" + "  - *x\n" * MAX_ALIASES
    assert len(load_workflow(many, "w.yml")["b"]) == MAX_ALIASES
    with pytest.raises(ProjectError, match="more than 100 aliases"):
        load_workflow(many + "  - *x\n", "w.yml")


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("[" * 5_000, "nested deeper"),
        ("- " * 5_000, "nested deeper"),
        ("{a: " * 5_000, "nested deeper"),
        ("x" * (MAX_BYTES + 1), "512,000 bytes"),
        (bomb(), "more than 100,000 values"),
    ],
)
def test_hostile_text_meets_a_limit(text: str, limit: str) -> None:
    with pytest.raises(ProjectError, match=limit):
        load_workflow(text, "w.yml")
