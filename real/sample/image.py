"""The image of the sample service: one file on a Python base. Two versions differ by a label, as two builds of one program do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from real.docker import images

__all__ = ["Faults", "build", "dockerfile"]

Faults = Sequence[tuple[str, Mapping[str, Any]]]
"""(kind, params) of faults that are bound to a version, as the catalogue names them."""


def dockerfile(on: str, faults: Faults = ()) -> str:
    """A bad build is bad inside: its faults are part of the image, so that its digest tells them."""
    written = json.dumps([{"kind": kind, "params": dict(params)} for kind, params in faults])
    return f'FROM {on}\nENV FAULTS={json.dumps(written)}\nCOPY app.py /app.py\nENTRYPOINT ["python3", "/app.py"]\n'


def build(version: str, on: str, faults: Faults = ()) -> str:
    """Build a version of the sample on a Python image; the local tag."""
    tag = f"seatrial/sample:{version}"
    source = Path(__file__).with_name("app.py").read_text(encoding="utf-8")
    files = {"Dockerfile": dockerfile(on, faults), "app.py": source}
    images.build(tag, files, {"org.opencontainers.image.version": version})
    return tag
