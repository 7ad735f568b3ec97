"""Binomial tables: exact to the last word against integer arithmetic; requests dealt to cells; whole numbers that never
drift."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2

from sim.engine.binomial import BinomialTable, binomials, split
from sim.engine.draws import Draws
from sim.engine.fixed import FixedLedger, allot
from sim.engine.ledger import Forecast
from sim.engine.streams import Stream

TOP = (1 << 64) - 1
CASES = ((1, 0.5), (7, 0.001), (600, 0.005), (600, 0.995), (75, 0.3), (1500, 0.41))
WORDS = st.one_of(st.integers(0, TOP), st.sampled_from([0, 1, 2, 1 << 63, TOP - 1, TOP]), st.integers(0, 1 << 20))
RAW = Stream(20261123, "binomial", 320).raw_block(0, 400, 0, 320)


def exact(trials: int, p: float) -> list[int]:
    """floor(CDF * 2^64) by value, in whole numbers: the oracle."""
    n, d = Fraction(p).as_integer_ratio()
    terms = (comb(trials, k) * n**k * (d - n) ** (trials - k) for k in range(trials + 1))
    return [(below << 64) // d**trials for below in accumulate(terms)]


@pytest.mark.parametrize(("trials", "p"), CASES)
def test_thresholds_against_integers(trials: int, p: float) -> None:
    """Absolute error below 2^-48 everywhere, relative error of both tails below 1e-12 (as for Poisson counts)."""
    table, truth = BinomialTable(trials, p), exact(trials, p)
    for k, threshold in enumerate(table.thresholds.tolist(), table.first):
        error, tail = abs(threshold - truth[k]), min(truth[k], TOP - truth[k])
        assert error <= 1 << 16
        assert error <= 1e-12 * tail + 2
    assert all(truth[k] <= 1 for k in range(table.first))
    assert TOP - truth[table.first + table.last.size - 1] <= 2


@pytest.mark.parametrize(("trials", "p"), [(10**6, 0.3), (3 * 10**7, 1e-6), (10**9, 0.5)])
def test_large_numbers_against_scipy(trials: int, p: float) -> None:
    table = BinomialTable(trials, p)
    values = table.first + np.arange(table.last.size)
    assert np.allclose(table.thresholds / 2.0**64, binom.cdf(values[:-1], trials, p), atol=1e-6)
    share = np.diff(np.concatenate([[0.0], table.thresholds / 2.0**64, [1.0]]))
    assert float(share @ (values - trials * p)) == pytest.approx(0.0, abs=1e-9 * trials * p + 1e-9)
    assert float(share @ (values - trials * p) ** 2) == pytest.approx(trials * p * (1 - p), rel=1e-6)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(trials=st.integers(0, 5000), p=st.floats(0, 1), words=st.lists(WORDS, min_size=1))
def test_a_draw_is_a_search(trials: int, p: float, words: list[int]) -> None:
    table = binomials(trials, p)
    raw = np.concatenate([np.array(words, np.uint64), table.last, table.last + np.uint64(1)])
    expected = table.first + np.searchsorted(table.thresholds, raw, "right")
    assert np.array_equal(table.draw(raw), expected)
    assert np.array_equal(table.draw(np.tile(raw, 9)), np.tile(expected, 9))  # few words and many take different ways
    assert [table.draw_one(word) for word in raw.tolist()] == expected.tolist()
    assert expected.min() >= 0 and expected.max() <= trials


@settings(derandomize=True, deadline=None, max_examples=60)
@given(trials=st.integers(0, 3000), more=st.integers(0, 500), p=st.floats(0, 1), q=st.floats(0, 1))
def test_more_never_gives_fewer(trials: int, more: int, p: float, q: float) -> None:
    low, high = sorted((p, q))
    raw = RAW[:4]
    assert (binomials(trials, low).draw(raw) <= binomials(trials, high).draw(raw)).all()
    assert (binomials(trials, low).draw(raw) <= binomials(trials + more, low).draw(raw)).all()


def test_certain_outcomes() -> None:
    raw = np.array([0, 1 << 63, TOP], np.uint64)
    assert binomials(0, 0.3).draw(raw).tolist() == [0, 0, 0]
    assert binomials(9, 0.0).draw(raw).tolist() == [0, 0, 0]
    assert binomials(9, 1.0).draw(raw).tolist() == [9, 9, 9]


@pytest.mark.parametrize(("trials", "p"), [(-1, 0.5), (10**11, 0.5), (5, -0.1), (5, 1.1), (5, float("nan"))])
def test_impossible_parameters(trials: int, p: float) -> None:
    with pytest.raises(ValueError, match=r"must lie in .*, got"):
        binomials(trials, p)


def test_dealing_to_cells_is_multinomial() -> None:
    """All requests are dealt; each cell's counts and two cells together fit their binomial, chi-square at 1e-4 each."""
    expected = np.array([6.0, 9.0, 0.0, 3.0, 1.5, 0.5])
    counts = np.concatenate([split(RAW[:, at : at + 6], 20, expected) for at in range(0, 300, 6)])
    assert (counts.sum(axis=1) == 20).all() and (counts >= 0).all() and not counts[:, 2].any()
    for number, p in [
        (counts[:, 0], 0.3),
        (counts[:, 3], 0.15),
        (counts[:, 5], 0.025),
        (counts[:, 1] + counts[:, 4], 0.525),
    ]:
        chances = binom.pmf(np.arange(21), 20, p)
        kept = chances * len(number) >= 10
        seen, wanted = np.bincount(number, minlength=21)[kept], chances[kept] * len(number)
        assert chi2.sf(((seen - wanted) ** 2 / wanted).sum(), kept.sum() - 1) > 1e-4


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    st.lists(
        st.lists(st.one_of(st.just(0.0), st.floats(0, 40)), min_size=4, max_size=4), min_size=1, max_size=60
    )
)  # fmt: skip
def test_whole_numbers_do_not_drift(windows: list[list[float]]) -> None:
    due: tuple[float, ...] = (0.0,) * 4
    wanted, given_, largest = 0.0, 0, 0.0
    for expected in windows:
        numbers, due = allot(due, expected)
        assert all(number >= 0 and (number == 0 or mean > 0) for number, mean in zip(numbers, expected, strict=True))
        wanted, given_ = wanted + sum(expected), given_ + sum(numbers)
        largest = max(largest, *(abs(owed) for owed in due))
        if any(expected):
            assert abs(given_ - wanted) <= 1.0
    assert largest <= 4.0


def means(rate: float) -> object:
    shares = (0.6, 0.15, 0.15, 0.05)  # two cells of each version

    def expected(start: float, end: float) -> list[float]:
        return [*(rate * (end - start) * share for share in shares), rate * (end - start) * 0.05, 0.0]

    return expected


def ledger(rows: list[int], forecast: Forecast | None = None) -> FixedLedger:
    return FixedLedger(Draws(3, 0, 8, 4), np.array(rows), 15.0, 0.0, forecast, new=2)


def test_every_window_has_its_number() -> None:
    """10.3 requests/s: 154.5 a window, so 155 and 154 in turn, and every version within one of its share."""
    book = ledger(list(range(8)))
    book.change(0.0, "plan", means(10.3))  # type: ignore[arg-type]
    book.settle(150.0)
    totals = np.array([counts.sum(axis=1) for counts in book.cumulative])
    assert (totals == np.floor(154.5 * np.arange(11) + 0.5)[:, None]).all()
    new = np.array([counts[:, 2:4].sum(axis=1) for counts in book.cumulative])
    assert (np.abs(new - 0.2 * 154.5 * np.arange(11)[:, None]) <= 1.0).all()
    assert len({tuple(counts) for counts in book.cumulative[-1].tolist()}) > 1


def test_borrowed_windows_leave_the_same_behind() -> None:
    """A sibling that borrows two windows and goes its own way counts as if it had drawn them itself."""
    lender = ledger(list(range(8)))
    lender.change(0.0, "plan", means(10.3))  # type: ignore[arg-type]
    lender.settle(90.0)
    borrower, alone = ledger([1, 4], Forecast(lender, np.array([1, 4]))), ledger([1, 4])
    for book in (borrower, alone):
        book.change(0.0, "plan", means(10.3))  # type: ignore[arg-type]
        book.change(37.0, "other", means(5.7))  # type: ignore[arg-type]
        book.settle(90.0)
    assert np.array_equal(np.stack(borrower.cumulative), np.stack(alone.cumulative))
