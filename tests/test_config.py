"""The layers of answers: which one wins, what each refuses, and the file that keeps them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest
import tomli
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from rustci import config as configuration
from rustci.config import (
    Layer,
    decided,
    default_layer,
    environment_layer,
    file_layer,
    flag_layer,
    grammar,
    resolve,
    updated_file,
)
from rustci.errors import ConfigError
from rustci.kinds import Value
from rustci.options import SECTIONS, Setting, Source
from rustci.paths import CONFIG
from rustci.reference import config_page, flags, json_schema
from tests.strategies import Answers, answers

PATH = CONFIG


def file(text: str) -> Layer:
    return file_layer(text, PATH)


def detected(name: str, value: Value) -> Layer:
    return {name: Setting(value=value, source=Source.DETECTED, reason="seen")}


def test_the_higher_source_wins_in_any_order() -> None:
    layers = [
        detected("tests.shards", 2),
        file("[tests]\nshards = 3\n"),
        environment_layer({"RUSTCI_TESTS_SHARDS": "4"}),
        flag_layer({"tests.shards": "5"}, []),
        {"tests.shards": configuration.answer("tests.shards", 6)},
    ]
    for count in range(len(layers) + 1):
        found = [resolve(given).tests.shards for given in (layers[:count], layers[:count][::-1])]
        assert found == [count + 1] * 2


def test_every_value_knows_its_source() -> None:
    config = resolve([file("[tests]\nshards = 3\n"), detected("workflows.branch", "trunk")])
    shards, branch = config.settings["tests.shards"], config.settings["workflows.branch"]
    assert (shards.source, str(shards.where)) == (Source.FILE, f"{PATH}:2")
    assert (branch.source, branch.reason) == (Source.DETECTED, "seen")
    assert config.settings["cache.cargo"].source is Source.DEFAULT


def test_the_file_holds_only_what_was_decided() -> None:
    config = resolve(
        [
            detected("workflows.branch", "trunk"),
            flag_layer({"coverage.minimum": "80"}, ["coverage.service=none"]),
        ]
    )
    text = updated_file(None, decided(config))
    assert tomli.loads(text) == {"coverage": {"minimum": 80, "service": "none"}}


def test_comments_and_order_survive() -> None:
    text = (
        "# ours\n\n[tests]  # about tests\nshards = 2   # for now\n\n"
        '[coverage]\n# the boss wants it\nservice = "codecov"\n'
    )
    config = resolve([file(text), flag_layer({"tests.shards": "4", "cache.cargo": "no"}, [])])
    updated = updated_file(text, decided(config))
    assert updated.startswith(text.replace("shards = 2   #", "shards = 4   #"))
    assert tomli.loads(updated)["cache"] == {"cargo": False}
    assert updated_file(updated, decided(resolve([file(updated)]))) == updated


FEWER = settings(max_examples=settings().max_examples // 4)
"""Each example holds an answer to most options."""


@FEWER
@given(answers())
def test_a_second_write_changes_nothing(given: Answers) -> None:
    text = updated_file(None, given)
    layer = file(text)
    assert {name: setting.value for name, setting in layer.items()} == given
    assert updated_file(text, given) == text


@FEWER
@given(answers())
def test_what_the_grammar_takes_its_schema_takes(given: Answers) -> None:
    document = tomli.loads(updated_file(None, given))
    errors = Draft202012Validator(json_schema(grammar())).iter_errors(document)
    assert [error.message for error in errors] == []


@FEWER
@given(answers())
def test_text_means_the_same_as_toml(given: Answers) -> None:
    for name, value in given.items():
        text = ",".join(value) if isinstance(value, tuple) else str(value).lower()
        if isinstance(value, str):
            text = value
        if value == ():
            continue
        assert flag_layer({}, [f"{name}={text}"])[name].value == value
        variable = grammar()[name].variable
        assert environment_layer({variable: text})[name].value == value


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("[tests]\n\nshard = 2\n", 3, "unknown key `tests.shard`", "`tests.shards`"),
        ("[test]\nshards = 2\n", 2, "unknown key `test.shards`", "`tests.shards`"),
        ("shards = 2\n", 1, "unknown key `shards`", "below `[tests]`"),
        ("nonsense = 2\n", 1, "unknown key `nonsense`", "section"),
        ("x = 1\n'(' = 2\n", 1, "unknown key `x`", "section"),
        ("'(' = 2\n", 1, "unknown key `(`", "section"),
        ("[tests]\nshards = '2'\n", 2, "whole number from 1 to 16", ""),
        ("[tests]\nshards = 99\n", 2, "not 99", ""),
        ("[tests]\nshards = true\n", 2, "whole number", ""),
        ("[tests]\ndoctests = 1\n", 2, "true or false", ""),
        ("[tests]\nrunner = 'pytest'\n", 2, "nextest", ""),
        ("[toolchains]\nmsrv = 1.70\n", 2, "quotes", ""),
        ("[toolchains]\nmsrv = 'old'\n", 2, "Rust version", ""),
        ("[toolchains]\nchannels = 'stable'\n", 2, "list of toolchains", ""),
        ("[toolchains]\nchannels = []\n", 2, "at least 1", ""),
        ("[toolchains]\nchannels = ['$(id)']\n", 2, "`$(id)` is no toolchain", ""),
        ("[toolchains]\nchannels = [1.7]\n", 2, "list of toolchains", ""),
        ("[platforms]\nrunners = ['ubuntu-latest']\n", 2, "use ubuntu-24.04", ""),
        ("[platforms]\nrunners = ['macos-13']\n", 2, "was removed", ""),
        ("[platforms]\nrunners = ['ubuntu-slim']\n", 2, "no Rust", ""),
        ("[workflows]\nbranch = '${{ x }}'\n", 2, "name of a branch", ""),
        ("[workflows]\ndirectory = '../x'\n", 2, "folder", ""),
        ("[jobs]\nmiry = true\n", 2, "unknown key `jobs.miry`", ""),
        ("[jobs]\ntest = 'yes'\n", 2, "true or false", ""),
        ("[tests]\nshards = 2\nshards = 3\n", 3, "not valid TOML", ""),
        ("[tests\n", 1, "not valid TOML", ""),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(
    text: str, line: int, message: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        resolve([file(text)])
    problem = refusal.value
    assert message in problem.message
    assert str(problem.where).startswith(f"{PATH}:{line}")
    assert hint in (problem.hint or "")
    assert problem.hint


@pytest.mark.parametrize(
    ("branch", "right"),
    [
        *((name, True) for name in ["main", "1.x", "release/2.0", "a-b_c", "v1.2.3", "x.locked"]),
        *((name, False) for name in ["a.", "a/", "a//b", "/a", "-a", ".a", "a/.b", "a.lock"]),
        *((name, False) for name in ["a*", "c++", "a?", "a[1]", "!a", "a~1", "a^", "a:b"]),
        ("a b", False),
        ("", False),
    ],
)
def test_branches_are_names_and_no_patterns(branch: str, right: bool) -> None:
    try:
        taken = resolve([flag_layer({}, [f"workflows.branch={branch}"])]).workflows.branch
    except ConfigError:
        taken = None
    assert taken == (branch if right else None)


def test_toml_1_1_is_read() -> None:
    layer = file("tests = {\n  shards = 2,\n  runner = 'nextest',\n}\n")
    assert {name: setting.value for name, setting in layer.items()} == {
        "tests.shards": 2,
        "tests.runner": "nextest",
    }


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("tests.shards", "no value"),
        ("tests.shard=2", "unknown option `tests.shard`"),
        ("tests.shards=many", "whole number"),
        ("tests.shards=", "whole number"),
        ("=2", "unknown option"),
        ("tests.doctests=perhaps", "true or false"),
        ("tests.services=a b", "`a b` is no service"),
    ],
)
def test_a_mistake_in_set_is_named(assignment: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refusal:
        flag_layer({}, [assignment])
    assert refusal.value.hint


def test_an_unknown_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="RUSTCI_TESTS_SHARD") as refusal:
        environment_layer({"RUSTCI_TESTS_SHARD": "2", "HOME": "/x"})
    assert "RUSTCI_TESTS_SHARDS" in (refusal.value.hint or "")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"tests.shards": "2", "tests.runner": "cargo"}, "tests.runner"),
        (
            {"coverage.service": "none", "coverage.tool": "tarpaulin", "coverage.branches": "yes"},
            "coverage.tool",
        ),
        ({"coverage.minimum": "80"}, "coverage.service"),
    ],
)
def test_answers_that_exclude_one_another(given: Mapping[str, str], named: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        resolve([flag_layer(given, [])])
    assert named in refusal.value.message
    assert "set `" in (refusal.value.hint or "")


def test_every_option_has_one_flag_one_variable_and_help() -> None:
    options = grammar().values()
    for way in ("flag", "variable", "name"):
        assert len({getattr(option, way) for option in options}) == len(options)
    for option in options:
        assert option.help.endswith(".")
        assert option.kind.describe()
        assert option.flag == option.flag.lower()


def test_the_defaults_are_what_their_kinds_take() -> None:
    for name, setting in default_layer().items():
        assert grammar()[name].kind.check(setting.value) == setting.value


def test_the_config_is_typed_as_declared() -> None:
    config = resolve([])
    for section, cls in SECTIONS.items():
        assert getattr(config, section) == cls()
        assert dataclasses.is_dataclass(cls)


def test_the_schema_is_one() -> None:
    schema: dict[str, Any] = json_schema(grammar())
    Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema
    refused = Draft202012Validator(schema).iter_errors({"tests": {"shards": 99, "shard": 1}})
    assert len(list(refused)) == 2


def test_the_reference_page_tells_every_option() -> None:
    page = config_page(grammar())
    for option in grammar().values():
        assert flags(option) in page
        assert option.variable in page
