"""An Argo analysis block and the templates it names -> our `Analysis` (delivery-systems.md section 2.6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from sim.files import Document
from sim.manifests.argo_metrics import fill, read_metric
from sim.manifests.catalog import Catalog
from sim.manifests.fields import Findings, Reader, Scope
from sim.manifests.report import Reference
from sim.policy.analysis import Analysis, Metric

__all__ = ["Analyses", "Run", "check_alone", "matches"]

Tags = Callable[[str], str]
Run = Literal["blocking", "background", "experiment"]  # the latter two may be endless
_KEYED = re.compile(r"metadata\.(labels|annotations)\['([^']*)'\]")
_INDEX = re.compile(r"\[(\d+)\]")


@dataclass(slots=True)
class Analyses:
    """Reads the analyses of one Rollout; `references` collects the names that they use."""

    catalog: Catalog
    owner: Document
    engine: str
    references: list[Reference] = field(default_factory=list)

    def read(self, block: Reader, run: Run) -> Analysis | None:
        """The analysis of a block with `templates` and `args`; None with a remark that says why there is none."""
        return self.merge(block, block.items("templates"), run)

    def merge(self, block: Reader, named: list[Reader], run: Run, tags: Tags = str) -> Analysis | None:
        """The analysis of the templates in `named`, with the arguments of `block`; `tags` fills in their values."""
        if not named:
            block.block("an analysis that names no template")
            return None
        templates = [found for entry in named for found in self._templates(entry, ())]
        if None in templates:
            return None
        unique = {(spec.document.file, spec.document.root.line): spec for spec in templates if spec is not None}
        specs = list(unique.values())
        args = self._args(block, specs, run, tags)
        metrics = None if args is None else self._metrics(block, specs, args)
        if metrics is None or (run == "blocking" and not self._ends(block, metrics)):
            return None
        return Analysis(tuple(metrics), ",".join(entry.text("templateName") for entry in named))

    def _templates(self, entry: Reader, above: tuple[str, ...]) -> Iterator[Reader | None]:
        """The spec of a named template and of all that it names, depth first; None for one that is not in the set."""
        name = entry.text("templateName")
        kind = "ClusterAnalysisTemplate" if entry.flag("clusterScope") else "AnalysisTemplate"
        found = self.catalog.find(kind, name, self.owner)
        self.references.append(Reference(kind, name, found is not None))
        if found is None:
            entry.block(f"unresolved reference: {kind} {name} is not in the files given", "templateName")
            yield None
        elif name in above:
            entry.block(f"{kind} {name} names itself", "templateName")
            yield None
        else:
            spec = Reader(entry.scope, found, found.value).child("spec")
            yield spec
            for nested in spec.items("templates"):
                yield from self._templates(nested, (*above, name))

    # ---- arguments ----

    def _args(self, block: Reader, specs: list[Reader], run: Run, tags: Tags) -> dict[str, str] | None:
        """Every argument of the templates with its value; a supplied one wins, by name."""
        supplied = {entry.text("name"): entry for entry in block.items("args")}
        values: dict[str, str] = {}
        empty: dict[str, Reader] = {}
        for entry in (entry for spec in specs for entry in spec.items("args")):
            name = entry.text("name")
            value = self._value(entry, tags)
            if value is not None and values.get(name, value) != value and name not in supplied:
                entry.reject(f"two templates give {name} different values", "supply the argument in the Rollout")
            if value is not None:
                values.setdefault(name, value)
            empty.setdefault(name, entry)
        for name, entry in supplied.items():
            value = self._value(entry, tags)
            if value is not None:
                values[name] = value
        missing = [name for name in empty if name not in values]
        for name in missing:
            self._missing(block, name, run)
        return None if missing else values

    def _missing(self, block: Reader, name: str, run: Run) -> None:
        if run == "background":
            block.reject(f"argument {name} has no value", f"add it: args: [{{name: {name}, value: ...}}]")
        else:
            block.block(f"argument {name} has no value: the run ends as Error before any measurement")

    def _value(self, entry: Reader, tags: Tags) -> str | None:
        if entry.has("value"):
            return tags(entry.text("value"))
        source = entry.child("valueFrom")
        if source.has("podTemplateHashValue"):
            word = source.text("podTemplateHashValue").lower()
            source.remark(
                "approximated",
                f"hashes of pods are not computed: here, and in the simulated series, it reads {word!r}",
                "podTemplateHashValue",
            )
            return word
        if source.has("fieldRef"):
            return _field(self.owner.value, source.child("fieldRef").text("fieldPath"), source)
        if source.has("secretKeyRef"):
            key = source.child("secretKeyRef")
            name = key.text("name")
            self.references.append(Reference("Secret", name, self.catalog.find("Secret", name, self.owner) is not None))
            source.remark("approximated", "the value of a secret is never read: it stands by its name", "secretKeyRef")
            return f"secret:{name}/{key.text('key')}"
        return None

    # ---- metrics ----

    def _metrics(self, block: Reader, specs: list[Reader], args: dict[str, str]) -> list[Metric] | None:
        entries = [(spec, entry) for spec in specs for entry in spec.items("metrics")]
        if not entries:
            block.reject("no metric", "name a template with at least one")
            return None
        dry = [entry.text("metricName") for source in (*specs, block) for entry in source.items("dryRun")]
        names = [entry.text("name") for _, entry in entries]
        for rule in dry:
            if not any(matches(rule, name) for name in names):
                block.block(f"dryRun {rule!r} matches no metric: the run ends as Error before any measurement")
        metrics: list[Metric | None] = []
        for spec, entry in entries:
            name = entry.text("name")
            if names.count(name) > 1:
                entry.reject(f"two metrics named {name}", "give each its own name")
            metrics.append(self._metric(spec, entry, args, any(matches(rule, name) for rule in dry)))
        whole = [metric for metric in metrics if metric is not None]
        return whole if len(whole) == len(metrics) and len(set(names)) == len(names) else None

    def _metric(self, spec: Reader, entry: Reader, args: dict[str, str], dry_run: bool) -> Metric | None:
        value, unknown = fill(entry.value, args)
        if unknown:
            entry.block(f"{{{{{unknown[0]}}}}} names no argument: the run ends as Error before any measurement")
            return None
        filled = Reader(entry.scope, entry.document, value, entry.path)
        template = Reader(entry.scope, spec.document, spec.document.value).child("metadata").text("name")
        return read_metric(filled, template, dry_run, self.engine)

    def _ends(self, block: Reader, metrics: list[Metric]) -> bool:
        endless = [metric.name for metric in metrics if metric.effective_count is None]
        if endless:
            block.reject(
                f"metric {endless[0]} never ends", "give it a count; only a background analysis may be endless"
            )
        return not endless


def check_alone(document: Document, scope: Scope, engine: str) -> None:
    """A template as it stands, without a rollout that gives it arguments: metrics that need none are checked as in a run."""
    spec = Reader(scope, document, document.value).child("spec")
    entries = spec.items("metrics")
    if not entries and not spec.items("templates"):
        spec.reject("no metric", "add at least one: metrics: [...]", "metrics")
    given = {entry.text("name"): entry.text("value") for entry in spec.items("args") if entry.has("value")}
    seen: set[str] = set()
    for entry in entries:
        name = entry.text("name")
        if name in seen:
            entry.reject(f"two metrics named {name}", "give each its own name")
        seen.add(name)
        value, unknown = fill(entry.value, given)
        if not unknown:
            quiet = Scope(Findings())  # what it remarks is said where the template is named
            read_metric(Reader(quiet, document, value, entry.path), "", False, engine)
            for problem in quiet.findings.problems:
                if problem not in scope.findings.problems:
                    scope.findings.problems.append(problem)


def matches(rule: str, name: str) -> bool:
    """Names of dryRun rules are unanchored regular expressions."""
    try:
        return re.search(rule, name) is not None
    except re.error:
        return False


def _field(root: Any, path: str, source: Reader) -> str | None:
    """A field of the Rollout: labels and annotations as the downward API gives them, everything else by its path."""
    keyed = _KEYED.fullmatch(path)
    if keyed:
        found = _walk(root, f"metadata.{keyed[1]}")
        return str(found.get(keyed[2], "")) if isinstance(found, dict) else ""
    found = _walk(root, path)
    if found is None or isinstance(found, dict | list):
        source.block(
            f"{path} is no single value of the Rollout: the run ends as Error before any measurement", "fieldRef"
        )
        return None
    return str(found).lower() if isinstance(found, bool) else str(found)


def _walk(value: Any, path: str) -> Any:
    for part in _INDEX.sub(r".\1", path).split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
