"""What a delivery system is made of: one frozen value per stage, all times in seconds, all shares in [0, 1].

Defaults are the stock behaviour of a common chain (GitHub, CircleCI, Harbor, Argo CD, Prometheus with Alertmanager),
from profiles.yaml and pipeline-systems.md section 2; what has no source is marked estimate there and here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from sim.durations import Constant, Duration, Lognormal
from sim.policy.errors import WorldError

Supersede = Literal["queue", "replace", "batch"]
Method = Literal["rollback", "forward"]


def _share(name: str, value: float, *, below: float | None = None) -> None:
    if not 0.0 <= value <= 1.0 or (below is not None and value >= below):
        raise WorldError(f"{name} must be in [0, 1{']' if below is None else ')'}, got {value}")


def _above(name: str, value: float, floor: float = 0.0, *, strict: bool = True) -> None:
    if value < floor or (strict and value == floor):
        raise WorldError(f"{name} must be {'above' if strict else 'at least'} {floor:g}, got {value}")


@dataclass(frozen=True, slots=True)
class Risk:
    """How likely a change is bad, and how bad: 1 - (1 - p_bad)^((size / typical)^size_effect).

    ``size_effect`` 0: size does not matter; 1: every line carries the same hazard. ``severity`` is the share of
    requests that a bad change breaks, cut at 1. All estimates: calibrate.
    """

    p_bad: float = 0.05
    typical: float = 40.0
    size_effect: float = 0.5
    severity: Duration = Lognormal(0.02, 0.6)

    def __post_init__(self) -> None:
        _share("risk.p_bad", self.p_bad)
        _share("risk.size_effect", self.size_effect)
        _above("risk.typical", self.typical)

    def probability(self, size: int) -> float:
        """The probability that a change of ``size`` lines is bad."""
        return 1.0 - math.pow(1.0 - self.p_bad, math.pow(size / self.typical, self.size_effect))


@dataclass(frozen=True, slots=True)
class Commits:
    """Synthetic commits: pushes are Poisson within working hours; second 0 is Monday 00:00 (all estimates).

    ``per_hour`` counts pushes per working hour; ``batch`` gives the weights of 1, 2, 3... commits in one push.
    """

    per_hour: float = 2.0
    hours: tuple[float, float] = (9.0, 17.0)
    days: int = 5
    batch: tuple[float, ...] = (1.0,)
    size: Duration = Lognormal(40.0, 2000.0)
    risk: Risk = Risk()

    def __post_init__(self) -> None:
        _above("commits.per_hour", self.per_hour)
        if not 0.0 <= self.hours[0] < self.hours[1] <= 24.0:
            raise WorldError(f"commits.hours must be two hours of one day in order, got {self.hours}")
        if not 1 <= self.days <= 7:
            raise WorldError(f"commits.days must be from 1 to 7, got {self.days}")
        if not self.batch or min(self.batch) < 0 or sum(self.batch) <= 0:
            raise WorldError(f"commits.batch must be weights with a positive sum, got {self.batch}")


@dataclass(frozen=True, slots=True)
class Webhook:
    """A push hop: one attempt, delivered after ``delay`` or lost with ``p_drop`` (github profile; estimates)."""

    delay: Duration = Lognormal(2.0, 30.0)
    p_drop: float = 0.001

    def __post_init__(self) -> None:
        _share("webhook.p_drop", self.p_drop)


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll hop: ticks ``period`` + U(0, ``jitter``) apart; each acts after ``delay``, unless ``min_gap`` or less has
    passed since the last action (profile schema, key ``trigger``). Default: Argo CD as documented."""

    period: float = 120.0
    jitter: float = 60.0
    delay: Duration = Constant(0.0)
    min_gap: float = 0.0

    def __post_init__(self) -> None:
        _above("poll.period", self.period)
        _above("poll.jitter", self.jitter, strict=False)
        _above("poll.min_gap", self.min_gap, strict=False)


@dataclass(frozen=True, slots=True)
class Wakeups:
    """How a stage learns that something is new: by webhook, by poll or both, whichever comes first.

    ``coalesce``: a webhook acts this long after its arrival, for everything known by then (Jenkins' quiet period).
    """

    webhook: Webhook | None = Webhook()
    poll: Poll | None = Poll()
    coalesce: float = 0.0

    def __post_init__(self) -> None:
        if self.webhook is None and self.poll is None:
            raise WorldError("a stage without webhook and poll never starts; give it one of them")
        _above("wakeups.coalesce", self.coalesce, strict=False)


@dataclass(frozen=True, slots=True)
class Integration:
    """Continuous integration: a FIFO queue before ``workers``; a job is start + build + test.

    ``p_fail``: a run is red because the change is broken; ``p_catch``: the tests see a bad change (drawn once a
    change: what passes once passes always); either goes back to its author for ``repair``. ``p_flaky``: a test run
    fails for no reason; it is repeated inside the job up to ``retries`` times, then somebody starts the job again
    after ``rerun``. Workers come back ``outage_sleep`` after an outage. Sources: github_actions start, circleci
    service; shares are estimates.
    """

    workers: int = 4
    wakeups: Wakeups = Wakeups(poll=None)
    start: Duration = Lognormal(8.0, 120.0)
    build: Duration = Lognormal.of(median=198.0, mean=750.0)
    test: Duration = Lognormal(240.0, 1200.0)
    p_fail: float = 0.10
    p_catch: float = 0.5
    p_flaky: float = 0.02
    retries: int = 1
    repair: Duration = Lognormal(1800.0, 28800.0)
    rerun: Duration = Lognormal(300.0, 7200.0)
    outage_sleep: Duration = Constant(0.0)

    def __post_init__(self) -> None:
        if self.workers < 1 or self.retries < 0:
            raise WorldError(f"workers >= 1 and retries >= 0 are needed, got {self.workers} and {self.retries}")
        _share("integration.p_fail", self.p_fail, below=1.0)
        _share("integration.p_flaky", self.p_flaky, below=1.0)
        _share("integration.p_catch", self.p_catch)


@dataclass(frozen=True, slots=True)
class Retry:
    """Wait k (from 0) is min(cap, base * factor^k), endless (image pull back-off of Kubernetes: 10, 20, ... 300)."""

    base: float = 10.0
    factor: float = 2.0
    cap: float = 300.0

    def __post_init__(self) -> None:
        _above("retry.base", self.base)
        if self.factor < 1.0 or self.cap < self.base:
            raise WorldError(f"a retry needs factor >= 1 and cap >= base, got {self}")

    def wait(self, k: int) -> float:
        # The exponent is cut where the cap has long been reached, so that an endless retry cannot overflow.
        return min(self.cap, self.base * self.factor ** min(k, 64))


@dataclass(frozen=True, slots=True)
class Artifacts:
    """The artifact store: push, scan, pull, and what retention takes away every ``gc_every`` seconds.

    At a collection an artifact goes when ``keep`` newer ones exist or when it is older than ``max_age`` (None:
    never); a store does not know what is live. Durations are estimates.
    """

    push: Duration = Lognormal(20.0, 120.0)
    scan: Duration = Lognormal(30.0, 300.0)
    pull: Duration = Lognormal(15.0, 90.0)
    retry: Retry = Retry()
    keep: int | None = None
    max_age: float | None = None
    gc_every: float = 86400.0

    def __post_init__(self) -> None:
        _above("artifacts.gc_every", self.gc_every)
        if self.keep is not None and self.keep < 1:
            raise WorldError(f"artifacts.keep must be at least 1 or none, got {self.keep}")
        if self.max_age is not None:
            _above("artifacts.max_age", self.max_age)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Deployment: a level-triggered reconciler that brings the newest revision it knows into production.

    ``supersede``, when a newer revision arrives during a rollout: ``batch`` lets it end, then takes the newest and
    skips the others; ``queue`` rolls out each in turn; ``replace`` interrupts it.
    """

    wakeups: Wakeups = Wakeups()
    apply: Duration = Lognormal(5.0, 30.0)
    supersede: Supersede = "batch"

    def __post_init__(self) -> None:
        if self.supersede not in ("queue", "replace", "batch"):
            raise WorldError(f"delivery.supersede must be queue, replace or batch, got {self.supersede!r}")


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of news from where it is decided to a receiver (pipeline-systems.md section 5.1).

    With a ``period`` it waits for the receiver's next tick; then ``delay``; lost with ``p_drop``, healed by ``resync``.
    """

    delay: Duration = Constant(0.0)
    period: float | None = None
    p_drop: float = 0.0
    resync: float | None = None

    def __post_init__(self) -> None:
        _share("hop.p_drop", self.p_drop)
        for name, value in (("hop.period", self.period), ("hop.resync", self.resync)):
            if value is not None:
                _above(name, value)
        if self.p_drop > 0 and self.resync is None:
            raise WorldError("a hop that loses news needs a resync period, or some receivers never learn it")


@dataclass(frozen=True, slots=True)
class Propagation:
    """Traffic: the hops to each of ``receivers`` proxies, and the ``rate`` (requests/s) that a bad change harms."""

    hops: tuple[Hop, ...] = (Hop(delay=Lognormal(1.0, 5.0)),)
    receivers: int = 1
    rate: float = 100.0

    def __post_init__(self) -> None:
        if self.receivers < 1:
            raise WorldError(f"propagation.receivers must be at least 1, got {self.receivers}")
        _above("propagation.rate", self.rate, strict=False)


@dataclass(frozen=True, slots=True)
class Alerting:
    """Sample, evaluate, pending (the rule's ``for``), group wait: stock Prometheus and Alertmanager.

    An alert sees a deployment whose changes break at least ``visible`` of the requests; ``reports`` is how long users
    take to complain about any bad change (None: never).
    """

    sample: float = 60.0
    evaluate: float = 60.0
    pending: float = 0.0
    group_wait: float = 30.0
    lookback: float = 300.0
    visible: float = 0.01
    reports: Duration | None = None

    def __post_init__(self) -> None:
        _above("alerting.sample", self.sample)
        _above("alerting.evaluate", self.evaluate)
        _above("alerting.lookback", self.lookback)
        _above("alerting.pending", self.pending, strict=False)
        _above("alerting.group_wait", self.group_wait, strict=False)
        _share("alerting.visible", self.visible)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What people do about a bad release: respond (contracts.md section 7), then roll back or fix forward.

    ``fix`` is the time to write the fix commit, which is itself bad with ``p_bad_fix`` (estimates). ``hold``: after a
    stopped rollout newer revisions wait for the person; without it they are tried at once, as Argo Rollouts does.
    """

    method: Method = "rollback"
    response: Duration = Lognormal(900.0, 14400.0)
    fix: Duration = Lognormal(3600.0, 28800.0)
    p_bad_fix: float = 0.05
    hold: bool = True

    def __post_init__(self) -> None:
        if self.method not in ("rollback", "forward"):
            raise WorldError(f"recovery.method must be rollback or forward, got {self.method!r}")
        _share("recovery.p_bad_fix", self.p_bad_fix)


@dataclass(frozen=True, slots=True)
class PipelineModel:
    """A whole delivery system: the seven stages, of which the rollout itself is injected (see release.Roll)."""

    commits: Commits = field(default_factory=Commits)
    integration: Integration = field(default_factory=Integration)
    artifacts: Artifacts = field(default_factory=Artifacts)
    delivery: Delivery = field(default_factory=Delivery)
    propagation: Propagation = field(default_factory=Propagation)
    alerting: Alerting = field(default_factory=Alerting)
    recovery: Recovery = field(default_factory=Recovery)
