"""The recipes of task runners: justfile, Makefile and cargo-make's Makefile.toml.

Each reader returns the shell text behind every name, what it depends on included as commands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from rustci.discover.toml import parse_toml
from rustci.discover.tree import Tree, join
from rustci.errors import ProjectError

_JUST_HEAD = re.compile(r"@?([A-Za-z_][\w-]*)((?:\s+[^:\n]*)?)\s*:(?!=)[ \t]*(.*)")
_JUST_ALIAS = re.compile(r"alias\s+([\w-]+)\s*:=\s*([\w-]+)")
_JUST_VARIABLE = re.compile(r"(?:export\s+)?([\w-]+)\s*:=\s*[\"']([^\"'\n]*)[\"']\s*$")
_MAKE_HEAD = re.compile(r"([\w./ -]+?)\s*::?(?!=)[ \t]*([^#=]*)")
_MAKE_VARIABLE = re.compile(r"(?:export\s+)?([\w-]+)\s*[:?]?:?=\s*(.*)")

Recipes = Mapping[str, str]


def just(tree: Tree, folder: str) -> Recipes | None:
    """Return the recipes of a folder's justfile; None without one. `""` is the first recipe."""
    text = _first(tree, folder, "justfile", "Justfile", ".justfile")
    return None if text is None else _just(text)


def make(tree: Tree, folder: str) -> Recipes | None:
    """Return the rules of a folder's Makefile; None without one. `""` is the first rule."""
    text = _first(tree, folder, "GNUmakefile", "makefile", "Makefile")
    return None if text is None else _make(text)


def cargo_make(tree: Tree, folder: str) -> Recipes | None:
    """Return the tasks of a folder's Makefile.toml; None without one."""
    text = _first(tree, folder, "Makefile.toml")
    if text is None:
        return None
    try:
        table = parse_toml(text, tree.path(join(folder, "Makefile.toml"))).table("tasks")
    except ProjectError:
        return {}
    values = table.values if table else {}
    return {name: _cargo_make_task(task) for name, task in values.items() if isinstance(task, dict)}


def _just(text: str) -> Recipes:
    found: dict[str, str] = {}
    variables: dict[str, str] = {}
    aliases: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line[:1] in (" ", "\t"):
            if name:
                found[name] += line.strip().lstrip("@-") + "\n"
        elif alias := _JUST_ALIAS.match(line):
            aliases[alias[1]] = alias[2]
        elif variable := _JUST_VARIABLE.match(line):
            variables[variable[1]] = variable[2]
        elif head := _JUST_HEAD.fullmatch(line.split(" #")[0].rstrip()):
            name = head[1]
            needs = re.findall(r"[A-Za-z_][\w-]*", re.sub(r"\(([\w-]+)[^)]*\)", r"\1", head[3]))
            found.setdefault("", f"just {name}")
            found[name] = "".join(f"just {need}\n" for need in needs)
    found |= {short: found[long] for short, long in aliases.items() if long in found}
    return {
        name: _substitute(body, r"\{\{\s*([\w-]+)\s*\}\}", variables)
        for name, body in found.items()
    }


def _make(text: str) -> Recipes:
    found: dict[str, str] = {}
    variables: dict[str, str] = {"MAKE": "make"}
    names: list[str] = []
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if line.startswith("\t"):
            for name in names:
                found[name] += line.strip().lstrip("@-+") + "\n"
        elif variable := _MAKE_VARIABLE.fullmatch(line):
            variables[variable[1]] = variable[2].split("#")[0].strip()
        elif (head := _MAKE_HEAD.fullmatch(line)) and not line.startswith("."):
            names = head[1].split()
            for name in names:
                found.setdefault("", f"make {name}")
                found[name] = found.get(name, "") + "".join(f"make {n}\n" for n in head[2].split())
    return {
        name: _substitute(body, r"\$[({]([\w-]+)[)}]", variables) for name, body in found.items()
    }


def _cargo_make_task(task: Mapping[str, Any]) -> str:
    lines = [f"cargo make {need}" for need in _strings(task.get("dependencies"))]
    run = task.get("run_task")
    run = run.get("name") if isinstance(run, dict) else run
    lines += [f"cargo make {name}" for name in _strings(run)]
    if isinstance(task.get("command"), str):
        lines.append(" ".join([task["command"], *_strings(task.get("args"))]))
    return "\n".join([*lines, *_strings(task.get("script"))])


def _strings(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    names = [item.get("name") if isinstance(item, dict) else item for item in items]
    return [name for name in names if isinstance(name, str)]


def _substitute(body: str, pattern: str, variables: Mapping[str, str]) -> str:
    return re.sub(pattern, lambda match: variables.get(match[1], match[0]), body)


def _first(tree: Tree, folder: str, *names: str) -> str | None:
    paths = (join(folder, name) for name in names)
    found = next((path for path in paths if tree.is_file(path)), None)
    if found is None:
        return None
    try:
        return tree.read_text(found)
    except ProjectError:
        return None


READERS: Mapping[str, Callable[[Tree, str], Recipes | None]] = {
    "just": just,
    "make": make,
    "cargo make": cargo_make,
}
