"""The metrics of a Flagger analysis -> checks, in the order in which Flagger runs them (section 4.4)."""

from __future__ import annotations

import re

from sim.manifests.catalog import Catalog, kind_and_name
from sim.manifests.fields import Reader
from sim.manifests.flagger_schema import TEMPLATE, check
from sim.manifests.report import Reference
from sim.policy.commands import Query, Text
from sim.policy.flagger import Check

__all__ = ["BUILT_IN", "read_checks"]

BUILT_IN = ("request-success-rate", "request-duration")
_TAG = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)


def read_checks(spec: Reader, analysis: Reader, catalog: Catalog, references: list[Reference]) -> tuple[Check, ...]:
    """First the metrics of Flagger's own and inline queries, then all templates."""
    own: list[Check] = []
    templated: list[Check] = []
    for entry in analysis.items("metrics"):
        name, query = entry.text("name"), entry.text("query")
        if name in BUILT_IN:
            own.append(_check(entry, Text("flagger-builtin", f"{name}[{entry.text('interval') or '1m'}]")))
        if query:
            own.append(
                _check(entry, Text("prometheus", _render(spec, entry, entry, query, entry.text("interval") or "1m")))
            )
        if entry.has("templateRef"):
            templated.extend(_template(spec, entry, catalog, references))
        elif name not in BUILT_IN and not query:
            entry.remark("exact", "no metric of Flagger's own, no query and no template: it fails every check", "name")
            templated.append(_check(entry, None))
    return (*own, *templated)


def _template(spec: Reader, entry: Reader, catalog: Catalog, references: list[Reference]) -> list[Check]:
    reference = entry.child("templateRef")
    name = reference.text("name")
    found = catalog.find("MetricTemplate", name, spec.document)
    references.append(Reference("MetricTemplate", name, found is not None))
    if found is None:
        reference.block(f"unresolved reference: MetricTemplate {name} is not in the files given", "name")
        return []
    template = Reader(spec.scope, found, found.value).child("spec")
    check(template, TEMPLATE)
    query = _render(spec, entry, template, template.text("query"), entry.text("interval"))
    return [_check(entry, Text(template.child("provider").text("type", "prometheus"), query), name)]


def _check(entry: Reader, query: Query | None, template: str = "") -> Check:
    """Bounds of a metric: the range, or the old threshold, which is 0 where it is not given."""
    name = entry.text("name")
    whole = name == "request-duration" and not template
    if entry.has("thresholdRange"):
        bounds = entry.child("thresholdRange")
        return Check(name, query, bounds.number("min"), bounds.number("max"), whole, template)
    threshold = entry.number("threshold") or 0.0
    if name == "request-success-rate" and not template:
        if not threshold:
            entry.remark("exact", "without thresholdRange no success rate is too low", "name")
        return Check(name, query, low=threshold)
    if not threshold:
        entry.remark("exact", "without thresholdRange every value above 0 fails", "name")
    return Check(name, query, high=threshold, whole=whole, template=template)


def _render(spec: Reader, entry: Reader, source: Reader, query: str, interval: str) -> str:
    """A query with Flagger's variables filled in; what is none of them is not read yet."""
    name = kind_and_name(spec.document.value)[1]
    target = spec.child("targetRef").text("name") or name
    metadata = Reader(spec.scope, spec.document, spec.document.value).child("metadata")
    words = {
        "name": name, "namespace": metadata.text("namespace") or "default", "target": target, "interval": interval,
        "service": spec.child("service").text("name") or target, "ingress": spec.child("ingressRef").text("name"),
        "route": spec.child("routeRef").text("name"),
    }  # fmt: skip
    words |= {f"variables.{key}": str(value) for key, value in entry.child("templateVariables").value.items()}

    def put(match: re.Match[str]) -> str:
        word = match[1].removeprefix(".")
        if word not in words:
            source.block(f"{{{{ {word} }}}} in a query of Flagger", "query")
        return words.get(word, match[0])

    return _TAG.sub(put, query)
