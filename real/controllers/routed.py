"""The route object by which a controller moves traffic, and the pod that stands in for the gateway which would obey it.

Carried out are weights: of Argo's nginx and istio routers, and of Flagger's Gateway API. Whatever else would choose between versions is
refused by name, before anything is made.
"""

from __future__ import annotations

from typing import Any

from real.controllers.case import Case, Object
from real.routers import carried
from real.routers.base import Place
from sim.policy.errors import WorldError

__all__ = ["DOOR", "apex", "place", "plane", "route", "router"]

_APP = "seatrial-users"
DOOR = f"{_APP}-router"  # the Service at which users come in

_ROUTERS = {"Ingress": "ingress-nginx", "VirtualService": "istio", "HTTPRoute": "gateway"}
_INSTEAD = "leave it out, or give a --script"


def place(namespace: str) -> Place:
    return Place(namespace, _APP)


def route(case: Case) -> str:
    """KIND/NAME of the object that the controller writes; '' where it moves traffic by pods or Services. Errors: WorldError."""
    spec: Any = case.workload["spec"]
    if case.workload["kind"] == "Canary":
        return _of_flagger(spec)
    canary = spec.get("strategy", {}).get("canary") or {}
    return _of_argo(canary) if canary.get("trafficRouting") else ""


def router(case: Case) -> str:
    """The router of ours (`real/routers`) that writes the same kind of object; '' where there is no route."""
    return _ROUTERS[said.partition("/")[0]] if (said := route(case)) else ""


def plane(case: Case, namespace: str) -> list[Object]:
    """The pod that obeys the route, and all that belongs to it; nothing where no users come or there is no route."""
    if case.build is None or not (said := route(case)):
        return []
    return carried.plane(place(namespace), said, *case.build.router)


def apex(spec: Any) -> str:
    """The name of a Canary's own Service and route."""
    return str(spec["service"].get("name") or spec["targetRef"]["name"])


# ---- whose route it is ----


def _of_argo(canary: Any) -> str:
    routing, steps = canary["trafficRouting"], canary.get("steps", ())
    refuse([f"step {key}" for step in steps for key in step if key in ("setHeaderRoute", "setMirrorRoute")])
    match [(key, value) for key, value in routing.items() if key not in ("managedRoutes", "maxTrafficWeight")]:
        case [("nginx", nginx)] if "stableIngress" in nginx:
            marks = nginx.get("additionalIngressAnnotations") or {}
            refuse([f"annotation {key}" for key in marks if key.startswith("canary-by-")])
            return f"Ingress/{nginx['stableIngress']}"
        case [("istio", istio)] if "virtualService" in istio:
            refuse(["destinationRule"] if "destinationRule" in istio else ())
            return f"VirtualService/{istio['virtualService']['name']}"
        case others:
            what = ", ".join(
                f"{key} ({', '.join(value or ())})" if isinstance(value, dict) else key for key, value in others
            )
            raise WorldError(
                f"trafficRouting by {what} is not carried out on this cluster; nginx with a stableIngress and istio with a "
                f"virtualService are: {_INSTEAD}"
            )


def _of_flagger(spec: Any) -> str:
    provider, analysis = str(spec.get("provider", "")), spec["analysis"]
    if provider == "kubernetes":
        return ""
    if not provider.startswith("gatewayapi:"):
        raise WorldError(
            f"provider {provider or 'of the installation'} is not carried out on this cluster; say provider: gatewayapi:v1 or "
            "kubernetes, or give a --script"
        )
    refuse([f"analysis.{key}" for key in ("match", "mirror", "sessionAffinity") if analysis.get(key)])
    refuse(["service.match"] if spec["service"].get("match") else ())
    return f"HTTPRoute/{apex(spec)}"


def refuse(found: Any) -> None:
    for one in found:
        raise WorldError(f"{one} is not carried out on this cluster, where routes know weights only; {_INSTEAD}")
