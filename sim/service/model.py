"""What a service is, before anything happens to it: traffic, requests, pods, monitoring, people. Seconds and ratios; no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from sim.durations import Constant as Fixed
from sim.durations import Duration, Lognormal
from sim.policy.errors import WorldError
from sim.service.noise import Iid, Noise
from sim.service.telemetry.settings import Telemetry
from sim.service.traffic import Constant, Traffic

__all__ = ["Alerts", "Latency", "Monitoring", "People", "Pods", "Recovery", "Service"]

_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5)  # upper bounds of latency buckets, a subset of the Prometheus client default


@dataclass(frozen=True, slots=True)
class Latency:
    """Lognormal latency of a good answer: median in seconds and sigma of its logarithm, seen through histogram `bounds`.

    `limit` is the objective: a slower answer is a bad request for its user. It is one of the bounds. Default sigma: judges.md section 18.
    """

    median: float = 0.08
    sigma: float = 0.7
    limit: float = 0.5
    bounds: tuple[float, ...] = _BOUNDS

    def __post_init__(self) -> None:
        if not (self.median > 0 and self.sigma > 0):
            raise WorldError(f"latency needs a median and a sigma above 0, got {self.median:g} s and {self.sigma:g}")
        if list(self.bounds) != sorted(set(self.bounds)) or not self.bounds or self.bounds[0] <= 0:
            raise WorldError(f"latency bounds rise from above 0, got {self.bounds}")
        if self.limit not in self.bounds:
            raise WorldError(
                f"the latency limit {self.limit:g} s must be one of the bounds {self.bounds}; add it there"
            )


@dataclass(frozen=True, slots=True)
class Pods:
    """Pods of one revision: how many, how long from creation to ready, what one can carry, how long a new one is cold.

    `start` is the default of the demo (estimate); `drain` says whether a pod that ends finishes its requests. `capacity` is
    requests/s per pod (None: never the limit): what comes beyond it is lost. `concurrency` is how many requests a pod works on at once
    (None: any number): what comes beyond it waits, and the latency model is then the time that the work itself takes. A cold pod's
    latency is multiplied by `cold_factor`, falling to 1 over `cold`.
    """

    count: int = 5
    start: Duration = Fixed(10.0)
    drain: bool = True
    capacity: float | None = None
    cold: float = 0.0
    cold_factor: float = 2.0
    concurrency: int | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise WorldError(f"a service has at least 1 pod, got {self.count}")
        if self.capacity is not None and not self.capacity > 0:
            raise WorldError(
                f"capacity is more than 0 requests/s per pod, got {self.capacity:g}; leave it out for no limit"
            )
        if self.concurrency is not None and self.concurrency < 1:
            raise WorldError(
                f"a pod works on at least 1 request at once, got {self.concurrency}; leave it out for no limit"
            )


@dataclass(frozen=True, slots=True)
class Monitoring:
    """How the counters are read: every `scrape` seconds from `phase` on, visible `lag` later. A `phase` that varies is drawn once
    per rollout, and taken modulo the interval. `query` is how long it takes from the moment at which a measurement is due until the
    policy has its answer."""

    scrape: float = 15.0
    phase: Duration = Fixed(0.0)
    lag: float = 0.0
    query: Duration = Fixed(0.0)

    def __post_init__(self) -> None:
        if not self.scrape > 0:
            raise WorldError(f"the scrape interval is more than 0 s, got {self.scrape:g}")
        if isinstance(self.phase, Fixed) and not self.phase.value < self.scrape:
            raise WorldError(f"the scrape phase lies in [0, {self.scrape:g}) s, got {self.phase.value:g}")


@dataclass(frozen=True, slots=True)
class Alerts:
    """Burn-rate alerts on the whole service: (long window, short window, factor) pairs, evaluated every `every` seconds.

    Defaults: the page pairs of the SRE workbook (judges.md section 11). An empty tuple: nobody is paged.
    """

    slo: float = 0.999
    pairs: tuple[tuple[float, float, float], ...] = ((3600.0, 300.0, 14.4), (21600.0, 1800.0, 6.0))
    every: float = 60.0

    def __post_init__(self) -> None:
        if not 0 < self.slo < 1:
            raise WorldError(f"an availability objective lies between 0 and 1, got {self.slo:g}; write 99.9%")


@dataclass(frozen=True, slots=True)
class People:
    """Who answers pauses, gates and alerts (contracts section 7): default lognormal with median 15 min; p99 4 h is an estimate."""

    response: Duration = Lognormal(900.0, 14400.0)
    rule: Literal["promote", "abort", "by-alert"] = "by-alert"
    gates: Literal["approve", "deny"] = "approve"


@dataclass(frozen=True, slots=True)
class Recovery:
    """After a bad release was promoted: seconds from a person's decision to the old version serving everything, and how long we watch."""

    rollback: float = 120.0
    watch: float = 3600.0


@dataclass(frozen=True, slots=True)
class Service:
    """A service: the default is the one that contracts section 2 names (100 requests/s, 0.1% errors, 5 pods).

    `testers`: requests/s of people's own tests, which call the pods of a new version for as long as no user sees it (the preview of a
    blue-green, the canary of Flagger without weights); 0: as many as the load tests of the policy's manifest send. They are measured
    like users, and nobody waits for them.
    `propagation`: from a change of traffic until requests follow it, drawn for every change; `serial`: whether the controller waits for
    that before it does anything else, as the driver of real mode does. `retries`: how often the router tries a
    request again, at the same version, that a pod did not take; each time it meets a pod by chance.
    """

    name: str = "default"
    traffic: Traffic = Constant(100.0)
    errors: float = 0.001
    latency: Latency | None = field(default_factory=Latency)
    pods: Pods = field(default_factory=Pods)
    monitoring: Monitoring = field(default_factory=Monitoring)
    telemetry: Telemetry = field(default_factory=Telemetry)
    alerts: Alerts = field(default_factory=Alerts)
    people: People = field(default_factory=People)
    recovery: Recovery = field(default_factory=Recovery)
    segments: tuple[tuple[str, float], ...] = ()
    testers: float = 0.0
    users: int = 10_000
    sticky: bool = False
    propagation: Duration = Fixed(1.0)
    serial: bool = False
    retries: int = 0
    arrivals: Literal["poisson", "fixed"] = "poisson"
    noise: Noise = Iid()
    error_noise: Noise = Iid()
    horizon: float = 86_400.0

    @property
    def step(self) -> float:
        """Seconds between two counts: a scrape interval, or less where pods are scraped at different moments of it."""
        return self.monitoring.scrape / self.telemetry.phases

    def called(self, policy: object) -> float:
        """Requests/s of testers under this policy: the service's own word, else the load tests of the policy's manifest."""
        return self.testers or float(getattr(policy, "load", 0.0))

    @property
    def steady(self) -> bool:
        """Whether nothing about its times is random."""
        monitoring = self.monitoring
        times = (self.pods.start, self.propagation, monitoring.phase, monitoring.query)
        return all(isinstance(one, Fixed) for one in times)

    def phased(self, u: float) -> Service:
        """For one rollout: its scrape phase drawn from one uniform number."""
        phase = Fixed(self.monitoring.phase.draw(u) % self.monitoring.scrape)
        return replace(self, monitoring=replace(self.monitoring, phase=phase))

    @property
    def phase(self) -> float:
        """Seconds from the start until the first scrape, less than an interval; of a service whose phase is known, or drawn."""
        return self.monitoring.phase.draw(0.5)

    @property
    def base(self) -> float:
        """The first scrape at or before the start, in seconds."""
        return self.phase - self.monitoring.scrape if self.phase > 0 else 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.errors < 1:
            raise WorldError(f"the error rate lies in [0, 1), got {self.errors:g}; write 0.1%")
        if self.testers < 0:
            raise WorldError(f"testers send at least 0 requests/s, got {self.testers:g}")
        if self.retries < 0:
            raise WorldError(f"a router retries 0 times or more, got {self.retries}")
        if self.users < 1:
            raise WorldError(f"a service has at least 1 user, got {self.users}")
        if sum(share for _, share in self.segments) > 1 + 1e-9:
            raise WorldError(f"shares of segments add up to at most 100%, got {self.segments}")
