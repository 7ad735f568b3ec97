"""What a workload's pod template says: ready before the deadline, images that a rollback finds again, migrations (L17, L41, L42)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sim.lint.files import Files
from sim.lint.finding import Finding
from sim.lint.spot import Spot, seconds

__all__ = ["check", "containers", "late"]

_MOVING = frozenset(
    ("", "latest", "main", "master", "dev", "develop", "edge", "nightly", "stable", "prod", "production", "staging")
)
_MIGRATION = re.compile(r"\b(?:migrate|migrations?|flyway|liquibase|alembic|db-migrate|goose up)\b", re.IGNORECASE)
_DEADLINE = "progressDeadlineSeconds"


def check(files: Files) -> Iterator[Finding]:
    """Findings about pods."""
    for canary in files.objects("Canary"):
        yield from _target(files, canary.child("spec"))
    for workload in files.objects("Rollout", "Deployment"):
        yield from late(workload)
    set_elsewhere = _kustomized(files)
    for workload in files.objects("Rollout", "Deployment"):
        yield from _images(workload, set_elsewhere)
        yield from _migrations(workload)


def containers(spec: Spot, name: str = "containers") -> list[Spot]:
    return spec.child("template", "spec").items(name)


# ---- deadlines ----


def late(workload: Spot) -> Iterator[Finding]:
    """A pod that cannot be available before its own deadline."""
    spec = workload.child("spec")
    first, ready = _first_probe(spec), seconds(spec.get("minReadySeconds"), 0.0)
    deadline = seconds(spec.get(_DEADLINE), 600.0)
    if deadline <= ready + first and spec.has(_DEADLINE):
        parts = [f"{first:g}s until the first probe"] * bool(first) + [f"{ready:g}s minReadySeconds"] * bool(ready)
        yield spec.found(
            "L17", f"a deadline of {deadline:g}s, a pod takes at least {' + '.join(parts) or '0s'}", _DEADLINE
        )


def _target(files: Files, spec: Spot) -> Iterator[Finding]:
    """Flagger rolls back when the canary is not ready by its deadline; the pods are those of the target."""
    found = files.catalog.find("Deployment", spec.child("targetRef").text("name"), spec.document)
    if found is None or not spec.has(_DEADLINE):
        return
    target = Spot(found, (), found.value).child("spec")
    least = seconds(target.get("minReadySeconds"), 0.0) + _first_probe(target)
    deadline = seconds(spec.get(_DEADLINE), 600.0)
    if deadline <= least:
        words = (
            f"the canary has {deadline:g}s to become ready, its pods take at least {least:g}s: every release rolls back"
        )
        yield spec.found("L17", words, _DEADLINE, remedy="raise progressDeadlineSeconds above the start of a pod")


def _first_probe(spec: Spot) -> float:
    """Seconds before a pod can be ready at all: the first startup or readiness probe of its slowest container."""
    probes = [container.child(name) for container in containers(spec) for name in ("startupProbe", "readinessProbe")]
    return max((seconds(probe.get("initialDelaySeconds"), 0.0) for probe in probes), default=0.0)


# ---- images ----


def _images(workload: Spot, set_elsewhere: set[str]) -> Iterator[Finding]:
    spec = workload.child("spec")
    for container in [*containers(spec, "initContainers"), *containers(spec)]:
        image = container.text("image")
        if not image or "@" in image or "{{" in image or "$(" in image:
            continue
        folder, _, last = image.rpartition("/")
        name, _, tag = last.partition(":")
        if tag in _MOVING and (f"{folder}/{name}" if folder else name) not in set_elsewhere:
            words = f"has the moving tag {tag}" if tag else "has no tag, which means latest"
            yield container.found("L41", f"image {image} {words}", "image")


def _kustomized(files: Files) -> set[str]:
    """Images whose tag or digest a kustomization among the files sets."""
    roots = [Spot(document, (), document.value) for document in files.documents]
    images = [
        image
        for root in roots
        if root.has("resources") or root.get("kind") == "Kustomization"
        for image in root.items("images")
    ]
    return {image.text("name") for image in images if image.has("newTag") or image.has("digest")}


def _migrations(workload: Spot) -> Iterator[Finding]:
    for container in containers(workload.child("spec"), "initContainers"):
        words = " ".join(str(item) for name in ("name", "command", "args") for item in _listed(container.get(name)))
        if found := _MIGRATION.search(words):
            said = f"init container {container.text('name')} runs {found[0]!r} before the new version starts"
            yield container.found("L42", said, "name")


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value] if value is not None else []
