"""An API server in memory behind httpx2's MockTransport: objects with versions, server-side apply, preconditions, and a router's agent.

As much of Kubernetes as `real/cluster` relies on, by the API conventions: a write under a stale resourceVersion is 409, what an apply said
before and does not say now is taken away, lists of containers and ports are merged by their key, everything else is replaced.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qs

import httpx2
from lightkube.config.kubeconfig import KubeConfig, SingleConfig

from real.cluster.api import Api
from real.cluster.transport import Guard, Owned
from real.routers.haproxy import SLOTS

Object = dict[str, Any]

_KEYS = {"containers": "name", "ports": "port", "env": "name"}  # lists that are maps, by their key
_PROXY = re.compile(r"^(?P<target>/api/v1/namespaces/[^/]+/(?:services|pods)/[^/]+)/proxy(?P<path>/.*)$")


class Refusal(Exception):
    """An answer that is not 2xx."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code, self.message = code, message


class Agent:
    """HAProxy with its agent: hears commands, tells the weights of its servers."""

    def __init__(self) -> None:
        self.commands = ""
        self.weight = {"all": 1, **{f"slot{n}": 0 for n in range(SLOTS)}}
        self.ready = {"all": True, **{f"slot{n}": False for n in range(SLOTS)}}

    def hear(self, commands: str) -> None:
        self.commands = commands
        if "server {" in commands:
            return  # NGINX's own language
        for line in commands.splitlines():
            words = line.split()
            backend, _, name = words[2].partition("/")
            if words[0] == "set" and backend == "revisions":
                if words[1] == "weight":
                    self.weight[name] = int(words[3])
                elif words[3] == "state":
                    self.ready[name] = words[4] == "ready"

    def state(self) -> Object:
        servers = [
            {"server": name, "status": "no check" if self.ready[name] else "MAINT", "weight": weight, "requests": 0, "errors": 0}
            for name, weight in self.weight.items()
        ]  # fmt: skip
        return {
            "servers": servers,
            "text": self.commands,
            "said": hashlib.sha256(self.commands.strip().encode()).hexdigest(),
        }


class Server:
    """The server. `pods` gives the pods of the namespace; `changed(path, before, after)` hears of every write."""

    def __init__(
        self,
        pods: Callable[[], list[Object]] = list,
        changed: Callable[[str, Object | None, Object | None], None] = lambda *_: None,
    ) -> None:
        self.objects: dict[str, Object] = {}
        self.agent = Agent()
        self.requests: list[str] = []
        self._applied: dict[str, Object] = {}
        self._version = 100
        self._pods, self._changed = pods, changed

    def api(
        self,
        *namespaces: str,
        through: Callable[[httpx2.Request], httpx2.Response] | None = None,
        guard: Callable[[httpx2.BaseTransport], Guard] | None = None,
    ) -> Api:
        """A client of this server that may write to these namespaces, or whatever its guard allows."""
        wire = httpx2.MockTransport(through or self.handle)
        return Api(config(), guard(wire) if guard else Owned(wire, namespaces))

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(f"{request.method} {request.url.path}")
        try:
            return self._answer(request)
        except Refusal as refusal:
            status = {
                "kind": "Status",
                "apiVersion": "v1",
                "status": "Failure",
                "code": refusal.code,
                "message": refusal.message,
            }
            return httpx2.Response(refusal.code, json=status)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        path, query = request.url.path, parse_qs(request.url.query.decode())
        proxied = _PROXY.match(path)
        if proxied:
            return self._proxied(request, proxied["path"])
        body = json.loads(request.content) if request.content else None
        match request.method:
            case "GET" if path in self.objects:
                return httpx2.Response(200, json=self.objects[path])
            case "GET" if _is_collection(path):
                return httpx2.Response(200, json=self._listed(path, query))
            case "POST":
                return httpx2.Response(201, json=self._create(f"{path}/{body['metadata']['name']}", body))
            case "PATCH":
                kind = request.headers["content-type"]
                return httpx2.Response(200, json=(self._apply if "apply" in kind else self._merge)(path, body))
            case "DELETE":
                return httpx2.Response(200, json=self._delete(path, body or {}))
        raise Refusal(404, f"{path} not found")

    def _proxied(self, request: httpx2.Request, path: str) -> httpx2.Response:
        if path == "/say":
            self.agent.hear(request.content.decode())
            return httpx2.Response(200, text="done")
        return httpx2.Response(200, json=self.agent.state())

    def _listed(self, path: str, query: dict[str, list[str]]) -> Object:
        wanted = dict(pair.split("=", 1) for pair in query.get("labelSelector", [""])[0].split(",") if "=" in pair)
        items = (
            self._pods()
            if path.endswith("/pods")
            else [one for name, one in self.objects.items() if name.rpartition("/")[0] == path]
        )
        chosen = [one for one in items if wanted.items() <= (one["metadata"].get("labels") or {}).items()]
        return {
            "kind": "List",
            "apiVersion": "v1",
            "metadata": {"resourceVersion": str(self._version)},
            "items": chosen,
        }

    # ---- writes ----

    def _create(self, path: str, body: Object) -> Object:
        if path in self.objects:
            raise Refusal(409, f"{path} already exists")
        return self._store(path, deepcopy(body))

    def _apply(self, path: str, body: Object) -> Object:
        live = self.objects.get(path)
        if live is None:
            if body["metadata"].get("resourceVersion"):
                raise Refusal(404, f"{path} not found")
            self._applied[path] = deepcopy(body)
            return self._store(path, deepcopy(body))
        self._current(path, body)
        grown = _merged(live, body)
        _drop(grown, self._applied.get(path, {}), body)
        self._applied[path] = deepcopy(body)
        return self._store(path, grown)

    def _merge(self, path: str, body: Object) -> Object:
        if path not in self.objects:
            raise Refusal(404, f"{path} not found")
        self._current(path, body)
        return self._store(path, _patched(self.objects[path], body))

    def _delete(self, path: str, body: Object) -> Object:
        live = self.objects.get(path)
        if live is None:
            raise Refusal(404, f"{path} not found")
        wanted = (body.get("preconditions") or {}).get("resourceVersion")
        if wanted and wanted != live["metadata"]["resourceVersion"]:
            raise Refusal(409, "the precondition does not hold")
        del self.objects[path]
        self._applied.pop(path, None)
        self._changed(path, live, None)
        return {"kind": "Status", "status": "Success"}

    def _current(self, path: str, body: Object) -> None:
        told = body["metadata"].get("resourceVersion")
        if told and told != self.objects[path]["metadata"]["resourceVersion"]:
            raise Refusal(409, "the object has been modified; please apply your changes to the latest version")

    def _store(self, path: str, body: Object) -> Object:
        before = self.objects.get(path)
        self._version += 1
        body["metadata"]["resourceVersion"] = str(self._version)
        body["metadata"].setdefault("uid", f"uid-{self._version}")
        if body["kind"] == "Service":
            body["spec"].setdefault("clusterIP", f"10.96.0.{self._version % 250}")
        self.objects[path] = body
        self._changed(path, before, body)
        return body


def config() -> SingleConfig:
    """A cluster at nowhere."""
    document = {
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t0ken-of-a-test"}}],
    }
    found = KubeConfig.from_dict(document).get(context_name="c")
    assert found is not None
    return found


def _is_collection(path: str) -> bool:
    """.../namespaces/NS/KIND, or /api/v1/KIND."""
    words = path.strip("/").split("/")
    words = words[3:] if words[0] == "apis" else words[2:]
    return len(words) in (1, 3)


def _word(one: Object, key: str) -> Any:
    """The key of an element; ports of containers have another one than those of Services."""
    return one.get(_KEYS[key], one.get("containerPort"))


def _merged(live: Any, said: Any, key: str = "") -> Any:
    if isinstance(live, dict) and isinstance(said, dict):
        return {**live, **{name: _merged(live.get(name), value, name) for name, value in said.items()}}
    if isinstance(live, list) and isinstance(said, list) and key in _KEYS:
        by = {_word(one, key): one for one in live}
        return [*({**by, **{_word(one, key): _merged(by.get(_word(one, key)), one) for one in said}}).values()]
    return deepcopy(said)


def _drop(live: Any, before: Any, now: Any, key: str = "") -> None:
    """What we said before and do not say now goes."""
    if isinstance(before, list) and isinstance(live, list) and key in _KEYS:
        said = {_word(one, key): one for one in now or ()}
        for one in before:
            word = _word(one, key)
            there = next((item for item in live if _word(item, key) == word), None)
            if there is not None and word not in said:
                live.remove(there)
            elif there is not None:
                _drop(there, one, said[word])
        return
    if not (isinstance(before, dict) and isinstance(live, dict)):
        return
    for name in before:
        if name not in (now if isinstance(now, dict) else {}):
            if name != "resourceVersion":
                live.pop(name, None)
        else:
            _drop(live.get(name), before[name], now[name], name)


def _patched(live: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    grown = dict(live) if isinstance(live, dict) else {}
    for name, value in patch.items():
        if value is None:
            grown.pop(name, None)
        else:
            grown[name] = _patched(grown.get(name), value)
    return grown


def pods(revision: int, ready: int, waiting: int = 0, reason: str = "ImagePullBackOff") -> Iterator[Object]:
    """Pods as the server lists them."""
    for number in range(ready + waiting):
        well = number < ready
        state = {"running": {}} if well else {"waiting": {"reason": reason}}
        yield {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": f"web-r{revision}-{number}", "namespace": "trial",
                "labels": {"app.kubernetes.io/name": "web", "seatrial.dev/revision": str(revision)},
            },
            "spec": {"containers": [{"name": "app"}]},
            "status": {
                "conditions": [{"type": "Ready", "status": "True" if well else "False"}],
                "containerStatuses": [{
                    "name": "app", "state": state, "ready": well, "image": "i", "imageID": "", "restartCount": 0,
                }],
            },
        }  # fmt: skip
