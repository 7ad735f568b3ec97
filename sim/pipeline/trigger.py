"""Trigger: how a stage learns that there is something new, by webhook, by poll, or by reading anew after a restart.

A wake-up is only a nudge: the stage then reads everything that is new (level-triggered), so a lost webhook costs time
and never a revision, as long as a poll, a restart or a later webhook comes.
"""

from __future__ import annotations

import math

import simpy

from sim.durations import Uniforms, spend
from sim.pipeline.disruptions import Track
from sim.pipeline.model import Poll, Wakeups


class Ticks:
    """The times at which a poll acts, generated as far as they are asked for; asked in the order of time.

    ``min_gap`` with ``delay`` reproduces Argo CD as coded: a resync grid, a random delay, and a skip unless more than
    ``min_gap`` has passed since the last action.
    """

    def __init__(self, poll: Poll, uniform: Uniforms, name: str, instance: int = 0) -> None:
        self._poll, self._uniform, self._name, self._instance = poll, uniform, name, instance
        self._grid = poll.period * uniform(f"{name}.phase", instance, 0)
        self._jitter, self._delay = f"{name}.jitter", f"{name}.delay"
        self._count = 0
        self._action = -math.inf
        self._advance()

    def _advance(self) -> None:
        while True:
            action = self._grid + spend(self._poll.delay, self._uniform, self._delay, self._instance, self._count)
            gap = self._poll.period
            if self._poll.jitter:
                gap += self._poll.jitter * self._uniform(self._jitter, self._instance, self._count)
            self._grid += gap
            self._count += 1
            # A later tick with a shorter delay must not act before an earlier one: actions never go back in time.
            if action > self._action + self._poll.min_gap:
                self._action = action
                return

    def after(self, at: float) -> float:
        """The first action at or after ``at``."""
        while self._action < at:
            self._advance()
        return self._action


class Trigger:
    """The wake-ups of one stage.

    Draws: ``STAGE.webhook.delay`` and ``STAGE.webhook.drop`` by (entity, index); the poll's phase and jitter by tick.
    Faults: ``trigger.drop`` loses webhooks; while ``down`` is active the stage hears nothing, and it reads all at its
    end.
    """

    def __init__(
        self, env: simpy.Environment, wakeups: Wakeups, uniform: Uniforms, stage: str, drop: Track, down: Track
    ) -> None:
        self._env, self._wakeups, self._uniform = env, wakeups, uniform
        self._drop, self._down = drop, down
        self._names = (f"{stage}.webhook.delay", f"{stage}.webhook.drop")
        self._ticks = Ticks(wakeups.poll, uniform, f"{stage}.poll") if wakeups.poll else None
        self._unread: list[simpy.Event] = []
        self._next_read = -math.inf

    def notice(self, entity: int, index: int = 0) -> simpy.Event:
        """A SimPy event that succeeds when the stage has seen this piece of news; its value is what woke the stage."""
        seen = self._env.event()
        self._unread.append(seen)
        now = self._env.now
        hook = self._wakeups.webhook
        if hook is not None:
            lost = 1.0 - (1.0 - hook.p_drop) * (1.0 - self._drop.intensity(now))
            delay = spend(hook.delay, self._uniform, self._names[0], entity, index)
            if self._uniform(self._names[1], entity, index) >= lost and not self._down.intensity(now + delay):
                self._read(now + delay + self._wakeups.coalesce, "webhook")
        self._expect()
        return seen

    def _expect(self) -> None:
        """Plan the next reading that needs no webhook, unless one is planned already: it serves all that is unread."""
        now = self._env.now
        if self._next_read > -math.inf:
            return
        restart, poll = self._down.relief(now), self._poll(now)
        self._next_read = min(restart, poll)
        if self._next_read < math.inf:
            self._read(self._next_read, "poll" if poll <= restart else "restart")

    def _poll(self, at: float) -> float:
        if self._ticks is None:
            return math.inf
        action = self._ticks.after(at)
        while self._down.intensity(action):
            action = self._ticks.after(self._down.clear(action))
        return action

    def _read(self, at: float, cause: str) -> None:
        wake = self._env.timeout(at - self._env.now, cause)
        assert wake.callbacks is not None
        wake.callbacks.append(self._wake)

    def _wake(self, wake: simpy.Event) -> None:
        if self._next_read <= self._env.now:
            self._next_read = -math.inf
        unread, self._unread = self._unread, []
        for seen in unread:
            seen.succeed(wake.value)
