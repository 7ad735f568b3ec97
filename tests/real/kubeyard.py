"""The yard of the crash suite once more, with its cluster behind the real adapter: every call goes through lightkube to a server in memory.

What goes wrong here goes wrong with single HTTP requests, of which one write of the port may make several.
"""

from __future__ import annotations

from typing import Any

import httpx2

from real.cluster import forms
from real.cluster.adapter import Kubernetes
from real.ports.things import ACTIVE, HOME, LEASE, PREVIEW, ROUTES, STABLE, Live, Put, Seen, Stamp, Workload
from real.routers.base import Place, Router
from real.routers.pods import HAProxy
from real.routers.rules import Istio
from real.sample import objects
from real.sample.objects import Sample
from tests.real.apiserver import Object, Server
from tests.real.fake import LIMITS, SECRET, Behaviour, Trouble, Yard

PLACE = Place("trial", "web")
_NAMES = {
    "deployments/web": HOME, "services/web": ACTIVE, "services/web-preview": PREVIEW, "configmaps/web-stable": STABLE,
    "configmaps/web-lease": LEASE, "configmaps/web-routes": ROUTES, "virtualservices/web": ROUTES,
}  # fmt: skip


class KubeYard(Yard):
    """`router` is the bundled one, or one that can mirror, by chance."""

    def __init__(self, behaviour: Behaviour | None = None, trouble: Trouble | None = None, replicas: int = 3) -> None:
        self._stands, self._put, self._stamp = False, None, Stamp("", 0, "")
        super().__init__(behaviour, trouble, replicas)
        self.server = Server(self._listed, self._mirrored)
        self.router: Router = HAProxy("h", "p") if self.trouble.chance.random() < 0.5 else Istio()
        calm = self.server.api("trial")
        calm.create(objects.deployment("trial", "web", "app@sha256:01", replicas, Sample()))
        calm.create(objects.service("trial", "web"))
        for body in (*forms.neutral("web", "trial"), *self.router.objects(calm, PLACE)):
            calm.apply(body)
        routes = self.server.objects.get("/api/v1/namespaces/trial/configmaps/web-routes")
        self.server.agent.hear(routes["data"]["said"] if routes else "")
        self.kube = Kubernetes(self.server.api("trial", through=self._wire), PLACE, self.router, settle=0.0)
        self._stands = True

    # ---- the wire ----

    def _wire(self, request: httpx2.Request) -> httpx2.Response:
        """Every request may crash the driver before it, or go wrong."""
        self.step(f"{request.method} {request.url.path}")
        chance, writes = self.trouble.chance, request.method != "GET"
        if self.trouble.rate and chance.random() < self.trouble.rate / 3:  # a call of the port is about three requests
            match chance.randrange(5 if writes else 3):
                case 0:
                    return httpx2.Response(503, headers={"retry-after": "2"}, text=f"upstream https://u:{SECRET}@x")
                case 1:
                    self.sleep(LIMITS.call)
                    raise httpx2.ReadTimeout(f"Bearer {SECRET}")
                case 2:
                    raise httpx2.ConnectError("refused")
                case 3:  # done, and nobody knows
                    self.server.handle(request)
                    self.sleep(LIMITS.call)
                    raise httpx2.ReadTimeout("no answer")
                case 4:  # somebody else was faster
                    return httpx2.Response(409, json={"kind": "Status", "code": 409, "message": "modified"})
        return self.server.handle(request)

    # ---- the port ----

    def names(self) -> tuple[str, ...]:
        return self.kube.names()

    def read(self, name: str, deadline: float) -> Live:
        return super().read(name, deadline) if name.startswith("fault/") else self.kube.read(name, deadline)

    def write(self, put: Put, stamp: Stamp, deadline: float) -> Live:
        if put.name.startswith("fault/"):
            return super().write(put, stamp, deadline)
        self._guard(put, stamp)
        before = self._put, self._stamp
        self._put, self._stamp = put, stamp
        try:
            return self.kube.write(put, stamp, deadline)
        finally:
            self._put, self._stamp = before

    def look(self, deadline: float) -> Seen:
        return self.kube.look(deadline)

    # ---- the server's controllers ----

    def _mirrored(self, path: str, before: Object | None, after: Object | None) -> None:
        """Whoever changed an object: Deployments act, and what must hold is looked at."""
        plural = "/".join(path.split("/")[-2:])
        name = _NAMES.get(plural) or (
            f"workload/{plural.removeprefix('deployments/web-')}" if "deployments/web-r" in plural else ""
        )
        if not name or name.endswith("router"):
            return
        value = None if after is None else self.value(name, after)
        if self._stands and self._put is not None and self._put.name == name:
            self._lawful(Put(name, value), self._stamp, self.objects.get(name, Live(name, None)))
            self.writes += 1
        if after is None:
            self.objects.pop(name, None)
            for pods in self.pods.pop(name, {}).values():
                pods.clear()
            self._changed()
        else:
            self.objects[name] = forms.live(name, value, after)
            if isinstance(value, Workload) and self._stands:
                self._deploy(name)
        if name.startswith("workload/") and self._stands:
            self._abandoned()
        self._changed()

    def value(self, name: str, found: Object) -> Any:
        if name == ROUTES:
            return self.router.value(found)
        if name in (ACTIVE, PREVIEW):
            return forms.selected(found)
        return forms.stored(found) if name in (STABLE, LEASE) else forms.workload(found)

    def _listed(self) -> list[Object]:
        """The pods, as the server lists them."""
        return [
            {
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {
                    "name": f"{name.replace('/', '-')}-{revision}-{number}", "namespace": "trial",
                    "labels": {"app.kubernetes.io/name": "web", "seatrial.dev/revision": str(revision)},
                },
                "spec": {"containers": [{"name": "app"}]},
                "status": {"conditions": [{"type": "Ready", "status": "True" if at <= self.now else "False"}]},
            }
            for name, pods in sorted(self.pods.items()) for revision, ready in pods.items() for number, at in enumerate(ready)
        ]  # fmt: skip
