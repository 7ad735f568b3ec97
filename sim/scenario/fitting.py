"""Whether a policy fits the world it is tried in: metrics that nobody gives a meaning, segments that the service does not have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sim.files import Document, FileErrors, Problem, read_documents
from sim.files.nodes import Node
from sim.files.words import Path as Place
from sim.files.words import choose, show
from sim.policy.canary import Canary
from sim.policy.commands import Match
from sim.scenario.measures import MetricTable
from sim.scenario.providers import Providers, asked_texts
from sim.scenario.values import NamedPolicy
from sim.scenario.walking import asked
from sim.service.model import Service

__all__ = ["misfits"]


def misfits(policy: NamedPolicy, table: MetricTable, service: Service, where: Problem | None) -> list[Problem]:
    """What is wrong, each told where it is written if that can be found, else at `where` or at the top of the policy's file."""
    return [*_metrics(policy, table, service, where), *_segments(policy, service, where)]


def _metrics(policy: NamedPolicy, table: MetricTable, service: Service, where: Problem | None) -> Iterator[Problem]:
    """Metrics that ask a provider in its own language, and cannot be answered."""
    providers = Providers(table, service, policy.identity, asked_texts([*asked(policy.policy)]))
    for wrong in providers.wrong():
        metric, problem = wrong.asked.metric, wrong.problem
        if wrong.column:
            problem = f"the query of metric {metric}, column {wrong.column}: {problem}"
        document, place = _written(policy, wrong.asked.template, metric)
        if document is None:
            yield _at(policy, where, problem, wrong.remedy)
        else:
            yield document.problem(place, problem, wrong.remedy)


def _written(policy: NamedPolicy, template: str, metric: str) -> tuple[Document | None, Place]:
    """Where the question of a metric is written: its query, else its name; in the template of that name, if there is one."""
    documents = _documents(policy)
    named = [document for document in documents if template and _name(document) == template]
    for document in named:
        if document.value.get("kind") == "MetricTemplate":
            return document, ("spec", "query")
    for document in (*named, *documents):
        for place in _named(document.root, metric, ()):
            return document, _query(document.root, place) or (*place, "name")
    return None, ()


def _name(document: Document) -> str:
    metadata = document.value.get("metadata") if isinstance(document.value, dict) else None
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""


def _segments(policy: NamedPolicy, service: Service, where: Problem | None) -> Iterator[Problem]:
    """Segments of own policies; what a manifest matches (a header, say) is told by its report."""
    if policy.profile or not isinstance(policy.policy, Canary):
        return
    known = [name for name, _ in service.segments]
    wanted = [name for step in policy.policy.steps if isinstance(step, Match) for name in step.segments]
    for name in dict.fromkeys(wanted):
        if name not in known:
            remedy = choose(name, known) if known else f"add to the service: segments: {{{name}: 5%}}"
            yield _at(policy, where, f"service {service.name} has no segment {show(name)}", remedy)


def _at(policy: NamedPolicy, where: Problem | None, problem: str, remedy: str) -> Problem:
    return replace(where or Problem(policy.source, 1, 1, "", "", ""), problem=problem, remedy=remedy)


def _documents(policy: NamedPolicy) -> list[Document]:
    path = Path(policy.source)
    if policy.kind == "python" or not path.is_file():
        return []
    try:
        return read_documents(path)
    except FileErrors:
        return []


def _named(node: Node, metric: str, path: Place) -> Iterator[Place]:
    """The places of metrics with this name below `metrics:` lists."""
    for part, child in _children(node):
        if path[-1:] == ("metrics",) and isinstance(child.value, dict) and child.value.get("name") == metric:
            yield (*path, part)
        yield from _named(child, metric, (*path, part))


def _query(root: Node, place: Place) -> Place | None:
    """The place of a metric's query, if it is written there."""
    for below in (("provider", "prometheus", "query"), ("query",)):
        node: Node | None = root
        for part in (*place, *below):
            node = dict(_children(node)).get(part) if node is not None else None
        if node is not None:
            return (*place, *below)
    return None


def _children(node: Node) -> list[tuple[str | int, Node]]:
    if isinstance(node.children, dict):
        return list(node.children.items())
    return list(enumerate(node.children or []))
