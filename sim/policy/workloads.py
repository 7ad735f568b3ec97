"""Flagger's two workloads, the primary and the canary: their sizes, what is available, since when they are not ready.

Pods are counted by revision (`PodsReady`). While the primary takes a copied spec over, its new pods and the canary's
are of one revision and count together. Readiness: delivery-systems.md section 4.5; a workload that was not ready for
the whole progress deadline is lost (seen: section 4.7).
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.policy.events import PodsReady

__all__ = ["Workloads"]


@dataclass(slots=True)
class Workloads:
    """`replicas` and `canary` are wanted pods; thresholds in percent, times in seconds."""

    primary_threshold: int
    canary_threshold: int
    deadline: float
    replicas: int = 1
    canary: int = 0
    rolling: bool = False  # the primary takes the copied spec over
    renewing: bool = False  # the primary replaces its pods by others of the same revision
    together: bool = False  # it has, and its pods count together with the canary's
    same: bool = False  # the canary runs the promoted revision again: its pods count with the primary's
    _older: int = 0  # available pods of a revision that the canary no longer has
    _stable: int = 1  # available pods of the promoted and of the new revision
    _new: int = 0
    _primary_since: float | None = None  # since when it is not ready
    _canary_since: float | None = None

    def begin(self, replicas: int) -> None:
        self.replicas = self._stable = replicas

    def see(self, event: PodsReady) -> None:
        self._stable, self._new = event.stable, event.canary + (event.older if self.rolling else 0)
        self._older = 0 if self.rolling else event.older

    def watch(self, at: float) -> None:
        """Keep the moments since which the workloads are not ready."""
        self._primary_since = None if self.primary_ready else at if self._primary_since is None else self._primary_since
        self._canary_since = None if self.canary_ready else at if self._canary_since is None else self._canary_since

    def scale(self, at: float, canary: int, same: bool) -> None:
        """Want this many canary pods, of the promoted revision (`same`) or of another; their time to become ready starts now."""
        if self.together:
            self._stable -= self.canary - canary
        self.canary, self.together, self.same = canary, False, same
        self._canary_since = at if canary else None

    def turn(self, same: bool) -> None:
        """The canary takes another spec over: the promoted one (`same`), or a newer one."""
        self.same = same

    def copy(self, at: float) -> None:
        """The primary starts to take the new spec over."""
        self.rolling, self._primary_since = True, at

    def renew(self, at: float) -> None:
        """The primary is given the spec that it has, with another note on it: all its pods are replaced."""
        self.renewing, self._primary_since = True, at

    def taken_over(self) -> bool:
        """Whether the old revision's last pod went just now: from here on the new revision is the stable one."""
        if not self.rolling or self._stable:
            return False
        self._stable, self._new = self._new, 0
        self.rolling, self.together = False, self.canary > 0
        return True

    @property
    def primary_ready(self) -> bool:
        need = self.replicas * self.primary_threshold // 100
        return not self.rolling and not self.renewing and self._stable >= need + (self.canary if self.together else 0)

    @property
    def canary_ready(self) -> bool:
        mine, left = (
            (self._stable - self.replicas, self._new) if self.same else (self._new, self._stable - self.replicas)
        )
        still = self._older + max(0, left)  # pods that the canary is still to replace
        return self.together or (not still and mine >= self.canary * self.canary_threshold // 100)

    def primary_lost(self, at: float) -> bool:
        return self._primary_since is not None and at >= self._primary_since + self.deadline

    def canary_lost(self, at: float) -> bool:
        return self._canary_since is not None and at >= self._canary_since + self.deadline
