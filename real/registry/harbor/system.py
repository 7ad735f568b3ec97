"""Harbor as a whole: is it up and well, who are we, garbage collection, replication."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from real.registry.errors import NotFound, RegistryError
from real.registry.harbor.api import ROOT, Api, number
from real.registry.harbor.values import Health, Job, SystemInfo
from real.registry.wire import Wire


def is_harbor(wire: Wire) -> bool:
    """Whether this address answers Harbor's ping; a registry without that API answers 404, or something else."""
    try:
        return wire.ask("GET", f"{ROOT}/ping", good=(200,)).body.strip().lower() == b"pong"
    except NotFound:
        return False


def info(api: Api) -> SystemInfo:
    return SystemInfo.of(api.get("/systeminfo"))


def health(api: Api) -> Health:
    return Health.of(api.get("/health"))


def whoami(api: Api) -> str:
    """The user's name; this is the one read that wrong credentials cannot pass. Robots may not ask it."""
    return str(api.get("/users/current").get("username", ""))


def collect(api: Api, *, delete_untagged: bool, dry_run: bool) -> int:
    """Start garbage collection now; the job's id."""
    parameters = {"delete_untagged": delete_untagged, "dry_run": dry_run}
    return number(api.send("POST", "/system/gc/schedule", {"schedule": {"type": "Manual"}, "parameters": parameters}))


def collection(api: Api, id: int) -> Job:
    return Job.of(api.get(f"/system/gc/{id}"))


def collections(api: Api) -> Iterator[Job]:
    """Newest first."""
    return (Job.of(one) for one in api.pages("/system/gc"))


def replications(api: Api) -> Iterator[dict[str, Any]]:
    """The policies as Harbor has them."""
    return api.pages("/replication/policies")


def replicate(api: Api, policy: int) -> int:
    """Run a replication policy now; the execution's id."""
    return number(api.send("POST", "/replication/executions", {"policy_id": policy}))


def replication(api: Api, id: int) -> Job:
    return Job.of(api.get(f"/replication/executions/{id}"))


def ended(api: Api, look: Any, id: int, limit_s: float, every_s: float = 5.0) -> Job:
    """Wait for a job (`collection`, `replication`) to end. Raises RegistryError when it takes longer."""

    def seen() -> Job | None:
        job: Job = look(api, id)
        return job if job.ended else None

    found = api.wire.patience.until(seen, limit_s, every_s)
    if found is None:
        raise RegistryError(f"job {id} is not done after {limit_s:g} s")
    return found
