"""A repository under rustci's care, and the commands that keep it, run in this process."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rustci import cli, proposal
from rustci.checks import RULES
from rustci.checks.base import Context, Finding, read_workflows
from rustci.lock import PATH

CI = ".github/workflows/ci.yml"
TODAY = date(2026, 11, 22)


@dataclass(frozen=True)
class Done:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Repository:
    """A folder, and what is done to it."""

    root: Path

    def run(self, command: str, *arguments: str) -> Done:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = cli.main([command, str(self.root), *arguments])
        return Done(int(code), out.getvalue(), err.getvalue())

    def read(self, path: str = CI) -> str:
        return (self.root / path).read_bytes().decode()

    def write(self, text: str, path: str = CI) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(text.encode())

    def edit(self, pattern: str, new: str, path: str = CI, *, count: int = 1) -> None:
        """Change what a user would change by hand; the pattern has to be there."""
        text, changes = re.subn(pattern, new, self.read(path), count=count, flags=re.MULTILINE)
        assert changes, f"{pattern} is not in {path}"
        self.write(text, path)

    def wrote_last(self, old: str, new: str) -> None:
        """Pretend that another version of the template wrote the files: `new` stood there."""
        text = self.read(PATH)
        assert old in text
        self.write(text.replace(old, new), PATH)

    def tree(self) -> dict[str, bytes]:
        paths = (path for path in self.root.rglob("*") if path.is_file())
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in paths}

    def findings(self, rule: str, today: date = TODAY) -> list[Finding]:
        """Return what one rule finds in the files as they are."""
        _, lock = proposal.written_lock(self.root)
        workflows, unreadable = read_workflows(self.root, lock)
        context = Context(
            root=self.root, lock=lock, today=today, workflows=workflows, unreadable=unreadable
        )
        return [f for one in RULES if rule == one.ID for f in one.check(context)]

    def line(self, words: str, path: str = CI) -> int:
        """Return the first line that holds the words."""
        lines = enumerate(self.read(path).splitlines(), 1)
        return next(number for number, line in lines if words in line)


MakeRepository = Callable[..., Repository]
