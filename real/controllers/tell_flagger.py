"""A recording of Flagger -> entries.

Pods count by revision, as in a trace: what the canary and the primary run of one revision is one size. The new revision is the
stable one from the moment at which the primary's last old pod is gone.
"""

from __future__ import annotations

from real.controllers.answers import Given
from real.controllers.case import Object
from real.controllers.recording import Act, Recording, revision_of
from real.controllers.telling import Teller
from real.controllers.watching import Seen
from sim.files import parse_duration
from sim.policy.events import NotANumber, Value

__all__ = ["tell_flagger"]


class _Flagger(Teller):
    def __init__(self, recording: Recording) -> None:
        super().__init__(recording)
        spec = recording.case.workload["spec"]
        self._target = spec["targetRef"]["name"]
        self._weighs = not spec.get("analysis", {}).get("match")
        self._copied = 1  # the revision that the primary is to have
        self._counters = (0, 0)
        self._interval = max(10.0, parse_duration(spec.get("analysis", {}).get("interval", "60s")))

    def hear(self, item: Seen | Act | Given) -> None:
        at = item.at
        if isinstance(item, Act):
            self._act(item)
            return
        if isinstance(item, Given):
            self.add(at, "measurement", run="tick", metric=item.metric, value=_value(item.answer))
            return
        match item.kind:
            case "ReplicaSet" if not item.deleted:
                self.sizes.see(at, item.name, item.object, at >= self.start)
                self._take_over(at)
                self.look(at)
            case "Deployment" if item.name == f"{self._target}-primary":
                self._copied = revision_of(item.object)
            case "Deployment" if item.name == self._target:
                self._revise(at, revision_of(item.object))
            case "HTTPRoute" if self._weighs and not item.deleted:
                self.weigh(at, _weight(item.object, f"{self._target}-canary"))
            case "Canary":
                self._status(at, item.object.get("status", {}))

    def _act(self, act: Act) -> None:
        if act.what.kind == "pause":
            self.obey(act.at, act.what.action)
        elif act.what.kind == "revision":
            self.add(act.at, "revision", revision=int(str(act.what.value)))

    def _revise(self, at: float, revision: int) -> None:
        if at == self.start:
            self.enter(at, "Initialized")
        self.revision = revision
        self.look(at)

    def _take_over(self, at: float) -> None:
        stable = self.stable_revision
        if self._copied != stable and not self.sizes.wanted(stable) and not self.sizes.available(stable):
            self.stable_revision = self._copied

    def _status(self, at: float, status: Object) -> None:
        if at < self.start:
            return
        before = (self.phase, self._counters)
        self.enter(at, status.get("phase", ""))
        counters = (status.get("failedChecks", 0), status.get("iterations", 0))
        if counters != self._counters:
            self._counters = counters
            self.add(at, "tick", failedChecks=counters[0], iterations=counters[1])
        if (self.phase, self._counters) != before:
            self._ticked(at - self.start)

    def _ticked(self, at: float) -> None:
        """Something happened in a tick; the grid begins with the earliest that fits."""
        if self.tick is None:
            self.tick = round(at, 3)
        first = at - round((at - self.tick) / self._interval) * self._interval
        self.tick = max(0.0, round(min(self.tick, first), 3))


def _weight(route: Object, service: str) -> float:
    """The canary's share in the last rule, which has no match."""
    backends = route["spec"]["rules"][-1].get("backendRefs", ())
    return float(sum(one.get("weight", 1) for one in backends if one["name"] == service))


def _value(answer: object) -> object:
    """What a trace shows of an answer; of several series the last counts."""
    match answer:
        case Value([*_, last]) | Value(last):
            return last
        case NotANumber():
            return "NaN"
    return None


def tell_flagger(recording: Recording) -> Teller:
    told = _Flagger(recording)
    for item in recording.merged():
        told.hear(item)
    return told
