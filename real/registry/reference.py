"""Names of images. What is deployed is named by digest; a tag is only ever resolved, once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from real.registry.errors import TagRefused

# OCI distribution specification, "Pulling manifests": names, and the digests of the image specification.
_NAME = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
_HOST = r"(?:localhost|[A-Za-z0-9.-]+\.[A-Za-z0-9.-]+|[A-Za-z0-9.-]+(?=:))(?::\d+)?|\[[0-9a-fA-F:]+\](?::\d+)?"
_DIGEST = r"sha256:[0-9a-f]{64}"
_PINNED = re.compile(rf"(?:(?P<host>{_HOST})/)?(?P<repository>{_NAME})(?::[\w][\w.-]{{0,127}})?@(?P<digest>{_DIGEST})")


def digest(content: bytes) -> str:
    """The name of these bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def is_digest(text: str) -> bool:
    return re.fullmatch(_DIGEST, text) is not None


@dataclass(frozen=True, slots=True)
class Pinned:
    """An image by digest: `host` as the nodes know the registry ('' where that is Docker's own default)."""

    host: str
    repository: str
    digest: str

    def __str__(self) -> str:
        return f"{self.host}/{self.repository}@{self.digest}" if self.host else f"{self.repository}@{self.digest}"

    @property
    def project(self) -> str:
        """Harbor's project: the first part of the repository's name."""
        return self.repository.partition("/")[0]

    @property
    def name(self) -> str:
        """The repository's name inside its project."""
        return self.repository.partition("/")[2]


def pinned(text: str) -> Pinned:
    """Read `host/repository@sha256:...`. Raises TagRefused for anything without a digest."""
    found = _PINNED.fullmatch(text)
    if found is None:
        raise TagRefused(f"{text!r} names no digest, so that it may be another image tomorrow")
    return Pinned(found["host"] or "", found["repository"], found["digest"])
