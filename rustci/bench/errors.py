"""What a person is told when something cannot be done."""

from __future__ import annotations


class BenchError(Exception):
    """One failure: what happened, where, and what to do next."""

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.todo = todo

    def __str__(self) -> str:
        """`where: what` on the first line and the next step on the second."""
        first = f"{self.where}: {self.what}" if self.where else self.what
        return f"{first}\n{self.todo}" if self.todo else first
