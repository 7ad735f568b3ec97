"""Digests of what a scenario says, not of where it lies or how it is spelled."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from sim.files.words import Path, dotted, show

PRINTED = 16  # hex digits shown to people: 64 bits, ample against chance


def canonical(value: object) -> bytes:
    """One byte string per value: JSON with sorted keys, no spaces, floats by their shortest repr (`json` uses it).

    Takes None, bool, int, float, str, lists, tuples and mappings with text keys. Raises ValueError for anything else,
    NaN and infinities included, with the path of the culprit. 1 and 1.0 differ.
    """
    return json.dumps(_plain(value, ()), sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def digest(*parts: bytes) -> str:
    """SHA-256 over the parts and their boundaries, in hex: digest(b"ab") is not digest(b"a", b"b")."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.hexdigest()


def _plain(value: Any, path: Path) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item, (*path, index)) for index, item in enumerate(value)]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(item, (*path, key)) for key, item in value.items()}
    shown = "a mapping with keys that are not text" if isinstance(value, Mapping) else show(value)
    place = dotted(path) or "the value"
    raise ValueError(f"{place}: {shown} has no canonical form; use text, numbers, lists and mappings")
