"""Scenarios with a delivery system: whether the registry still has what a rollback needs (L43)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sim.files import Document, FileErrors
from sim.lint.finding import Finding
from sim.lint.spot import Spot, said

if TYPE_CHECKING:
    from sim.pipeline.model import PipelineModel

__all__ = ["check"]

_SLOW = 0.99  # a person who takes as long as once in a hundred


def check(documents: Iterable[Document]) -> Iterator[Finding]:
    """Findings about the artifact stores of scenarios."""
    for document in documents:
        if document.kind_hint == "scenario" and isinstance(document.value.get("pipeline"), dict):
            yield from _retention(document)


def _retention(document: Document) -> Iterator[Finding]:
    from sim.scenario import load

    try:
        model = load(document).pipeline
    except FileErrors:
        return  # told with the other problems of the file
    if model is None or model.recovery.method != "rollback":
        return
    spot = Spot(document, (), document.value).child("pipeline", "artifacts")
    need = model.recovery.response.draw(_SLOW)
    keep, age = model.artifacts.keep, model.artifacts.max_age
    held = _held(model)
    if keep == 1:
        yield spot.found(
            "L43", "keep: 1 keeps the newest image only: the one before it is gone at the next collection", "keep"
        )
    elif held is not None and held < need:
        words = f"keep: {keep} at {model.commits.per_hour:g} pushes an hour holds {said(held)} of images, "
        yield spot.found("L43", f"{words}a person may need {said(need)} (1 in 100 does)", "keep")
    if age is not None and age < need:
        yield spot.found(
            "L43",
            f"max_age {said(age)}, a person may need {said(need)} (1 in 100 does)",
            "max_age",
        )


def _held(model: PipelineModel) -> float | None:
    """Seconds of working time until so many newer images exist that the stable one goes."""
    keep = model.artifacts.keep
    return None if keep is None else 3600.0 * keep / model.commits.per_hour
