"""What a port may answer instead of a result: few leaves, by what the driver does about them.

| error | what happened | what the driver does |
|---|---|---|
| `Conflict` | the version that was read is not the current one (409): nothing was changed | reads again, looks at the epoch, tries again |
| `Gone` | the object or its history is not there any more (404, 410) | reads again from the beginning |
| `Unclear` | no answer in time, or a broken one: perhaps changed, perhaps not | reads again, and believes only what it reads |
| `Unavailable` | certainly not changed: refused connection, 429, 5xx | waits (`retry_after`), a bounded number of times |
| `Refused` | the request is wrong (400, 413, 422): repeating it is no use | stops and restores |
| `Forbidden` | not allowed, or outside of what this run owns (401, 403) | stops and restores |
| `Fenced` | another driver took over: the object carries a later epoch | stops at once, and touches nothing any more |
| `Halted` | a person halted the run | restores, and nothing else |
"""

from __future__ import annotations

from sim.policy.errors import WorldError

__all__ = ["Conflict", "Fenced", "Forbidden", "Gone", "Halted", "PortError", "Refused", "Unavailable", "Unclear"]


class PortError(WorldError):
    """Root of what a port may raise; its text names the object and never holds a credential."""


class Conflict(PortError):
    """The version that was read is no longer the current one."""


class Gone(PortError):
    """The object, or the history that a watch needs, is not there any more."""


class Unclear(PortError):
    """Perhaps done, perhaps not."""


class Unavailable(PortError):
    """Certainly not done; worth another try after `retry_after` seconds (0: as the caller likes)."""

    def __init__(self, text: str, retry_after: float = 0.0) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Refused(PortError):
    """The request itself is wrong."""


class Forbidden(PortError):
    """Not allowed, or outside of what this run owns."""


class Fenced(PortError):
    """Another driver took over."""


class Halted(PortError):
    """A person halted the run."""
