"""Kayenta's canary configs and Spinnaker's stages (L30, L46): whether a judgement has the evidence and the time it needs (DS 8, 9)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sim.lint.files import Files
from sim.lint.finding import Finding
from sim.lint.spot import Spot, said

__all__ = ["check"]

POINTS = 50  # below this Spinnaker itself warns (DS 8)
_STEP = 60.0  # seconds between two points, orca's default
_ISO = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


def check(files: Files) -> Iterator[Finding]:
    """Findings about Spinnaker and Kayenta JSON."""
    for document in files.documents:
        root = Spot(document, (), document.value)
        if document.kind_hint == "kayenta":
            yield from _config(root)
        elif document.kind_hint == "spinnaker":
            for stage in root.items("stages") or [root]:
                yield from _timeout(stage)
                if stage.has("canaryConfig"):
                    yield from _stage(stage.child("canaryConfig"))


def _config(root: Spot) -> Iterator[Finding]:
    yield from _marks(root.child("classifier", "scoreThresholds"))
    for metric in root.items("metrics"):
        canary = metric.child("analysisConfigurations", "canary")
        if canary.get("critical") is True and canary.get("mustHaveData") is not True:
            words = f"{metric.text('name')} is critical, and without data it is left out of the score"
            yield metric.found("L30", words, "name", remedy="add mustHaveData: true")


def _stage(config: Spot) -> Iterator[Finding]:
    yield from _marks(config.child("scoreThresholds"))
    lifetime = _minutes(config)
    interval = _number(config.get("canaryAnalysisIntervalMins")) or lifetime
    lookback = _number(config.get("lookbackMins")) or 0.0
    every = min(interval, lifetime) if lifetime else interval
    span, field = (lookback, "lookbackMins") if lookback else (every, "canaryAnalysisIntervalMins")
    scopes = config.items("scopes")
    step = max((_number(scope.get("step")) or _STEP for scope in scopes), default=_STEP)
    if span and span * 60 / step < POINTS:
        points = f"{span * 60 / step:.0f} points for each metric ({span:g} minutes, one every {step:g}s)"
        words = f"the first judgement sees {points}, {POINTS} are advised"
        yield config.found("L30", words, field if config.has(field) else "lifetimeDuration")


def _timeout(stage: Spot) -> Iterator[Finding]:
    """A stage's own limit, against what it waits for by design: a wait, or the warm-up and lifetime of a canary."""
    limit = _number(stage.get("stageTimeoutMs"))
    config = stage.child("canaryConfig")
    warm_up = 60 * (_number(config.get("beginCanaryAnalysisAfterMins")) or 0.0)
    wait = (_number(stage.get("waitTime")) or 0.0) + warm_up + 60 * _minutes(config)
    if limit is not None and 0 < limit / 1000 < wait:
        words = f"the stage may take {said(limit / 1000)} and waits {said(wait)}"
        yield stage.found("L46", words, "stageTimeoutMs")


def _marks(marks: Spot) -> Iterator[Finding]:
    best, least = _number(marks.get("pass")), _number(marks.get("marginal"))
    if best is None or least is None or best > least:
        return
    if best == least:
        words = f"pass and marginal are both {best:g}: the judge calls {best:g} a Pass, Spinnaker's stage fails at it"
    else:
        words = f"pass {best:g} is below marginal {least:g}"
    yield marks.found("L30", words, "pass", remedy="set marginal below pass")


def _minutes(config: Spot) -> float:
    found = _ISO.fullmatch(config.text("lifetimeDuration"))
    if found:
        hours, minutes, rest = (int(part or 0) for part in found.groups())
        return hours * 60 + minutes + rest / 60
    return (_number(config.get("lifetimeHours")) or 0.0) * 60


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except ValueError:
        return None
