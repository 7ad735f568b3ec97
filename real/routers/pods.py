"""The two bundled routers: HAProxy, moved through its runtime API, and NGINX, which can mirror, moved by reloading its configuration."""

from __future__ import annotations

from typing import Any

from real.ports.things import Routes
from real.routers import haproxy, nginx
from real.routers.base import Object
from real.routers.podded import Podded

__all__ = ["HAProxy", "Nginx"]


class HAProxy(Podded):
    """Weights change in milliseconds and no connection is dropped."""

    name = "haproxy"
    can = ("weight", "match")
    agent = "agent.py"

    def said(self, routes: Routes | None, addresses: dict[int, str], front: str) -> str:
        return haproxy.commands(routes, addresses)

    def program(self, image: str) -> Object:
        return {
            "name": "haproxy", "image": image, "command": ["haproxy", "-W", "-db", "-f", "/etc/router/haproxy.cfg"],
            "ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 8404}],
            "readinessProbe": {"httpGet": {"path": "/healthz", "port": "metrics"}, "periodSeconds": 1},
        }  # fmt: skip

    def files(self, front: str) -> dict[str, str]:
        return {"haproxy.cfg": haproxy.CONFIG.replace("{all}", front), "segments.map": ""}

    def shared(self, state: dict[str, Any], routes: Routes) -> dict[int, float]:
        ready = [one for one in state["servers"] if not one["status"].startswith("MAINT")]
        weights = {one["server"]: float(one["weight"]) for one in ready}
        return {revision: weights.get(haproxy.slot(revision), 0.0) for revision, _ in routes.weights}


class Nginx(Podded):
    """Whole configurations, taken over without dropping a request; a connection carries one request."""

    name = "nginx"
    can = ("weight", "match", "mirror")
    agent = "nginx_agent.py"

    def said(self, routes: Routes | None, addresses: dict[int, str], front: str) -> str:
        return nginx.configuration(routes, addresses, front)

    def program(self, image: str) -> Object:
        # It waits for the first configuration, which the agent writes.
        line = "while [ ! -s /run/router/nginx.conf ]; do sleep 0.1; done; exec nginx -c /run/router/nginx.conf -g 'daemon off;'"
        return {
            "name": "nginx", "image": image, "command": ["sh", "-c", line], "ports": [{"name": "http", "containerPort": 8080}],
            "readinessProbe": {"httpGet": {"path": "/said", "port": 8404}, "periodSeconds": 1},
        }  # fmt: skip

    def files(self, front: str) -> dict[str, str]:
        return {}

    def shared(self, state: dict[str, Any], routes: Routes) -> dict[int, float]:
        return {revision: nginx.share(state["text"], revision) for revision, _ in routes.weights}
