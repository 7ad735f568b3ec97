"""What the printed table and the report show, as plain text in cells: a glance at everything, then one block per question.

escapes            | errors-small | slow        <- columns: the bad releases
canary             | 26%          | 98.9%       <- one row per policy; every number with its interval
                   | [24, 29]     | [98, 99.4]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from sim.results.budgets import Verdict
from sim.results.compare import Comparison, compare_all
from sim.results.difference import Change
from sim.results.front import Front, average, front
from sim.results.interval import Interval
from sim.results.measures import HORIZON, MEASURES, evaluate, named
from sim.results.result import Cell, Result
from sim.results.stopping import Budget
from sim.results.wording import amount, count, give, say, span

Tone = Literal["", "best", "alarm", "open"]


@dataclass(frozen=True, slots=True)
class Shown:
    """One cell of a block: the number, the lines under it (its interval, the release it is about), and how it stands out."""

    text: str = "-"
    lines: tuple[str, ...] = ()
    tone: Tone = ""
    value: float = float("nan")


@dataclass(frozen=True, slots=True)
class Block:
    """A titled table. `rows` are (label, cells), as many cells as `columns`."""

    title: str
    note: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Shown, ...]], ...]


def blocks(result: Result, level: float = 0.95, places: Front | None = None) -> tuple[Block, ...]:
    """All blocks of a result, most important first; a single policy gets one table with its releases as rows.

    `places` saves working the front out again.
    """
    if not result.cells:
        return ()
    if len(result.policies) == 1:
        return (_alone(result, level),)
    bad, good = result.split(True), result.split(False)
    head = glance(result, places if places is not None else front(result, level), level)
    harmful = [_by_release(result, one, bad, level) for one in _BAD if bad]
    harmless = [
        _by_release(result, one, good, level) for one in _GOOD if len(good) > 1
    ]  # a single one is all in the glance
    return (head, *harmful, *harmless)


Question = tuple[str, str, tuple[str, ...]]  # title, note, measures
_BAD: tuple[Question, ...] = (
    ("How often does a bad release reach everyone?", "Escapes: promoted although bad.", ("escape_rate",)),
    ("How many requests does it break?", "Blast radius: mean [interval], and the 95th percentile.", ("harm.mean", "harm.p95")),
    ("How long until the policy aborts it?", "Detection delay, median over all rollouts; never: most were not aborted.",
     ("detection_delay.median",)),
)  # fmt: skip
_GOOD: tuple[Question, ...] = (
    ("How often is a good release rolled back?", "False rollbacks.", ("false_rollback_rate",)),
    ("How long does a good release take?", "Promote delay: until the new version serves everything, median of the promoted rollouts.",
     ("promote_delay.median",)),
)  # fmt: skip
_SOMETIMES = ("lost", "inconclusive_rate", "alert_rate")  # shown where it happens at all


def glance(result: Result, places: Front, level: float = 0.95) -> Block:
    """One row per policy: its worst escape and false rollback, mean blast radius, what it costs, and whether it is on the front."""
    bad, good = result.split(True), result.split(False)
    shown: list[tuple[str, Callable[[str], Shown]]] = []
    if bad:
        shown.append(("worst escape", lambda p: _worst(result, p, "escape_rate", level)))
        shown.append(("blast radius", lambda p: _shown(average(result, p, "harm", True, level), "requests")))
    if good:
        shown.append(("false rollbacks", lambda p: _worst(result, p, "false_rollback_rate", level)))
        shown.append(("promote delay", lambda p: _worst(result, p, "promote_delay.median", level)))
    shown.append(("pod-hours", lambda p: _shown(average(result, p, "pod_hours", False if good else None, level), "")))
    for name in _SOMETIMES:
        cells = [cell for cell in result.cells if not (good and cell.bad)]
        if any(MEASURES[name].values(cell).any() for cell in cells):
            shown.append((MEASURES[name].title, partial(_worst_of, cells, name, level)))
    shown.append(("unbeaten", lambda p: _place(places, p)))
    table = [[make(policy) for _, make in shown] for policy in result.policies]
    means = "Blast radius: requests broken, mean over the bad releases, each counting the same. " if bad else ""
    costs = "Promote delay: median. Delay, pods and what else is lost: of good releases. " if good else ""
    note = f"{means}{costs}Unbeaten: no policy is as good on every count and better on one (in so many of 1,000 resamples)."
    return _block("At a glance", note, "policy", [name for name, _ in shown], result.policies, table)


def _by_release(result: Result, question: Question, releases: Sequence[str], level: float) -> Block:
    title, note, names = question
    table = [[_cell(result.find(policy, release), names, level) for release in releases] for policy in result.policies]
    return _block(title, note, "policy", releases, result.policies, table)


_ALONE = (
    ("escapes", ("escape_rate",)), ("blast radius", ("harm.mean", "harm.p95")), ("detection delay", ("detection_delay.median",)),
    ("false rollbacks", ("false_rollback_rate",)), ("promote delay", ("promote_delay.median",)), ("pod-hours", ("pod_hours.mean",)),
)  # fmt: skip


def _alone(result: Result, level: float) -> Block:
    """The one policy: releases as rows, so that the table stays narrow."""
    wanted = [(title, names) for title, names in _ALONE if any(_wants(names, cell) for cell in result.cells)]
    wanted += [
        (MEASURES[name].title, (name,))
        for name in _SOMETIMES
        if any(MEASURES[name].values(c).any() for c in result.cells)
    ]
    table = [
        [_cell(cell if _wants(names, cell) else None, names, level) for _, names in wanted] for cell in result.cells
    ]
    labels = [
        cell.release if cell.release in ("good", "bad") else f"{cell.release} ({_kind(cell)})" for cell in result.cells
    ]
    note = (
        "Blast radius: requests broken, mean and 95th percentile. Delays: medians."
        if result.split(True)
        else "Promote delay: median."
    )
    rows = tuple((label, tuple(row)) for label, row in zip(labels, table, strict=True))
    return Block(f"Policy {result.policies[0]}", note, "release", tuple(title for title, _ in wanted), rows)


def _wants(names: Sequence[str], cell: Cell) -> bool:
    measure = named(names[0])[0]
    return measure.fits(cell.bad) and (measure.name != "harm" or cell.bad)


def _kind(cell: Cell) -> str:
    return "bad" if cell.bad else "good"


def _block(
    title: str, note: str, corner: str, columns: Sequence[str], labels: Sequence[str], table: Sequence[Sequence[Shown]]
) -> Block:
    marked = list(zip(*(_best(column) for column in zip(*table, strict=True)), strict=True))
    return Block(title, note, corner, tuple(columns), tuple(zip(labels, marked, strict=True)))


def _best(column: Sequence[Shown]) -> list[Shown]:
    """The smallest numbers of a column marked, unless all are the same; what is alarming stays so."""
    known = [shown.value for shown in column if shown.value == shown.value]
    least = min(known, default=0.0)
    if not known or max(known) == least:
        return list(column)
    return [replace(shown, tone="best") if shown.value == least and not shown.tone else shown for shown in column]


def _cell(cell: Cell | None, names: Sequence[str], level: float) -> Shown:
    """The first measure with its interval; of further ones (a percentile) the number and how far its interval reaches."""
    if cell is None:
        return Shown()
    shown = _measured(cell, names[0], level)
    for name in names[1:]:
        more = f"{name.partition('.')[2]} {give(evaluate(cell, name, level), unit_of(name))}"
        shown = replace(shown, lines=(*shown.lines, more))
    return shown


def _measured(cell: Cell, name: str, level: float) -> Shown:
    interval = evaluate(cell, name, level)
    shown = _shown(interval, unit_of(name))
    alarm = named(name)[0].name in ("escape_rate", "false_rollback_rate") and interval.low > 0.5
    fewer = (f"n={interval.n:,}",) if interval.n != len(cell.rows) else ()
    return replace(shown, lines=(*shown.lines, *fewer), tone="alarm" if alarm else "")


def _worst(result: Result, policy: str, name: str, level: float) -> Shown:
    return _worst_of([cell for cell in result.cells if named(name)[0].fits(cell.bad)], name, level, policy)


def _worst_of(cells: Sequence[Cell], name: str, level: float, policy: str) -> Shown:
    """The policy's cell with the highest value, named when there are several."""
    own = [cell for cell in cells if cell.policy == policy]
    known = [(evaluate(cell, name, level).estimate, cell) for cell in own]
    highest = max((value for value, _ in known if value == value), default=None)
    where = [cell for value, cell in known if value == highest]
    if not where:
        return Shown()
    shown = _measured(where[0], name, level)
    several = "each release" if len(where) == len(own) else f"{len(where)} releases"
    return (
        shown
        if len(own) == 1
        else replace(shown, lines=(*shown.lines, where[0].release if len(where) == 1 else several))
    )


def _place(places: Front, policy: str) -> Shown:
    place = places.place(policy)
    return Shown() if place is None else Shown("yes" if place.member else "no", (f"{place.share:.0%}",))


def _shown(interval: Interval | None, unit: str) -> Shown:
    if interval is None:
        return Shown()
    text, ends = say(interval, unit)
    return Shown(text, (ends,), value=interval.estimate)


def unit_of(name: str) -> str:
    """The unit of a measure by name, for `wording.say`."""
    measure = named(name)[0]
    return "%" if measure.kind == "rate" else measure.unit


def footer(result: Result) -> tuple[str, ...]:
    """What stands under every table: the count, the intervals, and what names the result."""
    sizes = sorted({len(cell.rows) for cell in result.cells}) or [0]
    number = count(sizes[0], "rollout") if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,} rollouts"
    unfinished = () if result.complete else ("INTERRUPTED: this is what was finished; --resume goes on.",)
    return (
        *unfinished,
        f"{number} per policy and release; 95% intervals in brackets (Wilson, bootstrap-t, order statistics).",
        f"scenario {result.scenario}  digest {result.digest[:16]}  seed {result.seed}  rung {result.rung}",
        f"service: {result.service}",
        f"people: {result.people}",
        f"reproduce: {result.command}",
    )


def contrasts(result: Result, reference: str | None = None, level: float = 0.95) -> tuple[Block, ...]:
    """Paired differences to the reference (default: the first policy), a block per measure; nothing without a second policy."""
    found = compare_all(result, reference, level=level)
    made = []
    for name in dict.fromkeys(one.measure for one in found):
        own = {(one.policy, one.release): one for one in found if one.measure == name}
        policies, releases = dict.fromkeys(policy for policy, _ in own), dict.fromkeys(release for _, release in own)
        rows = tuple((p, tuple(_contrast(own.get((p, r))) for r in releases)) for p in policies)
        measure, statistic = named(name)
        title = measure.title if statistic == "rate" else f"{measure.title}, mean"
        cut = f" (delays beyond {span(HORIZON)} count as that)" if measure.kind == "delay" else ""
        made.append(Block(f"{title}{cut}", "", "policy", tuple(releases), rows))
    return tuple(made)


def judged(verdicts: Sequence[Verdict]) -> tuple[Block, ...]:
    """Budgets, a block each: what was measured, its interval, and whether it passes."""
    made = []
    for budget in dict.fromkeys(verdict.budget for verdict in verdicts):
        own = {(one.policy, one.release): one for one in verdicts if one.budget == budget}
        policies, releases = dict.fromkeys(policy for policy, _ in own), dict.fromkeys(release for _, release in own)
        rows = tuple((p, tuple(_judged(own.get((p, r))) for r in releases)) for p in policies)
        made.append(Block(_asked(budget), _basis(list(own.values())), "policy", tuple(releases), rows))
    return tuple(made)


def _asked(budget: Budget) -> str:
    measure, statistic = named(budget.metric)
    what = measure.title if statistic == "rate" else f"{measure.title}, {statistic}"
    sense = "\u2264" if budget.sense == "<=" else "\u2265"
    return f"{what} {sense} {amount(budget.limit, unit_of(budget.metric))}"


def _basis(own: Sequence[Verdict]) -> str:
    """The count behind the verdicts, and the cap of a mean."""
    sizes = sorted({verdict.interval.n for verdict in own})
    number = count(sizes[0], "rollout") if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,} rollouts"
    cap = own[0].cap
    cut = "" if cap is None else f" Mean of values cut at {amount(cap, unit_of(own[0].budget.metric))}."
    return f"{number} each.{cut}"


_VERDICTS: dict[str, Tone] = {"pass": "best", "pass-within": "best", "fail": "alarm", "undecided": "open"}


def _judged(verdict: Verdict | None) -> Shown:
    if verdict is None:
        return Shown()
    text, ends = say(verdict.interval, unit_of(verdict.budget.metric))
    lines = (f"{text} {ends}", *((f"{verdict.beyond:.1%} cut",) if verdict.beyond else ()))
    return Shown(verdict.decision, lines, _VERDICTS[verdict.decision], verdict.interval.estimate)


def _contrast(one: Comparison | None) -> Shown:
    if one is None:
        return Shown()
    text, ends = say(one.difference, unit_of(one.measure), signed=True)
    p = "p < 0.001" if one.adjusted < 0.001 else f"p = {one.adjusted:.2g}"
    left = "" if one.variance_ratio != one.variance_ratio else f", r = {one.variance_ratio:.0%}"
    tone: Tone = {"better": "best", "worse": "alarm"}.get(one.verdict, "")  # type: ignore[assignment]
    return Shown(text, (ends, f"{p}{left}"), tone, one.difference.estimate)


def changes(found: Sequence[Change]) -> Block:
    """Old, new and the paired change, a row per measure of a cell."""
    rows = tuple((f"{one.policy} / {one.release}", _changed(one)) for one in found)
    note = "Change: new - old, run by run where both results have the same runs. Example: the first replication that differs."
    return Block("What changed", note, "policy / release", ("measure", "old", "new", "change", "example"), rows)


def _changed(one: Change) -> tuple[Shown, ...]:
    unit = unit_of(one.measure)
    measure = named(one.measure)[0]
    fewer = one.new.estimate < one.old.estimate
    tone: Tone = "" if measure.name == "abort_rate" else "best" if fewer == (measure.better == "lower") else "alarm"
    moved = Shown() if one.difference is None else _told(say(one.difference, unit, signed=True), tone)
    example = Shown() if one.example is None else Shown(f"{one.example}")
    return (Shown(one.measure), _shown(one.old, unit), replace(_shown(one.new, unit), tone=tone), moved, example)


def _told(words: tuple[str, str], tone: Tone) -> Shown:
    return Shown(words[0], (words[1],), tone)
