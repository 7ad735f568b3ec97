"""What runs of a delivery system say: DORA's four keys, rework and harm, with intervals over runs, as a table.

A run is one replication of a long stretch of time. Its deployments hang together (a bad change that stays makes the next ones fail),
so intervals are between runs, not between deployments: means of what each run shows, ratios of sums over runs. Where runs do not differ,
as when something never happened, Wilson's interval over all deployments stands in. Up to 10 runs get Student's interval, for resamples
of so few say little. Times to recover may be infinite, so their median is over all failures of all runs, with order statistics;
failures are taken to be independent there.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.pipeline.dora import DAY, Dora, Share, dora
from sim.pipeline.rows import DeploymentRow, Rows
from sim.policy.errors import HistoryError
from sim.results.blocks import Block, Shown
from sim.results.interval import Interval
from sim.results.means import mean_interval, ratio_of_sums, student_interval
from sim.results.proportions import wilson
from sim.results.quantiles import median_interval
from sim.results.result import FORMAT, entry
from sim.results.table import WIDTH, render
from sim.results.wording import count, say

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "HARM_ABOVE",
    "MEASURES",
    "DeliveryCell",
    "DeliveryResult",
    "Measure",
    "block",
    "show",
    "summary",
    "text",
]

HARM_ABOVE = 1000.0
"""Broken requests beyond which a deployment failed for its users, unless told otherwise."""

_TEXTS = ("scenario", "digest", "service", "rung", "people", "command", "question")


@dataclass(frozen=True, eq=False)
class DeliveryCell:
    """All runs of one policy, in order; a deployment fails for users when it breaks more than `harm_above` requests."""

    policy: str
    runs: tuple[Rows, ...]
    harm_above: float = HARM_ABOVE

    @cached_property
    def keys(self) -> tuple[Dora, ...]:
        """DORA's keys of each run."""
        return tuple(dora(rows, harm_above=self.harm_above) for rows in self.runs)

    def deployments(self) -> Iterable[DeploymentRow]:
        """Those of all runs."""
        return (row for rows in self.runs for row in rows.deployments)


@dataclass(frozen=True, slots=True, eq=False)
class DeliveryResult:
    """Every policy through the same runs. It holds no wall time, path, host or worker count (contracts.md section 2).

    The texts are those of `Result`; `complete` is false after an interruption.
    """

    scenario: str
    digest: str
    seed: int
    service: str
    rung: str
    people: str
    command: str
    cells: tuple[DeliveryCell, ...]
    question: str = ""
    complete: bool = True

    def __post_init__(self) -> None:
        names = [cell.policy for cell in self.cells]
        if len(set(names)) < len(names):
            raise HistoryError(f"a result holds each policy once, got {', '.join(names)}")

    def cell(self, policy: str) -> DeliveryCell:
        """The cell of a policy; KeyError names those that there are."""
        found = {cell.policy: cell for cell in self.cells}
        if policy not in found:
            raise KeyError(f"no policy {policy!r}; policies {', '.join(found)}")
        return found[policy]

    def save(self, folder: Path) -> None:
        """Write result.json."""
        text = json.dumps(self.document(), indent=1, ensure_ascii=False, allow_nan=False)
        (folder / "result.json").write_text(text + "\n", encoding="utf-8", newline="\n")

    def document(self) -> dict[str, Any]:
        """The `--json` document: numbers to 12 significant digits, infinite ones as "inf", unknown ones null."""
        texts = {name: getattr(self, name) for name in _TEXTS}
        cells = [_told(cell) for cell in self.cells]
        return {
            "format": FORMAT,
            "kind": "delivery",
            **texts,
            "seed": self.seed,
            "complete": self.complete,
            "cells": cells,
        }


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of a cell: its title in a table, its unit (for `wording.say`), its definition, and how it is worked out."""

    title: str
    unit: str
    definition: str
    of: Callable[[DeliveryCell], Interval]


_FEW = 10  # runs


def _mean(values: Iterable[float]) -> Interval:
    """The mean over runs of something that is never negative; runs that do not know it are left out."""
    known = [value for value in values if not math.isnan(value)]
    return _cut(mean_interval(known) if len(known) > _FEW or len(set(known)) < 2 else student_interval(known))


def _ratio(shares: Sequence[Share]) -> Interval:
    """A share of all deployments, with an interval between runs where they differ."""
    known = [share for share in shares if share.total]
    events, total = sum(share.count for share in known), sum(share.total for share in known)
    if len({share.rate for share in known}) < 2:
        return wilson(events, total)
    if len(known) > _FEW:
        return _cut(ratio_of_sums([share.count for share in known], [share.total for share in known]), 1.0)
    ratio, mean = events / total, total / len(known)
    # Linearised: a run's deviation is (count - ratio * total) / mean total (Cochran 1977, section 6.4).
    around = student_interval([ratio + (share.count - ratio * share.total) / mean for share in known])
    return _cut(replace(around, estimate=ratio), 1.0)


def _cut(interval: Interval, most: float = math.inf) -> Interval:
    """The part of an interval that is possible."""
    return replace(interval, low=max(0.0, interval.low), high=min(most, interval.high))


def _recovery(cell: DeliveryCell) -> Interval:
    failures = [row for row in cell.deployments() if row.bad_since is not None]
    return median_interval([math.inf if row.restored is None else row.restored - row.bad_since for row in failures])  # type: ignore[operator]


def _stopped(cell: DeliveryCell, bad: bool) -> list[Share]:
    """Of the deployments of changes and fixes that were decided, those that ended wrongly: bad promoted, or good aborted."""
    wrong = "promoted" if bad else "aborted"
    shares = []
    for rows in cell.runs:
        decided = [
            row for row in rows.deployments if row.reason != "rollback" and row.bad == bad and row.outcome in ("promoted", "aborted")
        ]  # fmt: skip
        shares.append(Share(sum(row.outcome == wrong for row in decided), len(decided)))
    return shares


def _harm(cell: DeliveryCell) -> Interval:
    return _mean(sum(row.harm for row in rows.deployments) * 30 * DAY / rows.span for rows in cell.runs)


MEASURES: dict[str, Measure] = {
    "lead_time": Measure(
        "lead time", "s", "Commit to served to every user: the median commit of a run, mean over runs.",
        lambda cell: _mean(keys.lead.median for keys in cell.keys),
    ),
    "lead_time_p90": Measure(
        "lead time, p90", "s", "The same for the commit that 9 of 10 are faster than.",
        lambda cell: _mean(keys.lead.p90 for keys in cell.keys),
    ),
    "deployment_frequency": Measure(
        "deploys a day", "a day", "Completed deployments a day, weekends included.",
        lambda cell: _mean(keys.per_day for keys in cell.keys),
    ),
    "change_fail_rate": Measure(
        "change fail rate", "%", "Finished deployments that were aborted, rolled back or hot-fixed.",
        lambda cell: _ratio([keys.fail_any for keys in cell.keys]),
    ),
    "change_fail_rate_user": Measure(
        "fail rate for users", "%", "Finished deployments that broke more requests than the stated number.",
        lambda cell: _ratio([keys.fail_user for keys in cell.keys]),
    ),
    "recovery_time": Measure(
        "recovery", "s", "First exposure to restored, median of all bad deployments; what nobody found never recovers.", _recovery
    ),
    "rework_rate": Measure(
        "rework rate", "%", "Completed deployments that were unplanned fixes of what was live.",
        lambda cell: _ratio([keys.rework for keys in cell.keys]),
    ),
    "escape_rate": Measure(
        "escapes", "%", "Bad releases that were promoted, of those promoted or aborted.", lambda cell: _ratio(_stopped(cell, True))
    ),
    "false_abort_rate": Measure(
        "false aborts", "%", "Good releases that were aborted, of those promoted or aborted.", lambda cell: _ratio(_stopped(cell, False))
    ),
    "harm": Measure("broken requests in 30 days", "requests", "Requests that bad changes broke, until each was gone.", _harm),
}  # fmt: skip


def summary(cell: DeliveryCell) -> dict[str, Interval]:
    """Every measure of a cell, at 95%."""
    return {name: measure.of(cell) for name, measure in MEASURES.items()}


def _told(cell: DeliveryCell) -> dict[str, Any]:
    outcomes: dict[str, int] = {}
    for row in cell.deployments():
        outcomes[row.outcome] = outcomes.get(row.outcome, 0) + 1
    return {
        "policy": cell.policy,
        "runs": len(cell.runs),
        "span_s": cell.runs[0].span if cell.runs else None,
        "harm_above": cell.harm_above,
        "commits": sum(len(rows.changes) for rows in cell.runs),
        "deployments": dict(sorted(outcomes.items())),
        "measures": {name: entry(interval) for name, interval in summary(cell).items()},
    }


# ---- the table ----


def block(result: DeliveryResult) -> Block:
    """One row per policy, one column per measure."""
    rows = []
    for cell in result.cells:
        told = [say(interval, MEASURES[name].unit) for name, interval in summary(cell).items()]
        rows.append(
            (cell.policy, tuple(Shown(number, (ends.replace("no rollouts", "none"),)) for number, ends in told))
        )
    titles = tuple(measure.title for measure in MEASURES.values())
    limit = result.cells[0].harm_above if result.cells else 0.0
    note = f"DORA's keys. A deployment fails for users when it breaks more than {limit:,g} requests."
    return Block("Delivery", note, "", titles, tuple(rows))


def show(result: DeliveryResult, console: Console | None = None) -> None:
    """Print the question, the table, and what names the result."""
    from rich.console import Console
    from rich.text import Text

    out = console if console is not None else Console(width=WIDTH)
    if result.question:
        out.print(Text(result.question, style="bold"))
    for part in render(block(result), out.width):
        out.print(part)
    for line in _footer(result):
        out.print(Text(line, style="dim"), soft_wrap=True)


def text(result: DeliveryResult, width: int = WIDTH) -> str:
    """The table as plain text, without a colour or a trailing blank."""
    from rich.console import Console

    file = io.StringIO()
    show(result, Console(file=file, width=width, color_system=None, force_terminal=False))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _footer(result: DeliveryResult) -> tuple[str, ...]:
    sizes = sorted({len(cell.runs) for cell in result.cells}) or [0]
    number = count(sizes[0], "run") if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,} runs"
    days = result.cells[0].runs[0].span / DAY if result.cells and result.cells[0].runs else 0.0
    return (
        *(() if result.complete else ("INTERRUPTED: this is what was finished.",)),
        f"{number} of {days:.3g} days per policy; 95% intervals between runs in brackets.",
        f"scenario {result.scenario}  digest {result.digest[:16]}  seed {result.seed}  rung {result.rung}",
        f"service: {result.service}",
        f"people: {result.people}",
        f"reproduce: {result.command}",
    )
