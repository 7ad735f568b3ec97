"""How plots are drawn: figures with fixed margins, quiet axes, round ticks, legends above, and SVG with deterministic bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from sim.results.interval import Interval

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import Locator

INK, FAINT = "#333333", "#999999"


def svg(drawn: Axes | Figure, salt: str = "seatrial") -> str:
    """A figure as an SVG element: text stays text, ids differ between salts, equal plots give equal bytes."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
    assert figure is not None
    file = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = file.getvalue()
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    return re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", text)  # names of groups, which would repeat on a page


def axes(width: float, height: float, left: float = 0.75, legend: int = 0) -> Axes:
    """Axes of `height` inches in a figure of their own, with margins in inches: `left`, and on top `legend` lines.

    Fixed margins, because a layout engine would draw everything twice.
    """
    from matplotlib.figure import Figure

    top, bottom, right = 0.12 + 0.2 * legend, 0.48, 0.2
    total = top + height + bottom
    figure = Figure(figsize=(width, total))
    ax = figure.add_axes((left / width, bottom / total, (width - left - right) / width, height / total))
    style(ax)
    return ax


def style(ax: Axes) -> None:
    """Quiet axes: no box, small dark text, a faint grid behind."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(FAINT)
    ax.tick_params(labelsize=9, colors=INK, color=FAINT)
    ax.xaxis.label.set(fontsize=9, color=INK)
    ax.yaxis.label.set(fontsize=9, color=INK)
    ax.title.set_color(INK)
    ax.grid(color=FAINT, alpha=0.25, linewidth=0.6)
    ax.set_axisbelow(True)


def share_at(ax: Axes, left: float, share: float, y: float) -> None:
    """The share, inside a bar that has room for it, else beside it."""
    text = f"{share:.1%}" if share < 0.1 else f"{share:.0%}"
    if share >= 0.1:
        ax.text(left + share / 2, y, text, ha="center", va="center", fontsize=8, color="#000000")
    elif left + share > 0.9:
        ax.text(left - 0.01, y, text, ha="right", va="center", fontsize=8, color=INK)
    else:
        ax.text(left + share + 0.01, y, text, ha="left", va="center", fontsize=8, color=INK)


def times(last: float) -> Locator:
    """Ticks at round times, five at most."""
    from matplotlib.ticker import MultipleLocator

    steps = (10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
    return MultipleLocator(next((step for step in steps if last / step <= 5.3), 86400))


def reach(interval: Interval) -> list[list[float]]:
    """Error bars to both ends; none towards an end that is infinite."""
    ends = (interval.estimate - interval.low, interval.high - interval.estimate)
    return [[end if np.isfinite(end) else 0.0] for end in ends]


def scale(ax: Axes, which: Literal["x", "y"], values: Sequence[Interval]) -> None:
    """Logarithmic with round ticks where everything is above 0, else linear from 0; room on all sides."""
    from matplotlib.ticker import LogLocator, NullLocator

    known = [v for one in values for v in (one.low, one.estimate, one.high) if np.isfinite(v)]
    low, high = min(known, default=0.0), max([1e-9, *known])
    if low <= 0:
        ax.set(**{f"{which}lim": (-0.04 * high, 1.08 * high)})
        return
    ax.set(**{f"{which}scale": "log", f"{which}lim": (low / 2, high * 2)})
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(LogLocator(subs=(1.0,) if high > 200 * low else (1.0, 2.0, 5.0)))
    axis.set_minor_locator(NullLocator())


def patch(color: str, name: str) -> Artist:
    from matplotlib.patches import Patch

    return Patch(color=color, label=name, linewidth=0)


def point(color: str, marker: str, name: str, filled: bool) -> Artist:
    from matplotlib.lines import Line2D

    face = color if filled else "none"
    return Line2D([], [], color=color, marker=marker, markersize=7, markerfacecolor=face, linestyle="none", label=name)


def legend_above(ax: Axes, handles: Sequence[Artist]) -> None:
    """Above the axes, so that it never lies over the data."""
    ax.legend(
        handles=list(handles),
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=3,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
    )
