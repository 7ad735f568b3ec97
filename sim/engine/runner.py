"""Replications of many cases, in parallel, until enough is known. Results depend on seed and replication index only.

Work is cut into chunks of one case and consecutive replications; chunks run on one worker inline, on several through joblib, and come back
in the order of submission. A `Store` keeps finished chunks, so that an interrupted run can be continued.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from sim.engine.paths import Case, follow
from sim.engine.rows import ROW, Rows, empty

__all__ = ["CHUNK", "Chunk", "FolderStore", "Interrupted", "Store", "run"]

CHUNK = 500  # replications a chunk: what fits the cache and keeps several workers busy

Progress = Callable[[int, int], None]
"""Hears (finished, planned) replications, over all cases."""

Enough = Callable[[list[Rows]], bool]
"""Asked after every round, with the rows of every case so far: is this enough?"""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Replications [first, first + count) of one case."""

    case: int
    first: int
    count: int


class Store(Protocol):
    """Keeps finished chunks."""

    def get(self, chunk: Chunk) -> Rows | None: ...

    def put(self, chunk: Chunk, rows: Rows) -> None: ...


class Interrupted(KeyboardInterrupt):
    """The run was interrupted; `rows` hold what was finished of every case."""

    def __init__(self, rows: list[Rows]) -> None:
        super().__init__("interrupted")
        self.rows = rows


class FolderStore:
    """Chunks as .npy files in a folder; a chunk that was cut short by a crash is made again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, chunk: Chunk) -> Rows | None:
        path = self._path(chunk)
        if not path.exists():
            return None
        rows: Rows = np.load(path, allow_pickle=False)
        return rows if rows.dtype == ROW and len(rows) == chunk.count else None

    def put(self, chunk: Chunk, rows: Rows) -> None:
        path = self._path(chunk)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.save(file, rows, allow_pickle=False)
        part.replace(path)

    def _path(self, chunk: Chunk) -> Path:
        return self._folder / f"case{chunk.case}-{chunk.first}-{chunk.count}.npy"


def run(
    cases: Sequence[Case],
    seed: int,
    rounds: Iterable[int],
    *,
    enough: Enough | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    store: Store | None = None,
) -> list[Rows]:
    """Rows of every case, by replication. `rounds` are totals to reach (500, 1000, ...); after each one `enough` may stop.

    Raises `Interrupted` with what is finished when the person interrupts.
    """
    done, filled = [empty(0) for _ in cases], [0 for _ in cases]
    reached = 0
    try:
        for total in rounds:
            for case in range(len(cases)):
                done[case] = _longer(
                    done[case], total
                )  # in place of parts that are joined in the end: twice the memory
            for chunk, rows in _work(cases, seed, _chunks(len(cases), reached, total), workers, store):
                filled[chunk.case] = chunk.first + chunk.count
                done[chunk.case][chunk.first : filled[chunk.case]] = rows
                if progress is not None:
                    progress(sum(filled), total * len(cases))
            reached = total
            if enough is not None and enough(done):
                break
    except KeyboardInterrupt:
        raise Interrupted([rows[:number] for rows, number in zip(done, filled, strict=True)]) from None
    return done


def _longer(rows: Rows, total: int) -> Rows:
    longer = empty(total)
    longer[: len(rows)] = rows
    return longer


def _chunks(cases: int, reached: int, total: int) -> list[Chunk]:
    """The chunks of a round: their borders depend on the replication index only."""
    chunks = []
    first = reached
    while first < total:
        count = min(total, (first // CHUNK + 1) * CHUNK) - first
        chunks += [Chunk(case, first, count) for case in range(cases)]
        first += count
    return chunks


def _work(
    cases: Sequence[Case], seed: int, chunks: Sequence[Chunk], workers: int, store: Store | None
) -> Iterator[tuple[Chunk, Rows]]:
    known = {chunk: rows for chunk in chunks if store is not None and (rows := store.get(chunk)) is not None}
    open_chunks = [chunk for chunk in chunks if chunk not in known]
    fresh = _compute(cases, seed, open_chunks, workers)
    for chunk in chunks:
        if chunk in known:
            yield chunk, known.pop(chunk)
        else:
            rows = next(fresh)
            if store is not None:
                store.put(chunk, rows)
            yield chunk, rows


def _compute(cases: Sequence[Case], seed: int, chunks: Sequence[Chunk], workers: int) -> Iterator[Rows]:
    if workers == 1 or len(chunks) < 2:
        for chunk in chunks:
            yield follow(cases[chunk.case], seed, chunk.first, chunk.count)
        return
    from joblib import Parallel, delayed  # heavy, and only needed for several workers

    tasks = (delayed(follow)(cases[chunk.case], seed, chunk.first, chunk.count) for chunk in chunks)
    with warnings.catch_warnings():
        # joblib replaces a worker that has grown, and says so; the rows are the same.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given to the executor", UserWarning)
        yield from Parallel(n_jobs=workers, return_as="generator", max_nbytes=None)(tasks)
