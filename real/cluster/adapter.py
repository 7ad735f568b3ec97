"""The cluster port on Kubernetes: named things read and written, pods and traffic looked at, changes listened to.

Every write carries run and epoch (annotations) and the resourceVersion that was read: a stale one is `Conflict`, a later epoch `Fenced`.
Only objects that carry our label are written. Nothing is retried, nothing decided; what an object looks like is `cluster/forms.py`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace

from real.cluster import forms
from real.cluster.api import Api, Object
from real.cluster.forms import CONFIGMAP, DEPLOYMENT, SERVICE
from real.cluster.names import APP, EPOCH, MANAGED
from real.cluster.pods import Settling, available, notes
from real.ports.errors import Conflict, Fenced, Forbidden, Gone, PortError, Refused
from real.ports.ports import Changed, Tell
from real.ports.things import (
    ACTIVE,
    HOME,
    LEASE,
    PREVIEW,
    ROUTES,
    STABLE,
    Live,
    Put,
    Routes,
    Seen,
    Selector,
    Stamp,
    Thing,
    Workload,
    workload,
)  # fmt: skip
from real.routers.base import Place, Router

__all__ = ["Kubernetes"]

_WATCH = 30  # seconds of one watch; then it is begun again, so that a lost one costs no more


class Kubernetes:
    """The cluster port of one app in one namespace. `home`: the name of the app's own Deployment, if it is not the app's.

    A pod counts as available `settle` seconds after it was first seen ready: routers and kube-proxy learn of it later than we do, and
    what is sent there meanwhile would be refused.
    """

    def __init__(self, api: Api, place: Place, router: Router, home: str = "", settle: float = 1.5) -> None:
        self._api, self._place, self._router, self._home = api, place, router, home or place.app
        self._settling = Settling(settle)

    # ---- things ----

    def names(self) -> tuple[str, ...]:
        found = [name for name in (HOME, ACTIVE, PREVIEW, STABLE, LEASE, ROUTES) if self._live(name).version]
        found += [workload(revision) for revision, _ in self._workloads()]
        return tuple(found)

    def read(self, name: str, deadline: float) -> Live:
        with self._api.guard.within(deadline):
            return self._live(name)

    def write(self, put: Put, stamp: Stamp, deadline: float) -> Live:
        with self._api.guard.within(deadline):
            kind, name = self._where(put.name)
            found = self._api.get(kind, name, self._place.namespace)
            self._check(put.name, found, stamp)
            if put.value == Routes() and found is not None:  # as it says already, and now really
                put = Put(ROUTES, self._router.value(found))
            if put.value is None and put.name.startswith("workload/"):
                return self._remove(put.name, found)
            written = self._put(put, found, stamp)
            if put.name == ROUTES:
                self._router.push(self._api, self._place, put.value if isinstance(put.value, Routes) else None)
                if put.value is None:
                    self._router.withdraw(self._api, self._place)
            return written

    def _put(self, put: Put, found: Object | None, stamp: Stamp) -> Live:
        body = self._body(put, found)
        before = (found or {}).get("metadata", {}).get("annotations") or {}
        body["metadata"]["annotations"] = {**body["metadata"].get("annotations", {}), **forms.marks(stamp, before)}
        if found is None:
            return forms.live(put.name, put.value, self._api.create(body))
        body["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
        if isinstance(put.value, Workload) and put.value.recreate and found["spec"]["strategy"].get("rollingUpdate"):
            body["metadata"]["resourceVersion"] = self._recreate(
                found
            )  # apply cannot take away what another manager set
        return forms.live(put.name, put.value, self._api.apply(body))

    def _recreate(self, found: Object) -> str:
        meta = found["metadata"]
        strategy = {"type": "Recreate", "rollingUpdate": None}
        body = {"metadata": {"resourceVersion": meta["resourceVersion"]}, "spec": {"strategy": strategy}}
        changed = self._api.merge(DEPLOYMENT, meta["name"], self._place.namespace, body)
        return str(changed["metadata"]["resourceVersion"])

    def _remove(self, name: str, found: Object | None) -> Live:
        if found is None:
            raise Gone(f"{name} is not there any more")
        kind, object_name = self._where(name)
        self._api.delete(kind, object_name, self._place.namespace, found["metadata"]["resourceVersion"])
        return Live(name, None)

    def _check(self, name: str, found: Object | None, stamp: Stamp) -> None:
        """Whether this write is allowed, and still about what was read."""
        if found is None:
            if stamp.version:
                raise Conflict(f"{name} was there when it was read, and is not now")
            return
        meta = found["metadata"]
        if (meta.get("labels") or {}).get(MANAGED) != "seatrial":
            raise Forbidden(
                f"{name}: {found['kind']} {meta['name']} does not carry our label; it is read, never written"
            )
        if int((meta.get("annotations") or {}).get(EPOCH, "0")) > stamp.epoch:
            raise Fenced(f"{name} carries a later epoch; another driver took over")
        if meta["resourceVersion"] != stamp.version:
            raise Conflict(f"{name} has changed since it was read")

    # ---- names to objects ----

    def _where(self, name: str) -> tuple[str, str]:
        app = self._place.app
        fixed = {
            HOME: (DEPLOYMENT, self._home), ACTIVE: (SERVICE, app), PREVIEW: (SERVICE, f"{app}-preview"),
            STABLE: (CONFIGMAP, f"{app}-stable"), LEASE: (CONFIGMAP, f"{app}-lease"),
        }  # fmt: skip
        if name == ROUTES:
            return self._router.key(self._place)
        if name in fixed:
            return fixed[name]
        if not re.fullmatch(r"workload/r\d+", name):
            raise Refused(f"there is no thing {name} on a cluster")
        return DEPLOYMENT, f"{app}-{name.removeprefix('workload/')}"

    def _live(self, name: str) -> Live:
        kind, object_name = self._where(name)
        found = self._api.get(kind, object_name, self._place.namespace)
        value = None if found is None else self._value(name, found)
        if name == ROUTES and found is not None and not self._router.obeys(self._api, self._place, found):
            value = Routes()  # what is said is not what is in effect: to be said again
        return forms.live(name, value, found)

    def _value(self, name: str, found: Object) -> Thing | None:
        if name == ROUTES:
            return self._router.value(found)
        if name in (ACTIVE, PREVIEW):
            return forms.selected(found)
        return forms.stored(found) if name in (STABLE, LEASE) else forms.workload(found)

    def _body(self, put: Put, found: Object | None) -> Object:
        place, (_, name) = self._place, self._where(put.name)
        if put.name == ROUTES:
            return self._router.rule(self._api, place, put, found)
        if put.name in (ACTIVE, PREVIEW):
            front = found or self._api.get(SERVICE, place.app, place.namespace)
            value = put.value if isinstance(put.value, Selector) else None
            return forms.selector(place.app, place.namespace, name, value, front)
        if put.name in (STABLE, LEASE):
            return forms.config(place.app, place.namespace, name, put)
        assert isinstance(put.value, Workload)
        if found is not None:
            return forms.moved(found, put.value)
        return forms.made(self._model(), name, put.value)

    def _model(self) -> Object:
        """Pods of a new revision are made like those that are there."""
        found = self._api.get(DEPLOYMENT, self._home, self._place.namespace)
        if found is not None:
            return found
        others = self._workloads()
        if not others:
            raise Gone(
                f"no Deployment of {self._place.app} is there; pods of a new revision are made like those of an old one"
            )
        return others[-1][1]

    def _workloads(self) -> list[tuple[int, Object]]:
        """Deployments of single revisions, by revision."""
        pattern = re.compile(re.escape(self._place.app) + r"-r(\d+)$")
        found = self._api.list(DEPLOYMENT, self._place.namespace, {APP: self._place.app})
        named = [
            (pattern.match(one["metadata"]["name"]), one) for one in found if one["metadata"]["name"] != self._home
        ]
        return sorted(((int(match[1]), one) for match, one in named if match), key=lambda pair: pair[0])

    # ---- pods and traffic ----

    def look(self, deadline: float) -> Seen:
        with self._api.guard.within(deadline):
            pods = self._api.list("v1/Pod", self._place.namespace, {APP: self._place.app})
            kind, name = self._where(ROUTES)
            rule = self._api.get(kind, name, self._place.namespace)
            routes = None if rule is None else self._router.value(rule)
            seen = Seen(available(self._settling(pods)), (), notes(pods))
            if not isinstance(routes, Routes):
                return seen
            return replace(seen, shares=self._router.shares(self._api, self._place, routes))

    def _changes(self, tell: Tell, stopped: threading.Event) -> None:
        for _ in self._api.watch("v1/Pod", self._place.namespace, {APP: self._place.app}, _WATCH):
            if stopped.is_set():
                return
            tell(Changed())

    def listen(self, tell: Tell, pause: float = 1.0) -> Callable[[], None]:
        """Watches the app's pods in a thread; a watch that ends or breaks is begun again, and says `Changed` since something was missed."""
        stopped = threading.Event()

        def watch() -> None:
            while not stopped.is_set():
                try:
                    with self._api.guard.within(_WATCH + 10.0):  # a wire that fell silent is given up
                        self._changes(tell, stopped)
                except PortError:
                    stopped.wait(pause)
                tell(Changed())

        threading.Thread(target=watch, name=f"watch {self._place.app}", daemon=True).start()
        return stopped.set
