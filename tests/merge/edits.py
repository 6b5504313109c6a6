"""Random edits of a generated workflow, each with the place that it claims."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.merge.outline import Block, parse, render

Place = tuple[str, ...]


@dataclass(frozen=True)
class Edit:
    """One edit. Two edits whose places do not overlap have nothing to do with one another."""

    what: str
    place: Place
    apply: Callable[[Block], None]
    last: bool = False
    """It changes names that others look for."""

    def __repr__(self) -> str:
        return f"{self.what} {'.'.join(self.place)}"


def edited(text: str, edits: Sequence[Edit]) -> str:
    """Return the text with the edits made."""
    root = parse(text)
    for edit in sorted(edits, key=lambda edit: edit.last):
        edit.apply(root)
    return render(root)


def overlap(one: Place, other: Place) -> bool:
    """Whether one place is the other, or inside it."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def apart(edits: Sequence[Edit]) -> list[Edit]:
    """Return those edits that overlap none before them."""
    kept: list[Edit] = []
    for edit in edits:
        if not any(overlap(edit.place, other.place) for other in kept):
            kept.append(edit)
    return kept


def job_ids(text: str) -> list[str]:
    return [job.key for job in parse(text)["jobs"].children]


def steps(root: Block, job: str) -> Block:
    return root["jobs"][job]["steps"]


def step(root: Block, job: str, name: str) -> Block:
    return next(one for one in steps(root, job).children if one.value == name)


def step_names(text: str, job: str) -> list[str]:
    return [one.value for one in steps(parse(text), job).children]


def needs(root: Block, change: Callable[[list[str]], list[str]]) -> None:
    key = root["jobs"]["ci"]["needs"]
    names = key.value.strip("[]").split(", ")
    key.set(f"[{', '.join(change(names))}]")


# Edits of a job


def set_timeout(job: str, minutes: int) -> Edit:
    place = ("jobs", job, "timeout-minutes")
    return Edit("set", place, lambda root: root["jobs"][job]["timeout-minutes"].set(str(minutes)))


def delete_timeout(job: str) -> Edit:
    def apply(root: Block) -> None:
        root["jobs"][job].children.remove(root["jobs"][job]["timeout-minutes"])

    return Edit("delete", ("jobs", job, "timeout-minutes"), apply)


def add_job_key(job: str, key: str, index: int) -> Edit:
    def apply(root: Block) -> None:
        children = root["jobs"][job].children
        root["jobs"][job].insert(index % len(children), f"# Why.\n{key}: true")

    return Edit("add", ("jobs", job, key), apply)


def add_job(job: str, index: int) -> Edit:
    text = f"\n# New {job}.\n{job}:\n  runs-on: ubuntu-24.04\n  steps:\n    - run: {job}"

    def apply(root: Block) -> None:
        root["jobs"].insert(1 + index % len(root["jobs"].children), text)
        needs(root, lambda names: [*names, job])

    return Edit("add", ("jobs", job), apply)


def delete_job(job: str) -> Edit:
    def apply(root: Block) -> None:
        jobs = root["jobs"]
        gone = jobs.children.index(jobs[job])
        if gone == 0:
            following = jobs.children[1].lead
            following[:] = [line for line in following if line.strip()]
        del jobs.children[gone]
        needs(root, lambda names: [name for name in names if name != job])

    return Edit("delete", ("jobs", job), apply)


def rename_job(job: str, name: str) -> Edit:
    def apply(root: Block) -> None:
        block = root["jobs"][job]
        block.head = block.head.replace(job, name)
        needs(root, lambda names: [name if one == job else one for one in names])

    return Edit("rename", ("jobs", job, "steps"), apply, last=True)


def move_job(job: str, index: int) -> Edit:
    def apply(root: Block) -> None:
        jobs = root["jobs"]
        others = [one for one in jobs.children if one.key != job]
        others.insert(1 + index % len(others), jobs[job])
        jobs.children[:] = others

    return Edit("move", ("jobs", job, "place"), apply)


# Edits of steps and below


def set_name_of_tool(job: str, name: str, value: str) -> Edit:
    def apply(root: Block) -> None:
        block = step(root, job, name)
        found = block.get("run") or block["uses"]
        if found.key == "run" and found.children:
            found.children[0].head += f" # {value}"
        elif found.key == "run":
            found.set(f"{found.value} {value}")
        else:
            block.insert(1, f"if: {value}")

    return Edit("set", ("jobs", job, "steps", name, "command"), apply)


def add_step_key(job: str, name: str, key: str) -> Edit:
    def apply(root: Block) -> None:
        step(root, job, name).insert(1, f"{key}: 5 # minutes")

    return Edit("add", ("jobs", job, "steps", name, key), apply)


def insert_step(job: str, after: str, name: str) -> Edit:
    def apply(root: Block) -> None:
        found = steps(root, job)
        index = next((i for i, one in enumerate(found.children) if one.value == after), -1)
        text = f"# About {name}.\n- name: {name}\n  run: |\n    echo {name}\n    # done"
        found.insert(index + 1, text)

    return Edit("insert", ("jobs", job, "steps", name), apply)


def delete_step(job: str, name: str) -> Edit:
    def apply(root: Block) -> None:
        steps(root, job).children.remove(step(root, job, name))

    return Edit("delete", ("jobs", job, "steps", name), apply)


def move_step(job: str, name: str, index: int) -> Edit:
    def apply(root: Block) -> None:
        found = steps(root, job)
        moved = [one for one in found.children if one.value == name]
        others = [one for one in found.children if one.value != name]
        index_there = index % (len(others) + 1)
        found.children[:] = others[:index_there] + moved + others[index_there:]

    return Edit("move", ("jobs", job, "order"), apply)


def set_comment(job: str, name: str, comment: str) -> Edit:
    def apply(root: Block) -> None:
        step(root, job, name).lead[:] = [f"      # {comment}"]

    return Edit("comment", ("jobs", job, "steps", name, "comment"), apply)


def set_env(key: str, value: str) -> Edit:
    return Edit("set", ("env", key), lambda root: root["env"][key].set(value))


def add_env(key: str, index: int) -> Edit:
    def apply(root: Block) -> None:
        root["env"].insert(index % 3, f'{key}: "1"')

    return Edit("add", ("env", key), apply)


def add_trigger(name: str) -> Edit:
    return Edit("add", ("on", name), lambda root: root["on"].insert(1, f"{name}:"))


def bump(action: str, version: str) -> Edit:
    commit = version.replace(".", "").ljust(40, "a")

    def apply(root: Block) -> None:
        for job in root["jobs"].children:
            for one in job["steps"].children:
                uses = one.get("uses")
                if uses and uses.value.startswith(f"{action}@"):
                    uses.set(f"{action}@{commit} # v{version}")

    return Edit("bump", ("pins", action), apply)


def _at(make: Callable[..., Edit]) -> Callable[..., Edit]:
    """Return the same with job and step as one argument."""
    return lambda at, *rest: make(*at, *rest)


def edits(text: str, side: str) -> st.SearchStrategy[Edit]:
    """Any edit of a workflow; names that a side adds begin with its name."""
    jobs = [job for job in job_ids(text) if job != "ci"]
    job = st.sampled_from(jobs)
    place = st.integers(0, 5)
    where = st.sampled_from([(one, name) for one in jobs for name in step_names(text, one)])
    new = st.integers(0, 2).map(lambda number: f"{side}{number}")
    return st.one_of(
        st.builds(set_timeout, job, st.integers(40, 99)),
        st.builds(delete_timeout, job),
        st.builds(add_job_key, job, new, place),
        st.builds(add_job, new, place),
        st.builds(delete_job, job),
        st.builds(move_job, job, place),
        st.builds(_at(set_name_of_tool), where, new),
        st.builds(_at(add_step_key), where, new),
        st.builds(_at(insert_step), where, new),
        st.builds(_at(delete_step), where),
        st.builds(_at(move_step), where, place),
        st.builds(_at(set_comment), where, new),
        st.builds(set_env, st.sampled_from(["CARGO_TERM_COLOR", "CARGO_NET_RETRY"]), new),
        st.builds(add_env, new, place),
        st.builds(add_trigger, new),
        st.builds(bump, st.just("actions/checkout"), st.sampled_from(["7.0.2", "7.1.0", "8.0.0"])),
    )
