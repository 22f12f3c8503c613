"""What is raised where the engine refuses."""

from collections.abc import Sequence
from typing import Any


class LatticeError(Exception):
    """What the engine refused, and why: the fields of the error document.

    ``code`` is stable (``INVALID_MANIFEST``, ``INVALID_ACTION``, …). ``message`` says what is wrong and ``help`` what to
    do about it. ``policy``, ``file``, ``line`` and ``column`` say where, each ``None`` where there is no such place; lines
    and columns count from 1, columns in Unicode characters. ``plan`` is the plan that was refused, if any. ``related``
    holds places that belong to the error, then the other errors of the run, as dicts of the same fields.
    """

    code: str
    message: str
    policy: str | None
    file: str | None
    line: int | None
    column: int | None
    help: str | None
    plan: dict[str, Any] | None
    related: list[dict[str, Any]]

    def __init__(
        self,
        code: str,
        message: str,
        policy: str | None = None,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        help: str | None = None,
        plan: dict[str, Any] | None = None,
        related: Sequence[dict[str, Any]] = (),
    ) -> None:
        # All of them are `args`, so that the error survives pickling, as between processes.
        super().__init__(code, message, policy, file, line, column, help, plan, related)
        self.code = code
        self.message = message
        self.policy = policy
        self.file = file
        self.line = line
        self.column = column
        self.help = help
        self.plan = plan
        self.related = list(related)

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        text = f"{place}: {self.message} [{self.code}]" if place else f"{self.message} [{self.code}]"
        return f"{text}\n  help: {self.help}" if self.help else text
