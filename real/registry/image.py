"""An image as bytes: its configuration and layers, read from an archive, pushed, and looked at before a pull."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from real.registry.distribution import MANIFESTS, Distribution, Manifest
from real.registry.errors import ArtifactMissing, BadResponse, PlatformMissing
from real.registry.reference import digest

_MANIFEST, _INDEX, _DOCKER, _LIST = MANIFESTS
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
GZIP = b"\x1f\x8b"  # RFC 1952 section 2.3.1


@dataclass(frozen=True, slots=True)
class Image:
    """One platform's image: the configuration and the layers, lowest first, each a tar or a tar.gz."""

    config: bytes
    layers: tuple[bytes, ...]

    def manifest(self) -> bytes:
        """The manifest that names them all."""
        layers = [
            {
                "mediaType": _LAYER + "+gzip" * one.startswith(GZIP),
                "digest": digest(one),
                "size": len(one),
            }
            for one in self.layers
        ]
        config = {"mediaType": _CONFIG, "digest": digest(self.config), "size": len(self.config)}
        whole = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": layers}
        return json.dumps(whole).encode("ascii")

    @property
    def size(self) -> int:
        """Bytes that a registry stores for it at most."""
        return len(self.manifest()) + len(self.config) + sum(map(len, self.layers))


def archive(path: Path) -> Image:
    """The only image of a `docker save` archive. Raises BadResponse for anything else."""
    try:
        with tarfile.open(path) as file:

            def member(name: str) -> bytes:
                found = file.extractfile(name)
                assert found is not None
                return found.read()

            (one,) = json.loads(member("manifest.json"))
            return Image(member(one["Config"]), tuple(member(name) for name in one["Layers"]))
    except (OSError, tarfile.TarError, KeyError, ValueError, TypeError, AssertionError) as error:
        raise BadResponse(f"{path}: no archive of one image ({error})") from None


def push(registry: Distribution, repository: str, image: Image, tag: str) -> str:
    """Layers, configuration, then the manifest, which is read back before its digest is returned."""
    for one in (*image.layers, image.config):
        registry.upload(repository, one)
    body = image.manifest()
    name = registry.store(repository, tag, body, _MANIFEST)
    registry.manifest(repository, name)
    return name


def chosen(registry: Distribution, repository: str, name: str, platform: str) -> Manifest:
    """The manifest that a node of this platform (`linux/amd64`) pulls; through an index where it is one."""
    found = registry.manifest(repository, name)
    if found.media_type not in (_INDEX, _LIST):
        return found
    there = [(_platform(one), one["digest"]) for one in _document(found).get("manifests", ())]
    for known, below in there:
        if known == platform:
            return registry.manifest(repository, below)
    listed = ", ".join(known for known, _ in there) or "nothing"
    raise PlatformMissing(f"{repository}@{name} has {listed}, not {platform}")


def complete(registry: Distribution, repository: str, name: str, platform: str) -> Manifest:
    """`chosen`, after every blob was seen: a garbage collection may have removed blobs of a live manifest.

    Raises ArtifactMissing; a blob that is missing is looked for twice, since a collection may be under way.
    """
    found = chosen(registry, repository, name, platform)
    for blob in blobs(found):
        if not registry.holds(repository, blob) and not registry.holds(repository, blob):
            raise ArtifactMissing(f"{repository}@{name}: its blob {blob} is gone")
    return found


def blobs(manifest: Manifest) -> Iterator[str]:
    """What a pull of this manifest needs: configuration and layers. Raises BadResponse."""
    document = _document(manifest)
    try:
        yield document["config"]["digest"]
        yield from (layer["digest"] for layer in document["layers"])
    except (KeyError, TypeError) as error:
        raise BadResponse(f"{manifest.digest}: a manifest of {manifest.media_type} without {error}") from None


def _document(manifest: Manifest) -> dict[str, Any]:
    try:
        document = json.loads(manifest.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise BadResponse(f"{manifest.digest}: a manifest that is no JSON object")
    return document


def _platform(entry: dict[str, Any]) -> str:
    platform = entry.get("platform") or {}
    parts = (platform.get("os"), platform.get("architecture"), platform.get("variant"))
    return "/".join(str(part) for part in parts if part)
