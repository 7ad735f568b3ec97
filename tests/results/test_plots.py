"""Plots: deterministic bytes, no text over text, every shape of result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import pytest
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from sim.engine.rows import Rows
from sim.results.drawing import svg
from sim.results.plots import detections, plot_detection, plot_front, plot_harm, plot_outcomes, plot_weight
from sim.results.result import Cell, Result

Build = Callable[..., Result]

PLOTS = (plot_outcomes, plot_harm, plot_detection, plot_front)
MANY = ("canary-with-threshold", "canary-sequential", "rolling-update", "blue-green", "recreate")
SHAPES = {
    "usual": {},
    "one policy": {"policies": ("careful",)},
    "many": {"policies": MANY, "releases": (("good", False, 0.9), *((f"errors-{n}", True, 0.2 * n) for n in range(5)))},
    "only good": {"releases": (("good", False, 0.99),)},
    "only bad": {"releases": (("errors", True, 0.3),)},
}


def own(figure: Figure) -> Figure:
    FigureCanvasAgg(figure).draw()
    return figure


def whole(ax: Axes) -> Figure:
    figure = ax.get_figure(root=True)
    assert figure is not None
    return own(figure)


@pytest.mark.parametrize("plot", (*PLOTS, detections))
def test_equal_results_give_equal_bytes(build: Build, plot: Callable[..., Axes | Figure]) -> None:
    first, second = (svg(plot(build(count=80)), "x") for _ in range(2))
    assert first == second
    assert first.startswith("<svg")
    assert "<dc:date>" not in first


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("plot", (*PLOTS, detections))
def test_no_text_lies_over_another_or_outside(build: Build, plot: Callable[..., Axes | Figure], shape: str) -> None:
    drawn = plot(build(**SHAPES[shape], count=80))
    figure = own(drawn) if isinstance(drawn, Figure) else whole(drawn)
    words = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    boxes = [(word.get_text(), word.get_window_extent()) for word in words if word not in beyond(figure)]
    page = figure.bbox.padded(2)
    for name, box in boxes:
        assert page.x0 <= box.x0
        assert page.y0 <= box.y0
        assert box.x1 <= page.x1, name
        assert box.y1 <= page.y1, name
    for (one, first), (two, second) in combinations(boxes, 2):
        assert not first.padded(-1.5).overlaps(second.padded(-1.5)), (one, two)


def beyond(figure: Figure) -> set[Artist]:
    """Tick labels beyond the limits of their axis: they exist but are not drawn."""
    found: set[Artist] = set()
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks() + axis.get_minor_ticks():
                if not low <= tick.get_loc() <= high:
                    found |= {tick.label1, tick.label2}
    return found


def test_an_axes_of_ones_own_is_used(build: Build) -> None:
    figure = Figure()
    ax = figure.add_subplot()
    assert [plot(build(count=50), ax) for plot in PLOTS] == [ax] * 4


def test_wrong_outcomes_are_numbered(build: Build) -> None:
    said = svg(plot_outcomes(build()))
    result = build()
    escaped = (result.cell("careful", "slow").rows["outcome"] == 0).mean()
    assert f">{escaped:.0%}<" in said


def test_a_release_may_be_chosen(build: Build) -> None:
    assert plot_detection(build(), release="slow", legend=False).get_title(loc="left") == "slow"


def test_cells_without_rollouts(build: Build, four: Rows) -> None:
    result = build()
    holes = replace(result, cells=(*result.cells[:4], Cell("hasty", "slow", True, 0.0, four[:0])))
    for plot in (*PLOTS, detections):
        assert svg(plot(holes)).startswith("<svg")
        assert svg(plot(replace(result, cells=()))).startswith("<svg")


def test_costs_of_the_front(build: Build) -> None:
    for cost in ("false rollbacks", "mean lost requests"):
        assert svg(plot_front(build(), cost=cost)).startswith("<svg")


def test_weight_over_time() -> None:
    ax = plot_weight(((10.0, 0.05), (310.0, 0.2), (610.0, 1.0)), until=900.0)
    assert ax.lines[0].get_xydata()[-1].tolist() == [900.0, 1.0]  # type: ignore[index, union-attr]
    assert svg(plot_weight(())).startswith("<svg")


def test_groups_have_no_names_that_would_repeat_on_a_page(build: Build) -> None:
    first, second = svg(plot_front(build()), "one"), svg(plot_harm(build()), "two")
    names = [part.split('"')[0] for text in (first, second) for part in text.split(' id="')[1:]]
    assert len(names) == len(set(names))
