"""Which images a lab uses, by role. A small map for sites without a way out: `images: {python: registry.example/python:3.12, ...}`.

In this order: the map, the environment (SEATRIAL_NODE_IMAGE, SEATRIAL_PYTHON_IMAGE...), a local image of the engine, the public one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # as in sim.files.tree

from real.docker import images as docker
from sim.cli.exits import Usage

__all__ = ["ROLES", "Images"]

# role -> (a local image that is taken if it is there, the public one)
ROLES: Mapping[str, tuple[str, str]] = {
    "node": ("", "kindest/node:v1.32.2"),
    "python": ("seatrial-kit/python:3.11", "python:3.12-slim"),
    "haproxy": ("seatrial-kit/haproxy:2.6", "haproxy:2.8"),
    "nginx": ("seatrial-kit/nginx:1.22", "nginx:1.27"),
    "prometheus": ("seatrial-kit/prometheus:2.42", "prom/prometheus:v2.55.1"),
    "registry": ("seatrial-kit/registry:2.8", "registry:2"),
}


@dataclass(frozen=True, slots=True)
class Images:
    """The map as it was given."""

    given: Mapping[str, str]

    @classmethod
    def read(cls, path: Path | None) -> Images:
        """From a YAML file with the key `images`. Errors: Usage."""
        if path is None:
            return cls({})
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
            given = document["images"]
            unknown = sorted(set(given) - set(ROLES))
        except (OSError, yaml.YAMLError, KeyError, TypeError):
            raise Usage(f"{path}: not a map of images; write images: {{python: ..., haproxy: ...}}") from None
        if unknown or not all(isinstance(image, str) for image in given.values()):
            raise Usage(f"{path}: no image has the role {', '.join(unknown)}; roles are {', '.join(ROLES)}")
        return cls(given)

    def of(self, role: str, *, local: bool = True) -> str:
        """The image of a role; `local` False does not ask the engine of this machine (a cluster elsewhere)."""
        told = self.given.get(role) or os.environ.get(f"SEATRIAL_{role.upper()}_IMAGE")
        if told:
            return told
        here, public = ROLES[role]
        return here if here and local and docker.present(here) else public
