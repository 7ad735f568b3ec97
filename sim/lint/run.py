"""`lint`: a set of files -> findings. Reading, then every rule over every file, then the suppressions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.files import Document, FileErrors, Problem
from sim.files.kinds import OWN
from sim.lint import (
    conditions,
    detection,
    flagger,
    kayenta,
    limits,
    pipeline,
    references,
    rollback,
    swarm,
    timing,
    weights,
)
from sim.lint.files import Files, Question, Subject
from sim.lint.finding import Finding
from sim.lint.metrics import TEMPLATES, written
from sim.lint.spot import Spot
from sim.lint.suppress import apply
from sim.manifests import load as load_manifests
from sim.manifests.catalog import Catalog
from sim.manifests.fields import Findings
from sim.manifests.report import Imported, ImportedPolicy
from sim.manifests.sources import gather
from sim.service.model import Service

__all__ = ["Report", "lint"]

FILES: tuple[Callable[[Files], Iterable[Finding]], ...] = (
    references.check, conditions.check, limits.check, rollback.check, flagger.objects, swarm.check, kayenta.check,
)  # fmt: skip
SUBJECTS: tuple[Callable[[Subject], Iterable[Finding]], ...] = (
    timing.check, limits.own, weights.check, flagger.checks, detection.check,
)  # fmt: skip
_ROOTS = {"Rollout": "spec", "Canary": "spec", "Deployment": "spec"}


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
) -> Report:
    """Look through files, folders, '-' or documents as one set. Raises PolicyError for an unknown profile only.

    `service` is the one that the policies are for (else the default one, and what follows from it is a note); `regression` the share of
    requests by which a release may fail more before the person wants it stopped.
    """
    question = Question(service or Service(), regression, service is not None)
    unread = Findings()
    documents = gather([sources] if isinstance(sources, str | Path) else sources, unread)
    files, problems = _read(documents, question, profile)
    found = [finding for rule in FILES for finding in rule(files)]
    found += [finding for subject in files.subjects for rule in SUBJECTS for finding in rule(subject)]
    found += pipeline.check(documents)
    left, hidden = apply(dict.fromkeys(found), documents)
    everything = sorted([*unread.problems, *problems], key=Problem.order)
    names = tuple(dict.fromkeys([*unread.sources, *(problem.file for problem in everything)]))
    return Report(
        tuple(sorted(left, key=Finding.order)), tuple(everything), dict(unread.sources), names, len(files.subjects), hidden, question
    )  # fmt: skip


# ---- reading ----


def _read(documents: list[Document], question: Question, profile: str | None) -> tuple[Files, list[Problem]]:
    own = [document for document in documents if document.kind_hint in OWN]
    manifests = [document for document in documents if document not in own]
    imported, rejected = _import(manifests, profile)
    catalog = Catalog(documents)
    bare = Files(tuple(manifests), catalog, (), imported.report, rejected, question)
    places = written(bare.objects(*TEMPLATES))
    subjects = [
        subject for one in imported.policies if (subject := _imported(one, manifests, question, places)) is not None
    ]
    problems: list[Problem] = []
    for document in own:
        try:
            subjects += _own(document, question)
        except FileErrors as errors:
            problems += errors.problems
    return Files(bare.documents, catalog, tuple(subjects), imported.report, rejected, question), problems


def _import(documents: list[Document], profile: str | None) -> tuple[Imported, tuple[Problem, ...]]:
    """The set without the files that the real validators refuse, and what they say."""
    try:
        return load_manifests(documents, profile=profile), ()
    except FileErrors as errors:
        bad = {problem.file for problem in errors.problems}
        rest = [document for document in documents if document.file not in bad]
        if len(rest) == len(documents):
            raise
        imported, more = _import(rest, profile)
        return imported, (*errors.problems, *more)


def _imported(
    one: ImportedPolicy, documents: list[Document], question: Question, places: Mapping[tuple[str, str], Spot]
) -> Subject | None:
    if one.policy is None:
        return None
    for document in documents:
        value = document.value
        if value is one.document:
            root = (
                Spot(document, (_ROOTS[one.kind],), value.get(_ROOTS[one.kind]))
                if one.kind in _ROOTS
                else Spot(document, (), value)
            )
            return Subject(one.name, one.kind, one.policy, one.replicas, root, question, places)
        services = value.get("services") if isinstance(value, Mapping) else None
        if isinstance(services, Mapping) and services.get(one.name) is one.document:
            root = Spot(document, ("services", one.name), one.document)
            return Subject(one.name, one.kind, one.policy, one.replicas, root, question, places)
    return None


def _own(document: Document, question: Question) -> Iterator[Subject]:
    """The policies of a file of ours. A scenario brings its own service along. Raises FileErrors."""
    from sim import scenario as room

    if document.kind_hint == "policy":
        named = room.load_policy(document)
        root = Spot(document, (), document.value).child(named.kind)
        yield Subject(
            named.name, named.kind, named.policy, named.replicas or question.service.pods.count, root, question
        )
    elif document.kind_hint == "scenario":
        made = room.load(document)
        own = question if question.given or made.default_service else Question(made.service, question.regression, True)
        for named in made.policies:
            root = Spot(document, (), document.value).child("policies", named.name)
            root = root if root.value is not None else Spot(document, (), document.value).child("policy")
            body = root.child(named.kind) if root.has(named.kind) else root
            yield Subject(named.name, named.kind, named.policy, named.replicas or own.service.pods.count, body, own)
    elif document.kind_hint == "service":
        room.load_service(Path(document.file))
    elif document.kind_hint == "script":
        room.load_script(document)
