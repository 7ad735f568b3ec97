"""`lint`: a set of files -> findings. Reading, then every rule over every file, then the suppressions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.files import Document, Problem
from sim.lint import (
    conditions,
    detection,
    flagger,
    kayenta,
    kruise,
    limits,
    pipeline,
    pods,
    reach,
    references,
    rollback,
    shown,
    swarm,
    timing,
    weights,
)
from sim.lint.files import Files, Question, Subject
from sim.lint.finding import Finding
from sim.lint.reading import read
from sim.lint.suppress import apply
from sim.manifests.fields import Findings
from sim.manifests.sources import gather
from sim.service.model import Service

__all__ = ["Report", "lint"]

FILES: tuple[Callable[[Files], Iterable[Finding]], ...] = (
    references.check, conditions.check, limits.check, rollback.check, pods.check, flagger.objects, swarm.check, kayenta.check,
)  # fmt: skip
SUBJECTS: tuple[Callable[[Subject], Iterable[Finding]], ...] = (
    timing.check, limits.own, weights.check, kruise.check, flagger.checks, reach.check, rollback.aborts, shown.check, detection.check,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """Findings in reading order; `problems`: what cannot be read at all; `hidden`: how many findings comments suppress."""

    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    sources: Mapping[str, str]
    files: tuple[str, ...]
    policies: int
    hidden: int
    question: Question = field(default_factory=lambda: Question(Service()))
    known: bool = True  # some document is something: a manifest, a part of one, a file of ours

    @property
    def errors(self) -> int:
        return sum(finding.severity == "error" for finding in self.findings)

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        from sim.cli.guard import problem_document

        service = self.question.service
        return {
            "service": {
                "name": service.name, "given": self.question.given, "requests_per_second": service.traffic.rate(0.0),
                "errors": service.errors,
            },
            "regression": self.question.regression, "files": list(self.files), "policies": self.policies, "hidden": self.hidden,
            "findings": [finding.document() for finding in self.findings],
            "errors": [problem_document(problem) for problem in self.problems],
        }  # fmt: skip


def lint(
    sources: str | Path | Iterable[str | Path | Document],
    *,
    service: Service | None = None,
    regression: float = 0.02,
    profile: str | None = None,
    part: str = "",
) -> Report:
    """Look through files, folders, '-' or documents as one set. Raises PolicyError for an unknown profile or part only.

    `service` is the one that the policies are for (else the default one, and what follows from it is a note); `regression` the share of
    requests by which a release may fail more before the person wants it stopped; `part` says what fragments are part of.
    """
    question = Question(service or Service(), regression, service is not None)
    unread = Findings()
    documents = gather([sources] if isinstance(sources, str | Path) else sources, unread)
    files, problems = read(documents, question, profile, part)
    known = any(document.kind_hint != "unknown" for document in (*files.documents, *documents))
    found = [finding for rule in FILES for finding in rule(files)]
    found += [finding for subject in files.subjects for rule in SUBJECTS for finding in rule(subject)]
    found += pipeline.check(documents)
    left, hidden = apply(dict.fromkeys(found), documents)
    everything = sorted([*unread.problems, *problems], key=Problem.order)
    names = tuple(dict.fromkeys([*unread.sources, *(problem.file for problem in everything)]))
    return Report(
        tuple(sorted(left, key=Finding.order)), tuple(everything), dict(unread.sources), names, len(files.subjects), hidden,
        question, known,
    )  # fmt: skip
