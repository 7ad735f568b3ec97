"""What Argo's own validation refuses (delivery-systems.md section 2.18; Argo: pkg/apis/rollouts/validation)."""

from __future__ import annotations

from sim.manifests.fields import Reader
from sim.manifests.kubernetes import check_selector

__all__ = ["check_blue_green", "check_canary", "check_rollout", "routers"]

_ROUTERS = ("alb", "ambassador", "apisix", "appMesh", "istio", "nginx", "plugins", "smi", "traefik")
_HEADERS = ("istio", "alb", "apisix", "plugins")
_MIRRORS = ("istio", "plugins")
_MAXIMUM = ("nginx", "plugins")
_PING_PONG = ("alb", "istio", "plugins")
_WEIGHTED = ("alb", "smi", "istio", "plugins")


def routers(canary: Reader) -> list[str]:
    """The traffic routers that a canary names."""
    return [name for name in _ROUTERS if canary.child("trafficRouting").has(name)]


def check_rollout(spec: Reader) -> None:
    strategies = [name for name in ("canary", "blueGreen") if spec.child("strategy").has(name)]
    if len(strategies) != 1:
        spec.reject(f"{len(strategies)} strategies", "give exactly one of canary, blueGreen", "strategy")
    if not spec.has("selector") and not spec.has("workloadRef") and not spec.document.below:
        spec.reject("no selector", "add selector: {matchLabels: ...} or a workloadRef")
    check_selector(spec)
    ready = spec.whole("minReadySeconds", 0, 0)
    if spec.whole("progressDeadlineSeconds", 600, 0) <= ready:
        spec.reject(
            f"progressDeadlineSeconds is not above minReadySeconds ({ready})", "raise it", "progressDeadlineSeconds"
        )
    for name in ("replicas", "revisionHistoryLimit"):
        spec.whole(name, 0, 0)


def check_canary(canary: Reader) -> None:
    named = routers(canary)
    if all(str(canary.share(name, "25%")).rstrip("%") == "0" for name in ("maxSurge", "maxUnavailable")):
        canary.reject("maxSurge and maxUnavailable are both 0", "allow one of them", "maxSurge")
    for name in ("scaleDownDelaySeconds", "dynamicStableScale"):
        if canary.raw(name) and not named:
            canary.reject(f"{name} needs trafficRouting", "add a router or remove it", name)
    if canary.has("scaleDownDelaySeconds") and canary.flag("dynamicStableScale"):
        canary.reject(
            "scaleDownDelaySeconds and dynamicStableScale exclude each other", "remove one", "scaleDownDelaySeconds"
        )
    routing = canary.child("trafficRouting")
    if routing.has("maxTrafficWeight") and not set(_MAXIMUM) & set(named):
        routing.reject("maxTrafficWeight needs nginx or a plugin", "remove it", "maxTrafficWeight")
    _services(canary, named)
    _steps(canary, named)
    _affinity(canary)


def check_blue_green(blue_green: Reader, spec: Reader) -> None:
    active, preview = blue_green.text("activeService"), blue_green.text("previewService")
    if not active:
        blue_green.reject("no activeService", "name the service that users reach")
    elif active == preview:
        blue_green.reject("activeService and previewService are the same", "name another service", "previewService")
    limit, history = blue_green.whole("scaleDownDelayRevisionLimit", 0, 0), spec.whole("revisionHistoryLimit", 10, 0)
    if limit > history:
        blue_green.reject(
            f"scaleDownDelayRevisionLimit is above revisionHistoryLimit ({history})",
            "lower it",
            "scaleDownDelayRevisionLimit",
        )
    _affinity(blue_green)


def _services(canary: Reader, named: list[str]) -> None:
    stable, new, ping_pong = canary.text("stableService"), canary.text("canaryService"), canary.child("pingPong")
    if stable and stable == new:
        canary.reject("canaryService and stableService are the same", "name another service", "canaryService")
    if canary.has("pingPong"):
        if not set(_PING_PONG) & set(named):
            canary.reject("pingPong needs alb, istio or a plugin", "remove it", "pingPong")
        if ping_pong.text("pingService") == ping_pong.text("pongService"):
            ping_pong.reject("pingService and pongService are the same", "name another service", "pongService")
        if "alb" in named and not canary.child("trafficRouting").child("alb").has("rootService"):
            canary.child("trafficRouting").reject("pingPong on alb needs a rootService", "add it", "alb")
        return
    by_subset = canary.child("trafficRouting").child("istio").has("destinationRule")
    needy = [name for name in named if name != "plugins" and not (name == "istio" and by_subset)]
    if needy and not (stable and new):
        canary.reject(f"{needy[0]} needs canaryService and stableService", "name both services", "trafficRouting")


def _steps(canary: Reader, named: list[str]) -> None:
    managed = [route.text("name") for route in canary.child("trafficRouting").items("managedRoutes")]
    for step in canary.items("steps"):
        if step.has("setCanaryScale") and not named:
            step.reject("setCanaryScale needs trafficRouting", "add a router or remove the step", "setCanaryScale")
        for kind, able in (("setHeaderRoute", _HEADERS), ("setMirrorRoute", _MIRRORS)):
            if not step.has(kind):
                continue
            if not set(able) & set(named):
                step.reject(f"{kind} needs one of {', '.join(able)}", "use such a router or remove the step", kind)
            if step.child(kind).text("name") not in managed:
                step.reject(f"{kind} names a route that is not managed", "add it to trafficRouting.managedRoutes", kind)
        if "alb" in named and any(
            not match.child("headerValue").has("exact") for match in step.child("setHeaderRoute").items("match")
        ):
            step.reject("alb matches headers exactly only", "write headerValue: {exact: ...}", "setHeaderRoute")
        if not set(_WEIGHTED) & set(named):
            for template in step.child("experiment").items("templates"):
                if template.has("weight"):
                    template.reject(
                        f"an experiment's weight needs one of {', '.join(_WEIGHTED)}", "remove it", "weight"
                    )


def _affinity(strategy: Reader) -> None:
    rules = strategy.child("antiAffinity")
    preferred = rules.child("preferredDuringSchedulingIgnoredDuringExecution")
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    if strategy.has("antiAffinity") and rules.has(required) == bool(preferred.value):
        strategy.reject(
            "antiAffinity has not exactly one form", "give the preferred or the required one", "antiAffinity"
        )
    if preferred.has("weight"):
        preferred.whole("weight", 1, 1, 100)
