"""The exact power of thresholds: against enumeration of every outcome, and the example of the issue."""

from __future__ import annotations

from itertools import product
from math import comb, prod

import pytest

from sim.lint.power import POWER, Looks, smallest, stopped

RATE, P = 0.1, 0.07


def q(requests: int, p: float) -> float:
    """Chance that a look fails, term by term."""
    most = int(RATE * requests + 1e-9)
    return sum(comb(requests, k) * p**k * (1 - p) ** (requests - k) for k in range(most + 1, requests + 1))


@pytest.mark.parametrize("limit", [0, 1, 2, 5])
@pytest.mark.parametrize("sizes", [(7,), (7, 7, 7), (3, 12, 12, 30)])
def test_looks_of_a_given_number(sizes: tuple[int, ...], limit: int) -> None:
    """Every combination of failed and passed looks."""
    chances = [q(size, P) for size in sizes]
    expected = sum(
        prod(chance if failed else 1 - chance for chance, failed in zip(chances, outcome, strict=True))
        for outcome in product((False, True), repeat=len(sizes))
        if sum(outcome) > limit
    )
    runs = [tuple(Looks(size, sizes.count(size)) for size in dict.fromkeys(sizes))]
    assert stopped(runs, RATE, limit, P) == pytest.approx(expected, abs=1e-12)


def test_runs_of_their_own_stop_alone() -> None:
    one = stopped([(Looks(20, 3),)], RATE, 1, P)
    assert stopped([(Looks(20, 3),)] * 2, RATE, 1, P) == pytest.approx(1 - (1 - one) ** 2)


@pytest.mark.parametrize(("levels", "threshold"), [((20,), 1), ((20, 20, 30), 2), ((5, 50), 4)])
def test_looks_that_are_repeated_until_they_pass(levels: tuple[int, ...], threshold: int) -> None:
    """Flagger: walk the chain of (levels passed, failures so far) until the release is through or has failed too often."""
    states, lost = {(0, 0): 1.0}, 0.0
    while states:
        following: dict[tuple[int, int], float] = {}
        for (passed, failed), chance in states.items():
            bad = q(levels[passed], P)
            if failed + 1 == threshold:
                lost += chance * bad
            else:
                following[passed, failed + 1] = following.get((passed, failed + 1), 0.0) + chance * bad
            if passed + 1 < len(levels):
                following[passed + 1, failed] = following.get((passed + 1, failed), 0.0) + chance * (1 - bad)
        states = following
    run = tuple(Looks(size, levels.count(size), repeat=True) for size in dict.fromkeys(levels))
    assert stopped([run], RATE, threshold - 1, P) == pytest.approx(lost, abs=1e-12)


def test_a_limit_that_is_off_stops_nothing() -> None:
    assert stopped([(Looks(100, 3),)], RATE, -1, 1.0) == 0.0


def test_the_example_of_the_issue() -> None:
    """3 samples at 5% of 20 requests/s, one minute each, allowed 8%: less than 8% is not seen."""
    runs = ((Looks(60, 3),),)
    seen = smallest(runs, 0.08, 0)
    assert seen is not None and round(seen, 2) == 0.07
    assert stopped(runs, 0.08, 0, seen) == pytest.approx(POWER, abs=1e-6)


def test_as_many_failures_allowed_as_looks_see_nothing() -> None:
    assert smallest(((Looks(60, 3),),), 0.08, 3) is None
    assert smallest(((Looks(60, 3, repeat=True),),), 0.08, 3) is not None


@pytest.mark.parametrize("limit", [600, 10**30])
@pytest.mark.parametrize("repeat", [False, True])
def test_limits_that_nobody_means(limit: int, repeat: bool) -> None:
    """comb(1200, 600) is beyond a float, 10**30 beyond any list: a number all the same, and soon."""
    runs = ((Looks(20, 1200, repeat),),)
    assert stopped(runs, RATE, limit, 0.0) == pytest.approx(0.0, abs=1e-9)
    assert stopped(runs, RATE, limit, 1.0) == pytest.approx(1.0 if repeat or limit == 600 else 0.0)
    assert 0.0 <= stopped(runs, RATE, limit, P) <= 1.0
