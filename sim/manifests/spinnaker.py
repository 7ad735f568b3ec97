"""Stages of a Spinnaker pipeline -> `RedBlack`, or a canary that Kayenta judges (delivery-systems.md section 8)."""

from __future__ import annotations

import re
from collections.abc import Callable

from sim.files import Document
from sim.manifests.catalog import Catalog
from sim.manifests.fields import Reader, Scope
from sim.manifests.kayenta import config_of, stage
from sim.manifests.profiles import Profile
from sim.manifests.report import ImportedPolicy, Reference
from sim.manifests.scores import thresholds
from sim.policy.errors import PolicyError
from sim.policy.judges.kayenta import Kayenta
from sim.policy.redblack import RedBlack
from sim.policy.rollout import Policy

__all__ = ["read_pipeline"]

Read = Callable[[Reader, Catalog, list[Reference]], "tuple[Policy | None, int]"]
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_STRATEGIES = ("redblack", "rollingredblack", "highlander")
_NEARLY = {
    "pipelineBeforeCleanup": "the pipeline before the clean-up is taken to pass at once",
    "maxRemainingAsgs": "groups older than the one that is replaced are not modeled",
}
_SHARE = 10.0  # percent of traffic for a canary group whose sizes are not said


def read_pipeline(document: Document, catalog: Catalog, scope: Scope, profile: Profile) -> list[ImportedPolicy]:
    """One policy for each stage that rolls something out; the others do not."""
    top = Reader(scope, document, document.value)
    stages = top.items("stages") if top.has("stages") else [top]
    found = []
    for index, entry in enumerate(stages):
        reader = _READERS.get(entry.text("type"))
        if reader is None:
            entry.remark("ignored", f"a stage of type {entry.text('type')!r} rolls nothing out", "type")
            continue
        one = Reader(Scope(scope.findings), document, entry.value, entry.path)
        name = entry.text("name") or f"{entry.text('type')}-{index + 1}"
        found.append(_read(one, name, reader, catalog, profile))
    return found


def _read(entry: Reader, name: str, reader: Read, catalog: Catalog, profile: Profile) -> ImportedPolicy:
    references: list[Reference] = []
    policy, replicas = None, 1
    try:
        policy, replicas = reader(entry, catalog, references)
    except PolicyError as error:
        entry.refuse(error)
    scope = entry.scope
    usable = None if scope.blocked or scope.faulty else policy
    if usable is not None and not scope.near:
        entry.remark("exact", f"stage {name} is read as orca runs it")
    document = entry.document
    return ImportedPolicy(
        name, "stage", usable, replicas, profile.name, document.file, entry.value, tuple(dict.fromkeys(references))
    )


# ---- deployments ----


def _deploy(entry: Reader, catalog: Catalog, references: list[Reference]) -> tuple[Policy | None, int]:
    clusters = entry.items("clusters")
    cluster = clusters[0] if clusters else entry
    if len(clusters) > 1:
        entry.remark("approximated", f"{len(clusters)} clusters: the first one is read", "clusters")
    size = _size(cluster)
    if not _readable(cluster):
        return None, size
    strategy = cluster.text("strategy")
    rolling = strategy == "rollingredblack"
    before = "delayBeforeCleanup" if rolling or cluster.has("delayBeforeCleanup") else "delayBeforeDisableSec"
    after = "delayBeforeScaleDownSec" if cluster.has("delayBeforeScaleDownSec") else "delayBeforeScaleDown"
    return RedBlack(
        percentages=cluster.wholes("targetPercentages") or (100,) if rolling else (),
        healthy=cluster.whole("targetHealthyDeployPercentage", 100, 0, 100),
        delay_before_disable=_seconds(cluster, before),
        scale_down=strategy == "highlander" or cluster.flag("scaleDown"),
        delay_before_scale_down=_seconds(cluster, after),
        rollback_on_failure=cluster.child("rollback").flag("onFailure"),
    ), size  # fmt: skip


def _readable(cluster: Reader) -> bool:
    """Whether the strategy is one that is read; what is only nearly read is told."""
    strategy = cluster.text("strategy")
    if strategy in ("none", ""):
        cluster.block("a deployment without strategy leaves the old group enabled: nothing is rolled out", "strategy")
    elif strategy not in _STRATEGIES:
        cluster.block(f"strategy {strategy}: only {', '.join(_STRATEGIES)} are read", "strategy")
    for name, text in _NEARLY.items():
        if cluster.has(name) and cluster.raw(name) != {}:
            cluster.remark("approximated", text, name)
    return strategy in _STRATEGIES


def _size(cluster: Reader) -> int:
    capacity = cluster.child("capacity")
    text = str(capacity.raw("desired") or 1)
    return max(1, int(text)) if text.isascii() and text.isdigit() else 1


def _seconds(block: Reader, name: str) -> float:
    """Seconds as a number or in quotes."""
    value = block.raw(name)
    if value is None or value == "":
        return 0.0
    text = str(value)
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return float(text)
    block.reject(f"{value!r} is not a number of seconds", "write e.g. 60", name)
    return 0.0


# ---- canary analysis ----


def _canary(entry: Reader, catalog: Catalog, references: list[Reference]) -> tuple[Policy | None, int]:
    config = entry.child("canaryConfig")
    judged = _judge(config, catalog, references)
    lifetime, interval = _times(config)
    if judged is None or lifetime is None:
        return None, 1
    if not config.items("scopes"):
        config.reject("no scope", "name what is compared: scopes: [{controlScope, experimentScope, ...}]", "scopes")
    if _minutes(config, "baselineAnalysisOffsetInMins"):
        said = "the control is read for the same time as the canary"
        config.remark("approximated", said, "baselineAnalysisOffsetInMins")
    entry.remark(
        "approximated",
        "the control is the stable version, not fresh pods of it; what follows the stage is taken to be a full rollout",
        "canaryConfig",
    )
    policy = stage(
        judged, thresholds(config.child("scoreThresholds")), lifetime=lifetime, interval=interval, weight=_SHARE,
        warm_up=60 * (_minutes(config, "beginCanaryAnalysisAfterMins") or 0.0),
        lookback=60 * (_minutes(config, "lookbackMins") or 0.0), pods=_group(entry), gates=not entry.flag("continuePipeline"),
    )  # fmt: skip
    return policy, 1


def _judge(config: Reader, catalog: Catalog, references: list[Reference]) -> Kayenta | None:
    """The judge of the canary config that is named by its id or name, or of the only one in the set."""
    wanted = config.text("canaryConfigId")
    found = catalog.config(wanted)
    references.append(Reference("CanaryConfig", wanted, found is not None))
    if found is None:
        config.block(f"unresolved reference: canary config {wanted!r} is not in the files given", "canaryConfigId")
        return None
    return config_of(found, config.scope)


def _times(config: Reader) -> tuple[float | None, float]:
    """Lifetime and interval in seconds, in whole minutes; an interval that is missing, 0 or too long is the lifetime."""
    lifetime = _lifetime(config)
    if lifetime is None:
        config.reject("no lifetime", 'add lifetimeDuration: "PT2H"')
        return None, 0.0
    interval = 60 * (_minutes(config, "canaryAnalysisIntervalMins") or 0.0)
    return lifetime, interval if 0 < interval <= lifetime else lifetime


def _lifetime(config: Reader) -> float | None:
    if config.has("lifetimeDuration"):
        found = _ISO.fullmatch(config.text("lifetimeDuration"))
        if found is None or not any(found.groups()):
            config.reject(
                f"{config.raw('lifetimeDuration')!r} is not an ISO 8601 duration", "write e.g. PT2H", "lifetimeDuration"
            )
            return None
        days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
        return 60.0 * ((days * 86400 + hours * 3600 + minutes * 60 + seconds) // 60) or None
    total = 3600 * (_minutes(config, "lifetimeHours") or 0.0) + 60 * (_minutes(config, "lifetimeMins") or 0.0)
    return total or None


def _minutes(config: Reader, name: str) -> float | None:
    value = config.raw(name)
    if value is None or value == "":
        return None
    return _seconds(config, name)


def _group(entry: Reader) -> int | None:
    """The number of canary pods, as far as the stage says it."""
    deployments = entry.child("deployments")
    pairs = deployments.items("serverGroupPairs") or deployments.items("clusterPairs")
    if not pairs:
        said = f"the sizes of the groups are not in the stage: the canary gets {_SHARE:g}% of the traffic"
        entry.remark("approximated", said, "deployments" if entry.has("deployments") else "type")
        return None
    size = _size(pairs[0].child("experiment"))
    said = f"traffic goes by pods: {size} canary pods are taken to get {_SHARE:g}% of it"
    entry.remark("approximated", said, "deployments")
    return size


_READERS: dict[str, Read] = {
    "deploy": _deploy, "createServerGroup": _deploy, "cloneServerGroup": _deploy, "kayentaCanary": _canary,
}  # fmt: skip
