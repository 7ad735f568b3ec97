"""One function per goal of design.md section 7 (and of issue 3: memory). Each measures its goals and returns them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from statistics import median

import numpy as np

from sim.engine.paths import Case, follow
from tests.bench import workload
from tests.bench.timing import fresh, ratio, turns
from tests.oracle.requests import Change, simulate

__all__ = ["GOALS", "QUICK", "Goal", "Sizes"]

REGRESSION = 0.02  # share of requests that the new version breaks where policies are compared: twice their threshold


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    turns: int = 9
    batch: int = 4000  # replications that are drawn together
    flock: int = 4000  # of a generator policy
    natural: int = 5  # rollouts simulated request by request
    paired: int = 4000  # replications for variances
    job: float = 30.0  # seconds that one worker is to need
    jobs: int = 3
    memory: tuple[int, int] = (200_000, 400_000)
    million: int = 1_000_000
    manifests: int = 1000


QUICK = Sizes(
    turns=1,
    batch=200,
    flock=50,
    natural=1,
    paired=200,
    job=0.5,
    jobs=1,
    memory=(1000, 2000),
    million=3000,
    manifests=50,
)


@dataclass(frozen=True, slots=True)
class Goal:
    """A measured value between two bounds, one of which is the goal."""

    name: str
    value: float
    least: float = -inf
    most: float = inf

    @property
    def met(self) -> bool:
        return self.least <= self.value <= self.most

    def __str__(self) -> str:
        goal = f">= {self.least:,.10g}" if self.least > -inf else f"<= {self.most:,.10g}"
        shown = f"{self.value:,.0f}" if abs(self.value) >= 1000 else f"{self.value:.3g}"
        return f"{self.name} {shown} {goal} {'met' if self.met else 'missed'}"


def _followed(case: Case, count: int) -> Callable[[], object]:
    return lambda: follow(case, 1, 0, count)


def rates(sizes: Sizes) -> Iterator[Goal]:
    """Cost does not depend on the rate of requests."""
    slow, fast = (workload.case(workload.canary(), rate) for rate in (20.0, 2_000_000.0))
    seconds = turns(sizes.turns, _followed(fast, sizes.batch), _followed(slow, sizes.batch))
    yield Goal("rate_independence", ratio(seconds, 0, 1), most=1.25)


def speedups(sizes: Sizes) -> Iterator[Goal]:
    """One rollout request by request, over one rollout of a batch."""
    declared, written = workload.case(workload.canary()), workload.case(workload.runbook())
    seeds = iter(range(sizes.natural + 1))
    seconds = turns(
        sizes.natural,
        lambda: simulate(declared.policy, declared.service, Change(), next(seeds)),
        _followed(declared, sizes.batch),
        _followed(written, sizes.flock),
    )
    yield Goal("declarative_speedup", ratio(seconds, 0, 1) * sizes.batch, least=50_000)
    yield Goal("python_speedup", ratio(seconds, 0, 2) * sizes.flock, least=20_000)


def queries(sizes: Sizes) -> Iterator[Goal]:
    """Rollouts per second of one core that ask two Prometheus queries, twenty times each."""
    imported = workload.imported()
    asked = int(follow(imported, 1, 0, 1)["looks"][0])
    if asked != 2 * workload.LOOKS:
        raise AssertionError(f"a rollout asks {asked} times: it must ask two queries {workload.LOOKS} times")
    seconds = turns(sizes.turns, _followed(imported, sizes.batch))
    yield Goal("promql_rollouts_per_second", sizes.batch / median(turn[0] for turn in seconds), least=2000)


def kernel(sizes: Sizes) -> Iterator[Goal]:
    """The kernel over the floor: the same counts without a policy."""
    declared, pieces = workload.case(workload.canary()), workload.floor()
    drawn = workload.requests(pieces, 1, 0, sizes.batch)
    counted = int(follow(declared, 1, 0, sizes.batch)["requests"].sum())
    if drawn != counted:
        raise AssertionError(f"the floor draws {drawn} requests, the kernel counts {counted}: they must be the same")
    seconds = turns(2 * sizes.turns, _followed(declared, sizes.batch), lambda: workload.draw(pieces, 1, 0, sizes.batch))
    yield Goal("kernel_over_floor", ratio(seconds, 0, 1), most=1.25)


def variances(sizes: Sizes) -> Iterator[Goal]:
    """Var(A) + Var(B) over Var(A - B) of the bad requests caused by a regression, for two policies that meet the same users."""
    base = workload.canary(0.0100)
    for name, other in (
        ("threshold", workload.canary(0.0105)),
        ("first_weight", workload.canary(0.0100, (10, 20, 50, 100))),
    ):
        a, b = (
            follow(workload.case(policy, error=REGRESSION), 1, 0, sizes.paired)["harm"].astype(np.float64)
            for policy in (base, other)
        )
        apart = float(np.var(a - b))
        yield Goal(
            f"crn_variance_ratio_{name}", (float(np.var(a)) + float(np.var(b))) / apart if apart else inf, least=3.0
        )


def cores(sizes: Sizes) -> Iterator[Goal]:
    """Wall time of one worker over two, for a job of at least `sizes.job` seconds; the start of the pool is counted."""
    trial = fresh("tests.bench.job", 20 * sizes.batch, 1)
    count = 500 * max(2, round(1.2 * sizes.job / trial["seconds"] * trial["rows"] / 500))
    pairs = [[fresh("tests.bench.job", count, workers)["seconds"] for workers in (1, 2)] for _ in range(sizes.jobs)]
    yield Goal("two_cores", median(one / two for one, two in pairs), least=1.8)
    yield Goal("two_cores_job_seconds", min(one for one, _ in pairs), least=min(10.0, sizes.job))


def start(sizes: Sizes) -> Iterator[Goal]:
    """Seconds to import the base, and heavy modules that it loads."""
    found = [fresh("tests.bench.start") for _ in range(max(2, sizes.turns))]
    yield Goal("import_seconds", median(one["seconds"] for one in found), most=0.3)
    yield Goal("import_heavy_modules", len(found[0]["heavy"]), most=0)


def memory(sizes: Sizes) -> Iterator[Goal]:
    """Peak resident memory: what a replication adds, and a million of them."""
    low, high = sizes.memory
    peaks = [fresh("tests.bench.job", count, 1)["peak"] for count in sizes.memory]
    yield Goal("memory_bytes_per_replication", (peaks[1] - peaks[0]) / (high - low), most=100)
    yield Goal("memory_million_mib", fresh("tests.bench.job", sizes.million, 1)["peak"] / 2**20, most=1024)


def linting(sizes: Sizes) -> Iterator[Goal]:
    """CPU seconds to import and lint manifests of which no two are alike, with the modules that it needs."""
    found = fresh("tests.bench.linting", sizes.manifests)
    missing = {"L3", "L22", "L27", "L28", "L35"} - {*found["rules"]}  # of each kind of work at least one
    if found["policies"] != sizes.manifests or missing:
        raise AssertionError(
            f"{found['policies']} of {sizes.manifests} policies were read, rules {sorted(missing)} found nothing"
        )
    yield Goal(f"lint_{sizes.manifests}_manifests", found["seconds"], most=10.0)
    yield Goal(f"import_{sizes.manifests}_manifests", found["import"], most=5.0)


GOALS = (rates, speedups, queries, kernel, variances, cores, start, memory, linting)
