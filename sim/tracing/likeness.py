"""In what sense a trace equals the history of a real controller (contracts section 10), and where it does not.

1. Streams. Entries about one thing (phase, step, sizes, one metric, ...) form a stream. Each stream has the same values in the
   same order on both sides. A field that the history does not have (the value of an Error) was not to be seen, and is not compared;
   nor is a provider's own text in a reason. How many pods were available for less than 0.3 s may be missing on either side,
   and in the history how an analysis stood for no time at all: one that fails at its first measurement is written once, as Failed.
2. Order between streams. Two entries may come in the other order when they are within 0.3 s of each other.
3. Waits. Every entry follows something: the one before in its stream, or what came just before it. The recorded wait minus the
   traced one lies within [-1, +1.5] s: the real clock is cut to whole seconds, and reactions take time. What pods took is in the
   trace already (`History.script`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, zip_longest
from typing import Any, NamedTuple

__all__ = ["Row", "differences", "rows"]

Entry = dict[str, Any]

_INPUTS = ("human", "revision")  # at the moments of the script on both sides
SWAP = 0.3
EARLY, LATE = -1.0, 1.5

# Per kind: what tells its streams apart, and what is compared.
_STREAMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "phase": ((), ("phase", "reason")), "step": ((), ("index",)), "weight": ((), ("weight",)),
    "scale": ((), ("stable", "canary", "older")), "measurement": (("run", "metric"), ("value", "verdict")),
    "metric": (("run", "metric"), ("phase",)), "analysis": (("run",), ("index", "phase")), "switch": ((), ("active", "preview")),
    "tick": ((), ("failedChecks", "iterations")), "human": ((), ("action",)), "revision": ((), ("revision",)),
}  # fmt: skip


class _Point(NamedTuple):
    """One entry in its stream; `place` is where it stands among all entries of its side."""

    at: float
    place: int
    values: dict[str, Any]


class _Pair(NamedTuple):
    stream: str
    recorded: _Point
    traced: _Point

    @property
    def drift(self) -> float:
        return self.recorded.at - self.traced.at


class Row(NamedTuple):
    """One change, as the history and the trace have it: moments, None on the side that does not have it, and what it is on each."""

    stream: str
    recorded: tuple[float, str] | None
    traced: tuple[float, str] | None
    same: bool


def rows(recorded: Sequence[Entry], traced: Sequence[Entry]) -> list[Row]:
    """Both sides beside each other, stream by stream paired, in the order of the history. What was too brief to be seen is left out."""
    shown = {(entry["kind"], field) for entry in recorded for field in entry}
    ours, theirs = _streams([_seen(entry, shown) for entry in traced]), _streams(recorded)
    found: list[tuple[float, int, Row]] = []
    for name in dict.fromkeys([*theirs, *ours]):
        left, right = theirs.get(name, []), ours.get(name, [])
        aligned = _align(left, right, name)
        for one, other in zip_longest(left, right) if isinstance(aligned, str) else aligned:
            first = one or other
            assert first is not None
            same = bool(one and other and all(other.values.get(key) == value for key, value in one.values.items()))
            found.append((first.at, first.place, Row(name, _cell(one), _cell(other), same)))
    return [row for _, _, row in sorted(found, key=lambda one: one[:2])]


def _cell(point: _Point | None) -> tuple[float, str] | None:
    return None if point is None else (point.at, " ".join(str(value) for value in point.values.values()))


def differences(recorded: Sequence[Entry], traced: Sequence[Entry]) -> list[str]:
    """What differs, in words; empty when the trace equals the history. Streams first: only equal ones have waits to compare."""
    shown = {(entry["kind"], field) for entry in recorded for field in entry}
    ours, theirs = _streams([_seen(entry, shown) for entry in traced]), _streams(recorded)
    names = list(dict.fromkeys([*theirs, *ours]))
    aligned = {name: _align(theirs.get(name, []), ours.get(name, []), name) for name in names}
    unequal = [f"{name}, {text}" for name, text in aligned.items() if isinstance(text, str)]
    if unequal:
        return unequal
    pairs = [_Pair(name, *both) for name, points in aligned.items() for both in points if not isinstance(both, str)]
    pairs.sort(key=lambda pair: (pair.traced.at, pair.traced.place))
    return [*_swaps(pairs), *_waits(pairs)]


def _seen(entry: Entry, shown: set[tuple[str, str]]) -> Entry:
    """A traced entry without the fields that this history never shows."""
    kind = entry["kind"]
    return {field: value for field, value in entry.items() if (kind, field) in shown or (kind, "kind") not in shown}


def _streams(entries: Sequence[Entry]) -> dict[str, list[_Point]]:
    streams: dict[str, list[_Point]] = {}
    for place, entry in enumerate(entries):
        for name, values in _about(entry):
            stream = streams.setdefault(name, [])
            if name != "phase" or not stream or stream[-1].values != values:
                stream.append(_Point(entry["at"], place, values))
    return streams


def _about(entry: Entry) -> Iterator[tuple[str, dict[str, Any]]]:
    """The streams that an entry belongs to. Each revision becomes available by itself."""
    if entry["kind"] == "available":
        for role in ("stable", "canary"):
            yield f"available {role}", {role: entry[role]}
        return
    by, compared = _STREAMS[entry["kind"]]
    name = " ".join((entry["kind"], *(str(entry[one]) for one in by)))
    yield name, {one: _own(entry[one]) for one in compared if one in entry}


def _own(value: Any) -> Any:
    """A reason without the text of a metrics provider."""
    return value.partition("Error Message: ")[0] if isinstance(value, str) else value


def _align(recorded: list[_Point], traced: list[_Point], stream: str) -> list[tuple[_Point, _Point]] | str:
    """Equal points of one stream, pair by pair, or the first difference. What may be left out is said above."""
    brief, fleeting = stream.startswith("available"), stream.startswith("analysis")
    pairs: list[tuple[_Point, _Point]] = []
    left, right = (_changes(recorded), _changes(traced)) if brief else (recorded, traced)
    last: dict[str, Any] | None = None
    while left or right:
        if brief and left and left[0].values == last:  # what was left out came back to the same
            left = left[1:]
        elif brief and right and right[0].values == last:
            right = right[1:]
        elif left and right and all(right[0].values.get(one) == value for one, value in left[0].values.items()):
            pairs.append((left[0], right[0]))
            last = left[0].values
            left, right = left[1:], right[1:]
        elif brief and _brief(left):
            left = left[1:]
        elif (brief and _brief(right)) or (fleeting and len(right) > 1 and right[0].at == right[1].at):
            right = right[1:]
        else:
            return f"entry {len(pairs) + 1}: recorded {_say(left[:1])}, traced {_say(right[:1])}"
    return pairs


def _changes(points: list[_Point]) -> list[_Point]:
    return [
        one
        for before, one in zip([None, *points], points, strict=False)
        if before is None or before.values != one.values
    ]


def _brief(points: list[_Point]) -> bool:
    """Whether the first of them stood for less than 0.3 s."""
    return len(points) > 1 and points[1].at - points[0].at < SWAP


def _say(points: list[_Point]) -> str:
    if not points:
        return "nothing more"
    point = points[0]
    return f"{' '.join(str(value) for value in point.values.values())} at {point.at:g} s"


def _swaps(pairs: list[_Pair]) -> Iterator[str]:
    for first, second in combinations(pairs, 2):
        if first.stream != second.stream and first.recorded.at > second.recorded.at + SWAP:
            yield (
                f"order: {_name(first)} comes before {_name(second)} in the trace, "
                f"{first.recorded.at - second.recorded.at:.2f} s after it in the history"
            )


def _waits(pairs: list[_Pair]) -> Iterator[str]:
    """Pairs whose wait fits after nothing that they may follow."""
    for number, pair in enumerate(pairs):
        if pair.stream in _INPUTS:
            continue
        drifts = [pair.drift - drift for drift in _before(pairs[:number], pair)]
        if not any(EARLY <= drift <= LATE for drift in drifts):
            least = min(drifts, key=abs)
            yield f"wait: {_name(pair)} comes {abs(least):.2f} s {'later' if least > 0 else 'earlier'} in the history"


def _before(earlier: list[_Pair], pair: _Pair) -> Iterable[float]:
    """Drifts of what a pair may follow: the last of its stream, the same instant, and the instant before; else the start."""
    own = [one.drift for one in earlier if one.stream == pair.stream][-1:]
    same = [one.drift for one in earlier if one.traced.at == pair.traced.at]
    past = [one for one in earlier if one.traced.at < pair.traced.at]
    before = [one.drift for one in past if one.traced.at == past[-1].traced.at]
    return [*own, *same, *before] or [0.0]


def _name(pair: _Pair) -> str:
    return f"{pair.stream} {' '.join(str(value) for value in pair.traced.values.values())} (traced at {pair.traced.at:g} s)"
