"""The end of every run, however it came: promoted or restored, and nothing of the run left over.

What is to be follows from what is there: the thing `stable` says whether the run was promoted, and every thing carries its undo (in the
journal, and on itself). So it may be done at any moment, by anybody who holds the lease, and as often as one likes.

    faults off ─► the pods that are to stay, all of them ready ─► traffic to them ─► other workloads away ─► no rule of ours left
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from real.driver.hand import Hand
from real.ports.errors import Fenced, PortError
from real.ports.ports import Stop
from real.ports.things import (
    ACTIVE,
    PREVIEW,
    ROUTES,
    STABLE,
    Live,
    Put,
    Routes,
    Seen,
    Selector,
    Stable,
    Thing,
    Workload,
)

__all__ = ["Settled", "settle"]

_ALL = 100.0


@dataclass(frozen=True, slots=True)
class Settled:
    """`left`: what could not be done, in the order in which it is to be done."""

    state: Literal["promoted", "restored", "unrestored"]
    left: tuple[Put, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Aim:
    promoted: bool
    revision: int  # that serves everything
    host: str
    value: Workload
    others: tuple[str, ...]  # workloads that go
    faults: tuple[Put, ...]


def settle(hand: Hand) -> Settled:
    """Converge. Errors of ports become what is left; only `Fenced` is raised."""
    try:
        lives = {name: hand.read(name) for name in (*hand.names(), *hand.undo, STABLE)}
    except Fenced:
        raise
    except PortError as error:
        return Settled("unrestored", tuple(hand.undo.values()), (f"the cluster cannot be read: {error}",))
    aim = _aim(lives, hand)
    if aim is None:
        return Settled(
            "unrestored", tuple(hand.undo.values()), ("no workload of the stable revision is there, nor known",)
        )
    way = _Way(hand, aim, lives)
    left = tuple(put for put in way.steps() if not way.go(put))
    state: Literal["promoted", "restored", "unrestored"] = (
        "unrestored" if left else "promoted" if aim.promoted else "restored"
    )
    return Settled(state, left, tuple(way.remarks))


# ---- what is to be ----


def _aim(lives: Mapping[str, Live], hand: Hand) -> _Aim | None:
    undo = {
        name: live.undo for name, live in lives.items() if live.run == hand.run and live.undo is not None
    } | hand.undo
    marked = lives[STABLE].value
    stable = marked.revision if isinstance(marked, Stable) else 1
    promoted = STABLE in undo and undo[STABLE].value != marked
    faults = tuple(Put(name, None) for name in lives if name.startswith("fault/"))
    hosts = list(_promoted_hosts(lives, undo, stable) if promoted else _restored_hosts(lives, undo, stable))
    if not hosts:
        return None
    host, value = hosts[0]
    others = tuple(name for name in lives if name.startswith("workload/") and name != host)
    return _Aim(promoted, stable, host, value, others, faults)


def _promoted_hosts(lives: Mapping[str, Live], undo: Mapping[str, Put], stable: int) -> Iterator[tuple[str, Workload]]:
    """The workload that was there before the run if it holds the new revision by now, else the one that the run made."""
    before = [_workload(undo[name].value if name in undo else live.value) for name, live in lives.items()]
    size = max((one.pods for one in before if one is not None), default=0)
    for made in (False, True):
        for name, live in lives.items():
            value = _workload(live.value)
            if value is not None and value.revision == stable and made == (name in undo and undo[name].value is None):
                yield name, replace(value, pods=size or value.pods)


def _restored_hosts(lives: Mapping[str, Live], undo: Mapping[str, Put], stable: int) -> Iterator[tuple[str, Workload]]:
    """The workload as it was before the run."""
    for name, live in lives.items():
        value = _workload(undo[name].value if name in undo else live.value)
        if value is not None and value.revision == stable:
            yield name, value


def _workload(value: Thing | None) -> Workload | None:
    return value if isinstance(value, Workload) else None


# ---- how it comes to be ----


class _Way:
    """The way there. A second Ctrl-C (`Stop`) ends waiting for more pods than one; nothing ends the way itself."""

    def __init__(self, hand: Hand, aim: _Aim, lives: Mapping[str, Live]) -> None:
        self.hand, self.aim, self.lives = hand, aim, lives
        self.remarks: list[str] = []
        self._hurry = self._stuck = False

    def steps(self) -> Iterator[Put]:
        """The puts, in order; between them it waits for pods."""
        aim = self.aim
        yield from aim.faults
        yield Put(aim.host, aim.value)
        if not self._ready():
            self._stuck = True  # nobody could serve: leave the traffic where it is
        routes = self.lives[ROUTES].value if ROUTES in self.lives else None
        if isinstance(routes, Routes):
            yield Put(ROUTES, Routes(((aim.revision, sum(weight for _, weight in routes.weights) or _ALL),)))
        rules = [name for name in (ACTIVE, PREVIEW) if name in self.lives and self.lives[name].value is not None]
        for name in rules:
            yield Put(name, Selector(aim.revision))
        for name in aim.others:
            yield Put(name, None)
        if not self._stuck and not self._wait(lambda seen: all(r == aim.revision or not n for r, n in seen.available)):
            self.remarks.append("pods of another revision are still there")
        for name in (ROUTES, *rules):
            if name in self.lives and self.lives[name].value is not None:
                yield Put(name, None)

    def go(self, put: Put) -> bool:
        """Whether the put was done."""
        if self._stuck:
            return False
        try:
            self.hand.put(put, back=True)
        except Fenced:
            raise
        except Exception as error:  # whatever it is: the rest of the way back is still to be gone
            self.remarks.append(f"{put.name}: {error}" if isinstance(error, PortError) else f"{put.name}: {error!r}")
            return False
        return True

    def _ready(self) -> bool:
        """Whether somebody can take the traffic. Best is everybody, for too few would be overloaded; but pods that do not come are not
        waited for as long as some are there: the version that is to go serves meanwhile."""
        revision, wanted, clock = self.aim.revision, self.aim.value.pods, self.hand.world.clock
        most, since = 0, clock.mono()

        def enough(seen: Seen) -> bool:
            nonlocal most, since
            ready = seen.pods(revision)
            if ready > most:
                most, since = ready, clock.mono()
            stalled = self._hurry or clock.mono() >= since + self.hand.limits.stall
            return ready >= wanted or (ready > 0 and stalled)

        found = self._wait(enough)
        if most < wanted:
            self.remarks.append(f"{most} of {wanted} pods of revision {revision} are ready")
        return found

    def _wait(self, enough: Callable[[Seen], bool]) -> bool:
        clock, limits = self.hand.world.clock, self.hand.limits
        until = clock.mono() + limits.settle
        while True:
            try:
                if enough(self.hand.look()):
                    return True
            except PortError:
                pass
            rest = until - clock.mono()
            if rest <= 0:
                return False
            if isinstance(clock.wait(min(rest, limits.resync)), Stop):
                self._hurry = True
