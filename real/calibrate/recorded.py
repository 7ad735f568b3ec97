"""A recorded run as evidence: its journal, what the load generator counted (load.jsonl), and its latencies (truth.json)."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from real.calibrate.evidence import Change, Evidence, Look, Piece
from real.load.truth import BOUNDS, Truth
from sim.journal import Journal
from sim.policy.commands import Finish, Measure, SetWeight
from sim.policy.errors import HistoryError
from sim.policy.events import Measured, PodsReady, Value
from sim.policy.judges.base import Arm, Window
from sim.policy.rollout import Entry
from sim.results.recorded import Recorded, Tally

__all__ = ["evidence", "ill"]

_AROUND = 15.0  # seconds after a change of weight in which it is looked for
_CLEAR = 0.02  # a smaller change of the share tells nothing of when it came


def ill(run: Recorded) -> Iterator[str]:
    """Why a run is not one of a healthy service: how it ended, and what was injected."""
    ended = run.about.get("ended") or {}
    outcome = str(ended.get("outcome") or _outcome(run.journal))
    if outcome != "promoted" or ended.get("interrupted"):
        how = "it was interrupted" if ended.get("interrupted") else f"it ended {outcome or 'nowhere'}"
        reason = f" ({ended['reason']})" if ended.get("reason") else ""
        yield f"not healthy: {how}{reason}; calibrate from the promotion of a good version"
    faults = sorted({name for name in map(_fault, run.journal.acts) if name})
    if faults:
        yield f"not healthy: {', '.join(faults)} was injected; calibrate from a run without faults"


def evidence(path: Path) -> Evidence:
    """Errors: `HistoryError` with file and line."""
    run = Recorded.read(path)
    journal = run.journal
    opened: dict[str, Any] = next((act["opened"] for act in journal.acts if "opened" in act), {})
    new, stable = int(opened.get("revision", 2)), int(opened.get("stable", 1))
    windows = list(_windows(journal.entries))
    bounds, latency = _latencies(path, windows)
    about = f"run {run.about.get('run', path.name)} (sha256 {_digest(path)[:16]})"
    return Evidence(
        about,
        tuple(_pieces(run.load)) or tuple(_seen(windows)),
        bounds,
        latency,
        tuple(_starts(journal)),
        int(opened.get("replicas", 0)),
        tuple(_changes(journal, run.load, new)),
        tuple(moment for window in windows for moment in (window.start, window.end)),
        looks=tuple(_looks(journal.entries)),
        versions=_versions(run.load, stable, new) if run.load else _arms(windows),
    )


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    for name in ("journal.jsonl", "load.jsonl"):
        if (path / name).is_file():
            found.update((path / name).read_bytes())
    return found.hexdigest()


def _outcome(journal: Journal) -> str:
    found = [c.outcome for entry in journal.entries for c in entry.commands if isinstance(c, Finish)]
    return found[-1] if found else ""


def _fault(act: dict[str, Any]) -> str:
    put = act.get("put") or {}
    return str(put["name"]) if str(put.get("name", "")).startswith("fault/") and not put.get("absent") else ""


# ---- requests ----


def _pieces(load: Sequence[Tally]) -> Iterator[Piece]:
    """All revisions together. The last window was cut off when the load was stopped."""
    found: dict[tuple[float, float], list[int]] = {}
    for tally in load:
        piece = found.setdefault((tally.start, tally.end), [0, 0])
        piece[0] += tally.sent
        piece[1] += tally.bad + tally.lost
    for start, end in sorted(found)[:-1]:
        yield Piece(start, end, *found[start, end])


def _seen(windows: Sequence[Window]) -> Iterator[Piece]:
    """What measurements counted, where nobody counted from outside."""
    for window in windows:
        both = _both(window)
        yield Piece(window.start, window.end, sum(arm.requests for arm in both), sum(arm.bad for arm in both))


def _both(window: Window) -> list[Arm]:
    return [arm for arm in (window.canary, window.baseline) if arm is not None]


def _versions(load: Sequence[Tally], stable: int, new: int) -> tuple[tuple[int, int], ...]:
    found = {revision: [0, 0] for revision in (stable, new)}
    for tally in load:
        if tally.revision in found:
            found[tally.revision][0] += tally.sent
            found[tally.revision][1] += tally.bad
    return tuple((sent, bad) for sent, bad in found.values())


def _arms(windows: Sequence[Window]) -> tuple[tuple[int, int], ...]:
    """Of windows that show both."""
    pairs = [(window.baseline, window.canary) for window in windows if window.baseline is not None]
    old, new = [one for one, _ in pairs], [one for _, one in pairs]
    return tuple((sum(arm.requests for arm in side), sum(arm.bad for arm in side)) for side in (old, new))


def _latencies(path: Path, windows: Sequence[Window]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Of all answers as users waited for them; without truth.json as the service's own histogram shows them."""
    file = path / "truth.json"
    if file.is_file():
        try:
            truth = Truth.of(json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError) as error:
            raise HistoryError(f"{file}: not what a load generator counted ({error})") from error
        cells = list(truth.answers().values())
        return BOUNDS, tuple(sum(cell.latency[place] for cell in cells) for place in range(len(BOUNDS) + 1))
    with_bounds = [window for window in windows if window.bounds]
    if not with_bounds:
        return (), ()
    bounds = with_bounds[0].bounds
    arms = [arm for window in with_bounds if window.bounds == bounds for arm in _both(window)]
    arms = [arm for arm in arms if len(arm.latency) == len(bounds) + 1]
    return tuple(bounds), tuple(sum(arm.latency[place] for arm in arms) for place in range(len(bounds) + 1))


# ---- pods ----


@dataclass(slots=True)
class _Wanted:
    """Pods of one revision that were commanded and are not ready, oldest first: the moments of their commands."""

    known: int
    asked: list[float] = field(default_factory=list)
    wanted: int = 0


def _starts(journal: Journal) -> Iterator[float]:
    """From a command for more pods of the new version until the policy was told that they are ready.

    A command that takes pods away ends the account of those that were not ready.
    """
    new = _Wanted(0)
    for entry in journal.entries:
        if isinstance(entry.event, PodsReady):
            for _ in range(max(0, entry.event.canary - new.known)):
                if new.asked:
                    yield entry.at - new.asked.pop(0)
            new.known = entry.event.canary
        for command in entry.commands:
            wanted = getattr(command, "canary", None)
            if isinstance(wanted, int):
                new.asked += [entry.at] * (wanted - new.wanted)
                new.wanted = wanted
                if wanted <= new.known:
                    new.asked = []


# ---- weights ----


def _changes(journal: Journal, load: Sequence[Tally], new: int) -> Iterator[Change]:
    """Every weight that was commanded and seen to arrive. A batch's first one counts: later ones tidy up after a promotion."""
    said = [(float(act["at"]), float(act["share"])) for act in journal.acts if "share" in act]
    asked = [(entry.at, entry) for entry in journal.entries if any(isinstance(c, SetWeight) for c in entry.commands)]
    moments = [at for at, _ in asked] + [float("inf")]
    windows = _shares(load, new)
    for (at, _), until in zip(asked, moments[1:], strict=True):
        end = min(until, at + _AROUND)
        before = next((share for when, share in reversed(said) if when < at), 0.0)
        arrived = next(((when, share) for when, share in said if at <= when < end and share != before), None)
        if arrived is None or abs(arrived[1] - before) < _CLEAR:
            continue
        around = tuple(one for one in windows if at - 2.0 <= one[0] and one[1] <= end)
        yield Change(at, before, arrived[1], arrived[0], until, around)


def _shares(load: Sequence[Tally], new: int) -> list[tuple[float, float, int, int]]:
    found: defaultdict[tuple[float, float], list[int]] = defaultdict(lambda: [0, 0])
    for tally in load:
        if tally.revision:
            window = found[tally.start, tally.end]
            window[0] += tally.sent if tally.revision == new else 0
            window[1] += tally.sent
    return [(start, end, found[start, end][0], found[start, end][1]) for start, end in sorted(found)]


# ---- measurements ----


def _windows(entries: Sequence[Entry]) -> Iterator[Window]:
    """Windows of counts that do not overlap, in order."""
    last = float("-inf")
    for entry in entries:
        answer = entry.event.answer if isinstance(entry.event, Measured) else None
        window = answer.value if isinstance(answer, Value) else None
        if isinstance(window, Window) and window.start >= last and window.end > window.start:
            last = window.end
            yield window


def _looks(entries: Sequence[Entry]) -> Iterator[Look]:
    asked: dict[int, float] = {}
    for entry in entries:
        if isinstance(entry.event, Measured) and entry.event.id in asked:
            answer = entry.event.answer
            if isinstance(answer, Value) and isinstance(answer.value, Window):
                yield Look(asked[entry.event.id], entry.at, answer.value.end)
        asked |= {command.id: entry.at for command in entry.commands if isinstance(command, Measure)}
