"""What a driver writes down: every entry and every act, on disk before the next thing is done."""

from __future__ import annotations

from typing import Any, Protocol

from sim.policy.rollout import Entry

__all__ = ["Act", "Log"]

Act = dict[str, Any]
"""`{"at": s, ...}`: `effect` with `put`, `undo`, `version` (an intention) or `outcome`; `opened`, `share`, `remark`, `ended`."""


class Log(Protocol):
    """The journal of a run, open for writing. Both return once the line would outlive the machine (fsync)."""

    def entry(self, entry: Entry) -> None: ...

    def act(self, act: Act) -> None: ...

    def redact(self, text: str) -> str:
        """The text without secrets: for all that a person or a policy is told of errors."""
        ...

    def halted(self) -> str:
        """Why a person halted this run; '' while it may go on. Asked before every effect, so it is cheap."""
        ...
