"""Beside HAProxy in the router's pod: stands in for the controller that would obey a route object, on a cluster that has none.

Watches the objects of one kind in its namespace and sets what the one named in ROUTE (`HTTPRoute/shop`) says, through HAProxy's runtime
API (`agent.py`). What it cannot carry out it says, and leaves everything as it was. GET /state: the weights that HAProxy really has per
Service, the versions of the objects that were obeyed, and what was refused.
"""

from __future__ import annotations

import http.client
import http.server
import json
import os
import pathlib
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from real.routers import agent
from real.routers.obeyed import KINDS, Rule, Unfit
from real.routers.slots import SLOTS, parts, said

__all__ = ["PORT", "Slots", "lines"]

Object = dict[str, Any]

PORT = 9997
WATCH = 20  # seconds of one watch; then Services are read again too
ACCOUNT = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")


class Slots:
    """Which slot a Service has; it keeps it while it is used."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def take(self, services: Sequence[str]) -> dict[str, str]:
        free = [f"slot{n}" for n in range(SLOTS) if f"slot{n}" not in self.of.values()]
        gone = [name for name in self.of if name not in services]
        for service in services:
            if service not in self.of:
                self.of[service] = free.pop(0) if free else self.of.pop(gone.pop(0))
        return {service: self.of[service] for service in services}


def lines(rule: Rule, services: Mapping[str, Object], slots: Slots) -> str:
    """What HAProxy is told. Errors: ValueError for a Service or a port that is not there."""
    slot = slots.take(sorted({*rule.weights, *rule.segments.values()}))
    numbers = {slot[service]: number for service, number in parts(rule.weights).items()}
    addresses = {slot[service]: address(service, rule.ports[service], services) for service in slot}
    return said(numbers, addresses, {segment: slot[service] for segment, service in rule.segments.items()})


def address(service: str, port: int | str, services: Mapping[str, Object]) -> tuple[str, int]:
    """Where a Service is reached, at a port by number or name."""
    if service not in services:
        raise Unfit(f"Service {service} is not there")
    spec = services[service]["spec"]
    if spec.get("clusterIP", "None") == "None":
        raise Unfit(f"Service {service} has no address of its own (clusterIP: None)")
    for one in spec["ports"]:
        if port in (0, one["port"], one.get("name")):
            return spec["clusterIP"], int(one["port"])
    raise Unfit(f"Service {service} has no port {port}")


# ---- the API server ----


def asked(path: str) -> http.client.HTTPResponse:
    context = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    link = http.client.HTTPSConnection("kubernetes.default.svc", timeout=WATCH + 10, context=context)
    token = (ACCOUNT / "token").read_text()
    link.request("GET", path, headers={"Authorization": f"Bearer {token}", "Accept": "application/json"})
    answer = link.getresponse()
    if answer.status != 200:
        raise OSError(f"{path}: {answer.status} {answer.read()[:200].decode(errors='replace')}")
    return answer


def listed(path: str) -> list[Object]:
    items: list[Object] = json.load(asked(path))["items"]
    return items


def changes(path: str) -> Iterator[bytes]:
    """One at once, and one for each change, for `WATCH` seconds."""
    answer = asked(f"{path}?watch=1&timeoutSeconds={WATCH}")
    yield b""
    while line := answer.readline():
        yield line


# ---- at work ----

obeyed: dict[str, Any] = {"versions": {}, "refused": "nothing was seen yet", "said": ""}
taken = Slots()


def look(kind: str, name: str, space: str) -> None:
    """Read the objects as they are now, and have HAProxy do what they say."""
    root, plural, read = KINDS[kind]
    found = listed(f"{root}/namespaces/{space}/{plural}")
    services = {one["metadata"]["name"]: one for one in listed(f"/api/v1/namespaces/{space}/services")}
    try:
        told = lines(read(name, found), services, taken)
        problem = agent.tell(told) if told != obeyed["said"] else ""
        obeyed["refused"] = problem
        if not problem:
            obeyed["said"] = told
            obeyed["versions"] = {one["metadata"]["name"]: one["metadata"]["resourceVersion"] for one in found}
    except ValueError as error:
        obeyed["refused"] = str(error)


def obey() -> None:
    kind, _, name = os.environ["ROUTE"].partition("/")
    space = (ACCOUNT / "namespace").read_text()
    root, plural, _ = KINDS[kind]
    while True:
        try:
            for _ in changes(f"{root}/namespaces/{space}/{plural}"):
                look(kind, name, space)
        except (OSError, http.client.HTTPException, ValueError) as error:
            print(f"{kind} {name}: {error}", flush=True)
            obeyed["refused"] = f"{kind} cannot be watched: {error}"
            time.sleep(0.3)


def state() -> Object:
    """Weights as HAProxy has them; slots without any Service are its own business."""
    ready = {one["server"]: one["weight"] for one in agent.state() if not one["status"].startswith("MAINT")}
    weights = {service: ready.get(slot, 0) for service, slot in taken.of.items()}
    return {"weights": weights, "versions": obeyed["versions"], "refused": obeyed["refused"]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        try:
            ready = bool(agent.known["process"])
            code, text = (200, json.dumps(state())) if ready else (503, "waiting for HAProxy")
        except OSError as error:
            code, text = 503, str(error)
        self.send_response(code)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


if __name__ == "__main__":
    threading.Thread(target=agent.keep, daemon=True).start()
    threading.Thread(target=obey, daemon=True).start()
    http.server.ThreadingHTTPServer(("0.0.0.0", PORT), Handler).serve_forever()
