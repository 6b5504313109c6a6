"""The grammar as a JSON Schema and as the rows of the reference page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rustci.options import SECTIONS, Option

CHECKS = {
    "type": "object",
    "description": "What `rustci check` leaves out.",
    "additionalProperties": False,
    "properties": {
        "ignore": {
            "type": "object",
            "description": "Rules that are not asked, each with the reason.",
            "additionalProperties": {"type": "string", "minLength": 1},
        }
    },
}
"""The JSON Schema of `[checks]`, which is no answer and has no flag."""


def json_schema(grammar: Mapping[str, Option]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `.github/rustci.toml`."""
    sections = {name: cls.__doc__ for name, cls in SECTIONS.items()}
    sections["jobs"] = "Jobs switched on or off, whatever was read off the project."
    properties: dict[str, Any] = {
        section: {
            "type": "object",
            "description": help_,
            "additionalProperties": False,
            "properties": {
                option.key: option.kind.schema() | {"description": option.help}
                for option in grammar.values()
                if option.section == section
            },
        }
        for section, help_ in sections.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rustci.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": properties | {"checks": CHECKS},
    }


def config_page(grammar: Mapping[str, Option]) -> str:
    """Return docs/reference/config.md."""
    return "\n".join(_config_lines(grammar)) + "\n"


def _config_lines(grammar: Mapping[str, Option]) -> Iterator[str]:
    yield "# Options"
    yield ""
    yield "Generated from the grammar (`nox -s docs`). Each option is one key of"
    yield "`.github/rustci.toml`, one `--set section.key=value`, one flag of `rustci init` and one"
    yield "`RUSTCI_*` variable. The later outranks the earlier: default, read off the project,"
    yield "file, variable, flag, answer."
    for section, cls in SECTIONS.items():
        yield from ("", f"## `[{section}]`", "", (cls.__doc__ or "").strip())
        for option in grammar.values():
            if option.section == section:
                yield from _option_lines(option)
    yield from ("", "## `[jobs]`", "", "A switch outranks the job's own rule (see jobs.md).", "")
    yield "| Key | Flag | Variable |"
    yield "|---|---|---|"
    for option in grammar.values():
        if option.section == "jobs":
            yield f"| `{option.key}` | `{flags(option)}` | `{option.variable}` |"


def flags(option: Option) -> str:
    """Return the flag as `--help` writes it."""
    if option.kind.schema().get("type") == "boolean":
        return f"--{option.flag} / --no-{option.flag}"
    return f"--{option.flag}"


def _option_lines(option: Option) -> Iterator[str]:
    default = option.default
    if isinstance(default, tuple):
        text = "[" + ", ".join(f'"{word}"' for word in default) + "]"
    else:
        text = str(default).lower() if isinstance(default, bool) else f'"{default}"'
        text = str(default) if isinstance(default, int) and not isinstance(default, bool) else text
    yield from ("", f"### `{option.name}`", "", option.help, "")
    yield f"- Values: {option.kind.describe()}"
    yield f"- Default: `{text}`"
    yield f"- Flag: `{flags(option)}`, variable: `{option.variable}`"
