"""The gallery: scenarios that are shipped, beside the package in a checkout, inside it in an installed one."""

from __future__ import annotations

from pathlib import Path

import sim
from sim.cli.exits import Missing, Usage
from sim.files.words import choose

__all__ = ["folder", "names", "shipped"]


def folder() -> Path:
    """Where the shipped scenarios are (ecosystem.md section 12: an editable install has no bundled copy)."""
    here = Path(sim.__file__).parent
    for place in (here / "_bundled" / "scenarios", here.parent / "scenarios"):
        if (place / "demo.yaml").is_file():
            return _near(place)
    raise Missing("the shipped scenarios are not here; install seatrial again: pip install --force-reinstall seatrial")


def _near(place: Path) -> Path:
    """As a person in this folder would write it."""
    here = Path.cwd()
    return place.relative_to(here) if place.is_relative_to(here) else place


def names() -> list[str]:
    """The scenarios of the gallery."""
    return sorted(path.stem for path in folder().glob("*.yaml"))


def shipped(name: str) -> Path:
    """The file of one of them. Raises Usage for an unknown name."""
    if name not in names():
        raise Usage(f"there is no scenario {name!r} in the gallery; {choose(name, names())}")
    return folder() / f"{name}.yaml"
