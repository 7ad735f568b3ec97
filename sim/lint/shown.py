"""Queries that the person's service does not show (L45): told for a given service only, since real ones are not known."""

from __future__ import annotations

from collections.abc import Iterator

from sim.lint.files import Subject
from sim.lint.finding import Finding
from sim.scenario.providers import PROMETHEUS

__all__ = ["check"]


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about metrics and labels that the service does not show."""
    for wrong in subject.answers.wrong() if subject.answers is not None else ():
        if wrong.asked.query.provider in PROMETHEUS and not wrong.problem.startswith("no PromQL"):
            spot = subject.metric(wrong.asked.metric, wrong.asked.template)
            words = f"column {wrong.column} of the query of {wrong.asked.metric}: {wrong.problem}"
            yield spot.found("L45", words, "provider", remedy=wrong.remedy)
