"""What every part of the Harbor stand-in shares: its state, who asks, pages, answers and refusals."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx

from tests.real.registry.memory import Handler

URL = "http://127.0.0.1:8080"
NEVER = "0001-01-01T00:00:00.000Z"
ADMIN, ADMIN_PASSWORD = "admin", "open-sesame/1"
Json = dict[str, Any]


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str, headers: Json | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


def missing(message: str) -> Refused:
    return Refused(404, "NOT_FOUND", message)


@dataclass
class Call:
    """A request, and who sent it: None is anonymous (or somebody whose password is wrong)."""

    request: httpx.Request
    user: str | None
    query: Json
    body: Any = None


@dataclass
class State:
    upstream: Handler
    scanner: bool = False
    read_only: bool = False
    sick: dict[str, str] = field(default_factory=dict)
    now: datetime = datetime(2026, 11, 23, 2, 10, tzinfo=UTC)
    users: dict[str, str] = field(default_factory=lambda: {ADMIN: ADMIN_PASSWORD})
    projects: list[Json] = field(default_factory=list)
    robots: list[Json] = field(default_factory=list)
    repositories: dict[str, Json] = field(default_factory=dict)
    artifacts: list[Json] = field(default_factory=list)
    rules: dict[int, list[Json]] = field(default_factory=dict)
    retentions: dict[int, Json] = field(default_factory=dict)
    executions: list[Json] = field(default_factory=list)
    replications: list[Json] = field(default_factory=list)
    hard: dict[int, int] = field(default_factory=dict)
    quota_changed: dict[int, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, int] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)

    def next(self, kind: str) -> int:
        return next(self.ids.setdefault(kind, count(1)))

    def stamp(self) -> str:
        """A moment later than the last one."""
        self.now += timedelta(milliseconds=7)
        return self.now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self.now.microsecond // 1000:03d}Z"

    def _who(self, request: httpx.Request) -> str | None:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme != "Basic":
            return None
        user, _, password = base64.b64decode(value).decode().partition(":")
        robot = self._robot(user)
        if robot and robot["secret"] == password and not robot["disable"]:
            expires = robot["expires_at"]
            return user if expires < 0 or expires > self.now.timestamp() else None
        return user if self.users.get(user) == password else None

    def _robot(self, name: str | None) -> Json | None:
        return next((one for one in self.robots if one["name"] == name), None)

    def find(self, name: str) -> Json:
        for one in self.projects:
            if name in (one["name"], str(one["project_id"])):
                return one
        raise missing(f"project {name} not found")

    def _paged(self, call: Call, all_: list[Json]) -> httpx.Response:
        size, page = int(call.query.get("page_size", 10)), int(call.query.get("page", 1))
        if size > 100:
            text = "validation failure list:\npage_size in query should be less than or equal to 100"
            raise Refused(422, "UNPROCESSABLE_ENTITY", text)
        headers = {"x-total-count": str(len(all_))}
        links = [("prev", page - 1)] if page > 1 else []
        links += [("next", page + 1)] if page * size < len(all_) else []
        if links:
            rest = {key: value for key, value in call.query.items() if key not in ("page", "page_size")}
            path = call.request.url.path
            headers["link"] = " , ".join(
                f'<{path}?{httpx.QueryParams({"page": to, "page_size": size, **rest})}>; rel="{rel}"'
                for rel, to in links
            )
        return found(all_[(page - 1) * size : page * size], headers=headers)


def matches(pattern: str, text: str) -> bool:
    parts = re.split(r"(\*+)", pattern)
    return re.fullmatch("".join(".*" if part.startswith("*") else re.escape(part) for part in parts), text) is not None


def kib(size: int) -> str:
    return f"{size / 1024:.1f} KiB"


def found(document: Any, status: int = 200, headers: Json | None = None, **more: str) -> httpx.Response:
    head = {"content-type": "application/json", **(headers or {}), **more}
    return httpx.Response(status, headers=head, content=json.dumps(document).encode())


def done(status: int = 200) -> httpx.Response:
    return httpx.Response(status)


def created(location: str) -> httpx.Response:
    return httpx.Response(201, headers={"location": location})


def problem(refused: Refused) -> httpx.Response:
    document = {"errors": [{"code": refused.code, "message": refused.message}]}
    headers = {"content-type": "application/json; charset=utf-8", **refused.headers}
    return httpx.Response(refused.status, headers=headers, content=json.dumps(document).encode())
