"""What the faults that the simulator carries out can be aimed at, in its present form.

A target that the simulator would not look at is refused: a fault meant for one segment must not hit all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

VERSIONS = ("canary", "stable", "all")


@dataclass(frozen=True, slots=True)
class Aim:
    """The fields of a target that are read; those of them that must be given; and whether intensity may ramp.

    `systems` maps a target's `system` to the stage of the pipeline it stands for ('' where there is only one); its
    first name is the default. A kind without systems needs a target, unless it is bound to a version.
    """

    reads: tuple[str, ...]
    needs: tuple[str, ...] = ()
    ramps: bool = False
    systems: dict[str, str] = field(default_factory=dict)


def _one(name: str, **stages: str) -> Aim:
    return Aim(("system",), systems={name: "", **stages})


AIMS: dict[str, Aim] = {
    "build.error_rate": Aim(("version", "segment"), ramps=True),
    "build.latency": Aim(("version", "segment"), ramps=True),
    "build.segment_error": Aim(("version",), ramps=True),
    "build.memory_leak": Aim(("version",)),
    "pod.kill": Aim(("version",), needs=("version",)),
    "pod.crash_loop": Aim(("version", "subset")),
    "pod.slow_start": Aim(("version", "subset")),
    "node.loss": Aim(("version", "subset"), needs=("subset",)),
    "node.reboot": Aim(("version", "subset"), needs=("subset",)),
    "net.delay": Aim(("version", "segment"), needs=("version",), ramps=True),
    "net.loss": Aim(("version", "segment"), needs=("version",), ramps=True),
    "telemetry.gap": _one("telemetry"),
    "telemetry.lag": _one("telemetry"),
    "telemetry.nan": _one("telemetry"),
    "telemetry.provider_error": _one("telemetry"),
    "telemetry.reset": _one("telemetry"),
    "store.outage": _one("store", artifacts="artifacts"),
    "trigger.drop": _one("trigger", integration="integration", delivery="delivery"),
    "pool.offline": _one("pool", integration="integration"),
    "driver.crash": _one("driver", delivery="delivery"),
    "load.spike": _one("load"),
    "load.low": _one("load"),
}
