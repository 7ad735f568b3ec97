"""One way to the API server: objects as plain mappings, through lightkube; services and pods through the server's own proxy.

Every answer that is not a result becomes one of `real/ports/errors.py`, by what it means for the caller. Nothing is retried here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
import msgspec
from lightkube import Client, codecs
from lightkube.config import client_adapter
from lightkube.config.client_adapter import ConnectionParams
from lightkube.config.kubeconfig import SingleConfig
from lightkube.core.exceptions import ApiError
from lightkube.core.resource_registry import resource_registry
from lightkube.generic_resource import create_namespaced_resource

from real.cluster.transport import Guard
from real.ports.errors import Conflict, Forbidden, Gone, PortError, Refused, Unavailable, Unclear

__all__ = ["MANAGER", "Api", "Object"]

Object = dict[str, Any]

MANAGER = "seatrial"  # our field manager for server-side apply

_MEANING: Mapping[int, type[PortError]] = {
    400: Refused, 401: Forbidden, 403: Forbidden, 404: Gone, 405: Refused, 409: Conflict, 410: Gone, 413: Refused, 415: Refused,
    422: Refused, 504: Unclear,
}  # fmt: skip

# Custom resources that routers write: group/version, kind -> plural.
_CUSTOM = (
    ("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"),
    ("gateway.networking.k8s.io", "v1beta1", "HTTPRoute", "httproutes"),
    ("networking.istio.io", "v1", "VirtualService", "virtualservices"),
    ("networking.istio.io", "v1beta1", "VirtualService", "virtualservices"),
)


class Api:
    """A client of one cluster, with the power that its transport leaves it."""

    def __init__(self, config: SingleConfig, guard: Guard) -> None:
        self.config, self.guard = config, guard
        self._client = Client(config, transport=guard, trust_env=False, field_manager=MANAGER, lazy=False)
        self._raw = client_adapter.Client(config, ConnectionParams(transport=guard, trust_env=False))

    def close(self) -> None:
        self._client.close()
        self._raw.close()

    # ---- objects ----

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """The object, or None. `kind`: `apps/v1/Deployment`, `v1/Service`."""
        try:
            with _told(f"{kind} {name}"):
                return _plain(self._client.get(_resource(kind), name, namespace=namespace))
        except Gone:
            return None

    def list(self, kind: str, namespace: str | None = None, labels: Mapping[str, str] | None = None) -> list[Object]:
        """Objects with these labels, sorted by name."""
        with _told(f"{kind} of {namespace}"):
            found = [
                _plain(one)
                for one in self._client.list(
                    _resource(kind), namespace=namespace, labels=dict(labels) if labels else None
                )
            ]
        return sorted(found, key=lambda one: (one["metadata"].get("namespace", ""), one["metadata"]["name"]))

    def create(self, body: Object) -> Object:
        """A new object; `Conflict` if there is one of its name."""
        with _told(_name(body)):
            return _plain(self._client.create(_typed(body)))

    def apply(self, body: Object) -> Object:
        """Server-side apply of what the body says, and of nothing else; with a resourceVersion in it, a condition: `Conflict` if stale."""
        kind, meta = f"{body['apiVersion']}/{body['kind']}", body["metadata"]
        path = f"{_path(kind, meta.get('namespace'), meta['name'])}?fieldManager={MANAGER}&force=true"
        # Not through a typed object: that would ask for every required field, and an apply says only what is ours.
        head = {"content-type": "application/apply-patch+yaml"}
        return _object(self.raw("PATCH", path, content=json.dumps(body).encode(), headers=head))

    def merge(self, kind: str, name: str, namespace: str, body: Object) -> Object:
        """A JSON merge patch: None takes a field away, whoever set it; with a resourceVersion in it, a condition."""
        head = {"content-type": "application/merge-patch+json"}
        path = f"{_path(kind, namespace, name)}?fieldManager={MANAGER}"
        return _object(self.raw("PATCH", path, content=json.dumps(body).encode(), headers=head))

    def delete(
        self, kind: str, name: str, namespace: str | None = None, version: str = "", grace: int | None = None
    ) -> None:
        """Delete, only if the object still has this resourceVersion (where given); `Gone` if it is not there."""
        body: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if version:
            body["preconditions"] = {"resourceVersion": version}
        if grace is not None:
            body["gracePeriodSeconds"] = grace
        self.raw("DELETE", _path(kind, namespace, name), json=body)

    def watch(self, kind: str, namespace: str, labels: Mapping[str, str], seconds: int) -> Iterator[str]:
        """The type of each change, for `seconds`; ends or raises when the server closes, and the caller begins again.

        Not lightkube's own, which begins again by itself and so can be neither heard nor ended.
        """
        chosen = ",".join(f"{name}={value}" for name, value in labels.items())
        parameters = {"watch": "true", "labelSelector": chosen, "timeoutSeconds": str(seconds)}
        path = _path(kind, namespace, "").rstrip("/")
        with _told(f"{kind} of {namespace}"), self._raw.stream("GET", path, params=parameters) as answer:
            if answer.is_error:
                answer.read()
                answer.raise_for_status()
            for line in answer.iter_lines():
                yield _event(line, kind, answer)

    # ---- anything else ----

    def raw(self, method: str, path: str, **more: Any) -> httpx2.Response:
        """One request to the API server itself."""
        with _told(f"{method} {path.partition('?')[0]}"):
            answer = self._raw.request(method, path, **more)
            answer.raise_for_status()
            return answer

    def through(self, namespace: str, target: str, path: str, method: str = "GET", **more: Any) -> httpx2.Response:
        """A request to `services/NAME:PORT` or `pods/NAME:PORT`, which the API server forwards."""
        return self.raw(method, f"/api/v1/namespaces/{namespace}/{target}/proxy{path}", **more)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Errors of the wire and of the server as port errors; their text names the object and holds no credential."""
    try:
        yield
    except ApiError as error:
        raise _meant(what, error.status.code or 0, error.status.message or "", error.response) from None
    except httpx2.HTTPStatusError as error:
        raise _meant(what, error.response.status_code, _message(error.response), error.response) from None
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
        raise Unavailable(f"{what}: the server cannot be reached ({type(error).__name__})") from None
    except (httpx2.HTTPError, json.JSONDecodeError, msgspec.MsgspecError) as error:
        raise Unclear(f"{what}: no answer that can be read ({type(error).__name__})") from None


def _meant(what: str, code: int, message: str, response: httpx2.Response) -> PortError:
    text = f"{what}: {code} {message[:300]}".strip()
    kind = _MEANING.get(code)
    if kind is not None:
        return kind(text)
    after = response.headers.get("retry-after", "0")
    return Unavailable(text, float(after) if after.isdigit() else 0.0)


def _event(line: str, kind: str, answer: httpx2.Response) -> str:
    """The type of one line of a watch; an error in it is raised as what it means."""
    event = json.loads(line)
    if not isinstance(event, dict) or "type" not in event:
        raise Unclear(f"{kind}: a watch said {line[:60]!r}")
    if event["type"] == "ERROR":
        status = event.get("object") or {}
        raise _meant(kind, int(status.get("code") or 0), str(status.get("message", "")), answer)
    return str(event["type"])


def _object(response: httpx2.Response) -> Object:
    """The object of an answer."""
    what = f"{response.request.method} {response.request.url.path}"
    with _told(what):
        document = response.json()
    if not isinstance(document, dict):
        raise Unclear(f"{what}: no answer that can be read")
    return document


def _message(response: httpx2.Response) -> str:
    try:
        text = response.read().decode("utf-8", "replace")
        document = json.loads(text)
    except (httpx2.HTTPError, RuntimeError):
        return ""
    except ValueError:
        return text.strip()
    return str(document.get("message", "")) if isinstance(document, dict) else ""


def _resource(kind: str) -> Any:
    group, _, name = kind.rpartition("/")
    for owner, version, word, plural in _CUSTOM:
        if (f"{owner}/{version}", word) == (group, name):
            return create_namespaced_resource(owner, version, word, plural)
    return resource_registry.load(group, name)


def _typed(body: Object) -> Any:
    _resource(f"{body['apiVersion']}/{body['kind']}")  # a custom kind is known from here on
    return codecs.from_dict(body)


def _plain(found: Any) -> Object:
    document: Object = found.to_dict()
    return document


def _name(body: Object) -> str:
    return f"{body['kind']} {body['metadata']['name']}"


def _path(kind: str, namespace: str | None, name: str) -> str:
    group, _, _ = kind.rpartition("/")
    info = _resource(kind)._api_info
    root = f"/apis/{group}" if "/" in group else f"/api/{group}"
    inside = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{inside}/{info.plural}/{name}"
