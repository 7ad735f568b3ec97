"""`seatrial real down`: what we made goes away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from real.cli import options
from real.cluster import namespaces
from real.cluster.api import Api
from real.lab.raising import lower, until
from sim.cli import console
from sim.cli import options as shared

__all__ = ["down"]


def down(
    name: options.Name = "seatrial",
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: Annotated[
        str | None,
        typer.Option(
            "--namespace", "-n", help="Only this namespace of ours; else the whole kind cluster.", show_default=False
        ),
    ] = None,
    allow_exec: options.AllowExec = False,
    insecure: options.Insecure = False,
    quiet: shared.Quiet = False,
) -> None:
    """Delete the kind cluster and its registry, or one namespace that we made. What was adopted stays. Safe to repeat."""

    def say(text: str) -> None:
        if not quiet:
            console.err().print(text, style="dim")

    if namespace is None and kubeconfig is None:
        lower(name, say)
        return
    ground = options.ground(options.Target(name, kubeconfig, context, allow_exec, insecure))
    api = ground.builds()
    try:
        for one in [namespace] if namespace is not None else namespaces.owned(api):
            namespaces.remove(api, one)
            say(f"deleting namespace {one}")
            until(_there(api, one), 120.0, f"namespace {one} is not gone")
    finally:
        api.close()


def _there(api: Api, namespace: str) -> Callable[[], str]:
    return lambda: "" if api.get("v1/Namespace", namespace) is None else "still there"
