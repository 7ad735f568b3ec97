"""Which series a service shows: dialects, names and the cells of the counts, put together.

An `Emission` is the series of one label set; what depends on the pod is still open. Its value is a weighted sum of the counts of
`sim.service.mix.Layout` (with the two columns of lost requests behind them): for a counter the weights are 0 or 1.

Approximated: a request that fails is as fast as the fastest bucket, and the sum of a histogram takes the mean of the service's own
latency inside each bucket.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product
from math import erf, exp, inf, log, sqrt

from sim.promql.labels import Labels, labelset
from sim.service.mix import Layout, layout
from sim.service.model import Latency, Service
from sim.service.telemetry.dialects import CLASHING, DEFAULT, DIALECTS, OUTCOMES, POD_WORDS, Family, Kind, Outcome
from sim.service.telemetry.names import Identity, Version

__all__ = ["Emission", "Exposition"]

Weights = tuple[float, ...]

_VERSIONS: tuple[Version, ...] = ("stable", "canary")
_SUFFIXES: Mapping[Kind, tuple[str, ...]] = {
    "counter": ("",), "up": ("",), "histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count"),
}  # fmt: skip
_WORD = re.compile(r"\{(\w+)\}")
_RESERVED = ("namespace", "pod", "service", "job", "instance", "container", "endpoint")
_NOT_IN_A_NAME = re.compile(r"[^a-zA-Z0-9_]")


@dataclass(frozen=True, slots=True)
class Emission:
    """Series that differ by their pod only. `switched`: shown before or after `Switch` (None: always).

    `born`: the weights of the count that must be above 0 for the series to be there; empty for `up`, which is 1.
    """

    labels: Labels
    version: Version
    pod: tuple[tuple[str, str], ...]  # labels with a word of the pod in them
    weights: Weights
    born: Weights
    switched: bool | None = None
    proxy: bool = False


class Exposition:
    """All that a service shows while one rollout is under way."""

    def __init__(self, service: Service, identity: Identity) -> None:
        self.service, self.telemetry = service, service.telemetry
        self.identity = identity.lives_in(self.telemetry.namespace) if self.telemetry.namespace else identity
        self.layout = layout(service)
        self.pod_values: dict[tuple[str, Version], tuple[str, ...]] = {}  # see `pods.names_of`
        self._known: dict[str, tuple[Emission, ...]] = {}

    @cached_property
    def names(self) -> Mapping[str, tuple[Family, ...]]:
        """The name of every series, and the families that show it, in a fixed order."""
        found: dict[str, list[Family]] = {}
        for family in self._families():
            if family.kind in ("counter", "up") or self.service.latency is not None:
                for suffix in _SUFFIXES[family.kind]:
                    found.setdefault(f"{family.name}{suffix}", []).append(family)
        return {name: tuple(families) for name, families in found.items()}

    @cached_property
    def apart(self) -> frozenset[str]:
        """Labels that differ from pod to pod."""
        families = (family for some in self.names.values() for family in some)
        written = (pair for family in families for pair in (*family.labels.items(), *self.telemetry.labels))
        return frozenset(label for label, text in written if any(word in text for word in POD_WORDS))

    def of(self, name: str) -> tuple[Emission, ...]:
        """The series of a name, in a fixed order."""
        if name not in self._known:
            found: dict[tuple[object, ...], Emission] = {}
            switches = (False, True) if self.identity.active else (None,)
            for family in self.names.get(name, ()):
                for version, switched in product(_VERSIONS, switches):
                    for emission in self._shown(family, name, version, switched):
                        key = (emission.labels, version, emission.pod, switched, emission.proxy)
                        found[key] = _joined(found[key], emission) if key in found else emission
            self._known[name] = tuple(found.values())
        return self._known[name]

    # ---- families ----

    def _families(self) -> Iterator[Family]:
        for dialect in self._dialects():
            yield from DIALECTS[dialect]
        target = DIALECTS["app"][0].labels
        base = {name: value for name, value in target.items() if name not in ("code", "status")}
        for name, own in self.telemetry.counters:
            yield Family(name, "counter", "pod", base | dict(own))
        for name, own in self.telemetry.histograms:
            yield Family(name, "histogram", "pod", base | dict(own))

    def _dialects(self) -> tuple[str, ...]:
        if self.telemetry.dialects:
            return self.telemetry.dialects
        router = self.identity.router
        if router in CLASHING:
            return (*(name for name in DEFAULT if name not in CLASHING), router)
        return DEFAULT

    # ---- label sets ----

    def _shown(self, family: Family, name: str, version: Version, switched: bool | None) -> Iterator[Emission]:
        """The series of one name of a family."""
        words = self._words(version, switched)
        written = dict(family.labels)
        if family.by == "pod":
            written |= self._own_labels(version)
        written |= dict(self.telemetry.labels)
        if family.kind == "up":
            yield self._emission(name, written, words, version, (), (), switched, family)
            return
        outcomes: tuple[Outcome, ...] = ("good", "bad", "lost") if family.by == "proxy" else ("good", "bad")
        for outcome in outcomes:
            known = {**words, **OUTCOMES[outcome], "digit": OUTCOMES[outcome]["class"][0]}
            born = self._counts(version, outcome)
            for le, weights in self._parts(family, name, version, outcome):
                bounded = {**written, "le": le} if le else written
                yield self._emission(name, bounded, known, version, weights, born, switched, family)

    def _emission(
        self, name: str, written: Mapping[str, str], words: Mapping[str, str], version: Version, weights: Weights,
        born: Weights, switched: bool | None, family: Family,
    ) -> Emission:  # fmt: skip
        open_: dict[str, str] = {}
        closed = {"__name__": name}
        for label, text in written.items():
            filled = _filled(text, words)
            (open_ if any(word in text for word in POD_WORDS) else closed)[label] = filled
        return Emission(
            labelset(closed), version, tuple(sorted(open_.items())), weights, born, switched, family.by == "proxy"
        )

    def _words(self, version: Version, switched: bool | None) -> dict[str, str]:
        identity = self.identity
        words = identity.words(version)
        if identity.active:  # before the switch the stable version is behind it, afterwards the new one
            behind = (version == "canary") == bool(switched)
            words["service"] = identity.active if behind else identity.canary.service if version == "canary" else ""
        main = identity.stable.service or identity.service
        words |= {
            "main": main,
            "alternative": f"{words['namespace']}-{words['service']}-80" if version == "canary" else "",
        }
        return words | {
            f"_{name}": _NOT_IN_A_NAME.sub("_", words[name]) for name in ("namespace", "ingress", "service")
        }

    def _own_labels(self, version: Version) -> dict[str, str]:
        named = self.identity.stable if version == "stable" else self.identity.canary
        clean = {_NOT_IN_A_NAME.sub("_", name): value for name, value in named.labels}
        return {name: value for name, value in clean.items() if name not in _RESERVED}

    # ---- values ----

    def _parts(self, family: Family, name: str, version: Version, outcome: Outcome) -> Iterator[tuple[str, Weights]]:
        """(le, weights) of each series of one outcome."""
        suffix = name[len(family.name) :]
        counted = self._counts(version, outcome)
        if suffix == "_bucket":
            for number, bound in enumerate((*self.layout.bounds, inf)):
                yield self._le(bound * family.unit), self._counts(version, outcome, number + 1)
        elif suffix == "_sum":
            buckets = self._buckets(version, outcome)
            seconds = (self._means[bucket] * weight for bucket, weight in zip(buckets, counted, strict=True))
            yield "", tuple(family.unit * second for second in seconds)
        else:
            yield "", counted

    def _counts(self, version: Version, outcome: Outcome, upto: int = 10**9) -> Weights:
        """1 for each cell of a version's outcome in the first `upto` buckets."""
        return tuple(1.0 if 0 <= bucket < upto else 0.0 for bucket in self._buckets(version, outcome))

    def _buckets(self, version: Version, outcome: Outcome) -> tuple[int, ...]:
        """For each column of the counts its bucket, -1 for a column that is not of this version and outcome."""
        shape, cells = self.layout, [-1] * (self.layout.width + 2)
        for column, kind, bucket in _columns(shape, version):
            if kind == outcome:
                cells[column] = bucket
        return tuple(cells)

    @cached_property
    def _means(self) -> tuple[float, ...]:
        """Seconds that a good answer takes on average, by bucket; the last entry is for columns without one."""
        latency = self.service.latency
        if latency is None:
            return (0.0,) * (self.layout.buckets + 1)
        edges = (0.0, *latency.bounds, inf)
        return (*(_mean_between(latency, *pair) for pair in pairwise(edges)), 0.0)

    def _le(self, bound: float) -> str:
        """As Prometheus stores it: 3.x writes whole numbers with `.0`."""
        text = "+Inf" if bound == inf else f"{bound:.12g}"
        return f"{text}.0" if self.telemetry.profile == "prometheus@3" and text.isdigit() else text


def _columns(shape: Layout, version: Version) -> Iterator[tuple[int, Outcome, int]]:
    """(column, outcome, bucket) of a version; a request that fails or is lost counts in the first bucket."""
    if version == "stable":
        yield from ((bucket, "good", bucket) for bucket in range(shape.buckets))
        yield shape.buckets, "bad", 0
        yield shape.width, "lost", 0
        return
    yield from ((shape.new + bucket, "good", bucket) for bucket in range(shape.buckets))
    yield from ((shape.slow + k, "good", shape.slow_from + k) for k in range(shape.buckets - shape.slow_from))
    yield from ((shape.errors + k, "bad", 0) for k in range(2))
    yield shape.width + 1, "lost", 0


def _joined(one: Emission, other: Emission) -> Emission:
    """Two outcomes under one label set."""
    weights = tuple(a + b for a, b in zip(one.weights, other.weights, strict=True))
    born = tuple(max(a, b) for a, b in zip(one.born, other.born, strict=True))
    return Emission(one.labels, one.version, one.pod, weights, born, one.switched, one.proxy)


def _filled(text: str, words: Mapping[str, str]) -> str:
    """Words in braces replaced; those of the pod stay."""

    def put(match: re.Match[str]) -> str:
        if match[0] in POD_WORDS:
            return match[0]
        return words.get(match[1], "")  # an outcome's word where all outcomes count together

    return _WORD.sub(put, text)


def _mean_between(latency: Latency, low: float, high: float) -> float:
    """The mean of a lognormal between two bounds, in seconds."""
    mu, sigma = log(latency.median), latency.sigma

    def phi(bound: float, shift: float) -> float:
        if bound in (0.0, inf):
            return 0.0 if bound == 0.0 else 1.0
        return 0.5 * (1.0 + erf(((log(bound) - mu) / sigma - shift) / sqrt(2.0)))

    mass = phi(high, 0.0) - phi(low, 0.0)
    if mass <= 0.0:
        return low if high == inf else (low + high) / 2.0
    whole = latency.median * exp(sigma**2 / 2.0)
    return whole * (phi(high, sigma) - phi(low, sigma)) / mass
