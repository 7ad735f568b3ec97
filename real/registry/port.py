"""The port: what a rollout asks of a registry, whatever registry it is. `connect` chooses the adapter by asking.

Preflight answers with findings, all at once. A rollout starts only where none of them refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from real.registry.image import Image
from real.registry.reference import Pinned


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of the preflight: `ok`, something to `note`, or a reason to `refuse`, with its remedy."""

    check: str
    says: Literal["ok", "note", "refuse"]
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.says:6} {self.check}: {self.text}" + (f"; {self.remedy}" if self.remedy else "")


@dataclass(frozen=True, slots=True)
class Planned:
    """What the rollout will do: how long it may last, what it pushes (bytes, under which tag), on which platform it runs."""

    lasts_s: float = 1800.0  # the budget of one run (faults.md section 4)
    bytes: int = 0
    tag: str | None = None
    platform: str = "linux/amd64"


class Registry(Protocol):
    """A registry. Every method raises a RegistryError, and none shows a secret."""

    def resolve(self, repository: str, tag: str) -> Pinned:
        """The digest that the tag names now: the one moment at which a tag counts."""
        ...

    def push(self, repository: str, image: Image, tag: str) -> Pinned:
        """Store the image, read its manifest back, and name it by digest."""
        ...

    def preflight(self, rollback: Pinned, planned: Planned) -> tuple[Finding, ...]:
        """Whether the image to go back to can be pulled now and until the end, and the new one pushed."""
        ...

    def still(self, rollback: Pinned) -> Finding:
        """The one check that is repeated while the rollout is under way: a refusal is an alarm."""
        ...

    def await_(self, image: Pinned, limit_s: float) -> None:
        """Wait until a mirror has the image. Raises ArtifactMissing after `limit_s`."""
        ...


def refused(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those that forbid the rollout."""
    return tuple(one for one in findings if one.says == "refuse")
