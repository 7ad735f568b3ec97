"""The hand of a driver: it gives things their values. Intention on disk, effect, outcome on disk; in this order, always.

1. A thing is read first. A later epoch on it means that another driver took over: `Fenced`, and nothing is touched any more.
2. A value that is there already is not written again.
3. The undo of a thing is the value from before the run: of its first change, never of a later one. It is in the journal before the
   effect, and goes with the write as an annotation.
4. A write is believed only when the port says so, or when reading again shows the value. After a conflict or no answer: read again.
5. Tries are bounded. What is left then is an error; the driver restores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from real.driver.log import Log
from real.driver.plan import Limits, World
from real.driver.stopwatch import Stopwatch
from real.ports.errors import Conflict, Fenced, Gone, Halted, PortError, Unavailable, Unclear
from real.ports.ports import Things
from real.ports.things import LEASE, Lease, Live, Put, Seen, Stamp, told

__all__ = ["Hand"]

T = TypeVar("T")
_AGAIN = (Conflict, Gone, Unclear)


class Hand:
    """`epoch` is 0 until the lease is held; `undo` holds, by name, the values from before the run; `effects` counts intentions."""

    def __init__(self, run: str, world: World, log: Log, watch: Stopwatch, limits: Limits) -> None:
        self.run, self.world, self.log, self.watch, self.limits = run, world, log, watch, limits
        self.epoch = 0
        self.undo: dict[str, Put] = {}
        self.effects = 0

    # ---- reading ----

    def read(self, name: str) -> Live:
        """The thing as it is now."""
        return self._patiently(name, lambda: self._port(name).read(name, self.limits.call))

    def look(self) -> Seen:
        """Pods and traffic as they are now."""
        return self._patiently("pods", lambda: self.world.cluster.look(self.limits.call))

    def names(self) -> tuple[str, ...]:
        """Every thing that is there, faults last."""
        found = self._patiently("things", self.world.cluster.names)
        chaos = self.world.chaos
        return found if chaos is None else (*found, *self._patiently("faults", chaos.names))

    # ---- writing ----

    def put(self, put: Put, *, back: bool = False) -> None:
        """Give a thing its value. `back`: on the way back, which no halt stops."""
        live = self.read(put.name)
        self._mine(live)
        if live.value != put.value:
            self._change(put, live, back)

    def touch(self, name: str) -> None:
        """Write a thing again as it is, under this epoch: from now on an older driver cannot change it."""
        live = self.read(name)
        self._mine(live)
        if live.version and live.epoch < self.epoch:
            self._change(Put(name, live.value), live, back=True, touch=True)

    def _change(self, put: Put, live: Live, back: bool, touch: bool = False) -> None:
        undo = self._remembered(live)
        self.effects += 1
        number = self.effects
        self.log.act(
            {"at": self.watch.at(), "effect": number, "put": told(put), "undo": told(undo), "version": live.version, "epoch": self.epoch}
        )  # fmt: skip
        try:
            self._write(put, live, undo, back, touch)
        except PortError as error:
            self.log.act({"at": self.watch.at(), "effect": number, "outcome": type(error).__name__, "why": str(error)})
            raise
        self.log.act({"at": self.watch.at(), "effect": number, "outcome": "applied"})

    def _remembered(self, live: Live) -> Put:
        if live.name not in self.undo:
            kept = live.undo if live.run == self.run else None
            self.undo[live.name] = kept or Put(live.name, live.value)
        return self.undo[live.name]

    def _write(self, put: Put, live: Live, undo: Put, back: bool, touch: bool) -> None:
        pause, until = self.limits.pause, self.world.clock.mono() + self.limits.patience
        new = back or not live.version
        for _ in range(self.limits.tries):
            if not (live.version or new):
                raise Gone(f"{put.name} was removed by somebody else while the run was under way")
            self._allowed(put, live, back)
            try:
                stamp = Stamp(self.run, self.epoch, live.version, undo)
                self._port(put.name).write(put, stamp, self.limits.call)
                return
            except _AGAIN:
                live = self.read(put.name)
                self._mine(live)
                if live.value == put.value and (not touch or live.epoch == self.epoch or not live.version):
                    return
            except Unavailable as error:
                self.world.clock.sleep(max(pause, error.retry_after))
                pause *= 2
            if self.world.clock.mono() > until:
                break
        raise Unavailable(f"{put.name} could not be changed, though tried for {self.limits.patience:g} s")

    def _allowed(self, put: Put, live: Live, back: bool) -> None:
        """Before every effect. A look at the lease comes before what no version guards: a workload of this run, a fault."""
        made = put.name.startswith("workload/") and self.undo[put.name].value is None
        if made or not live.version or put.name.startswith("fault/"):
            self.check()
        if not back and (why := self.log.halted()):
            raise Halted(why)

    def check(self) -> None:
        """Look whether the lease is still ours."""
        lease = self.read(LEASE).value
        if not isinstance(lease, Lease) or lease.epoch != self.epoch:
            raise Fenced("the lease went to another driver; this one stops and changes nothing any more")

    def _mine(self, live: Live) -> None:
        if live.epoch > self.epoch:
            raise Fenced(f"{live.name} was taken over by another driver; this one stops and changes nothing any more")

    # ---- patience ----

    def _port(self, name: str) -> Things:
        if not name.startswith("fault/"):
            return self.world.cluster
        if self.world.chaos is None:
            raise PortError(f"{name} cannot be put: this run has nothing that injects faults")
        return self.world.chaos

    def _patiently(self, what: str, call: Callable[[], T]) -> T:
        pause, until = self.limits.pause, self.world.clock.mono() + self.limits.patience
        for _ in range(self.limits.tries):
            try:
                return call()
            except (*_AGAIN, Unavailable) as error:
                self.world.clock.sleep(max(pause, error.retry_after if isinstance(error, Unavailable) else 0.0))
                pause *= 2
            if self.world.clock.mono() > until:
                break
        raise Unavailable(f"{what} could not be read, though tried for {self.limits.patience:g} s")
