"""`load`: a set of manifests -> policies and a report. Each kind has its reader; the set resolves references."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sim.files import Document, Problem
from sim.files.kinds import OWN
from sim.files.words import dotted
from sim.manifests.argo_analysis import check_alone
from sim.manifests.argo_rollouts import read_experiment, read_rollout
from sim.manifests.catalog import Catalog, kind_and_name
from sim.manifests.compose import read_compose
from sim.manifests.envelope import check, check_kind
from sim.manifests.fields import Findings, Scope
from sim.manifests.flagger import read_canary
from sim.manifests.kayenta import read_configs
from sim.manifests.kruise import read_kruise
from sim.manifests.kubernetes import read_deployment
from sim.manifests.profiles import Profile, account, choose
from sim.manifests.report import Imported, ImportedPolicy, Remark
from sim.manifests.sources import Source, gather, objects
from sim.manifests.spinnaker import read_pipeline
from sim.manifests.systems import group_of, owners, system_of

__all__ = ["load"]

_READERS: Mapping[str, Callable[[Document, Catalog, Scope, Profile], ImportedPolicy]] = {
    "argo-rollouts/Rollout": read_rollout, "argo-rollouts/Experiment": read_experiment,
    "flagger/Canary": read_canary, "kubernetes/Deployment": read_deployment,
    "openkruise/Rollout": read_kruise,
}  # fmt: skip
_FILES: Mapping[str, Callable[[Document, Catalog, Scope, Profile], list[ImportedPolicy]]] = {
    "compose": read_compose, "spinnaker": read_pipeline, "kayenta": read_configs,
}  # fmt: skip
_LATER = {("apps", "StatefulSet"), ("apps", "DaemonSet"), ("rollouts.kruise.io", "BatchRelease")}


def load(
    sources: Source | Iterable[Source], *, profile: str | None = None, strict: bool = False, part: str = ""
) -> Imported:
    """Read files, folders, '-' (standard input) or documents as one set.

    `profile` names a version of one system (`argo-rollouts@1.8`); the others keep their default. `part` says what fragments
    are part of (`fragments.PARTS`). What the real validators refuse is raised as FileErrors, all at once; with `strict` so is
    all that is approximated or not read yet.
    """
    choose("argo-rollouts", profile)  # an unknown name fails before any file is read
    findings = Findings()
    written = gather(sources, findings)
    documents = [one for document in written for one in objects(document, part)]
    catalog = Catalog(documents)
    driven = owners(documents)
    policies = [policy for document in documents for policy in _read(document, catalog, driven, findings, profile)]
    report = findings.report()
    if strict:
        findings.problems += [_inexact(remark) for remark in report if remark.status in ("approximated", "not yet")]
    if findings.problems:
        raise findings.errors()
    return Imported(tuple(policies), report, tuple(written), tuple(documents))


def _inexact(remark: Remark) -> Problem:
    said = f"{remark.status}: {remark.text}"
    return Problem(remark.file, remark.line, remark.column, remark.path, said, "--strict allows exact readings only")


def _read(
    document: Document,
    catalog: Catalog,
    driven: Mapping[tuple[str, str], tuple[str, str]],
    findings: Findings,
    wanted: str | None,
) -> list[ImportedPolicy]:
    scope = Scope(findings)
    if document.below:
        scope.remark(document, document.below, "exact", f"read as {_whole(document)}, which has defaults around it")
    hint = document.kind_hint
    if hint in _FILES:
        chosen = choose(hint, wanted)
        account(scope, document, document.value, chosen.kinds[hint], chosen)
        return _FILES[hint](document, catalog, scope, chosen)
    if not hint.startswith("kubernetes:"):
        _strange(document, hint, scope)
        return []
    kind, name = kind_and_name(document.value)
    system = system_of(document)
    check(document, scope, system)
    driver, owner = driven.get((kind, name), ("", ""))
    if not system:
        _companion(document, scope)
        return []
    for path, text in document.ambiguous:
        said = f"{text!r} means different things to readers of YAML: read as Kubernetes does"
        scope.remark(document, path, "exact", said)
    if driver == "argo-rollouts":
        scope.remark(document, (), "ignored", f"companion: {kind} {name} is the workload of {owner}")
        return []
    chosen = choose(system, wanted)
    account(scope, document, document.value, chosen.kinds[kind], chosen)
    if owner:
        scope.remark(document, (), "exact", f"{kind} {name} is the workload of {owner}")
        return []
    reader = _READERS.get(f"{system}/{kind}")
    if reader is None:
        if system == "argo-rollouts":
            check_alone(document, scope, chosen.name)
        scope.remark(document, (), "exact", f"template: {kind} {name} is read where it is named")
        return []
    found = reader(document, catalog, scope, chosen)
    _tell(document, kind, name, scope, found)
    return [found]


def _tell(document: Document, kind: str, name: str, scope: Scope, found: ImportedPolicy) -> None:
    if found.policy is not None and not scope.near:
        scope.remark(document, (), "exact", f"{kind} {name} is read as the {found.profile} controller runs it")
    elif found.policy is None and not scope.faulty:
        scope.remark(document, (), "not yet", f"{kind} {name} gives no policy; the other remarks say why")


def _companion(document: Document, scope: Scope) -> None:
    kind, name = kind_and_name(document.value)
    if (group_of(document.value), kind) in _LATER:
        scope.remark(document, (), "not yet", f"{kind} {name}: this kind of object is not read")
    else:
        scope.remark(document, (), "ignored", f"companion: {kind} {name} is passed through")


def _strange(document: Document, hint: str, scope: Scope) -> None:
    """What is no Kubernetes object and no Compose file."""
    if hint in OWN:
        scope.remark(document, (), "ignored", f"a Seatrial {hint}, not a manifest")
    else:
        check_kind(document, scope)
        said = "neither a manifest nor a part of one; give an object with apiVersion and kind, or say --as"
        scope.remark(document, (), "not yet", said)


def _whole(document: Document) -> str:
    kind = kind_and_name(document.value)[0] or "Compose file"
    return f"part of a {kind}, at {dotted(document.below)}"
