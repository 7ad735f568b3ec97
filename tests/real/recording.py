"""A recorded run without a cluster: the driver on the yard, with users whose requests are counted second by second, and scrapes of them."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor
from pathlib import Path

import numpy as np

from real.driver.folder import Folder
from real.driver.plan import Ending, Limits, Plan
from real.driver.run import run
from real.ports.ports import Look
from sim.policy.commands import Counts, Measure
from sim.policy.events import Absent, Answer, Value
from sim.policy.judges.base import Arm, Window
from sim.results.recorded import Tally
from sim.scenario import load
from tests.real.fake import Behaviour, Yard

SCENARIO = """
seatrial: scenario
name: beside
question: Is the recorded run one of those that were predicted?
service: {traffic: 200/s, errors: 0.2%, latency: null, pods: {count: 3, start: 4s}, propagation: 0s}
policies:
  canary:
    canary: {weights: [10, 50, 100], interval: 30s, count: 2, judge: {threshold: {max_error_rate: 5%}}}
releases:
  good: {}
  bad: {faults: [{id: broken, kind: build.error_rate, target: {version: canary}, params: {p: 8%}, at_s: 0s, duration_s: 1d}]}
seed: 4
"""
SCRAPE = 15


class Served(Yard):
    """A yard with users: `rate` requests a second, of which `errors` fail on the old version and `worse` on the new one."""

    def __init__(self, rate: float, errors: float, worse: float, seed: int) -> None:
        super().__init__(Behaviour(ready={2: 4.0}), replicas=3)
        self.rate, self.errors, self.worse = rate, errors, worse
        self.draws = np.random.Generator(np.random.PCG64(seed))
        self.seconds: list[tuple[int, int, int, int]] = []  # old, bad old, new, bad new
        self.later(1.0, self.second)

    def second(self) -> None:
        seen = self.seen()
        share = dict(seen.shares).get(2, 0.0) if seen.shares else seen.pods(2) / max(1, seen.pods(1) + seen.pods(2))
        old, new = (int(self.draws.poisson(self.rate * part)) for part in (1 - share, share))
        self.seconds.append(
            (old, int(self.draws.binomial(old, self.errors)), new, int(self.draws.binomial(new, self.worse)))
        )
        self.later(1.0, self.second)

    def answer(self, question: Measure, look: Look, word: str) -> Answer:
        """The counts between the scrapes that the window holds, as `sim.service.monitoring` reads them."""
        assert isinstance(question.query, Counts)
        last, first = floor(look.at / SCRAPE), max(0, ceil((look.at - question.query.window) / SCRAPE))
        if last <= first:
            return Absent("fewer than two scrapes")
        old, bad_old, new, bad_new = np.sum(self.seconds[first * SCRAPE : last * SCRAPE], axis=0).tolist()
        share = look.share(first * SCRAPE, last * SCRAPE)
        return Value(Window(first * SCRAPE, last * SCRAPE, share, Arm(new, bad_new), Arm(old, bad_old)))

    def tallies(self) -> Iterator[Tally]:
        for at, (old, bad_old, new, bad_new) in enumerate(self.seconds):
            if old:
                yield Tally(at, at + 1, 1, old, bad_old)
            if new:
                yield Tally(at, at + 1, 2, new, bad_new)


def record(place: Path, release: str, *, worse: float, seed: int = 1, errors: float = 0.002) -> tuple[Path, Ending]:
    """Write the scenario and a run of it below `place`; returns the run's folder."""
    file = place / "beside.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    scenario = load(file)
    policy = scenario.policies[0]
    yard = Served(200.0, errors, worse, seed)
    about = {
        "run": f"run-{release}-{seed}", "policy": policy.name, "source": str(file), "scenario": str(file), "digest": scenario.digest,
        "release": release, "seed": seed,
    }  # fmt: skip
    folder = Folder.created(place / f"run-{release}-{seed}", about)
    ending = run(
        Plan(about["run"], policy.policy, "app@sha256:02", seed=seed, limits=Limits(horizon=3600.0)),
        yard.world(),
        folder,
    )
    folder.tallies(yard.tallies())
    folder.finish(ending)
    folder.close()
    return folder.path, ending
