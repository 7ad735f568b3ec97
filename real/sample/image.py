"""The image of the sample service: one file on a Python base. Two versions differ by a label, as two builds of one program do."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from real.docker import images

__all__ = ["BASES", "Faults", "base", "build", "dockerfile"]

Faults = Sequence[tuple[str, Mapping[str, Any]]]
"""(kind, params) of faults that are bound to a version, as the catalogue names them."""

# Tried in this order where SEATRIAL_PYTHON_IMAGE does not say: a local kit's image, then the public one.
BASES = ("seatrial-kit/python:3.11", "python:3.12-slim")


def base() -> str:
    """The Python image that the sample stands on."""
    told = os.environ.get("SEATRIAL_PYTHON_IMAGE")
    return told or (BASES[0] if images.present(BASES[0]) else BASES[1])


def dockerfile(on: str, faults: Faults = ()) -> str:
    """A bad build is bad inside: its faults are part of the image, so that its digest tells them."""
    written = json.dumps([{"kind": kind, "params": dict(params)} for kind, params in faults])
    return f"FROM {on}\nENV FAULTS={json.dumps(written)}\nCOPY app.py /app.py\nENTRYPOINT [\"python3\", \"/app.py\"]\n"


def build(version: str, faults: Faults = (), on: str | None = None) -> str:
    """Build a version of the sample; the local tag."""
    tag = f"seatrial/sample:{version}"
    source = Path(__file__).with_name("app.py").read_text(encoding="utf-8")
    files = {"Dockerfile": dockerfile(on or base(), faults), "app.py": source}
    images.build(tag, files, {"org.opencontainers.image.version": version})
    return tag
