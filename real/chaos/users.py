"""Faults of users: the load generator of this run sends more, less, or others than planned. It lives no longer than its driver's run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from real.chaos.field import Field
from real.chaos.injector import Injector, Job

__all__ = ["KINDS", "LoadFault"]

KINDS = ("load.spike", "load.low", "load.shift")


class LoadFault(Injector):
    """A rule of the generator, proved by what it counted since the rule came into force."""

    aims: ClassVar[str] = "none"
    needs: ClassVar[tuple[str, ...]] = ("users",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def refuses(self, params: Mapping[str, Any], field: Field) -> str:
        if params.get("shape", "step") != "step":
            return f"users come at once, as in the simulator: write shape: step, not {params['shape']}"
        if self.kind == "load.shift" and field.users is not None and params["segment"] not in field.users.segments:
            known = ", ".join(field.users.segments) or "none"
            return f"the service has no segment {params['segment']}; there are {known}"
        return ""

    def inject(self, job: Job) -> None:
        assert job.field.users is not None
        job.field.users.trouble(job.id, self.kind, job.params)

    def proof(self, job: Job) -> str:
        return "" if job.field.users is None else job.field.users.shown(job.id)

    def stands(self, job: Job) -> bool:
        return job.field.users is None or job.id in job.field.users.troubled()

    def undo(self, job: Job) -> None:
        if job.field.users is not None:  # another driver's generator ended with it, or goes with `recover`
            job.field.users.calm(job.id)

    def left(self, job: Job) -> str:
        there = job.field.users is not None and job.id in job.field.users.troubled()
        return "a rule of the load generator" if there else ""
