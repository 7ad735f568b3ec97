"""The memo holds what was used last, up to its bytes, and never changes an answer."""

from __future__ import annotations

from dataclasses import dataclass

from sim.engine.memo import Memo


@dataclass
class Block:
    nbytes: int


def test_the_least_recently_used_goes_first() -> None:
    made: list[int] = []

    def make(size: int) -> Block:
        made.append(size)
        return Block(size)

    memo = Memo(make, 100)
    for size in (40, 50, 40, 30, 40, 50):  # 30 drives out 50, and the return of 50 drives out 30
        assert memo.get(size, size) == Block(size)
    assert made == [40, 50, 30, 50]
    assert memo.nbytes == 90 and len(memo) == 2


def test_one_that_is_too_large_is_still_answered_and_kept_alone() -> None:
    memo = Memo(Block, 100)
    memo.get("small", 10)
    assert memo.get("large", 1000).nbytes == 1000
    assert len(memo) == 1
    assert memo.get("small", 10).nbytes == 10
    assert len(memo) == 1 and memo.nbytes == 10
