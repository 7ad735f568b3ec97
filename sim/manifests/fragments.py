"""Parts of objects, as documentation prints them: told by their content, so that the report can name the whole."""

from __future__ import annotations

from typing import Any

__all__ = ["part_of"]

# (keys that all must be there, what it is part of); the first that fits names it.
_PARTS = (
    (("analysis",), "fragment of a Canary's analysis"),
    (("webhooks",), "fragment of a Canary's analysis"),
    (("strategy",), "fragment of a Rollout's or a Deployment's spec"),
    (("canary",), "fragment of a Rollout's strategy"),
    (("blueGreen",), "fragment of a Rollout's strategy"),
    (("steps",), "fragment of a Rollout's canary strategy"),
    (("metrics",), "fragment of an AnalysisTemplate's spec"),
    (("deploy",), "fragment of a Compose service"),
    (("spec",), "an object without apiVersion and kind"),
)


def part_of(value: Any) -> str:
    """A remark that says what the document seems to be part of, and what to do."""
    if isinstance(value, dict):
        for keys, what in _PARTS:
            if all(key in value for key in keys):
                return f"{what}; give --as, or write it into a whole object"
    return "neither a manifest nor a Compose file; give an object with apiVersion and kind"
