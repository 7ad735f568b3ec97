"""Options that several commands share: which cluster, which namespace, which images."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from real.cluster import access, namespaces
from real.lab.ground import Ground, found, named
from real.lab.images import Images
from sim.cli import console
from sim.cli.exits import Usage

__all__ = [
    "Adopt", "AllowExec", "App", "Context", "ImageMap", "Insecure", "Kubeconfig", "Name", "Namespace", "Router", "Target", "ground",
]  # fmt: skip

Name = Annotated[str, typer.Option("--name", help="The kind cluster of ours.")]
Kubeconfig = Annotated[
    Path | None,
    typer.Option("--kubeconfig", help="A cluster that you have, in place of one of ours.", show_default=False),
]
Context = Annotated[
    str | None, typer.Option("--context", help="The context in it; needed if it holds several.", show_default=False)
]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="Where the app lives: made by us, or adopted.")]
App = Annotated[str, typer.Option("--app", help="The app's name, on all its objects.")]
Router = Annotated[
    str, typer.Option("--router", help="auto, haproxy, nginx, service, gateway, ingress-nginx or istio.")
]
ImageMap = Annotated[
    Path | None,
    typer.Option("--images", help="A small map of images, for sites without a way out.", show_default=False),
]
Adopt = Annotated[bool, typer.Option("--adopt", help="Mark a namespace that is there as one for trials; once.")]
AllowExec = Annotated[bool, typer.Option("--allow-exec", help="Let the kubeconfig run its program for a token.")]
Insecure = Annotated[bool, typer.Option("--insecure", help="Accept a server that nobody vouches for.")]


@dataclass(frozen=True, slots=True)
class Target:
    """Which cluster is meant, as it was typed."""

    name: str
    kubeconfig: Path | None = None
    context: str | None = None
    allow_exec: bool = False
    insecure: bool = False


def ground(target: Target) -> Ground:
    """The cluster that is meant: the user's, or ours. A program that will run for a token is shown first."""
    if target.kubeconfig is None:
        if target.context is not None:
            raise Usage("--context is a context of a kubeconfig; name the file too: --kubeconfig FILE")
        if os.environ.get("KUBECONFIG"):
            console.err().print(
                "KUBECONFIG is not used; name a file with --kubeconfig to use a cluster of yours", style="dim"
            )
        return found(target.name)
    line = access.command(target.kubeconfig, target.context)
    if line and target.allow_exec:
        console.err().print(f"this kubeconfig runs: {line}", style="yellow")
    return named(target.kubeconfig, target.context, allow_exec=target.allow_exec, insecure=target.insecure)


def adopted(target: Ground, namespace: str) -> None:
    """Mark a namespace for trials."""
    api = target.builds()
    try:
        namespaces.adopt(api, namespace)
    finally:
        api.close()


def images(path: Path | None) -> Images:
    return Images.read(path)
