"""Queries that the person's service does not show (L45): told for a given service only, since real ones are not known."""

from __future__ import annotations

from collections.abc import Iterator

from sim.lint.files import Subject
from sim.lint.finding import Finding
from sim.scenario.measures import MetricTable
from sim.scenario.providers import PROMETHEUS, Providers, asked_texts
from sim.scenario.walking import asked

__all__ = ["check", "providers"]


def providers(subject: Subject) -> Providers | None:
    """Who answers the queries of an imported policy; None where it asks none."""
    texts = asked_texts([*asked(subject.policy)])
    return Providers(MetricTable(), subject.question.service, subject.identity, texts) if texts else None


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about metrics and labels that the service does not show."""
    answers = providers(subject) if subject.question.given and subject.identity is not None else None
    for wrong in answers.wrong() if answers is not None else ():
        if wrong.asked.query.provider in PROMETHEUS and not wrong.problem.startswith("no PromQL"):
            spot = subject.metric(wrong.asked.metric, wrong.asked.template)
            words = f"column {wrong.column} of the query of {wrong.asked.metric}: {wrong.problem}"
            yield spot.found("L45", words, "provider", remedy=wrong.remedy)
