"""The two versions of a trial: the sample as it is, and the sample with the faults of a release inside. By digest, from the registry."""

from __future__ import annotations

from collections.abc import Iterable

from real.kind.registry import Local
from real.lab.images import Images
from real.sample import image
from real.sample.objects import Sample
from sim.faults.fault import Fault
from sim.policy.errors import WorldError
from sim.scenario.values import Release
from sim.service.model import Service

__all__ = ["around", "baked", "behaviour", "inside", "pushed"]

REPOSITORY = "seatrial/sample"

# Kinds of faults that are part of a version, and that the sample knows (real/sample/app.py).
_BAKED = (
    "build.error_rate", "build.latency", "build.memory_leak", "build.cpu", "build.segment_error", "build.wrong_result",
    "pod.slow_start", "pod.crash_loop",
)  # fmt: skip


def behaviour(service: Service) -> Sample:
    """The sample, set to be the scenario's service."""
    latency = service.latency
    shape = {} if latency is None else {"median": latency.median, "sigma": latency.sigma, "bounds": latency.bounds}
    return Sample(errors=service.errors, start=service.pods.start.draw(0.5), **shape)  # type: ignore[arg-type]


def baked(release: Release) -> tuple[Fault, ...]:
    """The faults that belong to the new version. Errors: WorldError for what the sample cannot be."""
    bound = tuple(fault for fault in release.faults if fault.about.bound)
    for fault in bound:
        if fault.kind not in _BAKED:
            raise WorldError(f"{fault.kind} cannot be built into the sample service; it can be {', '.join(_BAKED)}")
        if fault.target.version not in (None, "canary"):
            raise WorldError(
                f"fault {fault.id} is built into the new version; its target is {fault.target.version}, not canary"
            )
    return bound


def around(release: Release) -> tuple[Fault, ...]:
    """The other faults, which are injected while the rollout is under way."""
    return tuple(fault for fault in release.faults if not fault.about.bound)


def pushed(registry: Local, images: Images, name: str, faults: Iterable[Fault] = ()) -> str:
    """Build and push a version; its reference by digest."""
    return registry.push(image.build(name, images.of("python"), inside(faults)), REPOSITORY)


def inside(faults: Iterable[Fault]) -> list[tuple[str, dict[str, object]]]:
    """Faults as the sample reads them: kind and the parameters that are given."""
    return [(fault.kind, {key: value for key, value in fault.params.items() if value is not None}) for fault in faults]
