"""Poisson tables: exact to the last word against integer arithmetic, the same in every form, and fair."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.engine.cells import Cells
from sim.engine.streams import Stream
from sim.engine.tables import LIMIT, PoissonTable, add_windows, draw_cells, draw_windows, plan, tables

TOP = (1 << 64) - 1
MEANS = (1e-9, 0.01, 0.7, 3.0, 44.3, 300.0, 3e4, 2.5e6)
WORDS = st.one_of(st.integers(0, TOP), st.sampled_from([0, 1, 2, 1 << 63, TOP - 1, TOP]), st.integers(0, 1 << 20))


def exact(mean: float) -> dict[int, int]:
    """floor(CDF * 2^64) by value, in 160-bit fixed point: the oracle. (scipy is off by 6e-7 at a mean of 3e7.)"""
    n, d = mean.as_integer_ratio()
    mode, reach, one = int(mean), int(10 * mean**0.5) + 60, 1 << 160
    weight = {mode: one}
    for k in range(mode, max(0, mode - reach), -1):
        weight[k - 1] = weight[k] * k * d // n
    for k in range(mode + 1, mode + reach):
        weight[k] = weight[k - 1] * n // (k * d)
    total, below, found = sum(weight.values()), 0, {}
    for k in sorted(weight):
        below += weight[k]
        found[k] = (below << 64) // total
    return found


@cache
def stream(purpose: str, rows: int) -> np.ndarray:
    return Stream(20261123, purpose, 320).raw_block(0, rows, 0, 320)


@pytest.mark.parametrize("mean", [0.01, 0.7, 3.0, 44.3, 300.0, 3e4, 1e6])
def test_thresholds_against_integers(mean: float) -> None:
    """Absolute error below 2^-48 everywhere, relative error of both tails below 1e-12."""
    table, truth = PoissonTable(mean), exact(mean)
    for k, threshold in enumerate(table.thresholds.tolist(), table.first):
        error, tail = abs(threshold - truth[k]), min(truth[k], TOP - truth[k])
        assert error <= 1 << 16
        assert error <= 1e-12 * tail + 2
    assert sum(1 for k in range(table.first) if truth.get(k, 0) > 1) == 0
    assert TOP - truth[table.first + table.last.size - 1] <= 2


@pytest.mark.parametrize("mean", MEANS)
def test_thresholds_rise_and_the_moments_fit(mean: float) -> None:
    table = PoissonTable(mean)
    assert (table.last[1:] >= table.last[:-1]).all() and table.last[-1] == TOP
    share = np.diff(np.concatenate([[0.0], table.thresholds / 2.0**64, [1.0]]))
    values = table.first + np.arange(share.size)
    assert abs(float(share @ (values - mean))) < 1e-9 * max(1.0, mean)
    assert float(share @ (values - mean) ** 2) == pytest.approx(mean, rel=1e-7)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(mean=st.one_of(st.floats(0, 2e4), st.floats(0, 3), st.sampled_from(MEANS)), words=st.lists(WORDS, min_size=1))
def test_a_draw_is_a_search(mean: float, words: list[int]) -> None:
    table = tables(mean)
    near = table.last[:: max(1, table.last.size // 50)]
    raw = np.concatenate([np.array(words, np.uint64), near, near + np.uint64(1)])
    expected = table.first + np.searchsorted(table.thresholds, raw, "right")
    assert np.array_equal(table.draw(raw), expected)
    assert [table.draw_one(word) for word in raw.tolist()] == expected.tolist()


@pytest.mark.parametrize("mean", [*MEANS, 6e4, 3e7, 2e9])
def test_every_threshold_and_many_words(mean: float) -> None:
    table, many = PoissonTable(mean), stream("words", 300)
    raw = np.concatenate([table.last, table.thresholds, many.reshape(-1)])
    assert np.array_equal(table.draw(raw), table.first + np.searchsorted(table.thresholds, raw, "right"))


def test_shapes_and_strides() -> None:
    table, raw = tables(300.0), stream("words", 300)
    assert table.draw(raw[:, 1:7]).shape == (300, 6)
    assert np.array_equal(table.draw(raw[::3, 5:200:2]), table.draw(raw)[::3, 5:200:2])
    assert table.draw(raw[:0]).shape == (0, 320)
    assert table.draw(raw[0, 0]).shape == ()


def test_nothing_arrives_at_rate_zero() -> None:
    table = tables(0.0)
    assert table.draw(np.array([0, 1 << 63, TOP], np.uint64)).tolist() == [0, 0, 0]
    assert [table.draw_one(word) for word in (0, TOP)] == [0, 0]


@pytest.mark.parametrize("mean", [float("nan"), -1e-9, float("inf"), 1.01 * LIMIT])
def test_impossible_means(mean: float) -> None:
    with pytest.raises(ValueError, match=r"must lie in .*; (use shorter windows|rates and durations must be)"):
        tables(mean)
    with pytest.raises(ValueError, match="the mean of a Poisson count must lie in"):
        draw_cells(np.zeros((1, 1, 2), np.uint64), [[1.0, mean]])


@settings(derandomize=True, deadline=None, max_examples=60)
@given(low=st.floats(0, 1e5), step=st.floats(1e-3, 1e5))
def test_more_traffic_never_gives_fewer(low: float, step: float) -> None:
    raw = stream("words", 300)[:20]
    assert (tables(low).draw(raw) <= tables(low + step).draw(raw)).all()


def grid(windows: int, cells: int) -> np.ndarray:
    """Means of a plan with steps: few distinct values from 0 to 1e5."""
    weight = np.repeat([0.05, 0.2, 0.5, 1.0], -(-windows // 4))[:windows, None]
    return weight * np.array([0.0, 0.02, 4.0, 900.0, 1e5])[None, :cells]


@pytest.mark.parametrize("rows, windows, cells", [(1, 64, 5), (7, 10, 5), (200, 64, 5), (3, 1, 1), (40, 64, 4)])
def test_cells_are_drawn_as_each_alone(rows: int, windows: int, cells: int) -> None:
    raw = stream("cells", 200)[:rows, : windows * cells].reshape(rows, windows, cells)
    means = grid(windows, cells)
    found = draw_cells(raw, means)
    assert found.shape == raw.shape and found.dtype == np.int64
    for w in range(windows):
        for c in range(cells):
            assert np.array_equal(found[:, w, c], tables(means[w, c]).draw(raw[:, w, c]))


@pytest.mark.parametrize("rows", [1, 2, 150])
def test_means_may_differ_by_replication(rows: int) -> None:
    raw = stream("cells", 200)[:rows].reshape(rows, 64, 5)
    which = (np.arange(raw.size).reshape(raw.shape) * 7) % 6
    means = [0.0, 0.3, 12.0, 12.5, 4e3, 1e5]
    cells = Cells([tables(mean) for mean in means])
    found, own = cells.draw(raw, which), draw_cells(raw, np.array(means)[which])
    assert np.array_equal(found, own)
    for i, mean in enumerate(means):
        assert np.array_equal(found[which == i], tables(mean).draw(raw[which == i]))


def test_ties_in_the_dropped_bits_are_settled() -> None:
    """Words next to the lowest thresholds, where the joined keys of many tables cannot tell them apart."""
    chosen = [tables(1e4 + i) for i in range(70)]
    cells = Cells(chosen)
    raw = np.arange(0, 700, dtype=np.uint64).repeat(70).reshape(700, 70)
    found = cells.draw(raw, np.arange(70))
    for i, table in enumerate(chosen):
        assert np.array_equal(found[:, i], table.first + np.searchsorted(table.thresholds, raw[:, i], "right"))


def test_equal_means_share_a_table() -> None:
    assert plan(grid(64, 5)).cells.base.size == plan(grid(8, 5)).cells.base.size == 1 + 4 * 4


@pytest.mark.parametrize("rows", [1, 7, 600])
def test_windows_are_drawn_and_summed_as_each_alone(rows: int) -> None:
    """Whatever the order in memory, and with tables of every kind side by side: one value, a guide, lines."""
    raw = stream("windows", 600)[:rows, :160].reshape(rows, 20, 8).swapaxes(0, 1)
    means = np.repeat([[0.0, 0.02, 900.0, 1e7], [3e5, 3e5, 0.0, 5.0]], 10, axis=0)[:, [0, 1, 2, 3, 3, 2, 0, 3]]
    alone = np.stack([draw_cells(raw[w], means[w]) for w in range(20)])
    for words in (raw, np.ascontiguousarray(raw), np.asfortranarray(raw)):
        assert np.array_equal(draw_windows(words, means), alone)
        sums = np.full((rows, 8), 7)
        add_windows(words, means, sums)
        assert np.array_equal(sums, 7 + alone.sum(axis=0))


@pytest.mark.parametrize("shape", [(0, 4, 2), (3, 0, 2), (3, 4, 0)])
def test_nothing_to_draw(shape: tuple[int, int, int]) -> None:
    assert draw_cells(np.zeros(shape, np.uint64), np.ones(shape[1:])).shape == shape
    assert draw_cells(np.zeros(shape, np.uint64), np.ones(shape)).shape == shape


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"words \(2, 3\) must end in the shape of the means \(2, 2\)"):
        draw_cells(np.zeros((2, 3), np.uint64), np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"tables \(2, 2\) must have the shape of the words \(2, 3\)"):
        Cells([tables(1.0)]).draw(np.zeros((2, 3), np.uint64), np.zeros((2, 2), np.intp))


@pytest.mark.parametrize("mean", [0.01, 3.0, 300.0, 3e4, 3e7])
def test_counts_are_fair(mean: float) -> None:
    """Chi-square over up to 40 groups of about equal probability, 160,000 draws; five tests, false alarm 1e-4 each."""
    from scipy.stats import chi2, poisson  # loaded here: it takes a second

    counts = PoissonTable(mean).draw(stream(f"fair {mean:g}", 500)).reshape(-1)
    edges = np.unique(poisson.ppf(np.linspace(0.025, 0.975, 39), mean))
    if mean < 1:
        edges = np.array([0.0])
    expected = np.diff(np.concatenate([[0.0], poisson.cdf(edges, mean), [1.0]])) * counts.size
    observed = np.bincount(np.searchsorted(edges, counts, "left"), minlength=expected.size)
    assert ((observed - expected) ** 2 / expected).sum() < chi2.isf(1e-4, expected.size - 1)


def test_equal_words_are_common_random_numbers() -> None:
    """Means 100 and 120 on the same words: Var(A - B) is near (sqrt 120 - sqrt 100)^2 = 0.91: a ratio near 240."""
    raw = stream("common", 500).reshape(-1)
    a, b = tables(100.0).draw(raw), tables(120.0).draw(raw)
    assert (a.var() + b.var()) / (a - b).var() > 100
    other = stream("other", 500).reshape(-1)
    assert (a.var() + b.var()) / (a - tables(120.0).draw(other)).var() < 1.05
