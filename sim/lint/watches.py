"""The metrics that watch a release, and the requests that each of their looks sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sim.lint.bars import Bar, bar, bar_of_check
from sim.lint.files import Subject
from sim.lint.power import Looks, Run
from sim.lint.reach import assumed, load, unreached
from sim.lint.spot import Spot
from sim.policy.analysis import Analysis, Metric
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.flagger import Flagger
from sim.policy.steps import Analyse, Gate, Pause
from sim.service.model import Service
from sim.timeline import Leg, earliest

__all__ = ["Watch", "measured", "watches"]

_WAITING = ("confirm-traffic-increase", "confirm-promotion")


@dataclass(frozen=True, slots=True)
class Watch:
    """One metric: more than `limit` failed looks of one of its `runs` stop the release. `looks` counts those before any request too.

    `open_ended`: a person decides how long it looks, so the looks are the fewest that there can be.
    """

    name: str
    bar: Bar
    limit: int
    runs: tuple[Run, ...]
    looks: int
    open_ended: bool
    spot: Spot
    field: str
    load: float | None = None  # requests/s of a load test, where users come only with the switch

    @property
    def least(self) -> Looks:
        """The looks that see fewest requests."""
        return min((looks for run in self.runs for looks in run), key=lambda looks: looks.requests)

    @property
    def seeing(self) -> int:
        return sum(looks.count for run in self.runs for looks in run)


def watches(subject: Subject) -> list[Watch]:
    """Every metric that a policy judges by a share of failed requests; one without runs sees none."""
    known = [*_of_flagger(subject), *_of_analyses(subject)]
    if not known:
        return []
    service = assumed(subject)
    legs = earliest(subject.policy, service, subject.replicas or None)
    return [one.over(service, legs) for one in known]


def measured(subject: Subject) -> list[Metric]:
    """The metrics of a policy's analyses; those before a blue-green switch see no user's request."""
    policy = subject.policy
    analyses: list[Analysis | None] = []
    if isinstance(policy, Canary):
        analyses = [policy.background, *(step.analysis for step in policy.steps if isinstance(step, Analyse))]
    elif isinstance(policy, BlueGreen):
        analyses = [policy.post]
    return list(dict.fromkeys(metric for analysis in analyses if analysis for metric in analysis.metrics))


@dataclass(frozen=True, slots=True)
class _Known:
    """A metric before its looks are counted. `each`: looks of one run; None: one run over all weights. `repeat`: see `Looks`.

    `load`: requests/s of a load test; where there is one users come at weight 100 only, and without a router never.
    """

    name: str
    bar: Bar
    limit: int
    each: int | None
    repeat: bool
    open_ended: bool
    spot: Spot
    field: str
    load: float | None = None
    router: bool = True

    def over(self, service: Service, legs: Sequence[Leg]) -> Watch:
        window = self.bar.window or service.monitoring.scrape
        runs: list[Run] = []
        total = 0
        for leg in legs:
            count = dict(leg.looks).get(self.name, 0)
            total += count
            users = service.traffic.rate((leg.start + leg.end) / 2) * leg.share
            alone = self.load is not None and not (self.router and leg.weight == 100)
            requests = round((self.load or 0.0 if alone else users) * window)
            if count and requests:
                runs += self._split(requests, count)
        joined = (tuple(looks for run in runs for looks in run),) if self.each is None and runs else tuple(runs)
        return Watch(self.name, self.bar, self.limit, joined, total, self.open_ended, self.spot, self.field, self.load)

    def _split(self, requests: int, count: int) -> list[Run]:
        """The looks at one weight, run by run."""
        if self.each is None or count <= self.each:
            return [(Looks(requests, count, self.repeat),)]
        return [(Looks(requests, self.each, self.repeat),)] * (count // self.each)


def _of_flagger(subject: Subject) -> Iterator[_Known]:
    policy = subject.policy
    if not isinstance(policy, Flagger) or policy.skip_analysis:
        return
    if unreached(subject):
        return
    tested = load(subject) if policy.kind == "blue/green" and not policy.mirror else None
    waits = any(hook.type in _WAITING for hook in policy.hooks)
    for check in policy.checks:
        found = bar_of_check(check)
        if found is not None:
            spot = subject.metric(check.name)
            yield _Known(
                check.name,
                found,
                policy.threshold - 1,
                None,
                True,
                waits,
                spot,
                "thresholdRange",
                tested,
                policy.router,
            )


def _of_analyses(subject: Subject) -> Iterator[_Known]:
    policy = subject.policy
    background = policy.background.metrics if isinstance(policy, Canary) and policy.background else ()
    waits = isinstance(policy, Canary) and any(
        isinstance(step, Gate) or (isinstance(step, Pause) and step.duration is None) for step in policy.steps
    )
    for metric in measured(subject):
        found = bar(metric)
        if found is not None and not metric.dry_run:
            beside = metric in background
            spot = subject.metric(metric.name, metric.template)
            each = None if beside else metric.effective_count
            yield _Known(
                metric.name, found, metric.failure_limit, each, False, beside and waits, spot, "successCondition"
            )
