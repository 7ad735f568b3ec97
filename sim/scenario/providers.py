"""What metrics measure whose policy asks a provider in its own language: PromQL over the telemetry, everything else by `metrics:`.

A scenario's `metrics:` comes first: it may give a meaning to any metric. Prometheus queries and Flagger's own metrics need none, as long
as the service shows what they ask for. Other providers (Datadog, New Relic, CloudWatch, web, job, ...) always do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.policy.commands import Measure as Question
from sim.policy.commands import Text
from sim.policy.errors import WorldError
from sim.policy.events import Answer
from sim.scenario.measures import Given, MetricTable, Within
from sim.service.model import Service
from sim.service.telemetry.names import Identity, identity_of
from sim.service.telemetry.spans import span

if TYPE_CHECKING:
    from sim.service.monitoring import Looks, Observed
    from sim.service.telemetry.checks import Misfit
    from sim.service.telemetry.plans import Plan

__all__ = ["PROMETHEUS", "Asked", "Providers", "Wrong", "asked_texts"]

PROMETHEUS = ("prometheus", "prometheus-range", "flagger-builtin")
"""Providers that are answered by PromQL: a query, one over a range (as JSON), or `request-success-rate[1m]` of Flagger."""


_VERDICTS = ("job", "kayenta")  # providers that answer with a verdict instead of a number


class Asked(NamedTuple):
    """A question that a policy asks in a provider's language."""

    template: str
    metric: str
    query: Text


class Wrong(NamedTuple):
    """A question that cannot be answered: what is wrong, what to do, and at which column of the query (0: nowhere in it)."""

    asked: Asked
    column: int
    problem: str
    remedy: str


class _Form(NamedTuple):
    """A query, and when it is evaluated: seconds from now."""

    text: str
    moments: tuple[float, ...] = (0.0,)
    ranged: bool = False


class Providers:
    """The answers to everything that one policy asks in a provider's language (`sim.service.monitoring.Metrics`)."""

    def __init__(self, table: MetricTable, service: Service, identity: Identity | None, asked: Iterable[Asked]) -> None:
        self._table, self._service, self._identity = table, service, identity
        self._asked = tuple(asked)
        self._plans: dict[str, Plan] = {}

    def __reduce__(self) -> Any:
        return Providers, (self._table, self._service, self._identity, self._asked)

    @property
    def back(self) -> float | None:
        """How many seconds before its moment a question reads samples; None: nobody reads samples."""
        return self._back

    @cached_property
    def _back(self) -> float | None:
        forms = [self._form(asked.query) for asked in self._asked if self._is_promql(asked)]
        return max((self._plan(form.text).back - min(form.moments) for form in forms), default=None)

    def ask(self, question: Question, at: float, world: Observed) -> Looks | Answer:
        """The answers of all replications at a moment."""
        from sim.service.monitoring import Numbers, View
        from sim.service.telemetry.readings import Readings

        query = question.query
        assert isinstance(query, Text)
        meaning = self._table.find(question.template, question.metric)
        if isinstance(meaning, Given):
            return meaning.answer
        if meaning is not None:
            measure = meaning.measure if isinstance(meaning, Within) else meaning
            view = world.look(at, span(query) if query.provider == "flagger-builtin" else measure.window)
            return Numbers(view, meaning.read) if isinstance(view, View) else view
        if query.provider not in PROMETHEUS:
            raise WorldError(_unknown(question.metric, query.provider))
        seen = world.scraped(at)
        if not isinstance(seen, tuple):
            return seen
        scrapes, visible = seen
        form = self._form(query)
        plan = self._plan(form.text)
        found = [plan.query.at(scrapes.store(plan, at + moment, visible), at + moment) for moment in form.moments]
        return Readings(found, self._known.system, form.ranged)

    def wrong(self) -> list[Wrong]:
        """Questions that nobody can answer, known before anything runs."""
        from sim.promql import PromqlError
        from sim.service.telemetry.checks import misfits

        found: list[Wrong] = []
        for asked in self._asked:
            if self._table.find(asked.template, asked.metric) is not None:
                continue
            if asked.query.provider not in PROMETHEUS:
                problem, _, remedy = _unknown(asked.metric, asked.query.provider).partition("; ")
                found.append(Wrong(asked, 0, problem, remedy))
                continue
            try:
                plan = self._plan(self._form(asked.query).text)
            except PromqlError as error:
                found.append(Wrong(asked, error.column, f"no PromQL: {error.problem}", "correct the query"))
                continue
            found += [_told(asked, misfit) for misfit in misfits(plan.query, plan.exposition)]
        return found

    # ---- queries ----

    @cached_property
    def _known(self) -> Identity:
        return self._identity or identity_of(self._service.telemetry.name or self._service.name)

    def _is_promql(self, asked: Asked) -> bool:
        return asked.query.provider in PROMETHEUS and self._table.find(asked.template, asked.metric) is None

    def _form(self, query: Text) -> _Form:
        from sim.service.telemetry.builtins import builtin

        if query.provider == "flagger-builtin":
            name, _, rest = query.text.partition("[")
            namespace = self._service.telemetry.namespace
            identity = self._known.lives_in(namespace) if namespace else self._known
            return _Form(builtin(name, rest.rstrip("]"), identity))
        if query.provider == "prometheus-range":
            said = json.loads(query.text)
            start, end, step = said["start"], said["end"], said["step"]
            return _Form(
                said["query"], tuple(start + k * step for k in range(int((end - start) / step + 1e-9) + 1)), True
            )
        return _Form(query.text)

    def _plan(self, text: str) -> Plan:
        if text not in self._plans:
            from sim.service.telemetry.plans import Plan

            self._plans[text] = Plan(text, self._exposition)
        return self._plans[text]

    @cached_property
    def _exposition(self) -> Any:
        from sim.service.telemetry.emitted import Exposition

        return Exposition(self._service, self._known)


def _unknown(metric: str, provider: str) -> str:
    if provider in _VERDICTS:
        meaning = f"what it says: metrics: {{{metric}: {{answer: Successful}}}}, or {{measure: error-rate, most: 5%}}"
    else:
        meaning = f"what it measures: metrics: {{{metric}: success-rate}}"
    return f"metric {metric} asks {provider}, whose answers are not simulated; say in the scenario {meaning}"


def _told(asked: Asked, misfit: Misfit) -> Wrong:
    other = f"or say in the scenario what it measures: metrics: {{{asked.metric}: success-rate}}"
    return Wrong(asked, misfit.column, misfit.problem, f"{misfit.remedy}; {other}")


def asked_texts(asked: Sequence[tuple[str, str, object]]) -> tuple[Asked, ...]:
    """Of all questions of a policy those in a provider's language."""
    return tuple(Asked(template, metric, query) for template, metric, query in asked if isinstance(query, Text))
