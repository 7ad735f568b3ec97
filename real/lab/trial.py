"""One real rollout from beginning to end: an app that serves, load from outside, the driver, and the folder of the run."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from real.chaos.calls import Troubled
from real.chaos.mischief import Mischief
from real.chaos.port import Chaos
from real.cluster.adapter import Kubernetes
from real.cluster.api import Api
from real.cluster.names import SYSTEM
from real.driver.folder import Folder
from real.driver.people import Steward
from real.driver.plan import Ending, Limits, Plan, World
from real.driver.recover import recover
from real.driver.resume import able, resume
from real.driver.run import run
from real.driver.wall import WallClock
from real.lab import desired, faults
from real.lab.ground import Ground
from real.lab.stage import Stage
from real.load.generator import Plan as LoadPlan
from real.load.inside import Inside, ended, removed
from real.load.process import Load
from real.load.tallies import tallies
from real.load.truth import Truth, joined
from real.measure.counts import Names
from real.measure.monitor import Prometheus
from real.measure.prometheus import Ask, inside
from real.ports.errors import Refused
from real.ports.ports import Tell
from real.ports.things import LEASE, STABLE, Stable
from real.routers.backing import address
from sim.faults.fault import Fault
from sim.policy.commands import Command
from sim.policy.notes import Note
from sim.policy.rollout import Policy
from sim.service.model import Service

__all__ = ["Trial", "again", "conducted", "resumed"]

_BEFORE, _AFTER = 5.0, 5.0  # seconds of load around the rollout
_AROUND = 900.0  # seconds of load beyond the horizon: what comes before it, and the way back after it


@dataclass(frozen=True, slots=True)
class Trial:
    """What is to be done, and where. `image` is the new version, by digest; `about` what the journal says first."""

    ground: Ground
    stage: Stage
    policy: Policy
    image: str
    service: Service
    folder: Path
    about: dict[str, Any]
    seed: int = 1
    limits: Limits = Limits()
    ask: Ask | None = None
    also: dict[str, Ask] = field(default_factory=dict)
    loaded: bool = True
    target: tuple[str, int] | None = None  # where the load goes, if not to the stage's own entrance
    inside: str = ""  # the image of the generator, if it runs in the cluster
    observe: Callable[[float, Command | Note], None] | None = None
    faults: tuple[Fault, ...] = ()
    repository: desired.Repository | None = None  # the desired state goes there, if anywhere

    @property
    def run(self) -> str:
        return str(self.about["run"])


def conducted(trial: Trial) -> tuple[Ending, Truth]:
    """Drive the rollout under load; the ending, and the truth as users saw it. Raises Refused where it cannot begin."""
    return _driven(trial, Folder.created(trial.folder, trial.about), run)


def resumed(trial: Trial, folder: Folder) -> tuple[Ending, Truth]:
    """The same for a run whose driver died, from its journal on. Raises Refused, before anything is begun, where nothing can go on."""
    folder.hold()
    journal, api = folder.journal(), trial.ground.reads()
    try:
        held = Kubernetes(api, trial.stage.place, trial.stage.router).read(LEASE, 10.0).value
    finally:
        api.close()
    able(journal, trial.policy, held, socket.gethostname(), time.time())
    if why := folder.halted():
        raise Refused(f"the run was halted ({why}), so it is only restored: seatrial real recover {folder.path}")
    return _driven(trial, folder, lambda plan, world, log: resume(journal, plan, world, log))


def _driven(trial: Trial, folder: Folder, drive: Callable[[Plan, World, Folder], Ending]) -> tuple[Ending, Truth]:
    users = trial.ground.writes(trial.stage.place.namespace)
    load, truth = _load(trial, users), Truth()
    try:
        if load is not None:
            time.sleep(_BEFORE)
        with _world(trial, load) as (world, clock), clock.signals():
            ending = drive(
                Plan(trial.run, trial.policy, trial.image, trial.seed, _holder(), trial.limits, trial.about),
                world,
                folder,
            )
        if load is not None and not ending.interrupted:
            time.sleep(_AFTER)
    finally:
        if load is not None:
            truth = load.stop()
        users.close()
    truth = _counted(folder, truth)
    folder.finish(ending)
    folder.close()
    return ending, truth


def _counted(folder: Folder, last: Truth) -> Truth:
    """What all generators of a run counted, also those of drivers that died, written down."""
    files = _counts(folder.path)
    kept = {file: Truth.of(json.loads(file.read_text(encoding="utf-8"))) for file in files}
    truths = [one for one in kept.values() if one.begun != last.begun] + [last]
    started = _started(folder)
    if started is not None:
        for one in truths:
            folder.tallies(tallies(one, started))
    whole = joined(truths)
    (folder.path / "truth.json").write_text(json.dumps(whole.document()), encoding="utf-8")
    for file in files:
        file.unlink()
    return whole


def _counts(folder: Path) -> list[Path]:
    """What the generators of a run that goes on have written: one file, and one more for each crash."""
    return sorted(folder.glob("counts-*.json"))


def _next(folder: Path) -> Path:
    return folder / f"counts-{len(_counts(folder)) + 1}.json"


def again(ground: Ground, stage: Stage, folder: Folder, limits: Limits | None = None) -> Ending:
    """`recover`: converge to promoted or restored, whatever became of the driver."""
    clock = WallClock()
    api = ground.writes(stage.place.namespace)
    try:
        live = Kubernetes(api, stage.place, stage.router)
        cluster = desired.over(desired.Repository.of(folder.about()), ground, stage, live, ground.wire())
        removed(api, stage.place.namespace, stage.place.app)
        with faults.field(ground, stage.place) as field, clock.signals():
            world = World(cluster, _Mute(), Steward("abort", "deny", 0.0), clock, Chaos(field))
            ending = recover(folder.journal(), world, folder, _holder(), limits)
    finally:
        api.close()
    folder.finish(ending)
    return ending


class _Watched(Steward):
    """People, and somebody who looks on."""

    observe: Callable[[float, Command | Note], None] | None = None

    def heard(self, at: float, item: Command | Note, tell: Tell) -> None:
        super().heard(at, item, tell)
        if self.observe is not None:
            self.observe(at, item)


class _Mute:
    """Recovery asks nothing."""

    def ask(self, *_: object) -> None:
        return


@contextmanager
def _world(trial: Trial, load: Load | Inside | None) -> Iterator[tuple[World, WallClock]]:
    """The ports of a trial, closed at the end. Threads of measurements have a client of their own, which only reads.

    Driver and measurements call over a wire that faults can trouble; what injects and undoes them has its own.
    """
    place, calls = trial.stage.place, Troubled(trial.ground.wire(), trial.seed)
    writes, reads = trial.ground.writes(place.namespace, over=calls), trial.ground.reads(over=calls)
    try:
        live, clock = Kubernetes(writes, place, trial.stage.router), WallClock()
        cluster = desired.over(trial.repository, trial.ground, trial.stage, live, calls)
        marked = cluster.read(STABLE, 10.0).value
        stable = marked.revision if isinstance(marked, Stable) else 1
        names = Names({"namespace": place.namespace, "app": place.app})
        monitor = Prometheus(trial.ask or inside(reads, SYSTEM), names, stable, stable + 1, trial.also)
        people = trial.service.people
        steward = _Watched(people.rule, people.gates, people.response.draw(0.5))
        steward.observe = trial.observe
        users = load.channel if load is not None else None
        with faults.field(trial.ground, place, calls, users) as field:
            netem = faults.netem(field)
            mischief = Mischief(trial.faults, field, trial.seed, netem)
            with closing(Chaos(field, netem)) as chaos:
                yield World(cluster, monitor, steward, clock, chaos, mischief), clock
    finally:
        writes.close()
        reads.close()


def _load(trial: Trial, api: Api) -> Load | Inside | None:
    """Users begin to come; None where nobody is asked for, or no way leads to the app."""
    place, host, port = trial.stage.place, "127.0.0.1", trial.stage.port
    if trial.inside:
        host, port = address(api, place, trial.stage.router.entrance(place)), 8080
    if trial.target is not None:
        host, port = trial.target
    if not (trial.loaded and port):
        return None
    service = trial.service
    limit = service.latency.limit if service.latency is not None else 0.5
    # Without a router a connection stays with its pod: each request needs one of its own, or shares mean nothing.
    reuse = 1 if trial.stage.router.name == "service" else 100
    plan = LoadPlan(
        host, port, service.traffic, trial.limits.horizon + _AROUND, trial.seed, service.arrivals == "fixed", reuse, limit,
        segments=service.segments,
    )  # fmt: skip
    if trial.inside:
        if former := ended(api, place.namespace, place.app):
            _next(trial.folder).write_text(json.dumps(former.document()), encoding="utf-8")
        return Inside(api, place.namespace, place.app, trial.inside, plan)
    return Load(plan, _next(trial.folder))


def _started(folder: Folder) -> float | None:
    return next((float(act["opened"]["started"]) for act in folder.journal().acts if "opened" in act), None)


def _holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
