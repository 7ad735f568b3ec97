"""Options that several commands share: which cluster, which namespace, which images."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from real.cluster import access, namespaces
from real.cluster.names import SYSTEM
from real.lab.ground import Ground, found, named
from real.lab.images import Images
from real.routers.choice import ROUTERS
from real.sample.objects import Own
from sim.cli import console
from sim.cli.exits import Usage

__all__ = [
    "Adopt", "AllowExec", "App", "Context", "ImageMap", "Insecure", "Kubeconfig", "Name", "Namespace", "Router", "RunName",
    "Target", "ground",
]  # fmt: skip


def _label(most: int) -> Callable[[str | None], str | None]:
    """A name that becomes part of names and labels on a cluster (RFC 1123), looked at before anything is asked."""

    def check(value: str | None) -> str | None:
        if value is not None and (len(value) > most or not _NAME.fullmatch(value)):
            raise Usage(f"{value!r} is no name for a cluster's objects; use at most {most} of a-z, 0-9 and -")
        return value

    return check


def _namespace(value: str) -> str:
    if value == SYSTEM:
        raise Usage(f"namespace {SYSTEM} holds what all trials share; give another one")
    _label(63)(value)
    return value


def _router(value: str) -> str:
    if value not in ("auto", *ROUTERS):
        raise Usage(f"there is no router {value}; there are auto, {', '.join(ROUTERS)}")
    return value


_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")

Name = Annotated[str, typer.Option("--name", help="The kind cluster of ours.", callback=_label(50))]
RunName = Annotated[
    str | None,
    typer.Option("--name", help="The kind cluster, if not the run's.", callback=_label(50), show_default=False),
]
Kubeconfig = Annotated[
    Path | None,
    typer.Option("--kubeconfig", help="A cluster that you have, in place of one of ours.", show_default=False),
]
Context = Annotated[
    str | None, typer.Option("--context", help="The context in it; needed if it holds several.", show_default=False)
]
Namespace = Annotated[
    str, typer.Option("--namespace", "-n", help="Where the app lives: made by us, or adopted.", callback=_namespace)
]
App = Annotated[str, typer.Option("--app", help="The app's name, on all its objects.", callback=_label(40))]
Router = Annotated[
    str,
    typer.Option("--router", help="auto, haproxy, nginx, service, gateway, ingress-nginx or istio.", callback=_router),
]
ImageMap = Annotated[
    Path | None,
    typer.Option("--images", help="A small map of images, for sites without a way out.", show_default=False),
]
Adopt = Annotated[bool, typer.Option("--adopt", help="Mark a namespace that is there as one for trials; once.")]
AllowExec = Annotated[bool, typer.Option("--allow-exec", help="Let the kubeconfig run its program for a token.")]
Insecure = Annotated[bool, typer.Option("--insecure", help="Accept a server that nobody vouches for.")]


Stable = Annotated[
    str, typer.Option("--stable", help="A service of your own, by digest, in place of the sample.", show_default=False)
]
Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="Where it listens for its users.")]
MetricsPort = Annotated[
    int, typer.Option("--metrics-port", min=0, max=65535, help="Where it shows /metrics to Prometheus; 0: nowhere.")
]

LoadFrom = Annotated[
    str,
    typer.Option("--load", help="Where the traffic comes from: here, cluster, none; auto: here if a port leads there."),
]

Registry = Annotated[str, typer.Option("--registry", help="Where images are pushed: HOST/PROJECT.", show_default=False)]
LoadTarget = Annotated[
    str, typer.Option("--target", help="HOST:PORT that the load aims at, in place of ours.", show_default=False)
]
PrometheusAt = Annotated[
    str,
    typer.Option(
        "--prometheus", help="Address of a Prometheus, in place of the one in the cluster.", show_default=False
    ),
]

_DIGEST = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}")


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


def pinned(image: str) -> str:
    """An image by digest, or nothing. Errors: Usage."""
    if image and not _DIGEST.fullmatch(image):
        raise Usage(f"{image} is not an image by digest; a tag may mean something else tomorrow: write NAME@sha256:...")
    return image


def own(stable: str, port: int, metrics: int) -> tuple[str, Own] | None:
    """The user's own service, if one is named; its new version is an image as well."""
    if not pinned(stable):
        return None
    return stable, Own(port, metrics)


def aim(target: str) -> tuple[str, int] | None:
    """Where the user wants the load to go. Errors: Usage."""
    if not target:
        return None
    host, _, port = target.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise Usage(f"--target is HOST:PORT, got {target}")
    return host, int(port)
