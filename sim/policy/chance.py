"""Chance as a pure function: a number for a seed and a key, the same on every machine, in every order, in every replay.

There is no generator and no state: who needs "the noise of look 3" asks for it by that name, and asks again in a
replay. BLAKE2b is the hash: stable by its specification (RFC 7693), good in every bit, and a C function in the standard
library.
"""

from __future__ import annotations

from hashlib import blake2b
from statistics import NormalDist

__all__ = ["Key", "derive", "normal", "uniform"]

Key = int | str
_STANDARD = NormalDist()


def _bits(seed: int, key: tuple[Key, ...]) -> int:
    """53 bits from the seed and the key. Every part carries its type and its length, so no two keys read the same."""
    parts = (f"{'s' if isinstance(part, str) else 'i'}{len(str(part))}:{part}" for part in (seed, *key))
    return int.from_bytes(blake2b("".join(parts).encode(), digest_size=8).digest(), "big") >> 11


def derive(seed: int, *key: Key) -> int:
    """A seed of its own for a part of the whole (a run, a metric), 53 bits."""
    return _bits(seed, key)


def uniform(seed: int, *key: Key) -> float:
    """Uniform in [0, 1), a multiple of 2^-53.

    >>> uniform(1, "random", 0) == uniform(1, "random", 0) != uniform(1, "random", 1)
    True
    """
    return _bits(seed, key) * 2.0**-53


def normal(seed: int, *key: Key) -> float:
    """Standard normal by the inverse distribution function, at the middle of the uniform's cell (so never infinite)."""
    return _STANDARD.inv_cdf((_bits(seed, key) >> 1) * 2.0**-52 + 2.0**-53)
