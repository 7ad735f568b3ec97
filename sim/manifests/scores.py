"""The thresholds of a score, as Spinnaker and Argo Rollouts write them."""

from __future__ import annotations

from sim.manifests.fields import Reader

__all__ = ["thresholds"]


def thresholds(block: Reader) -> tuple[float | None, float | None]:
    """(pass, marginal); Spinnaker writes them as text."""
    found = []
    for name in ("pass", "marginal"):
        value = block.raw(name)
        try:
            found.append(None if value is None or value == "" else float(value))
        except (TypeError, ValueError):
            block.reject(f"{value!r} is not a score", "write e.g. 75", name)
            found.append(None)
    return found[0], found[1]
