"""Routers by name, and which one a policy needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from real.cluster.api import Api
from real.ports.errors import Gone
from real.routers.base import Router
from real.routers.carried import Carried
from real.routers.pods import HAProxy, Nginx
from real.routers.rules import Gateway, Ingress, Istio, Owned
from real.routers.service import Pods
from sim.cli.exits import Usage
from sim.policy.bluegreen import BlueGreen
from sim.policy.rolling import Rolling
from sim.policy.rollout import Policy

__all__ = ["ROUTERS", "chosen", "needed"]

ROUTERS: Mapping[str, Callable[[Callable[[str], str]], Router]] = {
    "haproxy": lambda image: HAProxy(image("haproxy"), image("python")),
    "nginx": lambda image: Nginx(image("nginx"), image("python")),
    "service": lambda image: Pods(),
    "gateway": lambda image: Gateway(os.environ.get("SEATRIAL_GATEWAY", "")),
    "istio": lambda image: Istio(),
    "ingress-nginx": lambda image: Ingress(os.environ.get("SEATRIAL_HOST", "")),
}


def needed(policy: Policy) -> str:
    """The router for a policy that names none: a Service where it asks for no weights, else the bundled one."""
    weighted = getattr(policy, "router", not isinstance(policy, BlueGreen | Rolling))
    return "haproxy" if weighted else "service"


# What a controller that obeys a router's rule leaves on its cluster. (Flagger brings the Gateway API's resources, and obeys none.)
_OBEYED = {
    "gateway": "/apis/gateway.networking.k8s.io/v1/gatewayclasses",
    "istio": "/apis/apps/v1/deployments?labelSelector=app%3Distiod",
    "ingress-nginx": "/apis/networking.k8s.io/v1/ingressclasses",
}


def chosen(name: str, policy: Policy, image: Callable[[str], str], ours: Api | None = None) -> Router:
    """The router of this name, or of the policy's need (`auto`). Errors: Usage.

    `ours`: a client of a cluster that we made. A rule which nobody obeys there is carried out by a pod of ours.
    """
    name = needed(policy) if name == "auto" else name
    if name not in ROUTERS:
        raise Usage(f"there is no router {name}; there are auto, {', '.join(ROUTERS)}")
    router = ROUTERS[name](image)
    if ours is None or not isinstance(router, Owned) or _obeyed(ours, name):
        return router
    return Carried(router, image("haproxy"), image("python"))


def _obeyed(api: Api, name: str) -> bool:
    try:
        return bool(api.raw("GET", _OBEYED[name]).json()["items"])
    except Gone:
        return False
