"""A rollout policy in Python: what an engineer on call would do by hand. Use it as `./policies/runbook.py:Cautious`."""

from __future__ import annotations

from dataclasses import dataclass

from sim.policy.commands import Finish, SetWeight
from sim.policy.judges import Window
from sim.policy.runbook import Look, Steps


@dataclass(frozen=True)
class Cautious:
    """Look at each weight until `enough` requests were seen, then compare the error rate with `limit`."""

    weights: tuple[int, ...] = (5, 25, 100)
    look: float = 60.0
    enough: int = 300
    limit: float = 0.01
    patience: int = 10

    def steps(self) -> Steps:
        for weight in self.weights:
            yield SetWeight(weight)
            requests = bad = 0
            for _ in range(self.patience):
                seen = yield Look(self.look)
                if isinstance(seen, Window):
                    requests += seen.canary.requests
                    bad += seen.canary.bad
                if requests >= self.enough:
                    break
            if requests < self.enough:
                return Finish("inconclusive", f"only {requests} requests at {weight}%")
            if bad > self.limit * requests:
                return Finish("aborted", f"{bad} of {requests} requests failed at {weight}%")
        return None
