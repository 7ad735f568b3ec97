"""`seatrial real doctor`, `plan`, `status`: looking, without changing anything."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from real.cli import options
from real.cli.asked import Asked, routed
from real.cli.checks import checks
from real.cluster import namespaces
from real.cluster.adapter import Kubernetes
from real.driver.effects import Facts, puts
from real.driver.folder import Folder
from real.driver.recover import status as read_status
from real.lab import faults, versions
from real.ports.things import HOME, STABLE, Live, Put, Stable, Workload, told
from real.routers.base import Place
from sim.cli import console, exits
from sim.cli import options as shared
from sim.policy.commands import Command
from sim.policy.events import Started
from sim.policy.rollout import Rollout

__all__ = ["doctor", "plan", "status"]


def doctor(name: options.Name = "seatrial", images: options.ImageMap = None, json: shared.Json = False) -> None:
    """Look at what real mode needs: engine, kind, disk, memory, ports, kernel; say how to get what is missing."""
    found = list(checks(name, options.images(images)))
    missing = [check.name for check in found if check.state == "missing"]
    if json:
        console.document({"checks": [dataclasses.asdict(check) for check in found], "missing": missing})
    else:
        width = max(len(check.name) for check in found)
        for check in found:
            colour = {"ok": "green", "missing": "bold red"}.get(check.state, "yellow")
            parts = (
                (f"{check.state:<8}", colour),
                (f"{check.name:<{width}}  ", "cyan"),
                (check.found, ""),
                (f"  {check.remedy}" if check.remedy else "", "yellow"),
            )
            console.out().print(console.styled(*parts), soft_wrap=True)
        console.pairs(("next", "seatrial real up" if not missing else "see above, then seatrial real doctor"))
    if missing:
        raise typer.Exit(exits.MISSING)


def plan(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", show_default=False)],
    policy: Annotated[str | None, typer.Option("--policy", "-p", metavar="P", show_default=False)] = None,
    release: Annotated[str | None, typer.Option("--release", "-r", metavar="R", show_default=False)] = None,
    name: options.Name = "seatrial",
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = "trial",
    app: options.App = "web",
    router: options.Router = "auto",
    allow_exec: options.AllowExec = False,
    insecure: options.Insecure = False,
    json: shared.Json = False,
) -> None:
    """Say what a run would do first, on what, and how each of it is undone. Nothing here can write: the client only reads.

    The timeline of the whole policy is `seatrial plan POLICY`.
    """
    asked = Asked.of(scenario, policy, release)
    assert asked.policy is not None and asked.release is not None
    otherwise = asked.fit()
    ground = options.ground(options.Target(name, kubeconfig, context, allow_exec, insecure))
    api = ground.reads()
    try:
        namespaces.require(api, namespace)
        way = routed(ground, router, asked.decides, lambda role: role)
        cluster = Kubernetes(api, Place(namespace, app), way)
        there = {one: cluster.read(one, 10.0) for one in cluster.names()}
    finally:
        api.close()
    facts = _facts(asked, {one: live.value for one, live in there.items()})
    first = Rollout(asked.policy.policy).handle(0.0, Started(facts.replicas, facts.revision, facts.stable, 1))
    effects = [put for command in first for put in _effects(command, facts)]
    document = {
        "cluster": ground.name, "namespace": namespace, "app": app, "router": way.name,
        "there": {one: told(Put(one, live.value)) for one, live in there.items()},
        "built": [f"{fault.kind} {dict(fault.params)}" for fault in versions.baked(asked.release)],
        "injected": faults.told(versions.around(asked.release), ground, Place(namespace, app), asked.users),
        "otherwise": list(otherwise),
        "effects": [{"put": told(put), "undo": told(_undo(put, there))} for put in effects],
    }  # fmt: skip
    if json:
        console.document(document)
    else:
        _show(document)


def _facts(asked: Asked, values: dict[str, Any]) -> Facts:
    marked = values.get(STABLE)
    stable = marked.revision if isinstance(marked, Stable) else 1
    homes = [(one, value) for one, value in values.items() if isinstance(value, Workload)]
    home, value = homes[0] if homes else (HOME, Workload(stable, "(to be built)", asked.pods))
    images = {stable: value.image, stable + 1: "(to be built, by digest)"}
    maximum = float(getattr(asked.decides, "max_weight", 100))
    return Facts(home, stable, stable + 1, value.pods, images, maximum, {home: value})


def _undo(put: Put, there: dict[str, Live]) -> Put:
    return Put(put.name, there[put.name].value if put.name in there else None)


def _effects(command: Command, facts: Facts) -> list[Put]:
    found = list(puts(command, facts))
    for put in found:
        facts.given(put)
    return found


def _show(document: dict[str, Any]) -> None:
    pairs = [(key, str(document[key])) for key in ("cluster", "namespace", "app", "router")]
    pairs += [("built in", text) for text in document["built"]] + [("injected", text) for text in document["injected"]]
    pairs += [("otherwise", text) for text in document["otherwise"]]
    console.pairs(*pairs, style="")
    console.line("there now:", "bold")
    for one in document["there"].values():
        console.line(f"  {_short(one)}")
    console.line("first effects, and the undo of each:", "bold")
    for one in document["effects"]:
        console.line(f"  {_short(one['put'])}")
        console.line(f"    undo: {_short(one['undo'])}", "dim")


def _short(put: dict[str, Any]) -> str:
    body = next((value for key, value in put.items() if key not in ("name", "absent")), None)
    if body is None:
        return f"{put['name']}: not there"
    return f"{put['name']}: " + ", ".join(
        f"{key} {value}" for key, value in body.items() if value not in (None, [], False)
    )


def status(run: Annotated[Path, typer.Argument(metavar="RUN", show_default=False)], json: shared.Json = False) -> None:
    """Say what a run's journal says: where it is, what it changed, how it ended. Exit code 0 if nothing is left to do, else 3."""
    folder = Folder.opened(run)
    found = read_status(folder.journal())
    halted = folder.halted()
    folder.close()
    if json:
        console.document({**dataclasses.asdict(found), "halted": halted})
    else:
        console.pairs(
            ("run", found.run), ("state", found.state), ("at", f"{found.at:.1f} s"),
            ("share", f"{found.weight_share:.1%} to the new version"),
            ("outcome", f"{found.outcome} {found.reason}".strip()), ("changed", ", ".join(found.changed)), ("halted", halted),
            ("next", _next(found.state, run)),
        )  # fmt: skip
    if found.unfinished:
        raise typer.Exit(exits.UNDECIDED)


def _next(state: str, run: Path) -> str:
    """What a person may do; a run that is going on may also have died."""
    if state == "running":
        return f"if its driver died, end it: seatrial real recover {run}; or go on: seatrial real resume {run}"
    return "" if state in ("promoted", "restored") else f"seatrial real recover {run}"
