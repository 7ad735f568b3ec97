"""A site with telemetry, run by hand: commands at moments, then queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sim.durations import Constant as Fixed
from sim.engine.draws import Draws
from sim.engine.ledger import Ledger
from sim.engine.paths import draws_for
from sim.faults.effects import Effect
from sim.policy.commands import Command, SetScale, SetWeight, Text
from sim.promql.values import Answer
from sim.scenario.measures import MetricTable
from sim.scenario.providers import Asked, Providers
from sim.service.model import Alerts, Pods, Service
from sim.service.site import Site
from sim.service.telemetry.names import Identity, Named
from sim.service.telemetry.settings import Telemetry
from sim.service.traffic import Constant

ROWS = 40

SHOP = Identity(
    Named("shop", "shop-stable", "stable", (("app", "shop"),)), Named("shop", "shop-canary", "latest", (("app", "shop"),)),
    "prod", "shop-stable", "shop", system="argo", router="nginx",
)  # fmt: skip

BEGIN: tuple[tuple[float, Command], ...] = ((0.0, SetScale(4, 2)), (0.0, SetWeight(0.0)), (30.0, SetWeight(20.0)))


def service(rate: float = 20.0, errors: float = 0.02, telemetry: Telemetry | None = None) -> Service:
    return Service(
        traffic=Constant(rate), errors=errors, pods=Pods(count=4, start=Fixed(10.0)), propagation=Fixed(0.0), alerts=Alerts(pairs=()),
        telemetry=telemetry or Telemetry(),
    )  # fmt: skip


class World:
    """Everything up to `until` has happened; `ask` evaluates a query at a moment before."""

    def __init__(
        self, query: str, *, of: Service | None = None, script: Sequence[tuple[float, Command]] = BEGIN, until: float = 600.0,
        effects: Sequence[Effect] = (), identity: Identity = SHOP, rows: Sequence[int] = tuple(range(ROWS)), draws: Draws | None = None,
        count: int = ROWS,
    ) -> None:  # fmt: skip
        self.service = of or service()
        self.text = Text("prometheus", query)
        self.providers = Providers(MetricTable(), self.service, identity, (Asked("", "m", self.text),))
        drawn = draws or draws_for(self.service, 1, 0, count)
        step, phase = self.service.step, self.service.phase
        self.ledger = Ledger(drawn, np.array(rows), step, phase % step, every=True)
        self.site = Site(self.service, self.ledger, effects, together=True, metrics=self.providers)
        self.site.start()
        for at, command in script:
            self.let(at)
            self.site.carry(at, (command,))
        self.let(until)
        self.until = until
        self.ledger.settle(until)

    def let(self, until: float) -> None:
        """Let happen what is due before a moment."""
        while (due := self.site.due(None)) is not None and due < until:
            self.site.advance(due)

    def ask(self, at: float) -> Answer:
        seen = self.site.sight.scraped(at)
        assert isinstance(seen, tuple)
        scrapes, visible = seen
        plan = self.providers._plan(self.text.text)
        return plan.query.at(scrapes.store(plan, at, visible), at)

    @property
    def apart(self) -> bool:
        return self.providers._plan(self.text.text).apart


def apart(of: Service) -> Service:
    return replace(of, telemetry=replace(of.telemetry, pods="apart"))
