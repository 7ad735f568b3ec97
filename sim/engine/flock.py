"""Many rollouts of a policy that reads values (a runbook, say), driven in step for as long as they ask for the same things.

The first one leads: it is the one that people watch and that the world obeys. Each of the others hears the same events, with its own
counts in place of the leader's. Whoever asks for something else than the leader leaves, and starts again in a flock of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.policy.commands import Command
from sim.policy.events import Event, Measured, Started, Value
from sim.policy.judges.base import Truth
from sim.policy.notes import Observer
from sim.policy.rollout import Policy, Rollout
from sim.service.monitoring import Looks

__all__ = ["Flock"]


class Flock:
    """Stands in for a `Rollout` before a driver. `seeds`: one per replication; `left`: positions of those who left, in groups."""

    def __init__(self, policy: Policy, seeds: Sequence[int], truth: Truth | None, observe: Observer) -> None:
        self._seeds, self._truth = seeds, truth
        self._leader = Rollout(policy, observe)
        self._others = [(position, Rollout(policy)) for position in range(1, len(seeds))]
        self.left: list[list[int]] = []

    @property
    def wakes_at(self) -> float | None:
        return self._leader.wakes_at

    @property
    def here(self) -> list[int]:
        """Positions that still follow."""
        return [0, *(position for position, _ in self._others)]

    def handle(self, at: float, event: Event) -> tuple[Command, ...]:
        if isinstance(event, Started):
            started = [Started(event.replicas, event.revision, event.stable, seed, self._truth) for seed in self._seeds]
            commands = self._leader.handle(at, started[0])
            self._keep(commands, [rollout.handle(at, started[position]) for position, rollout in self._others])
            return commands
        if isinstance(event, Measured) and isinstance(event.answer, Value) and isinstance(event.answer.value, Looks):
            answers, id = event.answer.value.each(), event.id
            commands = self._leader.handle(at, Measured(id, answers[0]))
            self._keep(commands, [rollout.handle(at, Measured(id, answers[p])) for p, rollout in self._others])
            return commands
        commands = self._leader.handle(at, event)
        self._keep(commands, [rollout.handle(at, event) for _, rollout in self._others])
        return commands

    def _keep(self, lead: tuple[Command, ...], asked: list[tuple[Command, ...]]) -> None:
        wake = self._leader.wakes_at
        followers = [
            pair for pair, commands in zip(self._others, asked, strict=True) if commands == lead and pair[1].wakes_at == wake
        ]
        if len(followers) < len(self._others):
            kept = {position for position, _ in followers}
            self.left.append([position for position, _ in self._others if position not in kept])
            self._others = followers
