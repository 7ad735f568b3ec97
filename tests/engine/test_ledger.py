"""Windows, parts and forecasts: the layout of the draws, and counts that do not depend on who looks when."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from sim.engine.draws import BLOCK, Draws
from sim.engine.ledger import Forecast, Ledger, Means
from sim.engine.tables import PoissonTable

WIDTH = 3


def steady(*rates: float) -> Means:
    def means(start: float, end: float) -> Sequence[float]:
        return [rate * (end - start) for rate in rates] + [0.0, 0.0]

    return means


def ledger(
    count: int = 4, rows: Sequence[int] = (0, 1, 2, 3), phase: float = 0.0, forecast: Forecast | None = None
) -> Ledger:
    return Ledger(Draws(5, 10, count, WIDTH), np.array(rows), 15.0, phase, forecast)


def test_a_whole_window_is_one_draw_per_cell() -> None:
    book = ledger()
    book.change(0.0, "a", steady(2.0, 1.0, 0.1))
    book.settle(30.0)
    raw = Draws(5, 10, 4, WIDTH).whole(slice(None), 0, 2).swapaxes(0, 1)
    for row in range(4):
        for cell, rate in enumerate((2.0, 1.0, 0.1)):
            table = PoissonTable(rate * 15.0)
            first, second = (table.draw_one(int(raw[row, window, cell])) for window in (0, 1))
            assert book.cumulative[1][row, cell] == first
            assert book.cumulative[2][row, cell] == first + second


@pytest.mark.parametrize("phase", [0.0, 4.0])
def test_counts_do_not_depend_on_when_somebody_looks(phase: float) -> None:
    totals = []
    for looks in ((), (15.0, 16.0, 40.0), tuple(float(t) for t in range(1, 2000, 7))):
        book = ledger(phase=phase)
        book.change(0.0, "a", steady(2.0, 1.0, 0.1))
        for at in looks:
            if at < 100.0:
                book.settle(at)
        book.change(100.0, "b", steady(1.0, 2.0, 0.2))
        for at in looks:
            if at >= 100.0:
                book.settle(at)
        book.settle(2000.0)
        totals.append(np.stack(book.cumulative))
    assert (totals[0] == totals[1]).all()
    assert (totals[0] == totals[2]).all()


def test_blocks_and_single_replications_agree() -> None:
    together, alone = ledger(), Ledger(Draws(5, 12, 1, WIDTH), np.array([0]), 15.0)
    for book in (together, alone):
        book.change(0.0, "a", steady(2.0, 1.0, 0.1))
        book.change(100.0, "b", steady(1.0, 1.0, 0.1))
        book.settle(15.0 * (2 * BLOCK + 5))
    assert (np.stack(together.cumulative)[:, 2] == np.stack(alone.cumulative)[:, 0]).all()


@pytest.mark.parametrize("fork", [0.0, 7.0, 90.0, 100.0, 101.0, 500.0])
def test_a_forecast_changes_nothing(fork: float) -> None:
    parent = ledger()
    parent.change(0.0, "a", steady(2.0, 1.0, 0.1))
    parent.change(100.0, "b", steady(1.0, 1.0, 0.1))
    parent.settle(1000.0)
    books = [ledger(rows=(1, 3), forecast=Forecast(parent, np.array([1, 3]))), ledger(rows=(1, 3))]
    for book in books:
        book.change(0.0, "a", steady(2.0, 1.0, 0.1))
        if fork < 100.0:
            book.change(fork, "c", steady(0.5, 0.5, 0.5))
        else:
            book.change(100.0, "b", steady(1.0, 1.0, 0.1))
            book.change(fork, "c", steady(0.5, 0.5, 0.5))
        book.settle(1200.0)
    assert (np.stack(books[0].cumulative) == np.stack(books[1].cumulative)).all()
    assert (books[0].total(1207.0) == books[1].total(1207.0)).all()


def test_a_plan_at_the_same_moment_replaces() -> None:
    book, same = ledger(), ledger()
    book.change(0.0, "x", steady(9.0, 9.0, 9.0))
    book.change(0.0, "a", steady(2.0, 1.0, 0.1))
    same.change(0.0, "a", steady(2.0, 1.0, 0.1))
    assert (book.total(44.0) == same.total(44.0)).all()


def test_cut_windows_keep_the_mean() -> None:
    """A window cut five times has the same law: mean 30 within 5 standard errors (false alarm below 1e-6)."""
    book = Ledger(Draws(5, 0, 4000, WIDTH), np.arange(4000), 15.0)
    for cut in range(5):
        book.change(2.0 * cut, cut, steady(2.0, 1.0, 0.1))
    counts = book.total(15.0)[:, 0]
    assert abs(counts.mean() - 30.0) < 5 * np.sqrt(30.0 / 4000)
    assert abs(counts.var() / 30.0 - 1.0) < 5 * np.sqrt(2.0 / 4000)


def test_lost_requests_are_counted_apart() -> None:
    book = Ledger(Draws(5, 0, 500, WIDTH), np.arange(500), 15.0)
    book.change(0.0, "down", lambda start, end: [0.0, 0.0, 0.0, 3.0 * (end - start), 0.0])
    total = book.total(20.0)
    assert (total[:, [0, 1, 2, 4]] == 0).all()
    assert abs(total[:, 3].mean() - 60.0) < 5 * np.sqrt(60.0 / 500)
