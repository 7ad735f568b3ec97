"""Where a trial's images come from: our registry beside the cluster, or one that was named (Harbor, or any that speaks the same protocol).

Credentials come from the environment or a file (real/registry/secrets.py), a CA bundle from SEATRIAL_REGISTRY_CA.
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from real.cluster import forms
from real.cluster.api import Object
from real.cluster.names import labels
from real.docker.engine import engine
from real.lab.ground import Ground
from real.lab.stage import workloads
from real.registry.connect import connect
from real.registry.image import Image, archive
from real.registry.port import Finding, Planned, Registry
from real.registry.reference import Pinned, pinned
from real.registry.secrets import Credentials, credentials
from real.routers.base import Place

__all__ = ["CA", "checked", "looked", "place", "pushed", "secret"]

CA = "SEATRIAL_REGISTRY_CA"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def place(registry: str) -> tuple[str, str, str]:
    """(address, host as nodes know it, project) of what was written after --registry: HOST/PROJECT, or with https:// before it.

    >>> place("harbor.example.org/shop")
    ('https://harbor.example.org', 'harbor.example.org', 'shop')
    >>> place("127.0.0.1:5001/shop")
    ('http://127.0.0.1:5001', '127.0.0.1:5001', 'shop')
    """
    scheme, found, rest = registry.partition("://")
    host, _, project = (rest if found else registry).strip("/").partition("/")
    plain = urlsplit(f"//{host}").hostname in _LOOPBACK
    return f"{scheme if found else 'http' if plain else 'https'}://{host}", host, project


@contextmanager
def _opened(address: str, host: str) -> Iterator[Registry]:
    bundle = os.environ.get(CA)
    with connect(address, credentials(os.environ), ca=Path(bundle) if bundle else None, host=host) as server:
        yield server


def pushed(registry: str, tag: str, name: str) -> str:
    """A local image, pushed under its own tag, read back, and named by digest."""
    address, host, project = place(registry)
    repository = f"{project}/{name}" if project else name
    with _opened(address, host) as server:
        return str(server.push(repository, _saved(tag), tag.rpartition(":")[2]))


def secret(registry: str, where: Place, known: Credentials | None) -> Object | None:
    """What nodes pull with from a registry that was named: a Secret of the app's namespace; None where it asks for nothing."""
    if not registry or known is None:
        return None
    auths = {"auths": {place(registry)[1]: {"auth": known.basic().removeprefix("Basic ")}}}
    return {
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": f"{where.app}-registry", "namespace": where.namespace, "labels": labels(where.app)},
        "data": {".dockerconfigjson": base64.b64encode(json.dumps(auths).encode()).decode("ascii")},
    }  # fmt: skip


def _saved(tag: str) -> Image:
    """An image of the local engine."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "image.tar"
        with file.open("wb") as out:
            for part in engine().images.get(tag).save():
                out.write(part)
        return archive(file)


def checked(ground: Ground, where: Place, registry: str, lasts_s: float) -> tuple[Finding, ...]:
    """The preflight of a rollout: whether the image that serves now can be pulled again, now and until the end."""
    api = ground.reads()
    try:
        images = [forms.workload(found).image for found in workloads(api, where)]
    finally:
        api.close()
    return tuple(finding for image in images for finding in looked(ground, pinned(image), registry, lasts_s))


def looked(ground: Ground, image: Pinned, registry: str, lasts_s: float) -> tuple[Finding, ...]:
    """The same for one image by digest."""
    known = {place(registry)[1]: place(registry)[0]} if registry else {}
    if ground.registry is not None:
        known[ground.registry.host] = f"http://127.0.0.1:{ground.registry.port}"
    if image.host not in known:
        text = f"{image} comes from a registry that was not named; whether it can be pulled again is not known"
        return (Finding("rollback image", "note", text, "name it: --registry HOST/PROJECT"),)
    with _opened(known[image.host], image.host) as server:
        return server.preflight(image, Planned(lasts_s))
