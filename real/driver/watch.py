"""What a driver sees of pods and traffic: events for the policy, and the share of the new version over time for windows of counts."""

from __future__ import annotations

from collections.abc import Iterable

from real.driver.counting import Counting
from real.driver.effects import Facts
from real.driver.hand import Hand
from real.driver.stopwatch import Stopwatch
from real.ports.errors import Fenced, PortError
from real.ports.things import Seen
from sim.policy.events import Event, PodsReady, WeightIs

__all__ = ["Glance", "Sight"]


class Glance:
    """A `Look` for a measurement."""

    __slots__ = ("_sight", "at", "started")

    def __init__(self, sight: Sight, at: float, started: float) -> None:
        self._sight, self.at, self.started = sight, at, started

    def share(self, begin: float, end: float) -> float:
        return self._sight.share(begin, end)


class Sight:
    """Looks at the cluster when told to, and says only what changed. `due`: when to look again at the latest."""

    def __init__(self, hand: Hand, facts: Facts) -> None:
        self._hand, self._facts = hand, facts
        self._counting = Counting()
        self._told: PodsReady | None = PodsReady(facts.replicas, 0)
        self._weight: float | None = None
        self._notes: tuple[str, ...] = ()
        self._shares: list[tuple[float, float]] = [(0.0, 0.0)]  # (since, share of the new version)
        self.due = 0.0

    def resume(self, shares: Iterable[tuple[float, float]]) -> None:
        """Go on after a crash: the shares so far are known, and everything is told anew."""
        self._shares += shares
        self._told = None

    def look(self, at: float) -> list[Event]:
        """The events of one look; none if the cluster does not answer, for it is looked at again soon.

        All of them are of that look: what the first one leads to changes what is known, and is seen by the next.
        """
        self.due = at + self._hand.limits.resync
        seen = self._seen(at)
        if seen is None:
            return []
        found: list[Event] = []
        ready, weight = dict(seen.available), self._facts.weight(seen)
        pods = self._facts.event(self._counting(at, self._facts.min_ready, ready), sum(ready.values()))
        if pods != self._told:
            self._told = pods
            found.append(pods)
        if weight is not None and weight != self._weight:
            self._weight = weight
            found.append(WeightIs(weight))
        return found

    def last(self, at: float) -> None:
        """Where the traffic is when the policy has nothing more to do: its last effect may have been too late for a look."""
        self._seen(at)

    def _seen(self, at: float) -> Seen | None:
        try:
            seen = self._hand.world.cluster.look(self._hand.limits.call)
        except Fenced:
            raise
        except PortError:
            return None
        self._remember(at, seen)
        return seen

    def _remember(self, at: float, seen: Seen) -> None:
        share = self._facts.share(seen)
        if share != self._shares[-1][1]:
            self._shares.append((at, share))
            self._hand.log.act({"at": at, "share": share})
        if seen.notes != self._notes:
            self._notes = seen.notes
            self._hand.log.act({"at": at, "remark": "; ".join(seen.notes) or "all pods are well"})

    def at(self, watch: Stopwatch) -> Glance:
        return Glance(self, watch.at(), watch.started)

    def share(self, begin: float, end: float) -> float:
        """The share of the new version, averaged over a stretch of time."""
        if end <= begin:
            return self._shares[-1][1]
        total = 0.0
        for (start, share), (stop, _) in zip(self._shares, [*self._shares[1:], (end, 0.0)], strict=True):
            total += share * max(0.0, min(stop, end) - max(start, begin))
        return min(1.0, total / (end - begin))
