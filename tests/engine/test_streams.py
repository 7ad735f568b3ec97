"""Addresses of random numbers: the same number whoever asks, in whatever order and amount."""

from __future__ import annotations

import pickle
from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.engine.streams import Stream, uniform

_MASK = (1 << 64) - 1
PINNED = [
    0x1488809E2A171C1B,
    0xE19BF1CD1039BBF7,
    0xC1064EE6DE7D26CF,
    0xA23F8D690B138C01,
]


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> list[int]:
    """Philox4x64-10 in plain Python, from the paper: the oracle of the layout."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = 0xD2E7470EE14C6C93 * c0, 0xCA5A826395121157 * c2
        c0, c1, c2, c3 = (p1 >> 64) ^ c1 ^ k0, p1 & _MASK, (p0 >> 64) ^ c3 ^ k1, p0 & _MASK
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & _MASK, (k1 + 0xBB67AE8584CAA73B) & _MASK
    return [c0, c1, c2, c3]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**64),
    width=st.integers(1, 40),
    replication=st.integers(0, 2**40),
    block=st.integers(0, 2**30),
    part=st.integers(0, 50),
    count=st.integers(1, 5),
)
def test_one_replication_is_a_row_of_a_batch(
    seed: int, width: int, replication: int, block: int, part: int, count: int
) -> None:
    stream = Stream(seed, "arrivals", width)
    batch = stream.raw_block(replication, count, block, width, part)
    rows = [stream.raw(replication + i, block, width, part) for i in range(count)]
    assert batch.shape == (count, width) and batch.dtype == np.uint64
    assert np.array_equal(batch, np.array(rows))


def test_the_address_is_the_philox_counter() -> None:
    stream = Stream(7, "arrivals", 10)
    assert stream.width == 12
    expected = [word for step in (1, 2, 3) for word in philox((5 * 3 + step, 2, 1, 0), stream.key)]
    assert stream.raw(5, 2, 12, part=1).tolist() == expected


def test_numbers_are_pinned() -> None:
    """A change here changes every published result: it needs a new stream version in the change note."""
    assert Stream(7, "arrivals", 4).raw(0, 0, 4).tolist() == PINNED


def test_order_and_amount_of_earlier_draws_do_not_matter() -> None:
    calm, busy = Stream(1, "errors", 8), Stream(1, "errors", 8)
    for i in (9, 3, 3, 100):
        busy.raw(i, 4, 5)
    busy.raw_block(0, 50, 1, 8)
    assert np.array_equal(calm.raw(2, 1, 8), busy.raw(2, 1, 8))
    assert np.array_equal(calm.raw(2, 1, 8)[:3], busy.raw(2, 1, 3))


def test_every_part_of_the_address_counts() -> None:
    base = Stream(1, "errors", 8).raw(0, 0, 8)
    others = [
        Stream(2, "errors", 8).raw(0, 0, 8),
        Stream(1, "error", 8).raw(0, 0, 8),
        Stream(1, "errors", 8).raw(1, 0, 8),
        Stream(1, "errors", 8).raw(0, 1, 8),
        Stream(1, "errors", 8).raw(0, 0, 8, part=1),
    ]
    assert not any(np.intersect1d(base, other).size for other in others)


def test_seed_and_purpose_do_not_run_together() -> None:
    assert Stream(1, "2x", 4).key != Stream(12, "x", 4).key


def test_uniforms_are_exact_and_below_one() -> None:
    ends = uniform(np.array([0, 1 << 11, (1 << 64) - 1], np.uint64))
    assert ends.tolist() == [0.0, 2.0**-53, 1.0 - 2.0**-53]
    stream = Stream(3, "faults", 6)
    assert np.array_equal(stream.uniforms_block(4, 2, 0, 6)[1], stream.uniforms(5, 0, 6))


def test_a_stream_travels() -> None:
    stream = Stream(3, "faults", 6)
    again = pickle.loads(pickle.dumps(stream))
    assert repr(again) == "Stream(3, 'faults', width=8)"
    assert np.array_equal(again.raw(1, 2, 8), stream.raw(1, 2, 8))


def test_threads_share_a_stream() -> None:
    stream, found = Stream(3, "faults", 64), {}

    def ask(start: int) -> None:
        found[start] = [stream.raw(i, 0, 64) for i in range(start, start + 200)]

    threads = [Thread(target=ask, args=(start,)) for start in (0, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for start, rows in found.items():
        assert np.array_equal(np.array(rows), stream.raw_block(start, 200, 0, 64))


def test_bits_look_fair() -> None:
    """Each of 64 bits is set in half of 65,536 words: 64 two-sided tests at 1e-6 each, false alarm below 1e-4."""
    words = Stream(11, "fair", 64).raw_block(0, 1024, 0, 64).reshape(-1)
    ones = [int(((words >> np.uint64(bit)) & np.uint64(1)).sum()) for bit in range(64)]
    assert all(abs(count - 32768) < 4.9 * 128 for count in ones)


@pytest.mark.parametrize("first, count, n", [(0, 1, 9), (-1, 2, 4), (2**62, 1, 4), (2**61, 2**62, 4)])
def test_numbers_beyond_the_layout_are_refused(first: int, count: int, n: int) -> None:
    with pytest.raises(ValueError, match=r"widen it|must lie in"):
        Stream(1, "errors", 8).raw_block(first, count, 0, n)
    if count == 1:
        with pytest.raises(ValueError, match=r"widen it|must lie in"):
            Stream(1, "errors", 8).raw(first, 0, n)


def test_an_empty_layout_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 number, got 0"):
        Stream(1, "errors", 0)
