"""What happened on a path, as far as all its replications share it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

__all__ = ["Story"]


@dataclass(slots=True)
class Story:
    """Times are in seconds since the start; infinite: never."""

    outcome: str = "inconclusive"
    reason: str = ""
    decided_at: float = inf
    exposed_at: float = inf
    restored_at: float = inf  # after an abort: no more requests reach the new version
    full_at: float = inf  # the new version serves everything
    ended_at: float = 0.0
    looks: int = 0
    person: bool = False
    extra_pod_seconds: float = 0.0
    steps: list[tuple[float, float]] = field(default_factory=list)  # (at, share of the new version)

    @property
    def share(self) -> float:
        """The share of users' requests that goes to the new version by now."""
        return self.steps[-1][1] if self.steps else 0.0

    def shift(self, at: float, share: float) -> None:
        """From `at` on the new version gets this share of users' requests."""
        if not self.steps or self.steps[-1][1] != share:
            self.steps.append((at, share))
        self.full_at = min(self.full_at, at) if share >= 1.0 else inf
        self.restored_at = min(self.restored_at, at) if share == 0.0 else inf

    def mean_share(self, begin: float, until: float) -> float:
        """The share of the new version, averaged over a stretch of time."""
        if until <= begin:
            return self.share
        ends = [at for at, _ in self.steps[1:]] + [until]
        parts = (
            share * max(0.0, min(end, until) - max(start, begin))
            for (start, share), end in zip(self.steps, ends, strict=True)
        )
        return min(1.0, sum(parts) / (until - begin))
