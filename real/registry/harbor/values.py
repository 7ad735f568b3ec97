"""What Harbor tells, as values: only the fields that something here reads. Each `of` raises BadResponse for another shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

from real.registry.errors import BadResponse
from real.registry.secrets import Secret

T = TypeVar("T")


def _reader(read: Callable[[Any, Any], T]) -> Callable[[Any, Any], T]:
    """Another shape than the OpenAPI document's is a bad response, not a traceback."""

    @wraps(read)
    def reading(kind: Any, document: Any) -> T:
        try:
            return read(kind, document)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadResponse(f"{kind.__name__}: an unexpected answer ({error!r})") from None

    return reading


@dataclass(frozen=True, slots=True)
class SystemInfo:
    """`read_only` and `version` are None where the account may not see them (anonymous)."""

    auth_mode: str
    external_url: str | None
    version: str | None
    read_only: bool | None

    @classmethod
    @_reader
    def of(cls, one: Any) -> SystemInfo:
        return cls(one["auth_mode"], one.get("external_url"), one.get("harbor_version"), one.get("read_only"))


@dataclass(frozen=True, slots=True)
class Health:
    """`sick`: name and error of every component that is not healthy."""

    status: str
    sick: tuple[str, ...]

    @classmethod
    @_reader
    def of(cls, one: Any) -> Health:
        sick = [part for part in one["components"] if part["status"] != "healthy"]
        return cls(one["status"], tuple(f"{part['name']} {part.get('error', '')}".strip() for part in sick))


@dataclass(frozen=True, slots=True)
class Project:
    """`gate`: pulls are refused from `severity` on; `allowed`: the CVEs that do not count; `proxy`: a cache of another registry.

    `retention`: the id of its retention policy.
    """

    id: int
    name: str
    public: bool
    gate: bool
    severity: str
    allowed: tuple[str, ...]
    retention: int | None
    proxy: bool

    @classmethod
    @_reader
    def of(cls, one: Any) -> Project:
        about = one.get("metadata") or {}
        allowed = ((one.get("cve_allowlist") or {}).get("items")) or ()
        retention = about.get("retention_id") or ""
        return cls(
            one["project_id"], one["name"], about.get("public") == "true", about.get("prevent_vul") == "true",
            about.get("severity") or "", tuple(item["cve_id"] for item in allowed), int(retention) if retention else None,
            bool(one.get("registry_id")),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Repository:
    name: str
    artifacts: int

    @classmethod
    @_reader
    def of(cls, one: Any) -> Repository:
        return cls(one["name"], one.get("artifact_count", 0))


@dataclass(frozen=True, slots=True)
class Scan:
    """A report's head. `status` Success, Running, Pending, Error, ...; `severity` as Harbor names it; None before a report."""

    status: str
    severity: str | None
    total: int

    @classmethod
    @_reader
    def of(cls, one: Any) -> Scan:
        return cls(one["scan_status"], one.get("severity"), (one.get("summary") or {}).get("total", 0))


@dataclass(frozen=True, slots=True)
class Tag:
    name: str
    immutable: bool

    @classmethod
    @_reader
    def of(cls, one: Any) -> Tag:
        return cls(one["name"], bool(one.get("immutable")))


@dataclass(frozen=True, slots=True)
class Artifact:
    """Times in seconds since 1970; `pulled_at` is None for one that was never pulled. `scannable`: Harbor offers a scan."""

    digest: str
    type: str
    size: int
    index: bool
    pushed_at: float
    pulled_at: float | None
    tags: tuple[Tag, ...]
    labels: tuple[str, ...]
    scan: Scan | None

    @classmethod
    @_reader
    def of(cls, one: Any) -> Artifact:
        reports = tuple((one.get("scan_overview") or {}).values())
        pulled = _seconds(one.get("pull_time"))
        return cls(
            one["digest"], one.get("type", ""), one.get("size", 0), bool(one.get("references")), _seconds(one.get("push_time")),
            pulled if pulled > 0 else None, tuple(Tag.of(tag) for tag in one.get("tags") or ()),
            tuple(label["name"] for label in one.get("labels") or ()), Scan.of(reports[0]) if reports else None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quota:
    """Bytes of a project's storage; a `hard` of -1 is no limit."""

    id: int
    hard: int
    used: int

    @classmethod
    @_reader
    def of(cls, one: Any) -> Quota:
        return cls(one["id"], one["hard"]["storage"], one["used"]["storage"])


@dataclass(frozen=True, slots=True)
class Robot:
    """`expires_at`: seconds since 1970, -1 for never. `secret` is known only to the one who created it."""

    id: int
    name: str
    disabled: bool
    expires_at: int
    secret: Secret | None

    @classmethod
    @_reader
    def of(cls, one: Any) -> Robot:
        secret = one.get("secret")
        return cls(
            one["id"],
            one["name"],
            bool(one.get("disable")),
            one.get("expires_at", -1),
            Secret(secret) if secret else None,
        )


@dataclass(frozen=True, slots=True)
class Selector:
    """Part of a retention or immutability rule: `matches` and `excludes` for tags, `repoMatches` and `repoExcludes`."""

    kind: str
    decoration: str
    pattern: str
    extras: str

    @classmethod
    @_reader
    def of(cls, one: Any) -> Selector:
        return cls(one.get("kind", "doublestar"), one["decoration"], one.get("pattern", ""), one.get("extras", ""))


@dataclass(frozen=True, slots=True)
class Rule:
    """`template` names the rule's kind, `params` its numbers by the same name."""

    id: int
    template: str
    params: tuple[tuple[str, int], ...]
    tags: tuple[Selector, ...]
    repositories: tuple[Selector, ...]
    disabled: bool

    @classmethod
    @_reader
    def of(cls, one: Any) -> Rule:
        repositories = (one.get("scope_selectors") or {}).get("repository") or ()
        params = sorted((str(key), int(value)) for key, value in (one.get("params") or {}).items())
        return cls(
            one.get("id", 0), one["template"], tuple(params), tuple(Selector.of(each) for each in one["tag_selectors"]),
            tuple(Selector.of(each) for each in repositories), bool(one.get("disabled")),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """An execution of garbage collection, retention or replication."""

    id: int
    status: str

    @classmethod
    @_reader
    def of(cls, one: Any) -> Job:
        return cls(one["id"], one.get("job_status") or one["status"])

    @property
    def ended(self) -> bool:
        """Success, Succeed, Error, Failed, Stopped: everything that is neither queued nor under way."""
        return self.status.lower() not in ("pending", "running", "inprogress", "scheduled", "created", "initialized")


def _seconds(text: str | None) -> float:
    """RFC 3339; Harbor's year 1 stands for never, and is 0 here."""
    if not text or text.startswith("0001-"):
        return 0.0
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
