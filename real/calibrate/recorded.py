"""A recorded run as evidence: its journal, what the load generator counted (load.jsonl), and its latencies (truth.json)."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import fsum
from pathlib import Path
from typing import Any

from real.calibrate.evidence import Change, Evidence, Look, Piece
from real.load.truth import BOUNDS, Truth
from real.ports.things import ACTIVE, ROUTES
from sim.journal import Journal
from sim.policy.commands import Finish, Measure, SetWeight, Switch
from sim.policy.errors import HistoryError
from sim.policy.events import Measured, PodsReady, Value
from sim.policy.judges.base import Arm, Window
from sim.policy.rollout import Entry
from sim.results.recorded import Recorded, Tally
from sim.service.traffic import Traffic

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


def evidence(path: Path, traffic: Traffic | None = None) -> Evidence:
    """`traffic`: what our generator was told, if it is known. Errors: `HistoryError` with file and line."""
    run = Recorded.read(path)
    journal = run.journal
    opened: dict[str, Any] = next((act["opened"] for act in journal.acts if "opened" in act), {})
    new, stable = int(opened.get("revision", 2)), int(opened.get("stable", 1))
    windows = list(_windows(journal.entries))
    bounds, latency = _latencies(path, windows)
    pieces = tuple(_pieces(run.load))
    about = f"run {run.about.get('run', path.name)} (sha256 {_digest(path)[:16]})"
    return Evidence(
        about,
        pieces or tuple(_seen(windows)),
        bounds,
        latency,
        tuple(_starts(journal)),
        int(opened.get("replicas", 0)),
        tuple(_changes(journal, run.load, new)),
        (tuple(moment for window in windows for moment in (window.start, window.end)),),
        looks=tuple(_looks(journal)),
        versions=_versions(run.load, stable, new) if run.load else _arms(windows),
        told=None if traffic is None or not pieces else _told(pieces, traffic),
        router=str(run.about.get("router", "")),
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


def _told(pieces: Sequence[Piece], traffic: Traffic) -> float:
    """The generator's clock begins with its first window."""
    edges = [piece.start - pieces[0].start for piece in pieces] + [pieces[-1].end - pieces[0].start]
    return fsum(level * (b - a) for level, (a, b) in zip(traffic.levels(edges), pairwise(edges), strict=True))


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
    """Every weight and switch that was commanded and seen to arrive. It is said to be so when the first effect on traffic was applied:
    later ones of a batch tidy up after a promotion, and the driver looks only afterwards."""
    shares = [(float(act["at"]), float(act["share"])) for act in journal.acts if "share" in act]
    applied = list(_applied(journal))
    asked = [(entry.at, way) for entry in journal.entries if (way := _way(entry))]
    moments = [at for at, _ in asked] + [float("inf")]
    windows = _shares(load, new)
    for (at, way), until in zip(asked, moments[1:], strict=True):
        end = min(until, at + _AROUND)
        before = next((share for when, share in reversed(shares) if when < at), 0.0)
        arrived = next(((when, share) for when, share in shares if at <= when < end and share != before), None)
        if arrived is None or abs(arrived[1] - before) < _CLEAR:
            continue
        said = next((when for when in applied if at <= when <= arrived[0]), arrived[0])
        around = tuple(one for one in windows if at - 2.0 <= one[0] and one[1] <= end)
        yield Change(at, before, arrived[1], said, way, around)


def _way(entry: Entry) -> str:
    kinds = {SetWeight: "weight", Switch: "switch"}
    return next((kinds[type(command)] for command in entry.commands if type(command) in kinds), "")


def _applied(journal: Journal) -> Iterator[float]:
    """When an effect on traffic was applied, as the driver says."""
    traffic = {act["effect"] for act in journal.acts if "put" in act and act["put"]["name"] in (ROUTES, ACTIVE)}
    for act in journal.acts:
        if act.get("outcome") == "applied" and act["effect"] in traffic:
            yield float(act["at"])


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


def _looks(journal: Journal) -> Iterator[Look]:
    """A driver that was late says so just before it acts."""
    said = [(float(act["at"]), float(act["late"])) for act in journal.acts if "late" in act]
    asked: dict[int, tuple[float, float]] = {}
    last = 0.0
    for entry in journal.entries:
        if isinstance(entry.event, Measured) and entry.event.id in asked:
            answer, (at, late) = entry.event.answer, asked[entry.event.id]
            if isinstance(answer, Value) and isinstance(answer.value, Window):
                yield Look(at, entry.at, answer.value.end, late)
        late = next((late for at, late in said if last < at <= entry.at), 0.0)
        asked |= {command.id: (entry.at, late) for command in entry.commands if isinstance(command, Measure)}
        last = entry.at
