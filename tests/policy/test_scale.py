"""Weight to pods: the checks of delivery-systems.md sections 2.9 and 2.10, and what holds for every walk."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policy.errors import PolicyError
from sim.policy.scale import Bounds, Pods, bounds, move, move_older, routed, shared

# (replicas, weight, maximum, surge) -> (canary, stable)
CHECKS = [
    ((1, 49, 100, 0), (0, 1)), ((1, 50, 100, 0), (1, 0)), ((1, 1, 100, 1), (1, 1)), ((2, 1, 100, 0), (1, 1)),
    ((2, 1, 100, 1), (1, 2)), ((2, 99, 100, 1), (2, 1)), ((3, 34, 100, 0), (1, 2)), ((3, 50, 100, 0), (2, 1)),
    ((3, 49, 100, 1), (2, 2)), ((10, 1, 100, 1), (1, 10)), ((10, 15, 100, 0), (2, 8)), ((10, 19, 100, 1), (2, 9)),
    ((10, 20, 100, 1), (2, 8)), ((10, 24, 100, 1), (3, 8)), ((10, 99, 100, 1), (10, 1)), ((0, 50, 100, 1), (0, 0)),
    ((5, 0, 100, 1), (0, 5)), ((5, 100, 100, 1), (5, 0)), ((4, 10, 20, 0), (2, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "expected"), CHECKS)
def test_shared(asked: tuple[int, int, int, int], expected: tuple[int, int]) -> None:
    replicas, weight, maximum, surge = asked
    assert shared(replicas, weight, surge, maximum) == expected


@pytest.mark.parametrize(
    ("replicas", "weight", "maximum", "minimum", "pods"),
    [
        (10, 0, 100, 0, 0), (10, 1, 100, 0, 1), (10, 10, 100, 0, 1), (10, 11, 100, 0, 2), (10, 100, 100, 0, 10),
        (3, 50, 100, 0, 2), (4, 5, 20, 0, 1), (4, 25, 100, 0, 1), (4, 75, 100, 0, 3), (0, 50, 100, 0, 0),
        (10, 1, 100, 3, 3), (10, 0, 100, 3, 0), (2, 1, 100, 3, 2), (10, 50, 100, 3, 5), (5, 33.3, 100, 0, 2),
    ],
)  # fmt: skip
def test_routed(replicas: int, weight: float, maximum: int, minimum: int, pods: int) -> None:
    assert routed(replicas, weight, maximum, minimum) == pods


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (4, "25%", "25%", Bounds(1, 1)), (3, "25%", "25%", Bounds(1, 0)), (10, "25", "25", Bounds(3, 2)),
        (5, 2, 0, Bounds(2, 0)), (5, 0, 0, Bounds(0, 1)), (1, "0%", "0%", Bounds(0, 1)), (2, 0, 7, Bounds(0, 2)),
        (0, "25%", "25%", Bounds(0, 0)), (4, "100%", "0%", Bounds(4, 0)),
    ],
)  # fmt: skip
def test_bounds(replicas: int, surge: int | str, unavailable: int | str, expected: Bounds) -> None:
    assert bounds(replicas, surge, unavailable) == expected


@pytest.mark.parametrize(
    ("value", "message"), [("some", "a count or a percentage, got 'some'"), (-1, "must be 0 or more")]
)
def test_bounds_that_cannot_be(value: int | str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        bounds(3, value, 0)


NONE = Pods(0, 0)
FIVE = bounds(5, 2, 1)


@pytest.mark.parametrize(
    ("stable", "canary", "older", "target", "expected"),
    [
        # (canary, stable): towards weight 40 of 5 pods; stable gives way only for what is available
        (Pods(5, 5), NONE, NONE, (2, 3), (2, 4)),
        (Pods(4, 4), Pods(2, 0), NONE, (2, 3), (2, 4)),
        (Pods(4, 4), Pods(2, 1), NONE, (2, 3), (2, 3)),
        # an abort: stable grows first, the canary goes as stable's pods come (section 2.19)
        (Pods(3, 3), Pods(2, 2), NONE, (0, 5), (1, 5)),
        (Pods(5, 3), Pods(2, 2), NONE, (0, 5), (1, 5)),
        (Pods(5, 3), Pods(1, 1), NONE, (0, 5), (1, 5)),
        (Pods(5, 4), Pods(1, 1), NONE, (0, 5), (0, 5)),
        (Pods(5, 4), Pods(2, 2), NONE, (0, 5), (0, 5)),
        # older pods drain first
        (Pods(5, 5), Pods(1, 1), Pods(1, 1), (5, 0), (1, 5)),
        (Pods(3, 3), NONE, Pods(2, 2), (2, 3), (2, 3)),
        # nothing to do
        (Pods(3, 3), Pods(2, 2), NONE, (2, 3), (2, 3)),
    ],
)
def test_move(stable: Pods, canary: Pods, older: Pods, target: tuple[int, int], expected: tuple[int, int]) -> None:
    assert move(stable, canary, older, target, 5, FIVE) == expected


@pytest.mark.parametrize(
    ("older", "available", "least", "expected"),
    [
        ((Pods(2, 2),), 5, 5, (2,)),
        ((Pods(2, 2),), 6, 5, (1,)),
        ((Pods(2, 2), Pods(3, 3)), 9, 5, (0, 1)),
        ((Pods(2, 1), Pods(3, 3)), 9, 5, (1, 3)),  # what is not available goes first
        ((), 9, 5, ()),
    ],
)
def test_move_older(older: tuple[Pods, ...], available: int, least: int, expected: tuple[int, ...]) -> None:
    assert move_older(older, available, least) == expected


# ---- what holds for every walk ----

SHARES = st.one_of(st.integers(0, 4), st.sampled_from(["0%", "10%", "25%", "50%", "100%"]))


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.integers(1, 12), st.floats(0, 100), st.sampled_from([0, 1, 2, 5]), st.sampled_from([1, 20, 100]), st.data())
def test_shared_is_near_and_within_bounds(
    replicas: int, weight: float, surge: int, maximum: int, data: st.DataObject
) -> None:
    weight = weight * maximum / 100
    canary, stable = shared(replicas, weight, surge, maximum)
    assert replicas <= canary + stable <= replicas + (surge > 0)
    assert canary > 0 or weight * replicas < maximum / 2 or (replicas > 1 and weight == 0)
    assert stable > 0 or weight > 0
    assert abs(canary / (canary + stable) - weight / maximum) <= 1 / replicas + 1e-9


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.integers(1, 9), st.integers(0, 100), st.integers(0, 100), SHARES, SHARES, st.lists(st.booleans(), max_size=40)
)
def test_a_walk_stays_within_bounds_and_arrives(
    replicas: int, first: int, second: int, surge: int | str, unavailable: int | str, order: list[bool]
) -> None:
    """Pods become available in any order; sizes never exceed R + surge, availability never falls below R - unavailable."""
    allowed = bounds(replicas, surge, unavailable)
    stable, canary = Pods(replicas, replicas), NONE
    turns = iter([*order, *[True, False] * 200])
    for weight in (first, second, 0, 100):
        target = shared(replicas, weight, allowed.surge)
        for _ in range(200):
            wanted_canary, wanted_stable = move(stable, canary, NONE, target, replicas, allowed)
            if wanted_stable != stable.wanted:
                stable = Pods(wanted_stable, min(stable.available, wanted_stable))
            elif wanted_canary != canary.wanted:
                canary = Pods(wanted_canary, min(canary.available, wanted_canary))
            elif stable.available == stable.wanted and canary.available == canary.wanted:
                break
            elif (next(turns) and stable.available < stable.wanted) or canary.available == canary.wanted:
                stable = Pods(stable.wanted, stable.available + 1)
            else:
                canary = Pods(canary.wanted, canary.available + 1)
            assert stable.wanted + canary.wanted <= replicas + allowed.surge
            assert stable.available + canary.available >= replicas - allowed.unavailable
        assert (canary.wanted, stable.wanted) == target
        assert (canary.available, stable.available) == target
