"""What a row of a table holds, per table: the input, and the function of ours that gives the output. See README.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from sim.policy.analysis import Analysis, Conditions, Metric
from sim.policy.canary import Canary
from sim.policy.commands import Apply, Command, Counts, Measure, SetWeight, Text
from sim.policy.events import Absent, Answer, Failed, NotANumber, Value
from sim.policy.expr import parse_condition
from sim.policy.flagger import Check, Flagger
from sim.policy.notes import MetricIs, Note
from sim.policy.runs import AnalysisRun
from sim.policy.scale import Pods, bounds, move, move_older, shared
from sim.policy.sizes import target
from sim.policy.standing import Plan, Standing
from sim.policy.steps import ScaleCanary, Step
from sim.service.deployment import resize, sync

__all__ = ["TABLES", "answer", "rows"]

TABLES = Path(__file__).parent / "tables"
Row = Mapping[str, Any]


def rows() -> Iterator[tuple[str, Row]]:
    """Every row of every table, with the name of its table."""
    for path in sorted(TABLES.glob("*.yaml")):
        for row in yaml.safe_load(path.read_text(encoding="utf-8")):
            yield path.stem, row


def answer(table: str, row: Row) -> object:
    """What we make of the input of a row."""
    return _ANSWERS[table](row)


def _share(row: Row) -> object:
    return list(shared(row["replicas"], row["weight"], row["surge"], row.get("maximum", 100)))


def _bounds(row: Row) -> object:
    return list(bounds(row["replicas"], row["surge"], row["unavailable"]))


def _move(row: Row) -> object:
    allowed = bounds(row["replicas"], row["surge"], row["unavailable"])
    aim = shared(row["replicas"], row["weight"], allowed.surge)
    stable, canary, older = (Pods(*row.get(role, (0, 0))) for role in ("stable", "canary", "older"))
    return list(move(stable, canary, older, aim, row["replicas"], allowed))


def _older(row: Row) -> object:
    return list(move_older(tuple(Pods(*one) for one in row["older"]), row["available"], row["least"]))


def _routed(row: Row) -> object:
    steps = tuple(_step(one) for one in row["steps"])
    policy = Canary(
        steps=steps, router=True, dynamic_stable_scale=row.get("dynamic", False), min_pods=row.get("min_pods", 0),
        abort_scale_down_delay=row.get("abort_delay", 30.0) or None,
    )  # fmt: skip
    stable, canary = row["available"]
    standing = Standing(policy, Plan(steps), replicas=row["replicas"], index=row["index"])
    standing.stable, standing.canary = Pods(row["replicas"], stable), Pods(canary, canary)
    standing.weight = standing.recorded = row["recorded"]
    standing.aborted = "aborted" if row.get("aborted") else None
    standing.full = row.get("full", False)
    return list(target(standing))


def _step(said: Any) -> Step:
    match said:
        case {"replicas": replicas}:
            return ScaleCanary(replicas=replicas)
        case {"weight": weight}:
            return ScaleCanary(weight=weight)
        case {"match": True}:
            return ScaleCanary(match_weight=True)
    return SetWeight(said)


# ---- analysis ----

_LETTERS: dict[str, Answer] = {"s": Value([1.0]), "f": Value([0.0]), "i": Value([0.5]), "e": Failed("503")}
_LIMITS = ("failure_limit", "inconclusive_limit", "consecutive_error_limit", "consecutive_success_limit", "count")


def _metric(row: Row) -> object:
    """Plays verdicts through one metric; when each was measured, and the phase after the last."""
    rule = Conditions(parse_condition("result[0] > 0.9"), parse_condition("result[0] < 0.1"))
    interval = float(row["interval"]) if "interval" in row else None
    metric = Metric("m", Counts(1.0), rule, interval=interval, **{one: row[one] for one in _LIMITS if one in row})
    said: list[Command | Note] = []
    run = AnalysisRun(Analysis((metric,)), "step", 0, 0, None, said.append, count(1).__next__)
    now, times, letters = 0.0, [], list(row["verdicts"])
    run.start(now)
    while letters:
        run.poll(now)
        asked = [item for item in said if isinstance(item, Measure)]
        times.append(int(now))
        run.answer(now, asked[-1].id, _LETTERS[letters.pop(0)])
        if run.wakes_at is None:
            break
        now = run.wakes_at
    assert not letters, f"{letters} were not asked for"
    return {"times": times, "phase": [item.phase for item in said if isinstance(item, MetricIs)][-1]}


def _verdict(row: Row) -> object:
    """One measurement by its conditions."""
    given = [parse_condition(row[one]) if one in row else None for one in ("success", "failure")]
    return Conditions(*given).assess(0.0, _value(row["result"])).verdict


def _value(said: Any) -> Answer:
    words: dict[object, Answer] = {"absent": Absent(), "nan": NotANumber(), "error": Failed("503")}
    return words[said] if isinstance(said, str) else Value(said)


# ---- Flagger and Deployment ----


def _increments(row: Row) -> object:
    """The weights of a plan from 0 until it promotes; at most ten."""
    policy = Flagger(
        step_weight=row.get("step", 0), step_weights=tuple(row.get("steps", ())), ceiling=row.get("ceiling", 100)
    )
    weight, weights = 0, list[int]()
    while weight < policy.promotes_at and len(weights) < 10 and policy.increment(weight) > 0:
        weight = min(100, weight + policy.increment(weight))
        weights.append(weight)
    return weights


def _check(row: Row) -> object:
    check = Check("m", Text("prometheus", "q"), row.get("min"), row.get("max"), row.get("whole", False))
    return check.assess(_value(row["result"]))[1]


def _sync(row: Row) -> object:
    allowed = bounds(row["replicas"], row["surge"], row["unavailable"])
    spec = Apply(2, allowed.surge, allowed.unavailable, recreate=row.get("recreate", False))
    new, old = sync(spec, row["replicas"], Pods(*row["new"]), tuple(Pods(*one) for one in row["old"]))
    return [new, *old]


def _resize(row: Row) -> object:
    return list(resize(row["most"], row["before"], tuple(row["sizes"])))


_ANSWERS: Mapping[str, Callable[[Row], object]] = {
    "bounds": _bounds, "checks": _check, "increments": _increments, "metrics": _metric, "move": _move, "older": _older,
    "resize": _resize, "routed": _routed, "share": _share, "sync": _sync, "verdicts": _verdict,
}  # fmt: skip
