"""`seatrial real up`: everything that a trial needs, standing and serving. Safe to repeat."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from real.cli import options
from real.cli.asked import Asked, staged
from real.lab.raising import raised
from sim.cli import console
from sim.cli import options as shared

__all__ = ["up"]

_SCENARIO = typer.Argument(
    metavar="[SCENARIO]", help="Whose service it is to be; the default one without it.", show_default=False
)


def up(
    scenario: Annotated[Path | None, _SCENARIO] = None,
    name: options.Name = "seatrial",
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = "trial",
    app: options.App = "web",
    router: options.Router = "haproxy",
    images: options.ImageMap = None,
    adopt: options.Adopt = False,
    allow_exec: options.AllowExec = False,
    insecure: options.Insecure = False,
    registry: Annotated[
        str,
        typer.Option("--registry", help="Where images are pushed: HOST/PROJECT; ours has its own.", show_default=False),
    ] = "",
    stable: options.Stable = "",
    port: options.Port = 8080,
    metrics_port: options.MetricsPort = 0,
    quiet: shared.Quiet = False,
) -> None:
    """Make a kind cluster with a registry and Prometheus, and the sample service behind a router in a namespace of ours.

    With --kubeconfig the cluster is yours: nothing of it is changed but the namespace, which is made, or marked with --adopt.
    """

    def say(text: str) -> None:
        if not quiet:
            console.err().print(text, style="dim")

    own = options.own(stable, port, metrics_port)
    target = options.Target(name, kubeconfig, context, allow_exec, insecure)
    if kubeconfig is None:
        raised(name, options.images(images), say)
    place = options.ground(target)
    if adopt:
        options.adopted(place, namespace)
    say(f"the sample service in namespace {namespace}")
    stage = staged(Asked.of(scenario, None, None), place, namespace, app, router, options.images(images), registry, own)
    where = f"http://127.0.0.1:{stage.port}/" if stage.port else "(no port leads to this machine)"
    console.pairs(
        ("cluster", place.name),
        ("namespace", namespace),
        ("users", where),
        ("next", f"seatrial real run SCENARIO --namespace {namespace}"),
    )
