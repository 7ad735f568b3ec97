"""Every kind of fault: the only names that scenarios, journals and documents may use (faults.md section 2)."""

from __future__ import annotations

import difflib

from sim.faults.kind import Kind
from sim.faults.kinds import blocks, build, control, delivery, network, pods, telemetry, traffic

KINDS: dict[str, Kind] = {
    one.name: one
    for one in (
        *pods.KINDS,
        *build.KINDS,
        *network.KINDS,
        *blocks.KINDS,
        *delivery.KINDS,
        *traffic.KINDS,
        *telemetry.KINDS,
        *control.KINDS,
    )
}

MODELLED: tuple[str, ...] = tuple(name for name, one in KINDS.items() if one.modelled)
"""The kinds that the simulator carries out in its present form."""


def guess(word: str) -> str:
    """The remedy for a word that is no kind: up to three near names, else its family, else the modelled ones."""
    # 0.6 is difflib's own default cutoff. A long word is no misspelling, and comparing it would take long.
    near = difflib.get_close_matches(word, KINDS, n=3, cutoff=0.6) if len(word) <= 60 else []
    if near:
        return f"did you mean {' or '.join(near)}?"
    family = [name for name in KINDS if name.partition(".")[0] == word.partition(".")[0]]
    return f"use one of: {', '.join(family)}" if family else f"modelled kinds: {', '.join(MODELLED)}"
