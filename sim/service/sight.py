"""What can be seen of a service while a rollout goes on: counts as they were scraped, samples for queries, and the answers made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

from sim.engine.ledger import Ledger
from sim.faults.effects import Effect, TelemetryEffect
from sim.policy.commands import Counts, Measure
from sim.policy.errors import WorldError
from sim.policy.events import Answer
from sim.service.fleet import Life
from sim.service.mix import layout
from sim.service.model import Service
from sim.service.monitoring import Bad, Coarse, Looks, Metrics, Monitor, View, Weigh, Windows
from sim.service.telemetry.store import Scrapes

__all__ = ["Sight"]


class Sight:
    """Answers the questions of one path. `weigh` tells the planned weight of a stretch of time, `lives` the pods so far."""

    def __init__(
        self, service: Service, ledger: Ledger, effects: Sequence[Effect], metrics: Metrics | None,
        lives: Callable[[], Sequence[Life]], own_pods: bool, weigh: Weigh,
    ) -> None:  # fmt: skip
        telemetry = [effect for effect in effects if isinstance(effect, TelemetryEffect)]
        phases = service.telemetry.phases
        scraped = ledger if phases == 1 else Coarse(ledger, phases, service.base)
        self._monitor = Monitor(scraped, layout(service), service.monitoring.lag, telemetry)
        self._metrics, self._weigh = metrics, weigh
        self._scrapes: Scrapes | None = None
        if metrics is not None and metrics.back is not None:
            self._scrapes = Scrapes(service, ledger, lives, telemetry, metrics.back, own_pods)

    def expose(self, at: float) -> None:
        """The new version receives its first requests."""
        self._monitor.expose(at)

    def switch(self, at: float, active: int) -> None:
        """The active Service points at another version."""
        if self._scrapes is not None:
            self._scrapes.switched_at = at if active == 2 else inf

    def answer(self, at: float, question: Measure) -> Looks | Answer:
        """The answers of all replications to a question, or one for all."""
        if isinstance(question.query, Counts):
            seen = self._monitor.look(at, question.query.window, self._weigh, question.query.points)
            return Windows(seen) if isinstance(seen, View) else seen
        if self._metrics is None:
            raise WorldError(
                f"metric {question.metric} asks {question.query.provider}, and nobody says what that measures; say it in the "
                f"scenario: metrics: {{{question.metric}: success-rate}}"
            )
        return self._metrics.ask(question, at, self)

    def look(self, at: float, span: float) -> View | Bad:
        """The counts of the last `span` seconds (`Observed`)."""
        return self._monitor.look(at, span, self._weigh)

    def scraped(self, at: float) -> tuple[Scrapes, float] | Bad:
        """All samples, and the time of the last one that is visible by now (`Observed`)."""
        assert self._scrapes is not None
        lag = self._monitor.lag(at)
        return (self._scrapes, at - lag) if isinstance(lag, float) else lag
