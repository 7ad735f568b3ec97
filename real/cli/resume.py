"""`seatrial real resume`: a run whose driver died goes on with its rollout, where `recover` would end it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from real.cli import options
from real.cli.asked import Asked, generator, routed
from real.cli.telling import Narrator, told
from real.cluster import namespaces
from real.driver.folder import Folder
from real.driver.resume import unended
from real.lab import versions
from real.lab.desired import Repository
from real.lab.ground import Ground
from real.lab.stage import Stage, entry
from real.lab.trial import Trial, resumed
from real.measure.prometheus import elsewhere
from real.routers.base import Place
from sim.cli import options as shared
from sim.cli.exits import Usage
from sim.policy.canary import Canary
from sim.scenario import load

__all__ = ["resume", "stood"]

_RUN = typer.Argument(metavar="RUN", help="The folder of a run whose driver died.", show_default=False)
_SCENARIO = typer.Option(
    "--scenario", metavar="SCENARIO", help="Its scenario, if it is not where it was.", show_default=False
)
_POLICY = typer.Option("--policy", "-p", metavar="P", help="Its policy, if it is not where it was.", show_default=False)


def resume(
    run: Annotated[Path, _RUN],
    scenario: Annotated[Path | None, _SCENARIO] = None,
    policy: Annotated[str | None, _POLICY] = None,
    name: options.RunName = None,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    images: options.ImageMap = None,
    allow_exec: options.AllowExec = False,
    insecure: options.Insecure = False,
    registry: options.Registry = "",
    target: options.LoadTarget = "",
    prometheus: options.PrometheusAt = "",
    quiet: shared.Quiet = False,
) -> None:
    """Go on with a run whose driver died: its policy is brought to where it was by its own journal, and drives on.

    Nothing is repeated and nothing forgotten; time has gone on meanwhile. Refused while another driver may be alive, and for a run
    that has ended, was halted, or whose scenario has changed; then `seatrial real recover RUN` ends it. Addresses are no part of a
    record: give --target, --prometheus, --registry again if the run had them.
    """
    folder = Folder.opened(run)
    said = _placed(run, folder.about())
    unended(folder.journal())
    cluster = options.Target(name or str(said.get("cluster")), kubeconfig, context, allow_exec, insecure)
    ground, stage = stood(run, said, cluster)
    asked = _asked(said, run, scenario, policy)
    assert asked.policy is not None and asked.release is not None
    aim, users = options.aim(target), said["load"]
    trial = Trial(
        ground,
        Stage(stage.place, stage.router, _port(ground, stage)),
        asked.policy.policy,
        said["images"]["new"],
        asked.service,
        run,
        said,
        said["seed"],
        ask=elsewhere(prometheus) if prometheus else None,
        loaded=users != "none",
        target=aim,
        inside=generator(ground, options.images(images), registry) if users == "cluster" else "",
        observe=None if quiet else Narrator(),
        faults=versions.around(asked.release),
        repository=Repository.of(said),
    )
    ending, truth = resumed(trial, folder)
    told(ending, truth, run)
    raise typer.Exit(ending.code)


def stood(run: Path, said: dict[str, Any], target: options.Target) -> tuple[Ground, Stage]:
    """Where a run was, by its own record; the namespace has to be ours still. Errors: Usage."""
    _placed(run, said)
    ground = options.ground(target)
    api = ground.reads()
    try:
        namespaces.require(api, said["namespace"])
    finally:
        api.close()
    way = routed(ground, said["router"], Canary(), lambda role: "")
    return ground, Stage(Place(said["namespace"], said["app"]), way, 0)


def _placed(run: Path, said: dict[str, Any]) -> dict[str, Any]:
    """The record again. Errors: Usage for one that is not of a driver of ours."""
    if not {"cluster", "namespace", "app", "router", "load"} <= set(said):
        raise Usage(f"{run}/run.json does not say where the run was")
    return said


def _port(ground: Ground, stage: Stage) -> int:
    """Where users come in: as it was opened when the run began."""
    api = ground.writes(stage.place.namespace)
    try:
        return entry(api, ground, stage.place, stage.router.entrance(stage.place))
    finally:
        api.close()


def _asked(said: Mapping[str, Any], run: Path, scenario: Path | None, policy: str | None) -> Asked:
    """What the run was of. Errors: Usage where that is not here, or no longer the same."""
    place = scenario or Path(str(said.get("scenario", "")))
    if not place.is_file():
        raise Usage(f"{run} is a run of {place}, which is not here; name it: --scenario FILE")
    read = load(place, "real")
    if read.digest != said.get("digest"):
        raise Usage(f"{place} has changed since the run began; end the run: seatrial real recover {run}")
    names = [one.name for one in read.policies]
    named = policy or (said["policy"] if said["policy"] in names else said["source"])
    return Asked.of(place, named, said["release"])
