"""A stand-in for a compiled criterion benchmark: it obeys criterion's command line.

What it does is told by `peer.json` beside it, so that each side can behave in its own way.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rustci.bench.builds import Builds, Key, Side, Target
from rustci.bench.record import BASE, HEAD

PROGRAM = r"""#!PYTHON -ISB
import json, os, re, sys, time

here = os.path.dirname(__file__)
with open(here + "/peer.json") as file:
    told = json.load(file)
with open(here + "/calls.jsonl", "a") as calls:
    size = sum(len(name) + len(value) for name, value in os.environ.items())
    print(json.dumps([sys.argv[1:], size, os.getcwd()]), file=calls)
names = sorted(told["benches"])
if "--list" in sys.argv:
    print("".join(f"{name}: benchmark\n" for name in names))
    sys.exit()
home = os.environ["CRITERION_HOME"]
assert not os.listdir(home), "CRITERION_HOME was not empty"
last = sys.argv[-1]
part = last if "--" in sys.argv else ""  # as 0.3.0 takes it
wanted = re.compile(last if last.startswith("^") else re.escape(part))
for number, name in enumerate(names):
    if not wanted.search(name):
        continue
    does = told["benches"][name]
    if does == "panic":
        sys.exit("thread 'main' panicked at benches/x.rs: oh no")
    if does == "panic once":
        if not os.path.exists(here + "/panicked"):
            os.mkdir(here + "/panicked")
            sys.exit("thread 'main' panicked, this once")
        does = 100.0
    if does == "hang":
        time.sleep(600)
    if does == "chatter":
        for _ in range(2000):
            sys.stdout.write("x" * 9999 + "\n")
        does = 100.0
    if does == "fill":
        with open(home + "/huge", "wb") as file:
            file.truncate(told["bytes"])
        time.sleep(600)
    new = f"{home}/{number}/new"
    os.makedirs(new)
    fields = {"group_id": name, "directory_name": str(number), "title": name}
    with open(new + "/benchmark.json", "w") as file:
        json.dump(fields, file)
    times = [does * (1000 + n) for n in range(10)]
    with open(new + "/sample.json", "w") as file:
        json.dump({"iters": [1000.0] * 10, "times": times}, file)
"""
KEY: Key = ("pkg", "b")


def silent(_: str) -> None:
    """Say nothing of what goes on."""


def peer(folder: Path, benches: Mapping[str, object], **more: Any) -> Target:
    """Write an executable with these benchmarks: nanoseconds, or what it does instead."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "peer.json").write_text(json.dumps({"benches": benches, **more}), "utf-8")
    program = folder / "peer"
    program.write_text(PROGRAM.replace("PYTHON", sys.executable), "utf-8")
    program.chmod(0o755)
    variables = {"CARGO_MANIFEST_DIR": str(folder)}
    return Target(*KEY, executable=program, folder=folder, variables=variables)


def builds(
    folder: Path, base: Mapping[str, object] | None, head: Mapping[str, object], **more: Any
) -> Builds:
    """Return both sides of one bench target; base is missing where it is None."""
    head_side = Side("b" * 40, {KEY: peer(folder / HEAD, head)})
    base_side = Side("a" * 40, {}, missing="base cannot be built")
    if base is not None:
        base_side = Side("a" * 40, {KEY: peer(folder / BASE, base)})
    return replace(Builds(base_side, head_side), **more)


def calls(target: Target) -> list[tuple[list[str], int, str]]:
    """Return the arguments, the environment's size and the folder of every process."""
    lines = (target.folder / "calls.jsonl").read_text("utf-8").splitlines()
    return [tuple(json.loads(line)) for line in lines]
