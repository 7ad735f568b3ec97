"""A recorded rollout of the real world, as a folder of files: what `seatrial real run` wrote, read without anything of `real`.

run.json       what it was: run, scenario, digest, policy, release, seed, images, how it ended
journal.jsonl  events, commands, and what the driver did (`sim.journal`)
load.jsonl     what the load generator counted from outside, per window and revision (`Tally`)
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from sim.journal import Journal
from sim.policy.errors import HistoryError

__all__ = ["FORMAT", "Recorded", "Tally", "is_recorded"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Tally:
    """Requests sent in [start, end), in seconds since `Started` (negative: before), by the revision that answered (0: nobody did).

    Every request counts in the window in which it was sent: sent = good + bad + lost. `bad`: an answer that is an error; `lost`: no answer;
    `slow`: good, and slower than the service's limit.
    """

    start: float
    end: float
    revision: int
    sent: int
    bad: int = 0
    lost: int = 0
    slow: int = 0

    def __post_init__(self) -> None:
        if not (self.start < self.end and 0 <= self.bad and 0 <= self.lost and self.bad + self.lost <= self.sent):
            raise HistoryError(f"a tally counts sent = good + bad + lost over a stretch of time, got {self}")

    def line(self) -> str:
        """One line of load.jsonl, without its newline."""
        return json.dumps(asdict(self), separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run that was recorded. `about` is run.json."""

    about: dict[str, Any]
    journal: Journal
    load: tuple[Tally, ...]

    @classmethod
    def read(cls, path: Path) -> Recorded:
        """Errors: `HistoryError` with file and line."""
        about = _about(path)
        load = path / "load.jsonl"
        lines = load.read_text(encoding="utf-8").split("\n") if load.is_file() else []
        # A last line without its end was being written when the run died.
        tallies = [_tally(line, f"{load}:{number}") for number, line in enumerate(lines[:-1], 1)]
        return cls(about, Journal.read(path), tuple(tallies))


def is_recorded(path: Path) -> bool:
    """Whether a folder holds a recorded run."""
    try:
        _about(path)
    except HistoryError:
        return False
    return True


def _about(path: Path) -> dict[str, Any]:
    file = path / "run.json"
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
        if about["seatrial"] != "real-run":
            raise ValueError("it is something else")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HistoryError(f"{path} holds no recorded run ({error}); name the folder of a seatrial real run") from None
    if about.get("format") != FORMAT:
        raise HistoryError(f"{file}: format {about.get('format')!r} of another version; this one reads format {FORMAT}")
    return dict(about)


_FIELDS = tuple(field.name for field in fields(Tally))


def _tally(line: str, where: str) -> Tally:
    try:
        document = json.loads(line)
        return Tally(**{name: document[name] for name in _FIELDS if name in document})
    except (ValueError, TypeError, HistoryError) as error:
        raise HistoryError(f"{where}: not a tally of the load ({error})") from error
