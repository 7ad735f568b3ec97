"""The port of a driver for faults: `fault/ID` is there, or is not (`real.ports.things`). The way of one injection:

look at the version ─► record what undo needs ─► ConfigMap `APP-fault-ID` with value, record, undo ─► inject ─► proof, or take it back

The ConfigMap is there before the effect and until the effect is undone and was looked for: whoever comes after a crash finds it, and
undoes by name. One that cannot be read any more stays, and says so.

A fault may keep its driver from ending it (calls that fail, a node that answers nothing). So one that says how long it lasts (`lasts_s`)
ends by itself a little later than it should have; its record stays for the driver, who then finds nothing left to undo.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from real.chaos.catalogue import injector, reason
from real.chaos.field import Field, Object
from real.chaos.injector import Injector, Job, NotEffective, Record
from real.cluster import forms
from real.cluster.names import EPOCH, MANAGED, labels
from real.ports.errors import Conflict, Fenced, Forbidden, Gone, PortError, Refused, Unclear
from real.ports.things import Injection, Live, Put, Stamp, Thing, told, understood

__all__ = ["Chaos"]

_CONFIGMAP = "v1/ConfigMap"
_FAULT = "seatrial.dev/fault"  # label: the fault's id
_UNDONE = 5.0  # seconds that an undo is given to show
_LATE = 1.0  # seconds by which a driver may be late before a fault ends by itself

Later = Callable[[float, Callable[[], None]], Callable[[], None]]
"""Call something in so many seconds, from any thread; what is returned prevents it."""


def timer(seconds: float, act: Callable[[], None]) -> Callable[[], None]:
    made = threading.Timer(seconds, act)
    made.daemon = True
    made.start()
    return made.cancel


class Chaos:
    """Satisfies `Things` for faults. Nothing is retried but the looking."""

    def __init__(self, field: Field, netem: bool = False, later: Later = timer) -> None:
        self.field, self.netem, self._later = field, netem, later
        self._ends: dict[str, Callable[[], None]] = {}
        self._one = threading.Lock()  # undoing twice at the same moment would be two halves

    def close(self) -> None:
        """No fault ends by itself any more: what is still there is for `recover`."""
        for prevent in self._ends.values():
            prevent()

    # ---- things ----

    def names(self) -> tuple[str, ...]:
        found = self.field.api.list(_CONFIGMAP, self.field.namespace, labels(self.field.app))
        marked = [(one["metadata"].get("labels") or {}).get(_FAULT, "") for one in found]
        return tuple(f"fault/{id}" for id in marked if id)

    def read(self, name: str, deadline: float) -> Live:
        found = self._object(name)
        return forms.live(name, None if found is None else self._value(name, found), found)

    def write(self, put: Put, stamp: Stamp, deadline: float) -> Live:
        found = self._object(put.name)
        self._check(put.name, found, stamp)
        if put.value is None:
            return self._undo(put.name, found, deadline)
        if not isinstance(put.value, Injection):
            raise Refused(f"{put.name} is a fault; it cannot be a {type(put.value).__name__}")
        if found is not None and put.value == self._value(put.name, found):
            return forms.live(put.name, put.value, self._stamped(put.name, found, stamp, {}))
        return self._inject(put, put.value, found, stamp, deadline)

    def proof(self, name: str) -> str:
        """What shows that a fault bites now; '' where nothing does. For a report at its end."""
        found = self._object(name)
        return "" if found is None else self._injector(self._job(name, found)).proof(self._job(name, found))

    # ---- in ----

    def _inject(self, put: Put, value: Injection, found: Object | None, stamp: Stamp, deadline: float) -> Live:
        if why := reason(value.kind, self.netem):
            raise Refused(f"{value.kind} cannot be injected: {why}")
        acts = injector(value.kind, self.netem)
        record = json.loads(found["data"]["record"]) if found is not None else {}
        job = Job(self.field, _id(put.name), value, record)
        if found is None:
            job = replace(job, record=acts.record(job))
        kept = self._keep(put, job, found, stamp)
        try:
            acts.inject(job)
            proof = self._proven(acts, job, deadline)
        except PortError as error:
            self._back(put.name, acts, job, error)
            raise
        if not proof:
            idle = NotEffective(f"{put.name} ({value.kind}) was injected and did not bite within {deadline:g} s")
            self._back(put.name, acts, job, idle)
            raise idle
        kept = self.field.api.merge(_CONFIGMAP, self._name(put.name), self.field.namespace, {"data": {"proof": proof}})
        lasts = job.params.get("lasts_s")
        if isinstance(lasts, (int, float)) and put.name not in self._ends:
            self._ends[put.name] = self._later(float(lasts) + _LATE, lambda: self._ended(acts, job))
        return forms.live(put.name, value, kept)

    def _keep(self, put: Put, job: Job, found: Object | None, stamp: Stamp) -> Object:
        """Value and record on the cluster, before anything happens."""
        data = {"value": _json(told(put)), "record": _json(job.record)}
        if found is not None:
            return self._stamped(put.name, found, stamp, data)
        head = {
            "name": self._name(put.name), "namespace": self.field.namespace, "annotations": forms.marks(stamp, {}),
            "labels": labels(self.field.app, **{_FAULT: job.id}),
        }  # fmt: skip
        return self.field.api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": head, "data": data})

    def _stamped(self, name: str, found: Object, stamp: Stamp, data: Record) -> Object:
        """The record under this stamp. One that is only taken over (`Hand.touch`) is not injected again by whoever came to undo it."""
        meta = found["metadata"]
        head = {
            "annotations": forms.marks(stamp, meta.get("annotations") or {}),
            "resourceVersion": meta["resourceVersion"],
        }
        return self.field.api.merge(
            _CONFIGMAP, self._name(name), self.field.namespace, {"metadata": head, "data": data}
        )

    def _proven(self, acts: Injector, job: Job, deadline: float) -> str:
        seen: list[str] = []

        def bites() -> bool:
            with suppress(Unclear):  # looked at again
                seen[:] = [acts.proof(job)]
            return bool(seen and seen[0])

        self.field.until(bites, deadline)
        return seen[0] if seen else ""

    def _back(self, name: str, acts: Injector, job: Job, why: PortError) -> None:
        """What did not work is taken back; where that fails as well, the record stays for `recover`."""
        try:
            acts.undo(job)
            if not acts.left(job):
                self.field.api.delete(_CONFIGMAP, self._name(name), self.field.namespace)
        except PortError as error:
            why.add_note(f"and taking it back failed: {error}")

    # ---- out ----

    def _undo(self, name: str, found: Object | None, deadline: float) -> Live:
        if found is None:
            raise Gone(f"{name} is not there any more")
        if name in self._ends:
            self._ends.pop(name)()
        job = self._job(name, found)
        acts = self._injector(job)
        with self._one:
            acts.undo(job)
        left = ["something unknown"]

        def clean() -> bool:
            with suppress(Unclear):
                left[:] = [acts.left(job)]
            return not left[0]

        if not self.field.until(clean, min(_UNDONE, deadline)):
            raise Unclear(f"{name} was undone, but {left[0]} is left")
        self.field.api.delete(_CONFIGMAP, self._name(name), self.field.namespace, found["metadata"]["resourceVersion"])
        return Live(name, None)

    def _ended(self, acts: Injector, job: Job) -> None:
        """The driver is late. Whatever goes wrong here, its own undo comes still."""
        with self._one, suppress(PortError):
            acts.undo(job)

    # ---- names and objects ----

    def _injector(self, job: Job) -> Injector:
        """By kind; by netem where the record is one of netem's, whatever this process would choose."""
        return injector(job.injection.kind, job.record.get("netem", self.netem))

    def _job(self, name: str, found: Object) -> Job:
        try:
            value = understood(json.loads(found["data"]["value"])).value
            record: Any = json.loads(found["data"]["record"])
        except (KeyError, ValueError) as error:
            raise Refused(
                f"{name}: its record cannot be read ({error!r}); undo it by hand, then delete the ConfigMap"
            ) from None
        if not isinstance(value, Injection):
            raise Refused(f"{name}: its record is none of a fault; undo it by hand, then delete the ConfigMap")
        return Job(self.field, _id(name), value, record)

    def _value(self, name: str, found: Object) -> Thing | None:
        """What the record says. An effect that nobody has seen yet, or that went with its process, is another value than the same effect
        proved: it is put again."""
        value = understood(json.loads(found["data"]["value"])).value
        if isinstance(value, Injection) and not (found["data"].get("proof") and self._stands(name, found)):
            return replace(value, params=(*value.params, ("proved", False)))
        return value

    def _stands(self, name: str, found: Object) -> bool:
        job = self._job(name, found)
        return self._injector(job).stands(job)

    def _object(self, name: str) -> Object | None:
        return self.field.api.get(_CONFIGMAP, self._name(name), self.field.namespace)

    def _name(self, name: str) -> str:
        return f"{self.field.app}-fault-{_id(name)}"

    def _check(self, name: str, found: Object | None, stamp: Stamp) -> None:
        if found is None:
            if stamp.version:
                raise Conflict(f"{name} was there when it was read, and is not now")
            return
        meta = found["metadata"]
        if (meta.get("labels") or {}).get(MANAGED) != "seatrial":
            raise Forbidden(f"{name}: ConfigMap {meta['name']} does not carry our label; it is never touched")
        if int((meta.get("annotations") or {}).get(EPOCH, "0")) > stamp.epoch:
            raise Fenced(f"{name} carries a later epoch; another driver took over")
        if meta["resourceVersion"] != stamp.version:
            raise Conflict(f"{name} has changed since it was read")


def _id(name: str) -> str:
    """The fault's id. It becomes part of names of objects, files and rules: nothing else than the catalogue allows."""
    found = re.fullmatch(r"fault/([a-z0-9-]{1,40})", name)
    if found is None:
        raise Refused(f"{name!r} is no fault; its id is of a-z, 0-9 and -, at most 40 characters")
    return found[1]


def _json(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"), sort_keys=True)
