"""Routers that belong to the cluster: their rule is an object of their own kind, and the controller that watches it does the rest.

Gateway API (`HTTPRoute`), Istio (`VirtualService`) and ingress-nginx (a second `Ingress` with canary annotations). Written by server-side
apply, read back from the object; what is really in effect is the controller's business, so the share of traffic is measured where it
flows (`Truth`, per revision) and compared. The object stays when nothing is routed: it then sends to the Service in front of all pods.

Sources: Gateway API v1 `HTTPRouteRule` (weights are whole numbers, a ratio); Istio `HTTPRoute` (weights are whole numbers, a ratio);
ingress-nginx annotations `canary`, `canary-weight`, `canary-weight-total`, `canary-by-header`, `canary-by-header-value`.
"""

from __future__ import annotations

import json
from typing import Any

from real.cluster.api import Api
from real.cluster.names import VALUE, labels
from real.ports.errors import Refused
from real.ports.things import Put, Routes, Thing, told, understood
from real.routers.backing import backed, standing, unbacked
from real.routers.base import Object, Place

__all__ = ["Gateway", "Ingress", "Istio", "Owned"]

_PORT = 8080
_PARTS = 10_000  # whole parts of a weight, so that a hundredth of a percent is kept
_SEGMENT = "x-segment"
_CANARY = "nginx.ingress.kubernetes.io/canary"


def _whole(routes: Routes) -> dict[int, int]:
    """Weights as whole parts of `_PARTS`, adding up to it."""
    total = sum(weight for _, weight in routes.weights)
    if total <= 0:
        raise Refused(f"weights add up to more than 0, got {list(routes.weights)}")
    parts = {revision: round(_PARTS * weight / total) for revision, weight in routes.weights}
    parts[routes.weights[0][0]] += _PARTS - sum(parts.values())
    return parts


class Owned:
    """What the three have in common: the rule is remembered on the object, as it was told."""

    name = ""
    can: tuple[str, ...] = ("weight", "match")

    def entrance(self, place: Place) -> str:
        return place.app

    def value(self, found: Object) -> Thing | None:
        text = (found["metadata"].get("annotations") or {}).get(VALUE)
        return understood(json.loads(text)).value if text else None

    def push(self, api: Api, place: Place, routes: Routes | None) -> None:
        return  # the controller watches the object

    def withdraw(self, api: Api, place: Place) -> None:
        unbacked(api, place)

    def _head(self, kind: str, name: str, place: Place, put: Put) -> Object:
        group, _, word = kind.rpartition("/")
        marks = {} if put.value is None else {VALUE: json.dumps(told(put), separators=(",", ":"))}
        meta = {"name": name, "namespace": place.namespace, "labels": labels(place.app), "annotations": marks}
        return {"apiVersion": group, "kind": word, "metadata": meta}

    def _stands(self, api: Api, place: Place, found: Object, weights: dict[str, Any]) -> bool:
        """Whether an object still says what was told: somebody else may have changed it since."""
        routes = self.value(found)
        if not isinstance(routes, Routes):
            return not standing(api, place)
        return {place.service(revision): part for revision, part in _whole(routes).items()} == weights

    def _backed(self, api: Api, place: Place, put: Put) -> Routes | None:
        """The rule, with a Service behind each of its revisions."""
        routes = put.value if isinstance(put.value, Routes) else None
        if routes is not None:
            if routes.mirror is not None and "mirror" not in self.can:
                raise Refused(f"the router {self.name} cannot mirror requests; choose --router istio, gateway or nginx")
            backed(api, place, routes)
        return routes


class Gateway(Owned):
    """An HTTPRoute attached to a Gateway of the user's."""

    name = "gateway"
    can = ("weight", "match", "mirror")

    def __init__(self, gateway: str = "") -> None:
        self._gateway = gateway  # NAME or NAMESPACE/NAME

    def key(self, place: Place) -> tuple[str, str]:
        return "gateway.networking.k8s.io/v1/HTTPRoute", place.app

    def objects(self, api: Api, place: Place) -> list[Object]:
        return [self._route(place, Put("routes", None), None)]

    def rule(self, api: Api, place: Place, put: Put, found: Object | None) -> Object:
        return self._route(place, put, self._backed(api, place, put))

    def _route(self, place: Place, put: Put, routes: Routes | None) -> Object:
        body = self._head(self.key(place)[0], place.app, place, put)
        rules = [{"backendRefs": [_ref(place.app, 1)]}] if routes is None else self._rules(place, routes)
        space, _, name = self._gateway.rpartition("/")
        parents = [{"name": name, **({"namespace": space} if space else {})}] if name else []
        return {**body, "spec": {"parentRefs": parents, "rules": rules}}

    def _rules(self, place: Place, routes: Routes) -> list[Object]:
        matched: list[Object] = [
            {
                "matches": [{"headers": [{"type": "Exact", "name": _SEGMENT, "value": segment}]}],
                "backendRefs": [_ref(place.service(revision), 1)],
            }
            for segment, revision in routes.matches
        ]
        rest: Object = {
            "backendRefs": [_ref(place.service(revision), part) for revision, part in _whole(routes).items()]
        }
        if routes.mirror is not None:
            revision, percent = routes.mirror
            copy: Object = {"backendRef": {"name": place.service(revision), "port": _PORT}, "percent": round(percent)}
            rest["filters"] = [{"type": "RequestMirror", "requestMirror": copy}]
        return [*matched, rest]

    def shares(self, api: Api, place: Place, routes: Routes) -> tuple[tuple[int, float], ...]:
        found = api.get(*self.key(place), place.namespace)
        refs = (found or {})["spec"]["rules"][-1]["backendRefs"] if found else []
        return _read(place, routes, {ref["name"]: ref.get("weight", 1) for ref in refs})

    def obeys(self, api: Api, place: Place, found: Object) -> bool:
        refs = found["spec"]["rules"][-1]["backendRefs"]
        return self._stands(api, place, found, {ref["name"]: ref.get("weight", 1) for ref in refs})


class Istio(Owned):
    """A VirtualService for the app's host."""

    name = "istio"
    can = ("weight", "match", "mirror")

    def key(self, place: Place) -> tuple[str, str]:
        return "networking.istio.io/v1/VirtualService", place.app

    def objects(self, api: Api, place: Place) -> list[Object]:
        return [self._service(place, Put("routes", None), None)]

    def rule(self, api: Api, place: Place, put: Put, found: Object | None) -> Object:
        return self._service(place, put, self._backed(api, place, put))

    def _service(self, place: Place, put: Put, routes: Routes | None) -> Object:
        body = self._head(self.key(place)[0], place.app, place, put)
        http = [{"route": [_destination(place.app, 100)]}] if routes is None else self._http(place, routes)
        return {**body, "spec": {"hosts": [place.app], "http": http}}

    def _http(self, place: Place, routes: Routes) -> list[Object]:
        matched: list[Object] = [
            {
                "match": [{"headers": {_SEGMENT: {"exact": segment}}}],
                "route": [_destination(place.service(revision), 100)],
            }
            for segment, revision in routes.matches
        ]
        rest: Object = {
            "route": [_destination(place.service(revision), part) for revision, part in _whole(routes).items()]
        }
        if routes.mirror is not None:
            revision, percent = routes.mirror
            rest |= {
                "mirror": {"host": place.service(revision), "port": {"number": _PORT}},
                "mirrorPercentage": {"value": percent},
            }
        return [*matched, rest]

    def shares(self, api: Api, place: Place, routes: Routes) -> tuple[tuple[int, float], ...]:
        found = api.get(*self.key(place), place.namespace)
        return _read(place, routes, _hosts(found)) if found else ()

    def obeys(self, api: Api, place: Place, found: Object) -> bool:
        return self._stands(api, place, found, _hosts(found))


class Ingress(Owned):
    """A second Ingress for the same host and path, which ingress-nginx reads as the canary of the first.

    The rule is on the second one; the first follows it (`push`), so that what is not the canary's goes to the stable revision alone.
    """

    name = "ingress-nginx"
    can = ("weight", "match")

    def __init__(self, host: str = "", ingress_class: str = "nginx") -> None:
        self._host, self._class = host, ingress_class

    def key(self, place: Place) -> tuple[str, str]:
        return "networking.k8s.io/v1/Ingress", f"{place.app}-canary"

    def objects(self, api: Api, place: Place) -> list[Object]:
        nothing = Put("routes", None)
        return [self._main(place, None), self.rule(api, place, nothing, None)]

    def rule(self, api: Api, place: Place, put: Put, found: Object | None) -> Object:
        routes = self._backed(api, place, put)
        body = self._head(self.key(place)[0], f"{place.app}-canary", place, put)
        marks = {_CANARY: "true", f"{_CANARY}-weight": "0", f"{_CANARY}-weight-total": str(_PARTS)}
        service = place.app
        if routes is not None:
            new = _newest(routes)
            if any(revision != new for _, revision in routes.matches) or len(routes.matches) > 1:
                raise Refused("ingress-nginx matches one value of one header, for its canary; choose --router haproxy")
            service, marks[f"{_CANARY}-weight"] = place.service(new), str(_whole(routes).get(new, 0))
            for segment, _ in routes.matches:
                marks |= {f"{_CANARY}-by-header": _SEGMENT, f"{_CANARY}-by-header-value": segment}
        body["metadata"]["annotations"] |= marks
        return {**body, "spec": self._spec(service)}

    def push(self, api: Api, place: Place, routes: Routes | None) -> None:
        api.apply(self._main(place, routes))

    def obeys(self, api: Api, place: Place, found: Object) -> bool:
        routes = self.value(found)
        main = api.get(self.key(place)[0], place.app, place.namespace)
        rest = isinstance(routes, Routes) or not standing(api, place)
        told = routes if isinstance(routes, Routes) else None
        weight = 0 if told is None else _whole(told).get(_newest(told), 0)
        follows = main is not None and main["spec"] == self._main(place, told)["spec"]
        return rest and follows and round(_canary(found) * _PARTS) == weight

    def shares(self, api: Api, place: Place, routes: Routes) -> tuple[tuple[int, float], ...]:
        found = api.get(*self.key(place), place.namespace)
        if found is None:
            return ()
        if len(routes.weights) == 1:
            return ((routes.weights[0][0], 1.0),)
        new, share = _newest(routes), _canary(found)
        return tuple((revision, share if revision == new else 1.0 - share) for revision, _ in routes.weights)

    def _main(self, place: Place, routes: Routes | None) -> Object:
        body = self._head(self.key(place)[0], place.app, place, Put("routes", None))
        service = place.app if routes is None else place.service(min(revision for revision, _ in routes.weights))
        return {**body, "spec": self._spec(service)}

    def _spec(self, service: str) -> Object:
        backend = {"service": {"name": service, "port": {"number": _PORT}}}
        rule: Object = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
        return {"ingressClassName": self._class, "rules": [rule | ({"host": self._host} if self._host else {})]}


def _newest(routes: Routes) -> int:
    """The revision that the canary Ingress sends to."""
    return max([*(revision for revision, _ in routes.weights), *(revision for _, revision in routes.matches)])


def _canary(found: Object) -> float:
    marks = found["metadata"].get("annotations") or {}
    return int(marks.get(f"{_CANARY}-weight", "0")) / int(marks.get(f"{_CANARY}-weight-total", "100"))


def _ref(service: str, weight: int) -> Object:
    return {"group": "", "kind": "Service", "name": service, "port": _PORT, "weight": weight}


def _destination(service: str, weight: int) -> Object:
    return {"destination": {"host": service, "port": {"number": _PORT}}, "weight": weight}


def _hosts(found: Object) -> dict[str, Any]:
    return {one["destination"]["host"]: one.get("weight", 0) for one in found["spec"]["http"][-1]["route"]}


def _read(place: Place, routes: Routes, weights: dict[str, Any]) -> tuple[tuple[int, float], ...]:
    total = sum(weights.values())
    return (
        tuple((revision, weights.get(place.service(revision), 0) / total) for revision, _ in routes.weights)
        if total
        else ()
    )
