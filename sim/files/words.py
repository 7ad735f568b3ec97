"""Small words of file errors: how a value is shown, a list is written, a near miss is guessed."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence

Path = tuple[str | int, ...]

_LONGEST = 60  # a longer value is cut in a message; a longer key is not worth guessing at


def show(value: object) -> str:
    """A value as its author wrote it, near enough to be found in the file."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if isinstance(value, int) and value.bit_length() > 1_000:  # Python refuses to print more than 4,300 digits
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, str):
        return repr(value) if len(value) <= _LONGEST else f"{value[:_LONGEST]!r}..."
    return repr(value)


def dotted(path: Iterable[str | int]) -> str:
    """A path as printed: `policy.steps.0.setWeight`."""
    return ".".join(short(str(part)) for part in path)


def short(text: str) -> str:
    """A name that is not of our making, cut to what fits in a message."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def nearest(word: str, names: Sequence[str]) -> str | None:
    """The one of `names` that was probably meant, or None; a difference of case alone always counts."""
    if len(word) > _LONGEST:
        return None
    same = [name for name in names if name.lower() == word.lower()]
    # 0.6 is difflib's own default cutoff: 'setwieght' finds 'setWeight', 'pause' does not find 'plugin'.
    near = same or difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return near[0] if near else None


def choose(word: object, names: Sequence[str]) -> str:
    """The remedy for a word that is none of `names`."""
    guess = nearest(word, names) if isinstance(word, str) else None
    if guess is not None:
        return f"did you mean {guess}?"
    return f"use one of: {', '.join(names)}" if names else "remove it"
