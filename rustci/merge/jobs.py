"""What a job that was renamed or deleted means for the rest of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rustci.merge.source import Edit, Member, Source
from rustci.yamlio import Kind, Node


def jobs(source: Source) -> Mapping[str, Any]:
    """Return the jobs of a workflow by id."""
    found = source.document.root.value.get("jobs")
    return found if isinstance(found, dict) else {}


def needs(job: Any) -> set[str]:
    """Return the jobs that a job waits for."""
    found = job.get("needs") if isinstance(job, dict) else None
    listed = found if isinstance(found, list) else [found]
    return {one for one in listed if isinstance(one, str)}


def with_renamed(source: Source, names: Mapping[str, str]) -> Source:
    """Return the source with jobs under other ids, wherever `needs` names them as well."""
    found: list[Edit] = []
    for job in _members(source, "jobs") if names else ():
        nodes = [job.key] if job.key else []
        for key in source.members(job):
            if key.name == "needs":
                nodes += _names(key.value)
        found += [_rewritten(source, node, names[node.value]) for node in nodes if _in(node, names)]
    return _edited(source, found)


def without(source: Source, gone: frozenset[str]) -> Source:
    """Return the source with no `needs` on the jobs that are gone."""
    found: list[Edit] = []
    for job in _members(source, "jobs") if gone else ():
        for key in source.members(job):
            if key.name == "needs" and gone & needs({"needs": key.value.value}):
                found += _without_names(source, key, gone)
    return _edited(source, found)


def _members(source: Source, name: str) -> Iterator[Member]:
    for member in source.members(source.root):
        if member.name == name and member.value.kind is Kind.MAPPING:
            yield from source.members(member)


def _names(node: Node) -> list[Node]:
    return [child.value for child in node.children] or [node]


def _in(node: Node, names: Mapping[str, str]) -> bool:
    return isinstance(node.value, str) and node.kind is Kind.SCALAR and node.value in names


def _rewritten(source: Source, node: Node, name: str) -> Edit:
    quote = source.text[node.start] if source.text[node.start] in "\"'" else ""
    return Edit(node.start, node.end, f"{quote}{name}{quote}")


def without_empty(source: Source) -> Source:
    """Return the source with no `needs` that names nothing: GitHub refuses an empty list."""
    found = [
        Edit(key.lead, key.end, "")
        for job in _members(source, "jobs")
        for key in source.members(job)
        if key.name == "needs" and key.value.value == [] and not source.is_inline(key.start)
    ]
    return _edited(source, found)


def _without_names(source: Source, key: Member, gone: frozenset[str]) -> list[Edit]:
    """Return the edits that take names out of a `needs`."""
    if source.is_shared(key.value) or source.holds_shared(key.start, key.end):
        return []
    items = source.members(key)
    kept = [item for item in items if item.value.value not in gone]
    if not kept:
        return [Edit(key.separator, source.body_end(key), " []")]
    if not items[0].flow:
        return [Edit(item.lead, item.end, "") for item in items if item not in kept]
    return flow_removals(items, kept)


def flow_removals(items: tuple[Member, ...], kept: list[Member]) -> list[Edit]:
    """Return the edits that take items, and the commas beside them, out of a flow collection."""
    found: list[Edit] = []
    for index, item in enumerate(items):
        if item in kept:
            continue
        if any(other in kept for other in items[index + 1 :]):
            found.append(Edit(item.start, items[index + 1].start, ""))
        else:
            found.append(Edit(items[index - 1].end, item.end, ""))
    return found


def _edited(source: Source, edits: list[Edit]) -> Source:
    if not edits:
        return source
    return Source(source.edited(0, len(source.text), edits), source.path)
