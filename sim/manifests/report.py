"""What an import gives: policies, and a remark for everything that a reader of the manifest should know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sim.files import Document
from sim.files.errors import visible
from sim.policy.rollout import Policy

__all__ = ["Imported", "ImportedPolicy", "Reference", "Remark", "Status"]

Status = Literal["exact", "approximated", "ignored", "not yet", "rejected"]


@dataclass(frozen=True, slots=True)
class Remark:
    """How a place of a manifest was read. Line and column count from 1; `path` is dotted, '' for the document itself.

    exact: as the real system does it; approximated: nearly, and the text says how; ignored: without meaning for a
    rollout, or unknown, and kept as written; not yet: it has a meaning that Seatrial does not read; rejected: the real
    system refuses it (such places are raised as errors).
    """

    file: str
    line: int
    column: int
    path: str
    status: Status
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        return visible(
            f"{place} {self.path}: {self.status}: {self.text}" if self.path else f"{place}: {self.status}: {self.text}"
        )


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that a manifest uses, and whether the set of files has it."""

    kind: str
    name: str
    found: bool


@dataclass(frozen=True, slots=True)
class ImportedPolicy:
    """One policy of a set of manifests; `policy` is None when a remark "not yet" says why.

    `document` is the object as written, for export; it may share parts with other values and is for reading only.
    """

    name: str
    kind: str
    policy: Policy | None
    replicas: int
    profile: str
    source: str
    document: Any
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """Policies in the order of the files, the report in reading order, the documents as written, and the objects in them
    (those of a List, the whole of a fragment)."""

    policies: tuple[ImportedPolicy, ...]
    report: tuple[Remark, ...]
    documents: tuple[Document, ...] = ()
    objects: tuple[Document, ...] = ()

    @property
    def fields(self) -> tuple[Remark, ...]:
        """How each field of each object was read: the report speaks of what is notable only."""
        from sim.manifests.accounting import account_of

        return tuple(account_of(self.objects, self.report))

    def policy(self, name: str) -> ImportedPolicy:
        """The policy with this name; KeyError names those there are."""
        for policy in self.policies:
            if policy.name == name:
                return policy
        raise KeyError(f"no policy {name!r}; there are {', '.join(policy.name for policy in self.policies) or 'none'}")

    def of(self, *statuses: Status) -> tuple[Remark, ...]:
        """The remarks with one of these statuses."""
        return tuple(remark for remark in self.report if remark.status in statuses)
