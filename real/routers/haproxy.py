"""The bundled router: HAProxy in a pod, moved through its runtime API, so that a change of weights drops no connection.

A revision has a slot (its number modulo 8); slots start in maintenance. The server `all` stands for all pods of the app and takes traffic
while nothing is routed. Weights are whole numbers up to 256 (HAProxy's configuration manual, section 5.2, `weight`); `shares` finds the
pair nearest to a ratio. Revisions are reached by a Service each, whose address does not change as its pods do.

No health checks and no redispatch to another revision: a request for a revision without pods fails, as its weight says. A refused
connection and an empty answer are tried again at the same revision (GET is safe to repeat).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm

from real.ports.errors import Refused
from real.ports.things import Routes

__all__ = ["CONFIG", "SLOTS", "commands", "parts", "slot"]

SLOTS = 8
_MOST = 256

_SLOTTED = "\n".join(f"    server slot{n} 0.0.0.0:8080 weight 0 disabled" for n in range(SLOTS))
_MATCHED = "\n".join(f"backend slot{n}\n    server slot{n} 0.0.0.0:8080 disabled" for n in range(SLOTS))
_MAP = "/etc/router/segments.map"
_SEGMENT = f"req.hdr(x-segment),map({_MAP})"

CONFIG = f"""global
    maxconn 4096
    stats socket ipv4@127.0.0.1:9999 level admin
    hard-stop-after 30s
defaults
    mode http
    timeout connect 500ms
    timeout client 60s
    timeout server 30s
    retries 4
    retry-on conn-failure empty-response
    http-reuse safe
frontend traffic
    bind :8080
    use_backend %[{_SEGMENT}] if {{ {_SEGMENT} -m found }}
    default_backend revisions
frontend metrics
    bind :8404
    http-request use-service prometheus-exporter if {{ path /metrics }}
    http-request return status 200 content-type text/plain lf-string "ok" if {{ path /healthz }}
backend revisions
    balance roundrobin
    server all {{all}}:8080 weight 1
{_SLOTTED}
{_MATCHED}
"""


def slot(revision: int) -> str:
    return f"slot{revision % SLOTS}"


def parts(weights: Sequence[tuple[int, float]]) -> dict[int, int]:
    """Whole weights of at most 256 nearest to the given ratio.

    >>> parts(((1, 80.0), (2, 20.0)))
    {1: 4, 2: 1}
    >>> parts(((1, 99.5), (2, 0.5)))
    {1: 199, 2: 1}
    """
    total = sum(weight for _, weight in weights)
    if total <= 0:
        raise Refused(f"weights add up to more than 0, got {list(weights)}")
    exact = {revision: Fraction(weight).limit_denominator(10_000) for revision, weight in weights}
    whole = lcm(*(fraction.denominator for fraction in exact.values()))
    numbers = {revision: int(fraction * whole) for revision, fraction in exact.items()}
    shared = gcd(*numbers.values())
    numbers = {revision: number // shared for revision, number in numbers.items()}
    if max(numbers.values()) <= _MOST:
        return numbers
    top = max(weight for _, weight in weights)
    return {revision: max(1, round(_MOST * weight / top)) if weight else 0 for revision, weight in weights}


def commands(routes: Routes | None, addresses: Mapping[int, str]) -> str:
    """Lines of the runtime API that bring about `routes` from any state; `addresses` of the revisions' Services."""
    if routes is None:
        return "\n".join(
            ["set server revisions/all state ready", "set weight revisions/all 1", *_silenced(()), f"clear map {_MAP}"]
        )
    if routes.mirror is not None:
        raise Refused("the HAProxy router cannot mirror requests; choose --router nginx or istio")
    numbers, lines = parts(routes.weights), []
    for revision in sorted({*numbers, *(target for _, target in routes.matches)}):
        name, address = slot(revision), addresses[revision]
        for backend in ("revisions", name):
            lines += [
                f"set server {backend}/{name} addr {address} port 8080",
                f"set server {backend}/{name} state ready",
            ]
        lines.append(f"set weight revisions/{name} {numbers.get(revision, 0)}")
    used = {slot(revision) for revision in numbers}
    lines += ["set weight revisions/all 0", "set server revisions/all state maint", *_silenced(used)]
    lines += [
        f"clear map {_MAP}",
        *(f"add map {_MAP} {segment} {slot(revision)}" for segment, revision in routes.matches),
    ]
    return "\n".join(lines)


def _silenced(used: Sequence[str] | set[str]) -> list[str]:
    idle = [f"slot{n}" for n in range(SLOTS) if f"slot{n}" not in used]
    return [
        line for name in idle for line in (f"set weight revisions/{name} 0", f"set server revisions/{name} state maint")
    ]
