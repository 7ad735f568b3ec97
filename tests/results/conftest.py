"""Results made by hand and by a small random model, so that no test of statistics waits for the engine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sim.engine.rows import ROW, Rows, empty
from sim.results.result import Cell, Result

PROMOTED, ABORTED, INCONCLUSIVE = range(3)

Maker = Callable[..., Rows]
Build = Callable[..., Result]


def made_rows(seed: int, count: int, *, bad: bool, escapes: float, harm: float = 20.0, first: int = 0) -> Rows:
    """Rows of `count` rollouts of which a share `escapes` is promoted; skewed harm where bad. Deterministic by seed."""
    rng = np.random.default_rng(seed)
    rows = empty(count)
    promoted = rng.random(count) < escapes
    spread = rng.lognormal(0.0, 0.8, count)
    rows["replication"] = np.arange(first, first + count)
    rows["outcome"] = np.where(promoted, PROMOTED, ABORTED)
    rows["looks"] = 4
    rows["exposed_at"] = 10.0
    rows["decided_at"] = np.where(promoted, 600.0, 10.0 + 60.0 * rng.integers(1, 5, count))
    rows["full_at"] = np.where(promoted, 500.0, np.inf)
    rows["alerted_at"] = np.inf
    rows["restored_at"] = np.where(promoted, np.inf, rows["decided_at"] + 1)
    rows["ended_at"] = rows["decided_at"] + 30
    rows["requests"] = 100_000
    rows["canary_requests"] = 20_000
    rows["harm"] = (np.where(promoted, 100.0, 1.0) * harm * spread).astype(np.int64) if bad else 0
    rows["bad"] = rows["harm"] + 100
    rows["users"] = rows["harm"] * 0.9
    rows["pod_seconds"] = rows["decided_at"] * 2
    return rows


def made_result(
    policies: tuple[str, ...] = ("careful", "hasty"),
    releases: tuple[tuple[str, bool, float], ...] = (("good", False, 0.97), ("errors", True, 0.1), ("slow", True, 0.9)),
    count: int = 300,
    seed: int = 7,
) -> Result:
    """A result; the second policy and those after it promote more."""
    cells = tuple(
        Cell(
            policy,
            release,
            bad,
            0.0,
            made_rows(seed + r, count, bad=bad, escapes=min(1.0, share + 0.1 * p), harm=20.0 + p),
        )
        for p, policy in enumerate(policies)
        for r, (release, bad, share) in enumerate(releases)
    )
    return Result(
        "by-hand", "0123456789abcdef" * 4, seed, "checkout: 100 requests/s", "aggregated", "nobody answers",
        "seatrial compare careful hasty --seed 7", cells, "Which one?",
    )  # fmt: skip


@pytest.fixture
def rows() -> Maker:
    return made_rows


@pytest.fixture
def build() -> Build:
    return made_result


@pytest.fixture
def four() -> Rows:
    """Four rollouts of a bad release: caught at once, caught late, escaped and restored by an alert, never exposed."""
    return np.array(
        [
            # replication, outcome, person, called, looks, exposed, decided, full, alerted, restored, ended,
            #     requests, canary requests, bad, harm, lost, users, pod seconds
            (0, ABORTED, 0, 0, 1, 10.0, 70.0, np.inf, np.inf, 71.0, 100.0, 10_000, 500, 16, 6, 0, 6.0, 360.0),
            (1, ABORTED, 1, 1, 3, 10.0, 250.0, np.inf, np.inf, 251.0, 280.0, 28_000, 4_000, 78, 50, 0, 49.0, 1800.0),
            (
                2,
                PROMOTED,
                0,
                0,
                5,
                10.0,
                600.0,
                500.0,
                900.0,
                1500.0,
                1515.0,
                151_500,
                100_000,
                5_151,
                5_000,
                7,
                4_000.0,
                3600.0,
            ),
            (3, ABORTED, 0, 0, 1, np.inf, 60.0, np.inf, np.inf, 0.0, 60.0, 6_000, 0, 6, 0, 0, 0.0, 720.0),
        ],
        ROW,
    )
