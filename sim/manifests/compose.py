"""Services of a Compose file, as Docker Swarm updates them -> `Rolling` (delivery-systems.md section 7)."""

from __future__ import annotations

from sim.files import Document
from sim.files.units import MAX_SECONDS
from sim.manifests.fields import Findings, Reader, Scope
from sim.manifests.profiles import Profile, account
from sim.manifests.report import ImportedPolicy
from sim.policy.rolling import Rolling

__all__ = ["read_compose"]


def read_compose(document: Document, findings: Findings, profile: Profile) -> list[ImportedPolicy]:
    """One policy for each service."""
    account(Scope(findings), document, document.value, profile.kinds["compose"], profile)
    services = Reader(Scope(findings), document, document.value).child("services")
    return [_service(document, findings, services, name, profile) for name in services.value]


def _service(document: Document, findings: Findings, services: Reader, name: str, profile: Profile) -> ImportedPolicy:
    scope = Scope(findings)
    service = Reader(scope, document, services.raw(name), (*services.path, name))
    deploy = service.child("deploy")
    if deploy.text("mode", "replicated") != "replicated":
        deploy.block(f"mode {deploy.text('mode')}: only replicated services are read", "mode")
    policy = _rolling(service, deploy.child("update_config"))
    usable = None if scope.blocked or scope.faulty else policy
    return ImportedPolicy(
        name, "service", usable, deploy.whole("replicas", 1, 0), profile.name, document.file, service.value
    )


def _rolling(service: Reader, update: Reader) -> Rolling:
    """`parallelism` tasks at a time (0: all), each going before or after its successor runs; Swarm has no deadline."""
    parallelism = update.whole("parallelism", 1, 0)
    order = update.text("order", "stop-first")
    if order not in ("stop-first", "start-first"):
        update.reject(f"{order!r} is no order", "use stop-first or start-first", "order")
    service.remark("approximated", f"batches of {parallelism or 'all'}, {order}: read as a rolling update")
    _watch(service, update)
    amount: int | str = parallelism or "100%"
    surge, unavailable = (amount, 0) if order == "start-first" else (0, amount)
    return Rolling(max_surge=surge, max_unavailable=unavailable, progress_deadline=float(MAX_SECONDS))


def _watch(service: Reader, update: Reader) -> None:
    """Swarm watches new tasks for `monitor` and acts when too many fail, unless the action is to continue."""
    action = update.text("failure_action", "pause")
    if action not in ("pause", "continue", "rollback"):
        update.reject(f"{action!r} is no failure_action", "use pause, continue or rollback", "failure_action")
    if action == "continue":
        return
    text = f"failure_action {action}: a task that fails within monitor does not stop the update"
    named = [name for name in ("failure_action", "monitor", "max_failure_ratio") if update.has(name)]
    for name in named:
        update.remark("not yet", text, name)
    if not named:
        service.remark("not yet", text)
