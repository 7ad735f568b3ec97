"""Build, push and name images. An image is deployed by digest only: `push` answers with the digest that the registry computed."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from typing import Any

from real.docker.engine import engine
from sim.policy.errors import WorldError

__all__ = ["build", "context", "present", "push"]


def present(name: str) -> bool:
    """Whether the local engine has the image."""
    import docker

    try:
        engine().images.get(name)
    except docker.errors.ImageNotFound:
        return False
    return True


def context(files: Mapping[str, str]) -> io.BytesIO:
    """A build context of text files, the same bytes every time, so that the builder's cache finds it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in sorted(files.items()):
            data = text.encode("utf-8")
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(data), 0o644, 0
            archive.addfile(entry, io.BytesIO(data))
    buffer.seek(0)
    return buffer


def build(tag: str, files: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """Build an image from files (a Dockerfile among them); its identity."""
    import docker

    try:
        image, _ = engine().images.build(
            fileobj=context(files), custom_context=True, tag=tag, labels=dict(labels), rm=True, network_mode="none"
        )
    except (docker.errors.BuildError, docker.errors.APIError) as error:
        raise WorldError(f"the image {tag} was not built: {error}") from None
    return str(image.id)


def push(tag: str, target: str, auth: Mapping[str, str] | None = None) -> str:
    """Push a local image as `target` (registry/repository:tag); the digest, `sha256:...`."""
    client = engine()
    repository, _, version = target.rpartition(":")
    client.images.get(tag).tag(repository, version)
    digest = ""
    for line in client.images.push(
        repository, version, stream=True, decode=True, auth_config=dict(auth) if auth else None
    ):
        if "error" in line:
            raise WorldError(f"{target} was not pushed: {line['error']}")
        digest = _digest(line) or digest
    if not digest:
        raise WorldError(f"the registry did not tell the digest of {target}")
    return digest


def _digest(line: dict[str, Any]) -> str:
    aux = line.get("aux")
    return str(aux.get("Digest", "")) if isinstance(aux, dict) else ""
