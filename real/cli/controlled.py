"""`seatrial real run MANIFEST... --controller C`: the real controller on our kind cluster, measured by a script or under load."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from httpx2 import TransportError
from lightkube.core.exceptions import ApiError

from real.cli.asked import Asked, built, generator
from real.controllers.answers import Answers
from real.controllers.case import Build, Case, Object
from real.controllers.given import changes, files, given
from real.controllers.keeping import begin, keep
from real.controllers.prepare import prepared
from real.controllers.recorder import record
from real.controllers.recording import Recording
from real.controllers.routed import route, router
from real.controllers.serving import ways
from real.controllers.stable import lingers
from real.controllers.tell import tell
from real.controllers.users import Crowd, testing
from real.docker.engine import bridge
from real.lab import versions
from real.lab.ground import Ground
from real.lab.images import Images
from real.lab.raising import known
from real.load.generator import Plan
from sim.cli import console, exits
from sim.cli.exits import Missing, Usage
from sim.naming import shown
from sim.policy.errors import WorldError
from sim.scenario import load_script
from sim.single import found
from sim.tracing.script import Script

__all__ = ["CONTROLLERS", "Given", "conducted"]

_LONGEST = 1800.0  # seconds: a run under load is ended then, whatever the controller does

# Name -> (resource that its installation brings, what it is called, how to get it)
CONTROLLERS = {
    "argo-rollouts": ("rollouts.argoproj.io", "Argo Rollouts", "https://argo-rollouts.readthedocs.io/en/stable/installation"),
    "flagger": ("canaries.flagger.app", "Flagger", "https://docs.flagger.app/install/flagger-install-on-kubernetes"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Given:
    """What was asked: manifests, their controller, and who measures: a script, or users (a release of a scenario)."""

    manifests: Sequence[Path]
    controller: str
    script: Path | None = None
    scenario: Path | None = None
    release: str | None = None

    def asked(self) -> Asked | None:
        """The scenario whose users come; None where a script answers. Errors: Usage."""
        if (self.script is None) == (self.scenario is None):
            raise Usage("who measures? say either --script SCRIPT or --scenario SCENARIO --release R")
        if self.scenario is None:
            if self.release is not None:
                raise Usage("a script has no release; leave out --release, or name a --scenario")
            return None
        return Asked.of(self.scenario, str(self.manifests[0]), self.release)


def conducted(
    given_: Given, ground: Callable[[], Ground], images: Images, out: Path | None, *, quiet: bool = False
) -> int:
    """Hand the manifests over, record what is done, keep it in a folder; returns the exit code."""
    asked, policy = given_.asked(), found(list(given_.manifests))
    script = Script(until=_LONGEST) if given_.script is None else load_script(given_.script)
    case = given(given_.manifests, given_.controller, policy.name, script)
    place = ground()
    _installed(place, given_.controller)
    case = case if asked is None else replace(case, build=_build(asked, place, images))
    id = f"{given_.controller}-{policy.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder, namespace = out or Path("runs") / id, f"seatrial-{time.time_ns() // 1_000_000:x}"
    applied = prepared(case, "run", "http://script")
    changed = (*changes(case, applied), *_stood_in(case))
    about: dict[str, Any] = {
        "run": id, "controller": given_.controller, "policy": policy.name, "cluster": place.name, "namespace": namespace,
        "changed": changed, **_scenario(asked, case, applied),
    }  # fmt: skip
    if case.build is not None and (kind := router(case)):
        known(place, kind)
    begin(folder, about, files(given_.manifests), given_.script)
    if not quiet:
        for text in changed:
            console.err().print(f"changed  {text}", style="dim", markup=False, soft_wrap=True)
    with Answers(bridge("kind")) as answers, _crowd(asked, case, place, namespace, images) as crowd, _stoppable():
        recording = _recorded(case, place, answers, namespace, crowd)
    history = tell(recording)
    ended = keep(folder, about, history, {} if crowd is None else crowd.truths)
    counts = crowd.truths["users"].totals() if crowd is not None else {}
    users = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
    console.pairs(
        ("ended", f"{ended['outcome']}: {ended['reason']}"),
        ("users", users),
        ("run", str(folder)),
        ("next", f"seatrial replay {folder}"),
    )
    return {"promoted": exits.DONE, "aborted": exits.FAILED}.get(ended["outcome"], exits.UNDECIDED)


def _recorded(case: Case, ground: Ground, answers: Answers, namespace: str, crowd: Crowd | None) -> Recording:
    """Errors: WorldError where the cluster goes away, or refuses what it is given."""
    try:
        return asyncio.run(record(case, ground.config, answers, namespace, lingers(case.workload), crowd))
    except TransportError as error:
        raise WorldError(
            f"cluster {ground.name} no longer answers ({type(error).__name__}); is it still there?"
        ) from None
    except ApiError as error:
        raise WorldError(f"cluster {ground.name} refuses it: {error.status.message}") from None


def _build(asked: Asked, ground: Ground, images: Images) -> Build:
    """The sample, as the scenario's service is: a good build, and that of the release. Errors: WorldError for other faults."""
    assert asked.release is not None
    if others := versions.around(asked.release):
        raise WorldError(
            f"fault {others[0].id} is none of the build; only those are put into what a controller rolls out"
        )
    good = built(ground, images, "stable", (), "")
    new = built(ground, images, f"new-{asked.release.name}", versions.baked(asked.release), "")
    environment = versions.behaviour(asked.service).environment()
    own = tuple(one for one in environment if one["name"] != "REVISION")
    return Build((good, new), own, (images.of("haproxy"), images.of("python")))


def _stood_in(case: Case) -> tuple[str, ...]:
    """What is said of the pod by which users come, where there is one."""
    if case.build is None or not (said := route(case)):
        return ()
    return (f"users come by a pod of ours that obeys {said.replace('/', ' ')}, in place of its controller",)


def _scenario(asked: Asked | None, case: Case, applied: Sequence[Object]) -> dict[str, Any]:
    if asked is None or asked.scenario is None or asked.release is None:
        return {}
    tested = [one.service for one in ways(case, applied) if one.role == "testers"]
    return {
        "scenario": shown(asked.scenario.file or ""), "digest": asked.scenario.digest, "release": asked.release.name,
        "seed": asked.scenario.seed, **({"testers": {"services": tested, "rate": testing(asked.service)}} if tested else {}),
    }  # fmt: skip


@contextmanager
def _crowd(asked: Asked | None, case: Case, ground: Ground, namespace: str, images: Images) -> Iterator[Crowd | None]:
    """The scenario's users, who come from within the namespace; closed at the end."""
    if asked is None or asked.scenario is None:
        yield None
        return
    service = asked.service
    limit = service.latency.limit if service.latency is not None else 0.5
    plan = Plan(
        "",
        0,
        service.traffic,
        _LONGEST,
        asked.scenario.seed,
        service.arrivals == "fixed",
        1,
        limit,
        segments=service.segments,
    )
    routes = {one.role: one for one in ways(case, prepared(case, namespace, ""))}
    api = ground.writes(namespace)
    try:
        yield Crowd(api, namespace, generator(ground, images, ""), plan, routes, bool(route(case)), testing(service))
    finally:
        api.close()


def _installed(ground: Ground, controller: str) -> None:
    """Errors: Usage for a cluster that is not ours, Missing where the controller is not there."""
    resource, name, where = CONTROLLERS[controller]
    if not ground.own:
        raise Usage("--controller needs a kind cluster of ours, whose pods reach this machine; leave out --kubeconfig")
    api = ground.reads()
    try:
        there = api.get("apiextensions.k8s.io/v1/CustomResourceDefinition", resource)
    finally:
        api.close()
    if there is None:
        raise Missing(f"{name} is not installed on cluster {ground.name} (no {resource}); install it: {where}")


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM ends it as Ctrl-C does, so that the namespace goes away."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
