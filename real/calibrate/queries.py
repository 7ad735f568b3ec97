"""What is asked of a Prometheus: the user's own queries, or those of a dialect that the simulator shows too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.policy.errors import WorldError
from sim.service.telemetry.dialects import DIALECTS, Family

__all__ = ["NAMES", "Queries", "of_dialect", "own"]

NAMES: Mapping[str, str] = {
    "requests": "requests/s of the whole service",
    "errors": "failed requests/s",
    "latency": "answers/s by `le`, cumulative: sum by (le) (rate(..._bucket[STEP]))",
    "samples": "a counter that pods show, without a function: its moments tell the scrape interval",
    "starts": "seconds from a pod's making until it was ready, one series per pod",
}
_FAILED = {"{code}": '=~"5.."', "{class}": '="5xx"', "{digit}": '="5"', "{result}": '="failure"'}


@dataclass(frozen=True, slots=True)
class Queries:
    """Texts in PromQL by name ('' : not asked); `STEP` in them is the step of the range. `unit`: of the latency's bounds in a second."""

    texts: Mapping[str, str] = field(default_factory=dict)
    unit: float = 1.0

    def text(self, name: str, step: float) -> str:
        return self.texts.get(name, "").replace("STEP", f"{round(step * 1000)}ms")


def own(pairs: list[str]) -> dict[str, str]:
    """`NAME=PROMQL` as typed. Raises WorldError."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or name not in NAMES or not text.strip():
            known = "; ".join(f"{one}: {what}" for one, what in NAMES.items())
            raise WorldError(f"--query takes NAME=PROMQL, got {pair!r}; names are {known}")
        found[name] = text.strip()
    return found


def of_dialect(name: str, labels: Mapping[str, str]) -> Queries:
    """The queries of a dialect for the series with these labels. Raises WorldError."""
    if name not in DIALECTS:
        raise WorldError(
            f"there is no dialect {name!r}; use one of {', '.join(DIALECTS)}, or your own queries: --query"
        )
    families = DIALECTS[name]
    counters = [one for one in families if one.kind == "counter" and _failed(one)]
    histograms = [one for one in families if one.kind == "histogram"]
    if not counters and not any(map(_failed, histograms)):
        raise WorldError(f"dialect {name} does not tell failed requests from others; write your own queries: --query")
    counter = counters[0] if counters else next(one for one in histograms if _failed(one))
    series = counter.name if counter.kind == "counter" else f"{counter.name}_count"
    chosen = _selector(counter, labels)
    texts = {
        "requests": f"sum(rate({series}{{{chosen}}}[STEP]))",
        "errors": f"sum(rate({series}{{{_joined(chosen, _failed(counter))}}}[STEP]))",
        "samples": f"{series}{{{chosen}}}",
    }
    if histograms:
        text = f"{histograms[0].name}_bucket{{{_selector(histograms[0], labels)}}}"
        texts["latency"] = f"sum by (le) (rate({text}[STEP]))"
    return Queries(texts, histograms[0].unit if histograms else 1.0)


def _failed(family: Family) -> str:
    """The matcher of failed requests; '' where no label tells."""
    return next((f"{label}{_FAILED[value]}" for label, value in family.labels.items() if value in _FAILED), "")


def _selector(family: Family, labels: Mapping[str, str]) -> str:
    """The user's labels, and the side that counts where both sides of a connection do (Istio)."""
    sides = {"reporter": family.labels["reporter"]} if "reporter" in family.labels else {}
    direction = {"direction": family.labels["direction"]} if "direction" in family.labels else {}
    chosen = {**sides, **direction, **labels}
    return ",".join(f'{label}="{value}"' for label, value in sorted(chosen.items()))


def _joined(*matchers: str) -> str:
    return ",".join(one for one in matchers if one)
