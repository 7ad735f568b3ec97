"""The folder of a run: finished chunks on the way, the result at the end.

    run.json            what the chunks belong to: digest, seed, version, number of replications
    chunks/*.npy        finished chunks, while the run is not
    result.json, rows.npy
    runs/*.json         of a delivery system: the rows of every run, by number of policy and run

A folder is continued only with the same identity, so that its chunks are those that would be made again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.engine.rows import Rows
from sim.engine.runner import CHUNK, Chunk, FolderStore
from sim.policy.errors import HistoryError
from sim.results.result import Result, load

__all__ = ["Folder", "described"]


@dataclass(frozen=True, slots=True)
class Folder:
    """`path`, opened for a run with this identity."""

    path: Path
    resumed: bool

    @classmethod
    def opened(cls, path: Path, identity: dict[str, Any], asked: dict[str, Any], resume: bool) -> Folder:
        """Begin, or continue with `resume`; `asked` is kept for who continues. HistoryError when there is another run in it."""
        if resume:
            known = described(path)
            differing = [key for key in identity if known.get(key) != identity[key]]
            if differing:
                told = "; ".join(f"{key} {known.get(key)!r} there, {identity[key]!r} here" for key in differing)
                raise HistoryError(f"{path} holds another run ({told}); leave out --resume to begin anew")
        else:
            path.mkdir(parents=True, exist_ok=True)
            for name in ("chunks", "runs"):
                shutil.rmtree(path / name, ignore_errors=True)
            for name in ("result.json", "rows.npy"):
                (path / name).unlink(missing_ok=True)
            (path / "run.json").write_text(
                json.dumps({"seatrial": "run", **identity, "asked": asked}, indent=1) + "\n", encoding="utf-8"
            )
        return cls(path, resume)

    def store(self) -> FolderStore:
        """Where the engine keeps finished chunks."""
        return FolderStore(self.path / "chunks")

    def finished(self) -> Result | None:
        """The result, if the run that is continued was finished already."""
        if not self.resumed or not (self.path / "result.json").exists():
            return None
        result = load(self.path)
        return result if result.complete else None

    def keep(self, rows: Sequence[Rows], totals: Iterable[int]) -> None:
        """Cut finished rows (a prefix of every case) into the chunks that the engine asks for."""
        store, longest, start = self.store(), max(map(len, rows), default=0), 0
        for stop in borders(totals, longest):
            for case, mine in enumerate(rows):
                if stop <= len(mine):
                    store.put(Chunk(case, start, stop - start), mine[start:stop])
            start = stop

    def finish(self, result: Result) -> None:
        """Save the result; the chunks have done their work."""
        result.save(self.path)
        shutil.rmtree(self.path / "chunks", ignore_errors=True)


def borders(totals: Iterable[int], longest: int) -> list[int]:
    """Where chunks end, up to `longest`: at every total, and at every multiple of CHUNK.

    >>> borders([200, 700, 1300], 1300)
    [200, 500, 700, 1000, 1300]
    """
    found, reached = [], 0
    for total in totals:
        while reached < min(total, longest):
            reached = min(total, (reached // CHUNK + 1) * CHUNK)
            found.append(reached)
        if reached >= longest:
            break
    return [border for border in found if border <= longest]


def described(path: Path) -> dict[str, Any]:
    """What run.json says. HistoryError when there is none."""
    try:
        known = json.loads((path / "run.json").read_text(encoding="utf-8"))
        if known["seatrial"] != "run":
            raise ValueError("it is something else")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HistoryError(
            f"{path} holds no run that could be continued ({error}); leave out --resume to begin one"
        ) from None
    return dict(known)
