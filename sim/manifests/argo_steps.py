"""The steps of an Argo canary -> our steps (delivery-systems.md sections 2.8, 2.16, 2.18)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from sim.manifests.argo_analysis import Analyses, matches
from sim.manifests.fields import Reader
from sim.manifests.routes import segment
from sim.policy.analysis import Analysis
from sim.policy.errors import PolicyError
from sim.policy.steps import Analyse, Experiment, Match, Mirror, Pause, ScaleCanary, SetWeight, Step

__all__ = ["KINDS", "Steps"]

KINDS = ("setWeight", "pause", "setCanaryScale", "analysis", "experiment", "setHeaderRoute", "setMirrorRoute", "plugin")
_EXCLUSIVE = frozenset(("setWeight", "pause", "experiment", "analysis"))  # the ones that Argo checks against each other
_SIDES = ("stable", "canary")
_WAYS = ("exact", "regex", "prefix")
_POD_TAG = re.compile(r"\{\{\s*templates\.([^.}]+)\.(?:podTemplateHash|replicaset\.name)\s*\}\}")


class Steps:
    """Reads the steps of one canary strategy; a header route stays until a later step names it again."""

    def __init__(self, analyses: Analyses, maximum: int) -> None:
        self._analyses, self._maximum = analyses, maximum
        self._headers: dict[str, tuple[str, ...]] = {}

    def read(self, canary: Reader) -> tuple[Step, ...] | None:
        """All steps; None if one of them cannot be read."""
        steps = [self._step(step) for step in canary.items("steps")]
        whole = tuple(step for step in steps if step is not None)
        return whole if len(whole) == len(steps) else None

    def _step(self, step: Reader) -> Step | None:
        kinds = [kind for kind in KINDS if step.has(kind)]
        if not kinds or len(_EXCLUSIVE.intersection(kinds)) > 1:
            step.reject(f"a step with {len(kinds)} kinds", f"give it exactly one of {', '.join(KINDS)}")
            return None
        if len(kinds) > 1:
            step.block(f"a step with {' and '.join(kinds)}; write one step for each")
            return None
        readers: dict[str, Callable[[Reader], Step | None]] = {
            "setWeight": self._weight, "pause": self._pause, "setCanaryScale": self._scale, "plugin": self._plugin,
            "analysis": self._analysis, "experiment": self._experiment, "setHeaderRoute": self._header,
            "setMirrorRoute": self._mirror,
        }  # fmt: skip
        try:
            return readers[kinds[0]](step)
        except PolicyError as error:
            step.block(str(error), kinds[0])
            return None

    def _weight(self, step: Reader) -> Step:
        return SetWeight(step.whole("setWeight", 0, 0, self._maximum))

    def _pause(self, step: Reader) -> Step:
        return Pause(step.child("pause").seconds_or_duration("duration"))

    def _scale(self, step: Reader) -> Step:
        scale = step.child("setCanaryScale")
        replicas = scale.whole("replicas", 0, 0) if scale.has("replicas") else None
        weight = scale.whole("weight", 0, 0, self._maximum) if scale.has("weight") else None
        return ScaleCanary(replicas, weight, scale.flag("matchTrafficWeight"))

    def _analysis(self, step: Reader) -> Step | None:
        analysis = self._analyses.read(step.child("analysis"), "blocking")
        return None if analysis is None else Analyse(analysis)

    def _plugin(self, step: Reader) -> Step | None:
        step.block("step plugins: what a plugin does is not in the manifest", "plugin")
        return None

    # ---- routes ----

    def _header(self, step: Reader) -> Step:
        route = step.child("setHeaderRoute")
        self._headers.pop(route.text("name"), None)
        found = tuple(name for name in map(self._segment, route.items("match")) if name)
        if found:
            self._headers[route.text("name")] = found
        return Match(tuple(name for names in self._headers.values() for name in names))

    def _segment(self, match: Reader) -> str:
        value = match.child("headerValue")
        how = [word for word in _WAYS if value.has(word)]
        if len(how) != 1:
            match.reject(f"{len(how)} ways to match", "give exactly one of exact, regex, prefix", "headerValue")
            return ""
        return segment(match.text("headerName"), how[0], value.text(how[0]))

    def _mirror(self, step: Reader) -> Step:
        route = step.child("setMirrorRoute")
        if not route.has("match"):
            return Mirror(0.0)
        route.remark("approximated", "mirrors a share of all requests, whatever they match", "match")
        return Mirror(float(route.whole("percentage", 100, 0, 100)))

    # ---- experiments ----

    def _experiment(self, step: Reader) -> Step | None:
        return self.experiment(step.child("experiment"))

    def experiment(self, block: Reader) -> Step | None:
        """The experiment of a step, or of an object of its own (whose templates have pods of their own)."""
        duration = block.duration("duration")
        analyses = [self._run(entry) for entry in block.items("analyses")]
        if None in analyses:
            return None
        dry = [rule.text("metricName") for rule in block.items("dryRun")]
        metrics = tuple(
            replace(metric, dry_run=metric.dry_run or any(matches(rule, metric.name) for rule in dry))
            for found in analyses
            if found is not None
            for metric in found.metrics
        )
        names = [metric.name for metric in metrics]
        if len(set(names)) < len(names):
            block.block("analyses of one experiment whose metrics have equal names", "analyses")
            return None
        if len(analyses) > 1:
            block.remark("approximated", "its analyses count as one run: it is required if one of them is", "analyses")
        analysis = Analysis(metrics, ",".join(found.template for found in analyses if found)) if metrics else None
        sides = [[one for one in block.items("templates") if one.text("specRef", "canary") == side] for side in _SIDES]
        baseline, canary = (sum(one.whole("replicas", 1, 0) for one in side) for side in sides)
        return Experiment(
            duration,
            analysis,
            baseline,
            canary,
            required=any(one.flag("requiredForCompletion") for one in block.items("analyses")),
            scale_down_delay=float(block.whole("scaleDownDelaySeconds", 30, 0)),
            names=(self._name(sides[0], "baseline"), self._name(sides[1], "canary")),
        )

    @staticmethod
    def _name(side: list[Reader], default: str) -> str:
        return side[0].text("name", default) if side else default

    def _run(self, entry: Reader) -> Analysis | None:
        return self._analyses.merge(entry, [entry], "experiment", _pod_words)


def _pod_words(value: str) -> str:
    """`{{templates.NAME.podTemplateHash}}` stands by the name of the experiment's template."""
    return _POD_TAG.sub(r"\1", value)
