"""Record what a real controller makes of a case: apply, let revision 1 become stable, start revision 2, act, watch, tell.

with Answers(host) as answers:
    history = tell(asyncio.run(record(Case.read(folder), KubeConfig.from_file(path).get(), answers)))
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import Protocol

from lightkube import AsyncClient
from lightkube.codecs import from_dict
from lightkube.config.kubeconfig import SingleConfig
from lightkube.core.exceptions import ApiError
from lightkube.resources.core_v1 import Namespace
from lightkube.types import PatchType

from real.cluster.namespaces import body
from real.controllers.acts import Acts
from real.controllers.answers import Answers, Served
from real.controllers.case import Case, Object
from real.controllers.kinds import POD, WORKLOADS
from real.controllers.prepare import GATE, REVISION, prepared
from real.controllers.recording import Act, Recording
from real.controllers.routed import plane
from real.controllers.stable import stable
from real.controllers.watching import Seen, Watch
from sim.policy.errors import WorldError
from sim.policy.events import Answer
from sim.tracing.script import Happening

__all__ = ["Users", "record"]

_ENDS = ("Healthy", "Degraded", "Succeeded", "Failed")
_PATIENCE = 180.0  # seconds until revision 1 must be stable


class Users(Protocol):
    """Those who use the service while a controller works, and the Prometheus that watches it."""

    def come(self) -> None:
        """Begin; returns once there is something to measure. Revision 1 stands."""

    def go(self) -> None:
        """End; the namespace is still there."""

    def ask(self, query: str) -> Answer:
        """What Prometheus says now."""


async def record(
    case: Case,
    config: SingleConfig,
    answers: Answers,
    namespace: str = "",
    quiet: float = inf,
    users: Users | None = None,
) -> Recording:
    """Play the case in a namespace of its own, to the script's end, or until nothing has changed for `quiet` seconds after the end.

    `users` come while it is played, and their Prometheus answers. Errors: WorldError when revision 1 does not become stable.
    """
    namespace = namespace or f"case-{case.name}"
    client = AsyncClient(config, field_manager="seatrial")
    try:
        async with _namespace(client, namespace):
            return await _Recorder(case, client, answers, namespace, quiet, users).run()
    finally:
        await client.aclose()


@asynccontextmanager
async def _namespace(client: AsyncClient, name: str) -> AsyncIterator[None]:
    """A namespace of ours that was not there before and is not afterwards."""
    system = await client.get(Namespace, "kube-system")
    assert system.metadata is not None
    await client.create(from_dict(body(name, str(system.metadata.uid))))
    try:
        yield
    finally:
        await client.delete(Namespace, name, grace_period=0)


@dataclass(slots=True)
class _Recorder:
    case: Case
    client: AsyncClient
    answers: Answers
    namespace: str
    quiet: float
    users: Users | None
    latest: dict[tuple[str, str], Object] = field(default_factory=dict)
    served: Served = field(init=False)
    changed: float = 0.0  # when anything last became another
    made: dict[int, int] = field(default_factory=dict)  # pods seen, per revision
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> Recording:
        case, script = self.case, self.case.script
        objects = prepared(case, self.namespace, self.answers.address)
        self.served = Served(script, _metrics(case), ask=None if self.users is None else self.users.ask)
        self.answers.serve(self.namespace, self.served)
        acts = Acts(self.client, case, self.namespace, objects)
        async with Watch(self.client, self.namespace, case.watched, self._hear) as watch:
            for one in [*plane(case, self.namespace), *objects]:
                await self.client.create(from_dict(one))
            await self._until_stable(watch)
            async with self._visited():
                return await self._second(watch, acts)

    @asynccontextmanager
    async def _visited(self) -> AsyncIterator[None]:
        """Users come, and go when it is over."""
        if self.users is None:
            yield
            return
        try:
            await asyncio.to_thread(self.users.come)
            yield
        finally:
            await asyncio.to_thread(self.users.go)

    async def _second(self, watch: Watch, acts: Acts) -> Recording:
        """Revision 2, and all that follows."""
        began = datetime.now(UTC)
        self.served.started = self.changed = started = time.monotonic()
        await acts.carry(Happening(0.0, "revision", 2))
        done = await self._play(watch, acts, started)
        for task in self.tasks:
            task.cancel()
        return Recording(
            self.case,
            began.isoformat(timespec="milliseconds"),
            tuple(watch.ordered()),
            tuple(done),
            tuple(self.served.given),
            inf if self.quiet == inf else time.monotonic(),
        )

    async def _until_stable(self, watch: Watch) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not stable(self._workload(), list(self.latest.values())):
            watch.failed()
            if time.monotonic() > deadline:
                raise WorldError(f"{self.case.name}: revision 1 did not become stable within {_PATIENCE:g} s")
            await asyncio.sleep(0.1)

    async def _play(self, watch: Watch, acts: Acts, started: float) -> list[Act]:
        done: list[Act] = []
        for happening in self.case.script.events:
            await asyncio.sleep(max(0.0, started + happening.at - time.monotonic()))
            done.append(Act(time.monotonic(), happening))
            await acts.carry(happening)
        while time.monotonic() < started + self.case.script.until and not self._over():
            watch.failed()
            await asyncio.sleep(0.1)
        return done

    def _over(self) -> bool:
        """Whether the controller is done, and nothing has happened since for as long as it may keep old pods."""
        ended = self._workload().get("status", {}).get("phase") in _ENDS
        return ended and time.monotonic() - self.changed > self.quiet

    def _workload(self) -> Object:
        kind = WORKLOADS[self.case.system][0]
        return self.latest.get((kind, self.case.workload["metadata"]["name"]), {})

    # ---- what arrives ----

    def _hear(self, seen: Seen) -> None:
        before = self.latest.get((seen.kind, seen.name))
        known = before is not None
        if seen.deleted or _timeless(before) != _timeless(seen.object):
            self.changed = seen.at
        if seen.deleted:
            self.latest.pop((seen.kind, seen.name), None)
            return
        self.latest[(seen.kind, seen.name)] = seen.object
        if seen.kind == "Pod" and not known and self.case.script.ready != 0:
            task = asyncio.create_task(self._open(seen))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _open(self, seen: Seen) -> None:
        """Open a pod's readiness gate when the script says so."""
        revision = int(seen.object["metadata"].get("annotations", {}).get(REVISION, 1))
        first = self.served.started is None
        number = 0 if first else self.made.get(revision, 0)
        if not first:
            self.made[revision] = number + 1
        delay = 0.0 if first else self.case.script.ready_after(revision, number)
        if delay == inf:
            return
        await asyncio.sleep(max(0.0, seen.at + delay - time.monotonic()))
        change = {"status": {"conditions": [{"type": GATE, "status": "True"}]}}
        try:
            await self.client.patch(
                POD.Status, seen.name, change, namespace=self.namespace, patch_type=PatchType.STRATEGIC
            )
        except ApiError as error:
            if error.status.code != 404:  # gone already
                raise


_TIMES = (
    "resourceVersion",
    "lastTransitionTime",
    "lastUpdateTime",
)  # Flagger writes a failed Canary's anew with every tick


def _timeless(found: object) -> object:
    """What an object says, without when it was said."""
    if isinstance(found, dict):
        return {key: _timeless(value) for key, value in found.items() if key not in _TIMES}
    return [_timeless(one) for one in found] if isinstance(found, list) else found


def _metrics(case: Case) -> dict[str, dict[str, str]]:
    """Metrics that share an address, each with a text that tells its query from the others' (Flagger)."""
    known: dict[str, dict[str, str]] = {}
    for metric in case.workload["spec"].get("analysis", {}).get("metrics", ()) if case.system == "flagger" else ():
        template = metric.get("templateRef", {}).get("name")
        if template:
            known.setdefault(template, {})[metric["name"]] = ""
        else:
            mark = "histogram_quantile" if metric["name"] == "request-duration" else ""
            own = known.setdefault("-", {})
            known["-"] = {metric["name"]: mark} | own if mark else own | {metric["name"]: mark}
    return known
