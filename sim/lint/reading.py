"""Documents -> `Files`: the objects in them, their policies with places, and what cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from sim.files import Document, FileErrors, Problem
from sim.files.kinds import OWN
from sim.lint.files import Files, Question, Subject
from sim.lint.metrics import TEMPLATES, written
from sim.lint.spot import Spot
from sim.manifests import load
from sim.manifests.catalog import Catalog
from sim.manifests.identity import identity
from sim.manifests.profiles import named
from sim.manifests.report import Imported, ImportedPolicy
from sim.manifests.sources import objects
from sim.scenario.measures import MetricTable
from sim.scenario.providers import Providers, asked_texts
from sim.scenario.values import NamedPolicy
from sim.scenario.walking import asked

__all__ = ["read"]


def read(
    documents: list[Document], question: Question, profile: str | None, part: str = ""
) -> tuple[Files, list[Problem]]:
    """The set, and the problems of files of ours. PolicyError for an unknown profile or part."""
    own = [document for document in documents if document.kind_hint in OWN]
    manifests = [one for document in documents if document.kind_hint not in OWN for one in objects(document, part)]
    chosen = named(profile).name if profile else ""
    imported, rejected = _import(manifests, profile)
    bare = Files(tuple(manifests), Catalog(manifests), (), imported.report, rejected, question, chosen)
    places, roots = written(bare.objects(*TEMPLATES)), _roots(manifests)
    subjects = [
        _subject(one, roots[id(one.document)], imported, question, places) for one in imported.policies if one.policy
    ]
    problems: list[Problem] = []
    for document in own:
        try:
            subjects += _own(document, question)
        except FileErrors as errors:
            problems += errors.problems
    return Files(bare.documents, bare.catalog, tuple(subjects), imported.report, rejected, question, chosen), problems


def _import(documents: list[Document], profile: str | None) -> tuple[Imported, tuple[Problem, ...]]:
    """The set without the files that the real validators refuse, and what they say."""
    try:
        return load(documents, profile=profile), ()
    except FileErrors as errors:
        bad = {problem.file for problem in errors.problems}
        rest = [document for document in documents if document.file not in bad]
        if len(rest) == len(documents):
            raise
        imported, more = _import(rest, profile)
        return imported, (*errors.problems, *more)


def _roots(documents: list[Document]) -> dict[int, Spot]:
    """Where each object's fields stand, by the identity of its value; Compose services and stages of a pipeline have their own."""
    roots: dict[int, Spot] = {}
    for document in documents:
        whole = Spot(document, (), document.value)
        roots[id(document.value)] = whole.child("spec") if whole.has("spec") else whole
        services = whole.child("services")
        roots |= {id(services.get(name)): services.child(name) for name in services.names()}
        roots |= {id(stage.value): stage for stage in whole.items("stages")}
    return roots


def _subject(
    one: ImportedPolicy, root: Spot, imported: Imported, question: Question, places: Mapping[tuple[str, str], Spot]
) -> Subject:
    assert one.policy is not None
    texts = asked_texts([*asked(one.policy)]) if question.given else []
    answers = Providers(MetricTable(), question.service, identity(one, imported.objects), texts) if texts else None
    return Subject(one.name, one.kind, one.policy, one.replicas, root, question, places, answers)


def _own(document: Document, question: Question) -> Iterator[Subject]:
    """The policies of a file of ours. A scenario brings its own service along. Raises FileErrors."""
    from sim import scenario as room

    whole = Spot(document, (), document.value)
    match document.kind_hint:
        case "policy":
            one = room.load_policy(document)
            yield _ours(one, whole.child(one.kind), question)
        case "scenario":
            made = room.load(document)
            own = (
                question
                if question.given or made.default_service
                else Question(made.service, question.regression, True)
            )
            for one in made.policies:
                entry = whole.child("policies", one.name)
                entry = entry if entry.value is not None else whole.child("policy")
                body = entry.child(one.kind) if entry.has(one.kind) else entry
                yield _ours(one, body, own, made.metrics_of(one) if own is not question else None)
        case "service":
            room.load_service(Path(document.file))
        case "script":
            room.load_script(document)


def _ours(one: NamedPolicy, root: Spot, question: Question, answers: Providers | None = None) -> Subject:
    replicas = one.replicas or question.service.pods.count
    return Subject(one.name, one.kind, one.policy, replicas, root, question, answers=answers)
