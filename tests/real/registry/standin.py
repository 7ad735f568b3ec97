"""A stand-in for Harbor v2.16 in front of a registry (in memory, or a real one).

It answers as Harbor's OpenAPI document says and as a real one was recorded to (the shared `harbor/` files; `test_standin.py` plays
the recording against it). Beyond the recording: scans with a scanner, and the gate (goharbor/harbor server/middleware/vulnerable).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import httpx

from tests.real.registry.standin_images import Images
from tests.real.registry.standin_state import Call, Refused, missing, problem


@dataclass
class HarborStandIn(Images):
    def __post_init__(self) -> None:
        self._project("library", {"public": "true"}, -1)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        path = request.url.raw_path.partition(b"?")[0].decode("ascii")
        response = self._answer(request, path)
        response.headers["set-cookie"] = "sid=0123456789abcdef; Path=/; HttpOnly"
        if request.method == "HEAD":
            return httpx.Response(response.status_code, headers=response.headers)
        return response

    def _answer(self, request: httpx.Request, path: str) -> httpx.Response:
        try:
            if path == "/service/token":
                return self._token(request)
            if path.startswith("/v2/"):
                return self._registry(request, path)
            return self._api(request, path.removeprefix("/api/v2.0"), path)
        except Refused as refused:
            return problem(refused)

    def _api(self, request: httpx.Request, path: str, whole: str) -> httpx.Response:
        if "sid=" in request.headers.get("cookie", "") and request.method not in ("GET", "HEAD"):
            raise Refused(403, "FORBIDDEN", "CSRF token not found in request")
        call = Call(request, self._who(request), dict(request.url.params))
        for verb, pattern, answer, open_ in _API:
            found = re.fullmatch(pattern, path)
            if not found or verb != ("GET" if request.method == "HEAD" and verb == "GET" else request.method):
                continue
            if call.user is None and not open_:
                raise Refused(401, "UNAUTHORIZED", "unauthorized")
            writing = request.method not in ("GET", "HEAD")
            if self.read_only and writing and path != "/configurations":
                raise Refused(403, "DENIED", "The system is in read only mode. Any modification is prohibited.")
            call.body = self._body(request, path)
            self._may(call, request.method, path)
            return answer(self, call, *(unquote(unquote(part)) for part in found.groups()))
        raise missing(f"path {whole} was not found")

    @staticmethod
    def _body(request: httpx.Request, path: str) -> Any:
        if not request.content:
            return None
        try:
            return json.loads(request.content)
        except ValueError:
            text = "invalid character 'n' looking for beginning of object key string"
            what = path.rpartition("/")[2].removesuffix("s")
            message = f'validation failure list:\nparsing {what} body from "" failed, because {text}'
            raise Refused(422, "UNPROCESSABLE_ENTITY", message) from None

    def _may(self, call: Call, method: str, path: str) -> None:
        """A robot acts in its own project, and only what it was given."""
        robot = self._robot(call.user)
        if robot is None:
            return
        if path.startswith("/users"):
            raise Refused(403, "FORBIDDEN", robot["name"])
        if method in ("GET", "HEAD") and (path in ("/projects", "/health", "/systeminfo", "/ping")):
            return
        own, may = robot["permissions"][0]["namespace"], robot["permissions"][0]["access"]
        if path == "/robots" and method == "GET" and {"resource": "robot", "action": "list"} in may:
            return
        if not re.match(rf"/projects/{own}(/|$)", path) or method not in ("GET", "HEAD"):
            raise Refused(403, "FORBIDDEN", "forbidden")
        if re.search("immutabletagrules|retentions|quotas", path):
            raise Refused(403, "FORBIDDEN", "forbidden")


_P, _R, _A = r"/projects/([^/]+)", r"/repositories/([^/]+)", r"/artifacts/([^/]+)"
# (verb, path, answer, whether anonymous users may ask)
_API: tuple[tuple[str, str, Callable[..., httpx.Response], bool], ...] = (
    ("GET", "/ping", HarborStandIn.ping, True),
    ("GET", "/systeminfo", HarborStandIn.info, True),
    ("GET", "/health", HarborStandIn.health, True),
    ("GET", "/users/current", HarborStandIn.current, False),
    ("GET", "/users", HarborStandIn.current, False),
    ("GET", "/configurations", HarborStandIn.configuration, False),
    ("PUT", "/configurations", HarborStandIn.configure, False),
    ("GET", "/projects", HarborStandIn.list_projects, True),
    ("POST", "/projects", HarborStandIn.make_project, False),
    ("GET", _P, HarborStandIn.get_project, True),
    ("PUT", _P, HarborStandIn.change_project, False),
    ("DELETE", _P, HarborStandIn.drop_project, False),
    ("GET", _P + "/summary", HarborStandIn.summary, False),
    ("GET", "/quotas", HarborStandIn.quotas, False),
    ("GET", r"/quotas/(\d+)", HarborStandIn.quota, False),
    ("PUT", r"/quotas/(\d+)", HarborStandIn.set_quota, False),
    ("GET", "/robots", HarborStandIn.list_robots, False),
    ("POST", "/robots", HarborStandIn.hire, False),
    ("DELETE", r"/robots/(\d+)", HarborStandIn.dismiss, False),
    ("GET", _P + "/repositories", HarborStandIn.list_repositories, False),
    ("GET", _P + _R, HarborStandIn.repository, False),
    ("DELETE", _P + _R, HarborStandIn.drop_repository, False),
    ("GET", _P + _R + "/artifacts", HarborStandIn.list_artifacts, False),
    ("GET", _P + _R + _A, HarborStandIn.artifact, False),
    ("DELETE", _P + _R + _A, HarborStandIn.drop_artifact, False),
    ("GET", _P + _R + _A + "/tags", HarborStandIn.list_tags, False),
    ("POST", _P + _R + _A + "/tags", HarborStandIn.add_tag, False),
    ("DELETE", _P + _R + _A + r"/tags/([^/]+)", HarborStandIn.drop_tag, False),
    ("POST", _P + _R + _A + "/scan", HarborStandIn.scan, False),
    ("GET", _P + "/immutabletagrules", HarborStandIn.list_rules, False),
    ("POST", _P + "/immutabletagrules", HarborStandIn.add_rule, False),
    ("POST", "/retentions", HarborStandIn.add_retention, False),
    ("GET", r"/retentions/(\d+)", HarborStandIn.retention, False),
    ("GET", r"/retentions/(\d+)/executions", HarborStandIn.rehearsals, False),
    ("POST", r"/retentions/(\d+)/executions", HarborStandIn.rehearse, False),
    ("GET", "/scanners", HarborStandIn.scanners, False),
    ("POST", "/scanners", HarborStandIn.add_scanner, False),
    ("GET", "/replication/policies", HarborStandIn.list_replications, False),
    ("POST", "/replication/executions", HarborStandIn.replicate, False),
    ("GET", r"/replication/executions/(\d+)", HarborStandIn.replication, False),
    ("GET", "/system/gc/schedule", HarborStandIn.schedule, False),
    ("POST", "/system/gc/schedule", HarborStandIn.collect, False),
    ("GET", "/system/gc", HarborStandIn.collections, False),
    ("GET", r"/system/gc/(\d+)", HarborStandIn.collection, False),
)
