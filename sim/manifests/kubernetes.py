"""A Kubernetes Deployment -> `Rolling` (delivery-systems.md section 5)."""

from __future__ import annotations

from sim.files import Document
from sim.manifests.catalog import Catalog, kind_and_name
from sim.manifests.fields import Reader, Scope
from sim.manifests.profiles import Profile
from sim.manifests.report import ImportedPolicy
from sim.policy.errors import PolicyError
from sim.policy.rolling import Rolling

__all__ = ["check_selector", "read_deployment", "rolling_of"]


def read_deployment(document: Document, catalog: Catalog, scope: Scope, profile: Profile) -> ImportedPolicy:
    spec = Reader(scope, document, document.value).child("spec")
    if not spec.has("selector") and not document.below:
        spec.reject("no selector", "add selector: {matchLabels: ...}")
    check_selector(spec)
    spec.whole("revisionHistoryLimit", 10, 0)
    policy = rolling_of(spec)
    usable = None if scope.blocked or scope.faulty else policy
    name = kind_and_name(document.value)[1]
    return ImportedPolicy(
        name, "Deployment", usable, spec.whole("replicas", 1, 0), profile.name, document.file, document.value
    )


def rolling_of(spec: Reader) -> Rolling | None:
    """The update strategy of a Deployment's spec."""
    strategy = spec.child("strategy")
    kind = strategy.text("type", "RollingUpdate")
    rolling = strategy.child("rollingUpdate")
    if kind not in ("RollingUpdate", "Recreate"):
        strategy.reject(f"{kind!r} is no strategy of a Deployment", "use RollingUpdate or Recreate", "type")
    if kind == "Recreate" and rolling.value:
        strategy.reject("rollingUpdate with type Recreate", "remove it", "rollingUpdate")
    surge, unavailable = _amount(rolling, "maxSurge"), _amount(rolling, "maxUnavailable")
    if isinstance(unavailable, str) and int(unavailable.rstrip("%")) > 100:
        rolling.reject(f"maxUnavailable {unavailable} is more than all pods", "use at most 100%", "maxUnavailable")
    if all(str(amount).rstrip("%") == "0" for amount in (surge, unavailable)):
        rolling.reject("maxSurge and maxUnavailable are both 0", "allow one of them", "maxSurge")
    deadline, ready = spec.whole("progressDeadlineSeconds", 600, 0), spec.whole("minReadySeconds", 0, 0)
    if deadline <= ready:
        spec.reject(
            f"progressDeadlineSeconds is not above minReadySeconds ({ready})", "raise it", "progressDeadlineSeconds"
        )
    if spec.scope.faulty:
        return None
    try:
        return Rolling(
            max_surge=surge, max_unavailable=unavailable, min_ready=float(ready), recreate=kind == "Recreate",
            progress_deadline=float(deadline), paused=spec.flag("paused"),
        )  # fmt: skip
    except PolicyError as error:
        strategy.block(str(error))
        return None


def check_selector(spec: Reader) -> None:
    """The pods of the template must be those that the selector selects (Kubernetes and Argo Rollouts both look)."""
    pod = spec.child("template").child("spec")
    if spec.child("template").has("spec"):
        _containers(pod)
    wanted = spec.child("selector").child("matchLabels").value
    metadata = spec.child("template").child("metadata")
    labels = metadata.child("labels").value
    missing = [name for name, value in wanted.items() if labels.get(name) != value]
    if missing and metadata.has("labels"):
        said = f"the template's labels lack {missing[0]}: {wanted[missing[0]]}, which the selector wants"
        spec.reject(said, "write the same labels in both", "selector")


def _containers(pod: Reader) -> None:
    """Kubernetes: validateContainers; an image may be put in later, as the container of a patch has none."""
    containers = pod.items("containers")
    if not containers:
        pod.reject("a pod without containers", "add containers: [{name: ..., image: ...}]", "containers")
    names = [container.text("name") for container in containers]
    for place, (name, container) in enumerate(zip(names, containers, strict=True)):
        if name in names[:place]:
            container.reject(f"two containers named {name}", "give each its own name", "name")


def _amount(rolling: Reader, name: str) -> int | str:
    """A count or a percentage; a bare number in quotes is neither to Kubernetes."""
    amount = rolling.share(name, "25%")
    if isinstance(amount, str) and not amount.endswith("%"):
        rolling.reject(f"{amount!r} is not a percentage", f"write {amount} or {amount}%", name)
    return amount
