"""Whether a service shows what a query asks for; else what it does show. Told before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sim.files.words import choose
from sim.promql.labels import NAME, get
from sim.promql.query import Query
from sim.promql.selectors import Matcher, Selector
from sim.service.telemetry.emitted import Emission, Exposition
from sim.service.telemetry.plans import shown
from sim.service.telemetry.pods import names_of

__all__ = ["Misfit", "misfits"]

_SHOWN = 12  # values that an error lists


@dataclass(frozen=True, slots=True)
class Misfit:
    """What is wrong with a selector, at a column of the query, and what to do about it."""

    column: int
    problem: str
    remedy: str


def misfits(query: Query, exposition: Exposition) -> list[Misfit]:
    """Everything that a query asks for and the service does not show."""
    found = [misfit for selector in query.selectors for misfit in _of(selector, exposition)]
    return list(dict.fromkeys(found))


def _of(selector: Selector, exposition: Exposition) -> Iterator[Misfit]:
    if selector.fixed:
        yield Misfit(selector.column, "@ names a date, and virtual time has none", "use offset")
        return
    emissions = shown(selector, exposition)
    if not emissions:
        yield _unknown_name(selector, exposition)
        return
    wrong = [
        misfit for matcher in selector.matchers if matcher.label != NAME for misfit in _label(selector, matcher, emissions, exposition)
    ]  # fmt: skip
    if not wrong and not any(_accepted(selector, emission, exposition) for emission in emissions):
        wrong = [
            Misfit(
                selector.column, f"no series of {_title(selector)} has all of these labels", _some(selector, emissions)
            )
        ]
    yield from wrong


def _unknown_name(selector: Selector, exposition: Exposition) -> Misfit:
    known = sorted(exposition.names)
    name = selector.name or str(selector)
    histogram = exposition.service.latency is None and name.rpartition("_")[2] in ("bucket", "sum", "count")
    more = "; latencies need latency: in the service" if histogram else ""
    own = f"add it to the service: telemetry: {{counters: {{{name}: {{}}}}}}"
    return Misfit(selector.column, f"the service shows no metric {name}", f"{_either(choose(name, known), own)}{more}")


def _label(
    selector: Selector, matcher: Matcher, emissions: Sequence[Emission], exposition: Exposition
) -> Iterator[Misfit]:
    values = sorted({value for emission in emissions for value in _values(emission, matcher.label, exposition)})
    if matcher.accepts("") or any(matcher.accepts(value) for value in values):
        return
    if values == [""]:
        known = sorted({label for emission in emissions for label in _labels(emission)} - {NAME})
        problem, remedy = f"{_title(selector)} has no label {matcher.label}", choose(matcher.label, known)
        add = f"add it to the service: telemetry: {{labels: {{{matcher.label}: ...}}}}"
        yield Misfit(selector.column, problem, _either(remedy, add))
        return
    shown = ", ".join(value for value in values[:_SHOWN] if value) + (", ..." if len(values) > _SHOWN else "")
    yield Misfit(
        selector.column, f"no {_title(selector)} has {matcher}", f"label {matcher.label} has the values {shown}"
    )


def _accepted(selector: Selector, emission: Emission, exposition: Exposition) -> bool:
    return all(
        any(matcher.accepts(value) for value in _values(emission, matcher.label, exposition))
        for matcher in selector.matchers
    )


def _values(emission: Emission, label: str, exposition: Exposition) -> Iterable[str]:
    open_ = dict(emission.pod).get(label)
    return names_of(open_, emission.version, exposition) if open_ else (get(emission.labels, label),)


def _labels(emission: Emission) -> Iterator[str]:
    yield from (label for label, _ in emission.labels)
    yield from (label for label, _ in emission.pod)


def _either(one: str, other: str) -> str:
    return f"{one} Or {other}" if one.endswith("?") else f"{one}; or {other}"


def _title(selector: Selector) -> str:
    return selector.name or str(selector)


def _some(selector: Selector, emissions: Sequence[Emission]) -> str:
    """The combinations that there are of the labels that a selector names."""
    named = sorted({matcher.label for matcher in selector.matchers} - {NAME})
    sets = dict.fromkeys(
        ", ".join(f'{label}="{get(emission.labels, label)}"' for label in named) for emission in emissions
    )
    return "there are " + "; ".join(f"{{{one}}}" for one in list(sets)[:_SHOWN])
