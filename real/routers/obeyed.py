"""What a route object says about who gets which requests: HTTPRoute, VirtualService, Ingress with its canary. Runs in the router's pod.

Read is what shares depend on: weights, and an exact match of the header x-segment. What else would choose between versions (other matches,
mirrors, subsets, several paths) is `Unfit`, by name; what does not (timeouts, retries, header changes, hosts) is left aside.

Sources: Gateway API v1 `HTTPRouteRule`; Istio `HTTPRoute` (the first one that matches is taken); ingress-nginx annotations `canary`,
`canary-weight`, `canary-weight-total`, `canary-by-header`, `canary-by-header-value`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["KINDS", "Rule", "Unfit"]

Object = dict[str, Any]
Backends = Sequence[tuple[str, "int | str", float]]
"""(Service, its port by number or name or 0 for its only one, weight)"""

_SEGMENT = "x-segment"
_CANARY = "nginx.ingress.kubernetes.io/canary"
_EVERYBODY: Sequence[Object] = ({},)
_HARMLESS = ("RequestHeaderModifier", "ResponseHeaderModifier")
_TURNED = ("mirror", "mirrors", "redirect", "directResponse", "delegate", "fault")


class Unfit(ValueError):
    """What an object says and nobody here carries out."""


@dataclass(frozen=True)
class Rule:
    """`weights`: Service -> weight, of what matches nothing; `segments`: value of x-segment -> Service; `ports` of both."""

    weights: Mapping[str, float]
    segments: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int | str] = field(default_factory=dict)


def _ruled(entries: Iterator[tuple[str, Backends]], what: str) -> Rule:
    """(segment, backends) in order of precedence; '' is everybody else: the first such entry is the last that counts."""
    segments: dict[str, str] = {}
    ports: dict[str, int | str] = {}
    for segment, backends in entries:
        ports |= {service: port for service, port, _ in backends}
        if not segment:
            weights: dict[str, float] = {}
            for service, _, weight in backends:
                weights[service] = weights.get(service, 0.0) + weight
            return Rule(weights, segments, ports)
        sent = [service for service, _, weight in backends if weight > 0]
        if len(sent) != 1:
            raise Unfit(f"{what}: requests of {_SEGMENT} {segment} go to one Service, not to {len(sent)}")
        segments.setdefault(segment, sent[0])
    raise Unfit(f"{what}: no rule is for everybody")


def _segment(match: Object, what: str) -> str:
    """The value of x-segment that a match asks for, '' where it takes everything."""
    headers, path = match.get("headers") or (), match.get("path") or match.get("uri") or {}
    everything = path.get("value", path.get("prefix", "/")) == "/" and path.get("type", "PathPrefix") == "PathPrefix"
    if not everything or set(match) - {"headers", "path", "uri", "name"} or len(headers) > 1:
        raise Unfit(
            f"{what}: a match by {', '.join(sorted(match))} is not carried out; only one header {_SEGMENT}, exactly, is"
        )
    pairs = headers.items() if isinstance(headers, dict) else ((one["name"], one) for one in headers)
    for name, said in pairs:
        value = said.get("exact") or (said.get("value") if said.get("type", "Exact") == "Exact" else None)
        if name.lower() != _SEGMENT or not value:
            raise Unfit(f"{what}: a match by header {name} is not carried out; only {_SEGMENT}, exactly, is")
        return str(value)
    return ""


# ---- Gateway API ----


def _http_route(name: str, found: Sequence[Object]) -> Rule:
    what = f"HTTPRoute {name}"

    def entries() -> Iterator[tuple[str, Backends]]:
        for rule in _named(name, found, what)["spec"].get("rules", ()):
            others = [one["type"] for one in rule.get("filters", ()) if one["type"] not in _HARMLESS]
            if others:
                raise Unfit(f"{what}: the filter {others[0]} is not carried out")
            backends = [(one["name"], one.get("port", 0), one.get("weight", 1)) for one in rule.get("backendRefs", ())]
            for match in rule.get("matches") or _EVERYBODY:
                yield _segment(match, what), backends

    return _ruled(entries(), what)


# ---- Istio ----


def _virtual_service(name: str, found: Sequence[Object]) -> Rule:
    what = f"VirtualService {name}"

    def entries() -> Iterator[tuple[str, Backends]]:
        for rule in _named(name, found, what)["spec"].get("http", ()):
            turned = [one for one in _TURNED if one in rule]
            if turned:
                raise Unfit(f"{what}: {turned[0]} is not carried out")
            routes = rule.get("route", ())
            backends = [_destination(one, what, 100.0 if len(routes) == 1 else 0.0) for one in routes]
            for match in rule.get("match") or _EVERYBODY:
                yield _segment(match, what), backends

    return _ruled(entries(), what)


def _destination(route: Object, what: str, otherwise: float) -> tuple[str, int | str, float]:
    to = route["destination"]
    if "subset" in to:
        raise Unfit(
            f"{what}: subset {to['subset']} of a DestinationRule is not carried out; name a Service for each version"
        )
    return to["host"].partition(".")[0], to.get("port", {}).get("number", 0), route.get("weight", otherwise)


# ---- ingress-nginx ----


def _ingress(name: str, found: Sequence[Object]) -> Rule:
    what = f"Ingress {name}"
    place, service, port = _backend(_named(name, found, what))
    canaries = [one for one in found if _marks(one).get(_CANARY) == "true" and _backend(one)[0] == place]
    if len(canaries) > 1:
        raise Unfit(f"{what}: it has {len(canaries)} canaries, and ingress-nginx takes one")

    def entries() -> Iterator[tuple[str, Backends]]:
        share = 0.0
        rest: list[tuple[str, int | str, float]] = []
        for one in canaries:
            _, other, beside = _backend(one)
            marks = {
                key.removeprefix(f"{_CANARY}-"): value for key, value in _marks(one).items() if key.startswith(_CANARY)
            }
            share = float(marks.get("weight", 0)) / float(marks.get("weight-total", 100))
            rest.append((other, beside, share))
            if segment := _by_header(marks, what):
                yield segment, [(other, beside, 1.0)]
        yield "", [(service, port, 1.0 - share), *rest]

    return _ruled(entries(), what)


def _by_header(marks: Mapping[str, str], what: str) -> str:
    others = [one for one in ("by-cookie", "by-header-pattern") if one in marks]
    header, value = marks.get("by-header", ""), marks.get("by-header-value", "")
    if others or (header and (header.lower() != _SEGMENT or not value)):
        raise Unfit(
            f"{what}: canary-{(others or ['by-header'])[0]} is not carried out; only {_SEGMENT} with a value is"
        )
    return value if header else ""


def _backend(ingress: Object) -> tuple[tuple[str, str], str, int | str]:
    """((host, path), Service, port) of an Ingress with one path."""
    name = ingress["metadata"]["name"]
    rules = ingress["spec"].get("rules", ())
    paths = [(rule.get("host", ""), path) for rule in rules for path in rule.get("http", {}).get("paths", ())]
    if len(paths) != 1:
        raise Unfit(f"Ingress {name}: it has {len(paths)} paths; one is carried out")
    host, path = paths[0]
    service = path["backend"]["service"]
    port = service.get("port", {})
    return (host, path.get("path", "/")), service["name"], port.get("number") or port.get("name", 0)


def _marks(found: Object) -> Mapping[str, str]:
    return found["metadata"].get("annotations") or {}


def _named(name: str, found: Sequence[Object], what: str) -> Object:
    for one in found:
        if one["metadata"]["name"] == name:
            return one
    raise Unfit(f"{what} is not there")


# Kind -> (the API's root, plural, how it is read)
KINDS: Mapping[str, tuple[str, str, Callable[[str, Sequence[Object]], Rule]]] = {
    "HTTPRoute": ("/apis/gateway.networking.k8s.io/v1", "httproutes", _http_route),
    "VirtualService": ("/apis/networking.istio.io/v1", "virtualservices", _virtual_service),
    "Ingress": ("/apis/networking.k8s.io/v1", "ingresses", _ingress),
}
