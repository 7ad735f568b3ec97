"""Names that Prometheus takes for labels."""

from __future__ import annotations

import re

__all__ = ["is_label"]

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def is_label(name: str, utf8: bool = False) -> bool:
    """Whether a label may be called so; since 3.0 (`utf8`) any text but the empty one."""
    return bool(name) if utf8 else _LABEL.fullmatch(name) is not None
