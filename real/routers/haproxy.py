"""The bundled router: HAProxy in a pod, moved through its runtime API, so that a change of weights drops no connection.

A revision has a slot (its number modulo 8; `slots.py`). The server `all` stands for all pods of the app and takes traffic while nothing is
routed. Revisions are reached by a Service each, whose address does not change as its pods do.

No health checks and no redispatch to another revision: a request for a revision without pods fails, as its weight says. A refused
connection and an empty answer are tried again at the same revision (GET is safe to repeat).
"""

from __future__ import annotations

from collections.abc import Mapping

from real.ports.errors import Refused
from real.ports.things import Routes
from real.routers import slots
from real.routers.slots import MAP, SLOTS, parts

__all__ = ["CONFIG", "RETRIES", "SLOTS", "commands", "parts", "slot"]

RETRIES = 4  # of a request that a pod did not take

_SLOTTED = "\n".join(f"    server slot{n} 0.0.0.0:8080 weight 0 disabled" for n in range(SLOTS))
_MATCHED = "\n".join(f"backend slot{n}\n    server slot{n} 0.0.0.0:8080 disabled" for n in range(SLOTS))
_SEGMENT = f"req.hdr(x-segment),map({MAP})"

CONFIG = f"""global
    maxconn 4096
    stats socket ipv4@127.0.0.1:9999 level admin
    hard-stop-after 30s
defaults
    mode http
    timeout connect 500ms
    timeout client 60s
    timeout server 30s
    retries {RETRIES}
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


def commands(routes: Routes | None, addresses: Mapping[int, str]) -> str:
    """Lines of the runtime API that bring about `routes` from any state; `addresses` of the revisions' Services."""
    if routes is None:
        return slots.neutral()
    if routes.mirror is not None:
        raise Refused("the HAProxy router cannot mirror requests; choose --router nginx or istio")
    try:
        numbers = parts(dict(routes.weights))
    except ValueError as error:
        raise Refused(str(error)) from None
    used = sorted({*numbers, *(target for _, target in routes.matches)})
    return slots.said(
        {slot(revision): number for revision, number in numbers.items()},
        {slot(revision): (addresses[revision], 8080) for revision in used},
        {segment: slot(revision) for segment, revision in routes.matches},
    )
