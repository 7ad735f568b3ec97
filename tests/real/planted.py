"""Known-bad drivers: each one real bug, planted into the driver for a while. The suite must catch every one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from real.driver import hand, lease, recover, run, settle, watch
from real.driver.hand import Hand
from real.driver.run import Drive
from real.driver.stopwatch import Stopwatch
from real.ports.errors import Conflict, Unclear
from real.ports.things import LEASE, ROUTES, STABLE, Lease, Live, Put, Routes, Stable, Stamp, Workload, told, workload
from sim.policy.commands import SetWeight
from sim.policy.events import Failed, Measured, NotANumber, PodsReady, Value
from tests.real.fake import Log

__all__ = ["BUGS", "planted"]

Patch = tuple[Any, str, Any]
_write, _put, _change, _settle = Hand._write, Hand.put, Hand._change, settle.settle
_puts, _take, _carry, _claim = run.puts, Drive._take, Drive._carry, lease.claim


@contextmanager
def planted(*patches: Patch) -> Iterator[None]:
    before = [(where, name, getattr(where, name)) for where, name, _ in patches]
    for where, name, bug in patches:
        setattr(where, name, bug)
    try:
        yield
    finally:
        for where, name, good in reversed(before):
            setattr(where, name, good)


def _acts_first(self: Hand, put: Put, live: Live, back: bool, touch: bool = False) -> None:
    undo = self._remembered(live)
    self._write(put, live, undo, back, touch)
    self.log.act({"at": self.watch.at(), "effect": 1, "put": told(put), "undo": told(undo), "outcome": "applied"})


def _forgets_undo(self: Hand, put: Put, live: Live, undo: Put, back: bool, touch: bool) -> None:
    self._port(put.name).write(put, Stamp(self.run, self.epoch, live.version, None), self.limits.call)


def _last_undo(self: Hand, live: Live) -> Put:
    self.undo[live.name] = Put(live.name, live.value)
    return self.undo[live.name]


def _relative(command: Any, facts: Any) -> tuple[Put, ...]:
    if isinstance(command, SetWeight) and facts.routes is not None and facts.stable != facts.revision:
        now = dict(facts.routes.weights)
        weights = tuple((r, w + (command.weight if r == facts.revision else 0.0)) for r, w in now.items())
        return (Put(ROUTES, replace(facts.routes, weights=weights)),)
    return _puts(command, facts)


def _swallows(*kinds: type[Exception]) -> Callable[..., None]:
    def write(self: Hand, put: Put, live: Live, undo: Put, back: bool, touch: bool) -> None:
        try:
            self._allowed(put, live, back)
            self._port(put.name).write(put, Stamp(self.run, self.epoch, live.version, undo), self.limits.call)
        except kinds:
            return
        except Exception:
            _write(self, put, self.read(put.name), undo, back, touch)

    return write


def _elsewhere(self: Hand, put: Put, *, back: bool = False) -> None:
    _put(self, Put("other/" + put.name, put.value) if put.name == ROUTES else put, back=back)


def _carries_first(self: Drive, event: Any) -> None:
    """The entry comes after its effects."""
    kept: list[Any] = []
    entry = self.log.entry
    self.log.entry = kept.append  # type: ignore[method-assign]
    try:
        _take(self, event)
    finally:
        del self.log.entry
    for one in kept:
        entry(one)


def _promotes_in_recovery(one: Hand) -> Any:
    made = one.read(workload(2))
    if isinstance(made.value, Workload) and one.world.cluster.look(1.0).pods(2):
        one.put(Put(STABLE, Stable(2, 1)), back=True)
    return _settle(one)


def _double(command: Any, facts: Any) -> tuple[Put, ...]:
    puts = _puts(command, facts)
    return tuple(Put(put.name, Stable(put.value.revision + 1, put.value.revision)) if isinstance(put.value, Stable) else put
                 for put in (*puts, *puts[-1:])) if puts and isinstance(puts[-1].value, Stable) else puts  # fmt: skip


def _no_answer_is_good(self: Drive, event: Any) -> None:
    if isinstance(event, Measured) and isinstance(event.answer, Failed | NotANumber):
        event = Measured(event.id, Value([1.0]))
    _take(self, event)


def _wanted_is_ready(self: Any, *_: Any, **__: Any) -> PodsReady:
    wanted = {one.revision: one.pods for _, one in self.workloads()}
    return PodsReady(wanted.get(self.stable, 0), wanted.get(self.revision, 0) if self.stable != self.revision else 0)


def _releases_first(one: Hand) -> Any:
    lease.release(one)
    return _settle(one)


def _without_waiting(self: Any, enough: Any) -> bool:
    return True


def _others_first(self: Any) -> Iterator[Put]:
    yield from (Put(name, None) for name in self.aim.others)
    yield from (put for put in _steps(self) if put.value is not None or not put.name.startswith("workload/"))


_steps = settle._Way.steps


def _without_faults(self: Any) -> Iterator[Put]:
    return (put for put in _steps(self) if not put.name.startswith("fault/"))


def _without_rules(self: Any) -> Iterator[Put]:
    return (put for put in _steps(self) if put.value is not None or put.name != ROUTES)


def _outcomes_only(acts: Any) -> dict[str, Put]:
    done = {act["effect"] for act in acts if act.get("outcome") == "applied"}
    return _undone(act for act in acts if act.get("effect") in done)


_undone = recover.undone


def _without_annotation(self: Hand, put: Put, live: Live, undo: Put, back: bool, touch: bool) -> None:
    _write(self, put, live, Put(undo.name, live.value), back, touch)


def _by_wall(self: Stopwatch) -> float:
    return round(self._clock.wall() - self.started, 6)


def _lets_in(one: Hand, holder: str) -> None:
    live = one.read(LEASE)
    held = live.value
    one.epoch = held.epoch + 1 if isinstance(held, Lease) else 1
    one.world.cluster.write(
        Put(LEASE, Lease(one.run, holder, one.epoch, 0.0)), Stamp(one.run, one.epoch, live.version), 1.0
    )


def _by_tag(command: Any, facts: Any) -> tuple[Put, ...]:
    return tuple(Put(put.name, replace(put.value, image=put.value.image.split("@")[0] + ":latest"))
                 if isinstance(put.value, Workload) else put for put in _puts(command, facts))  # fmt: skip


def _blind(self: Hand, put: Put, live: Live, undo: Put, back: bool, touch: bool) -> None:
    """Creates again and again, without reading what came of it."""
    for _ in range(self.limits.tries):
        try:
            self._port(put.name).write(put, Stamp(self.run, self.epoch, live.version, undo), self.limits.call)
            return
        except (Conflict, Unclear):
            continue


def _halves(command: Any, facts: Any) -> tuple[Put, ...]:
    puts = _puts(command, facts)
    return tuple(Put(put.name, replace(put.value, weights=put.value.weights[1:]))
                 if isinstance(put.value, Routes) and len(put.value.weights) > 1 else put for put in puts)  # fmt: skip


BUGS: dict[str, tuple[Patch, ...]] = {
    "acts before the intention is down": ((Hand, "_change", _acts_first),),
    "carries out before the entry is down": ((Drive, "_take", _carries_first),),
    "forgets the undo on the object": ((Hand, "_write", _forgets_undo),),
    "overwrites the undo with a later value": ((Hand, "_remembered", _last_undo),),
    "another undo on the object than in the journal": ((Hand, "_write", _without_annotation),),
    "undoes only what has an outcome": ((recover, "undone", _outcomes_only), (Hand, "_remembered", _last_undo)),
    "adds weights instead of setting them": ((run, "puts", _relative),),
    "weights do not add up": ((run, "puts", _halves),),
    "takes a conflict for done": ((Hand, "_write", _swallows(Conflict)),),
    "takes no answer for done": ((Hand, "_write", _swallows(Unclear)),),
    "tries again without reading": ((Hand, "_write", _blind),),
    "ignores epochs": ((Hand, "_mine", lambda self, live: None), (Hand, "check", lambda self: None)),
    "takes over without touching": ((Hand, "touch", lambda self, name: None),),
    "lets a second run in": ((run, "claim", _lets_in),),
    "gives the lease back before it has restored": ((run, "settle", _releases_first), (recover, "settle", _releases_first)),
    "never gives the lease back": ((run, "release", lambda one: None), (recover, "release", lambda one: None)),
    "writes in another namespace": ((Hand, "put", _elsewhere),),
    "promotes twice": ((run, "puts", _double),),
    "promotes in recovery what nobody promoted": ((recover, "settle", _promotes_in_recovery), (run, "settle", _promotes_in_recovery)),
    "takes the unknown for good": ((Drive, "_take", _no_answer_is_good),),
    "takes wanted pods for ready ones": ((watch.Facts, "event", _wanted_is_ready),),
    "moves traffic before anybody is ready": ((settle._Way, "_wait", _without_waiting),),
    "removes pods before the others are ready": ((settle._Way, "steps", _others_first),),
    "leaves faults behind": ((settle._Way, "steps", _without_faults),),
    "leaves a rule of the router behind": ((settle._Way, "steps", _without_rules),),
    "goes on after a halt": ((Log, "halted", lambda self: ""),),
    "tells time by a clock that jumps": ((Stopwatch, "at", _by_wall),),
    "deploys by tag": ((run, "puts", _by_tag),),
    "writes a secret down": ((Log, "redact", lambda self, text: text),),
    "reads a stale lease": ((hand.Hand, "check", lambda self: None), (lease, "_clean", lambda one: True)),
}  # fmt: skip
