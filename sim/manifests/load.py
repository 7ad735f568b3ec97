"""`load`: a set of manifests -> policies and a report. Each kind has its reader; the set resolves references."""

from __future__ import annotations

from collections.abc import Iterable

from sim.files import Document, Problem
from sim.files.kinds import OWN
from sim.manifests.argo_rollouts import read_rollout
from sim.manifests.catalog import Catalog, kind_and_name
from sim.manifests.compose import read_compose
from sim.manifests.fields import Findings, Scope
from sim.manifests.flagger import read_canary
from sim.manifests.fragments import part_of
from sim.manifests.kubernetes import read_deployment
from sim.manifests.profiles import account, choose
from sim.manifests.report import Imported, ImportedPolicy
from sim.manifests.sources import Source, gather

__all__ = ["load"]

_SYSTEMS = {
    ("argoproj.io", "Rollout"): "argo-rollouts", ("argoproj.io", "AnalysisTemplate"): "argo-rollouts",
    ("argoproj.io", "ClusterAnalysisTemplate"): "argo-rollouts", ("flagger.app", "Canary"): "flagger",
    ("flagger.app", "MetricTemplate"): "flagger", ("apps", "Deployment"): "kubernetes",
}  # fmt: skip
_LATER = {("apps", "StatefulSet"), ("apps", "DaemonSet"), ("", "List")}  # and everything of OpenKruise
_KRUISE = ("rollouts.kruise.io", "apps.kruise.io")


def load(sources: Source | Iterable[Source], *, profile: str | None = None, strict: bool = False) -> Imported:
    """Read files, folders, '-' (standard input) or documents as one set.

    `profile` names a version of one system (`argo-rollouts@1.8`); the others keep their default. What the real
    validators refuse is raised as FileErrors, all at once; with `strict` so is all that is approximated or not read
    yet.
    """
    choose("argo-rollouts", profile)  # an unknown name fails before any file is read
    findings = Findings()
    documents = gather(sources, findings)
    catalog = Catalog(documents)
    adopted = _adopted(documents)
    policies = [policy for document in documents for policy in _read(document, catalog, adopted, findings, profile)]
    report = findings.report()
    if strict:
        findings.problems += [
            Problem(
                remark.file,
                remark.line,
                remark.column,
                remark.path,
                f"{remark.status}: {remark.text}",
                "--strict allows exact readings only",
            )
            for remark in report
            if remark.status in ("approximated", "not yet")
        ]
    if findings.problems:
        raise findings.errors()
    return Imported(tuple(policies), report)


def _read(
    document: Document, catalog: Catalog, adopted: dict[tuple[str, str], str], findings: Findings, wanted: str | None
) -> list[ImportedPolicy]:
    hint = document.kind_hint
    if hint == "compose":
        return read_compose(document, findings, choose("compose", wanted))
    if not hint.startswith("kubernetes:"):
        _strange(document, hint, Scope(findings))
        return []
    kind, name = kind_and_name(document.value)
    group = _group(document)
    system = _SYSTEMS.get((group, kind))
    scope = Scope(findings)
    if system is None:
        if (group, kind) in _LATER or group in _KRUISE:
            scope.remark(document, (), "not yet", f"{kind} {name}: this kind of object is not read")
        else:
            scope.remark(document, (), "ignored", f"companion: {kind} {name} is passed through")
        return []
    if (kind, name) in adopted:
        scope.remark(document, (), "ignored", f"companion: {kind} {name} is the workload of {adopted[kind, name]}")
        return []
    for path, text in document.ambiguous:
        scope.remark(
            document, path, "exact", f"{text!r} means different things to readers of YAML: read as Kubernetes does"
        )
    chosen = choose(system, wanted)
    account(scope, document, document.value, chosen.kinds[kind], chosen)
    return _policy(document, kind, name, catalog, scope, wanted)


def _policy(
    document: Document, kind: str, name: str, catalog: Catalog, scope: Scope, wanted: str | None
) -> list[ImportedPolicy]:
    if kind == "Rollout":
        found = read_rollout(document, catalog, scope, choose("argo-rollouts", wanted))
    elif kind == "Canary":
        found = read_canary(document, catalog, scope, choose("flagger", wanted))
    elif kind == "Deployment":
        found = read_deployment(document, scope, choose("kubernetes", wanted))
    else:
        scope.remark(document, (), "exact", f"template: {kind} {name} is read where it is named")
        return []
    if found.policy is not None and not scope.near:
        scope.remark(document, (), "exact", f"{kind} {name} is read as the {found.profile} controller runs it")
    elif found.policy is None and not scope.faulty:
        scope.remark(document, (), "not yet", f"{kind} {name} gives no policy; the other remarks say why")
    return [found]


def _strange(document: Document, hint: str, scope: Scope) -> None:
    """What is no Kubernetes object and no Compose file."""
    if hint in OWN:
        scope.remark(document, (), "ignored", f"a Seatrial {hint}, not a manifest")
    elif hint in ("spinnaker", "kayenta"):
        scope.remark(document, (), "not yet", f"{hint} JSON")
    else:
        scope.remark(document, (), "not yet", part_of(document.value))


def _group(document: Document) -> str:
    version = str(document.value["apiVersion"])
    return version.rpartition("/")[0]


def _adopted(documents: Iterable[Document]) -> dict[tuple[str, str], str]:
    """Workloads that a Rollout or a Canary of the set drives: (kind, name) -> who."""
    owners: dict[tuple[str, str], str] = {}
    for document in documents:
        kind, name = kind_and_name(document.value)
        field = {"Rollout": "workloadRef", "Canary": "targetRef"}.get(kind)
        spec = document.value.get("spec") if field else None
        reference = spec.get(field) if isinstance(spec, dict) else None
        if isinstance(reference, dict):
            owners[str(reference.get("kind")), str(reference.get("name"))] = f"{kind} {name}"
    return owners
