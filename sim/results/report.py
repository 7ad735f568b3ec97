"""The report: one HTML file with everything in it (tables, inline SVG, definitions), for a browser, dark or light, or paper.

Nothing is loaded from elsewhere and no script runs, so that it can be kept, mailed and opened from a ticket. All text of
the reader's files is escaped. Equal results give equal bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from sim.results.blocks import Block, Shown, blocks, contrasts, judged
from sim.results.budgets import Verdict, overall
from sim.results.drawing import FAINT, INK, svg
from sim.results.front import Front, front
from sim.results.measures import MEASURES
from sim.results.page import PAGE
from sim.results.plots import detections, plot_front, plot_harm, plot_outcomes
from sim.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKS = {"": "", "best": ' class="best"', "alarm": ' class="alarm"', "open": ' class="undecided"'}
_NAMES = ("Scenario", "Digest", "Seed", "Replications", "Rung", "Service", "People")
_FIGURES = {
    "At a glance": (
        "front",
        "Harm against delay: lower left is better; hollow: beaten, another policy is as good on every count and better on one.",
    ),
    "How often does a bad release reach everyone?": ("outcomes", "How the rollouts ended."),
    "How many requests does it break?": ("harm", "Blast radius of single rollouts."),
    "How long until the policy aborts it?": ("detection", "Share of all rollouts aborted within a time."),
}
_GLOSSARY = (
    "A rollout is one controlled move from the stable revision to the next; a policy is a strategy with its numbers and its judge. "
    "A bad release is worse by construction: the fault is planted, so the truth is known. An escape is a bad release that reached "
    "everyone; a false rollback is a good one that was aborted. Rates carry Wilson intervals, means bootstrap-t (Hall beyond 5,000 "
    "rollouts), quantiles order statistics: all 95%, each for itself, for a number of rollouts fixed beforehand. Budgets use "
    "intervals that hold at every look and for all budgets together."
)


def write_report(
    result: Result,
    path: Path | str,
    verdicts: Sequence[Verdict] = (),
    *,
    reference: str | None = None,
    figures: bool = True,
) -> None:
    """Write the report to `path` (report.html)."""
    text = html(result, verdicts, reference=reference, figures=figures)
    Path(path).write_text(text, encoding="utf-8", newline="\n")


def html(
    result: Result, verdicts: Sequence[Verdict] = (), *, reference: str | None = None, figures: bool = True
) -> str:
    """The page. `reference`: the policy that differences are against (default: the first)."""
    title = result.question or result.scenario
    places = front(result)
    drawn = _figures(result, places) if figures else {}
    body = [
        f"<header><h1>{escape(title)}</h1>{_names(result)}</header>",
        "" if result.complete else '<p class="alarm">Interrupted: this report shows what was finished.</p>',
        _budgets(verdicts),
        *(_section(block, drawn) for block in blocks(result, places=places)),
        *_single(result, drawn),
        *_contrasts(result, reference),
        _definitions(result),
    ]
    return PAGE.replace("{title}", escape(title)).replace("{body}", "\n".join(part for part in body if part))


def _names(result: Result) -> str:
    sizes = sorted({len(cell.rows) for cell in result.cells}) or [0]
    number = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
    values = (
        result.scenario,
        result.digest[:16],
        result.seed,
        f"{number} per cell",
        result.rung,
        result.service,
        result.people,
    )
    pairs = "".join(f"<dt>{name}</dt><dd>{escape(str(value))}</dd>" for name, value in zip(_NAMES, values, strict=True))
    return f"<dl class='names'>{pairs}</dl><p>Reproduce: <code>{escape(result.command)}</code></p>"


def _section(block: Block, drawn: dict[str, str]) -> str:
    name, caption = _FIGURES.get(block.title, ("", ""))
    figure = f"<figure>{drawn[name]}<figcaption>{caption}</figcaption></figure>" if name in drawn else ""
    return f"<section><h2>{escape(block.title)}</h2><p>{escape(block.note)}</p>{_table(block)}{figure}</section>"


def _table(block: Block) -> str:
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in (block.corner, *block.columns))
    rows = "".join(
        f"<tr><th scope='row'>{escape(label)}</th>{''.join(_data(shown) for shown in cells)}</tr>"
        for label, cells in block.rows
    )
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


def _data(shown: Shown) -> str:
    lines = "".join(f"<small>{escape(line)}</small>" for line in shown.lines)
    return f"<td{_MARKS[shown.tone]}><b>{escape(shown.text)}</b>{lines}</td>"


def _budgets(verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return ""
    said = overall(verdicts)
    inner = "".join(_subsection(block) for block in judged(verdicts))
    return (
        f"<section><h2>Budgets: <span class='{said}'>{said}</span></h2><p>Intervals hold at every look and for all budgets together. "
        f"Undecided asks for more rollouts; it is not a pass.</p>{inner}</section>"
    )


def _subsection(block: Block) -> str:
    note = f"<p>{escape(block.note)}</p>" if block.note else ""
    return f"<h3>{escape(block.title)}</h3>{note}{_table(block)}"


def _contrasts(result: Result, reference: str | None) -> list[str]:
    found = contrasts(result, reference)
    if not found:
        return []
    against = escape(reference or result.policies[0])
    intro = (
        f"<h2>Differences to {against}, rollout by rollout</h2><p>Every policy met the same random numbers, so differences are paired: "
        "mean difference [95% interval]; below it the p-value after Holm's correction over all of them, and how much of the variance of "
        "the difference pairing left (r; 100%: none gained). Green: better, red: worse, no colour: not told apart.</p>"
    )
    inner = "".join(_subsection(block) for block in found)
    return [f"<section>{intro}{inner}</section>"]


def _definitions(result: Result) -> str:
    pairs = "".join(
        f"<dt>{escape(measure.title)} <code>{measure.name}</code></dt><dd>{escape(measure.definition)}</dd>"
        for measure in MEASURES.values()
        if any(measure.fits(cell.bad) for cell in result.cells)
    )
    return f"<section><h2>What the words mean</h2><p>{_GLOSSARY}</p><dl class='words'>{pairs}</dl></section>"


def _figures(result: Result, places: Front) -> dict[str, str]:
    """The figures by name; those that need a bad release are left out without one."""
    made = {"outcomes": _svg(plot_outcomes(result), "outcomes", "How the rollouts ended, per policy and release")}
    if result.split(True):
        made["harm"] = _svg(plot_harm(result), "harm", "Distribution of the blast radius, per policy and release")
        made["detection"] = _svg(detections(result), "detection", "Share aborted within a time, per release")
        if result.split(False):
            made["front"] = _svg(
                plot_front(result, places=places), "front", "Blast radius against the delay of good releases"
            )
    return made


def _single(result: Result, drawn: dict[str, str]) -> list[str]:
    """The one policy has one table, so its figures stand in a section of their own."""
    if len(result.policies) != 1:
        return []
    wanted = [(name, caption) for name, caption in _FIGURES.values() if name in drawn and name != "front"]
    inner = "".join(f"<figure>{drawn[name]}<figcaption>{caption}</figcaption></figure>" for name, caption in wanted)
    return [f"<section><h2>Distributions</h2>{inner}</section>"] if wanted else []


def _svg(drawn: Axes | Figure, name: str, label: str) -> str:
    """A figure for the page: its text in the page's font, its ink in the page's colours, a name for those who cannot see it."""
    text = svg(drawn, name)
    for color, variable in ((INK, "--ink"), (FAINT, "--faint")):
        text = text.replace(color.lower(), f"var({variable})")
    text = re.sub(
        r"(font: [^;\"]*?px) [^;\"]*", r"\1 system-ui, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif", text
    )
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)
