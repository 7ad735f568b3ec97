"""Names that lead nowhere, fields that nobody knows, and what the real validators refuse (L13, L31, L32)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sim.files.words import nearest
from sim.lint.files import Files
from sim.lint.finding import Finding, Severity
from sim.lint.metrics import TEMPLATES
from sim.lint.rules import RULES
from sim.lint.spot import Spot

__all__ = ["check"]

_UNKNOWN = "unknown to "  # how the import report begins what a profile does not know
_SERVICES = (
    ("canary", "canaryService"), ("canary", "stableService"), ("blueGreen", "activeService"), ("blueGreen", "previewService"),
)  # fmt: skip


def check(files: Files) -> Iterator[Finding]:
    """Findings about names and fields."""
    for spot in files.objects("Rollout", "Experiment", *TEMPLATES):
        yield from _templates(files, spot.child("spec"))
    for rollout in files.objects("Rollout"):
        yield from _services(files, rollout.child("spec", "strategy"))
        yield from _workload(files, rollout.child("spec", "workloadRef"))
    for canary in files.objects("Canary"):
        spec = canary.child("spec")
        for metric in spec.child("analysis" if spec.has("analysis") else "canaryAnalysis").items("metrics"):
            if metric.has("templateRef"):
                yield from _named(files, metric.child("templateRef"), "name", "MetricTemplate", "error")
    yield from _secrets(files)
    yield from _told(files)


def _templates(files: Files, spot: Spot) -> Iterator[Finding]:
    """Every `templateName` at any depth."""
    if isinstance(spot.value, list):
        for index, item in enumerate(spot.value):
            yield from _templates(files, Spot(spot.document, (*spot.path, index), item))
    elif isinstance(spot.value, Mapping):
        if isinstance(spot.get("templateName"), str) and "{{" not in spot.text("templateName"):
            yield from _named(
                files, spot, "templateName", TEMPLATES[1 if spot.get("clusterScope") is True else 0], "error"
            )
        for name in spot.names():
            if name != "template":  # the pods' own
                yield from _templates(files, spot.child(name))


def _workload(files: Files, reference: Spot) -> Iterator[Finding]:
    if reference.has("name"):
        yield from _named(files, reference, "name", reference.text("kind") or "Deployment", "error")


def _services(files: Files, strategy: Spot) -> Iterator[Finding]:
    for kind, field in _SERVICES:
        if strategy.child(kind).has(field):
            yield from _beside(files, strategy.child(kind), field, "Service")


def _secrets(files: Files) -> Iterator[Finding]:
    for template in files.objects(*TEMPLATES):
        for arg in template.child("spec").items("args"):
            reference = arg.child("valueFrom", "secretKeyRef")
            if reference.has("name"):
                yield from _beside(files, reference, "name", "Secret")


def _beside(files: Files, spot: Spot, field: str, kind: str) -> Iterator[Finding]:
    """Services and secrets are often kept elsewhere: only a file that holds some of them is expected to hold this one."""
    if any(one.document.file == spot.document.file for one in files.objects(kind)):
        yield from _named(files, spot, field, kind, "warning")


def _named(files: Files, spot: Spot, field: str, kind: str, severity: Severity) -> Iterator[Finding]:
    name = spot.text(field)
    if not name or files.catalog.find(kind, name, spot.document) is not None:
        return
    known = [str(one.child("metadata").get("name")) for one in files.objects(kind)]
    guess = nearest(name, known)
    remedy = f"did you mean {guess}?" if guess else ""
    yield spot.found("L31", f"{kind} {name} is not in the files given", field, remedy=remedy, severity=severity)


# ---- told by the import ----


def _told(files: Files) -> Iterator[Finding]:
    for problem in files.rejected:
        yield _finding("L13", problem.file, problem.line, problem.column, problem.path, problem.problem, problem.remedy)
    for remark in files.remarks:
        if remark.status == "ignored" and remark.text.startswith(_UNKNOWN):
            name = remark.path.rpartition(".")[2]
            yield _finding("L32", remark.file, remark.line, remark.column, remark.path, f"{name}: {remark.text}", "")


def _finding(rule: str, file: str, line: int, column: int, path: str, what: str, remedy: str) -> Finding:
    known = RULES[rule]
    return Finding(known, known.severity, file, line, column, path, what, known.why, remedy or known.remedy)
