"""`seatrial real run`, `halt`, `recover`: one rollout for real, and what ends it from outside."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated

import typer

from real.cli import options
from real.cli.asked import Asked, built, generator, staged
from real.cli.resume import stood
from real.cli.telling import Narrator, told
from real.driver.folder import Folder
from real.driver.plan import Limits
from real.lab import depot, faults, versions
from real.lab.desired import Repository, unwatched
from real.lab.trial import Trial, again, conducted
from real.measure.prometheus import elsewhere
from real.registry.port import Finding, refused
from real.routers.base import Place
from sim.cli import console
from sim.cli import options as shared
from sim.cli.exits import Usage
from sim.cli.journals import about
from sim.policy.errors import WorldError

__all__ = ["halt", "recover", "run"]

AUTHOR = "Seatrial <seatrial@localhost>"

_FILES = typer.Argument(
    metavar="SCENARIO | MANIFEST...",
    help="A scenario file: its service, policy and release. With --controller: manifests.",
    show_default=False,
)
_CONTROLLER = typer.Option(
    "--controller",
    metavar="argo-rollouts|flagger",
    help="Hand the manifests to the real controller.",
    show_default=False,
)
_SCENARIO = typer.Option(
    "--scenario", metavar="SCENARIO", help="With --controller: whose users come, under --release R.", show_default=False
)
_SCRIPT = typer.Option(
    "--script",
    "-s",
    metavar="SCRIPT",
    help="With --controller: a script that answers its measurements.",
    show_default=False,
)
_POLICY = typer.Option("--policy", "-p", metavar="P", help="A name in the scenario, or a file.", show_default=False)
_RELEASE = typer.Option(
    "--release",
    "-r",
    metavar="R",
    help="A release of the scenario: what is wrong with the new version.",
    show_default=False,
)
_RUN = typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)


def run(
    files: Annotated[list[Path], _FILES],
    policy: Annotated[str | None, _POLICY] = None,
    release: Annotated[str | None, _RELEASE] = None,
    controller: Annotated[str | None, _CONTROLLER] = None,
    script: Annotated[Path | None, _SCRIPT] = None,
    scenario: Annotated[Path | None, _SCENARIO] = None,
    name: options.Name = "seatrial",
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = "trial",
    app: options.App = "web",
    router: options.Router = "auto",
    images: options.ImageMap = None,
    adopt: options.Adopt = False,
    allow_exec: options.AllowExec = False,
    insecure: options.Insecure = False,
    registry: options.Registry = "",
    image: Annotated[
        str,
        typer.Option(
            "--image", help="The new version by digest, in place of a build of the sample.", show_default=False
        ),
    ] = "",
    stable: options.Stable = "",
    port: options.Port = 8080,
    metrics_port: options.MetricsPort = 0,
    target: options.LoadTarget = "",
    prometheus: options.PrometheusAt = "",
    load: options.LoadFrom = "auto",
    gitops: Annotated[
        Path | None,
        typer.Option(
            "--gitops", help="A bare clone of the repository that Argo CD or Flux watches.", show_default=False
        ),
    ] = None,
    branch: Annotated[str, typer.Option("--branch", help="With --gitops: the branch that is watched.")] = "main",
    folder_: Annotated[
        str, typer.Option("--folder", help="With --gitops: the app's folder in it.", show_default=False)
    ] = "",
    remote: Annotated[
        str, typer.Option("--remote", help="With --gitops: push commits to this remote.", show_default=False)
    ] = "",
    author: Annotated[str, typer.Option("--author", help="With --gitops: who commits.")] = AUTHOR,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the run.", show_default=False)] = None,
    quiet: shared.Quiet = False,
) -> None:
    """Roll out a new version for real, under load, with the policy that the simulator runs; record it in a folder.

    It ends promoted, or with the stable version serving all traffic. Ctrl-C restores traffic first. Then:
    `seatrial replay RUN`, `seatrial compare --real RUN`.

    With --controller the manifests go to the real Argo Rollouts or Flagger, in a namespace that is made for it; what it does
    is recorded in the same form. Only images, addresses of measurements and the namespace are changed, and each change is said.
    """
    if controller is not None:
        from real.cli import controlled

        if controller not in controlled.CONTROLLERS:
            raise Usage(f"no controller {controller}; there are {', '.join(controlled.CONTROLLERS)}")
        if policy is not None:
            raise Usage("with --controller the policy is in the manifests: leave out --policy")
        cluster = options.Target(name, kubeconfig, context, allow_exec, insecure)
        given = controlled.Given(files, controller, script, scenario, release)
        raise typer.Exit(
            controlled.conducted(given, lambda: options.ground(cluster), options.images(images), out, quiet=quiet)
        )
    if script is not None or scenario is not None or len(files) != 1:
        raise Usage("without --controller a run is of one scenario: seatrial real run SCENARIO")
    asked = Asked.of(files[0], policy, release)
    assert asked.scenario is not None and asked.policy is not None and asked.release is not None
    asked.fit()
    baked, rest = versions.baked(asked.release), versions.around(asked.release)
    options.pinned(image)
    if load not in ("auto", "here", "cluster", "none"):
        raise Usage(f"--load is auto, here, cluster or none, got {load}")
    if stable and not image:
        raise Usage("a service of your own needs its new version too: --image NAME@sha256:...")
    own, aim = options.own(stable, port, metrics_port), options.aim(target)
    if out is not None:
        Folder.vacant(out)
    ground = options.ground(options.Target(name, kubeconfig, context, allow_exec, insecure))
    users = None if load == "none" else asked.users
    if problems := faults.problems(rest, ground, Place(namespace, app), users):
        raise WorldError("\n".join(problems))
    if adopt:
        options.adopted(ground, namespace)
    map_ = options.images(images)
    stage = staged(asked, ground, namespace, app, router, map_, registry, own)
    new = image or built(ground, map_, f"new-{asked.release.name}", baked, registry)
    _preflight(depot.checked(ground, stage.place, registry, Limits().horizon))
    id = f"{asked.scenario.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    said = about(asked.scenario, asked.policy, asked.release.name, 0)
    where = {"cluster": ground.name, "namespace": namespace, "app": app, "router": stage.router.name}
    within = load == "cluster" or (load == "auto" and not (aim or stage.port))
    users_from = "none" if load == "none" else "cluster" if within else "here"
    folder = out or Path("runs") / id
    repository = _repository(gitops, branch, folder_, remote, author)
    record = {"run": id, **said, **where, "images": {"new": new}, "load": users_from}
    if repository is not None:
        record["gitops"] = repository.told()
        for doubt in unwatched(repository, ground):
            console.err().print(f"gitops: {doubt}", style="yellow")
    watcher = None if quiet else Narrator()
    trial = Trial(
        ground,
        stage,
        asked.policy.policy,
        new,
        asked.service,
        folder,
        record,
        asked.scenario.seed,
        ask=elsewhere(prometheus) if prometheus else None,
        loaded=load != "none",
        target=aim,
        inside=generator(ground, map_, registry) if within else "",
        observe=watcher,
        faults=rest,
        repository=repository,
    )
    ending, truth = conducted(trial)
    told(ending, truth, folder)
    raise typer.Exit(ending.code)


def _preflight(findings: tuple[Finding, ...]) -> None:
    """Notes are told; a refusal ends the run before it begins. Raises WorldError with all of them."""
    for one in findings:
        if one.says == "note":
            console.err().print(f"preflight: {one.check}: {one.text}", style="dim")
    if refusals := refused(findings):
        raise WorldError("\n".join(f"{one.check}: {one.text}; {one.remedy}" for one in refusals))


def _repository(place: Path | None, branch: str, folder: str, remote: str, author: str) -> Repository | None:
    if place is None:
        if branch != "main" or folder or remote or author != AUTHOR:
            raise Usage("--branch, --folder, --remote and --author belong to --gitops REPOSITORY")
        return None
    who = re.fullmatch(r"\s*([^<>]+?)\s*<([^<>\s]+)>\s*", author)
    if who is None:
        raise Usage(f"an author is NAME <EMAIL>, got {author!r}")
    return Repository(str(place), branch, folder, remote, who[1], who[2])


def halt(
    run: Annotated[Path, _RUN],
    reason: Annotated[str, typer.Option("--reason", help="Kept with the run.")] = "halted by a person",
) -> None:
    """Stop a run: from now on it only restores. If its driver is dead: `seatrial real recover RUN`."""
    folder = Folder.opened(run)
    folder.halt(reason)
    folder.close()
    console.pairs(("halted", reason), ("next", f"seatrial real status {run}"))


def recover(
    run: Annotated[Path, _RUN],
    name: options.RunName = None,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    allow_exec: options.AllowExec = False,
    insecure: options.Insecure = False,
) -> None:
    """Promoted, or the stable version serving all traffic, whatever became of the driver. Safe at any moment, as often as you like."""
    folder = Folder.opened(run)
    said = folder.about()
    cluster = options.Target(name or str(said.get("cluster")), kubeconfig, context, allow_exec, insecure)
    ground, stage = stood(run, said, cluster)
    ending = again(ground, stage, folder)
    folder.close()
    told(ending, None, run)
    raise typer.Exit(0 if ending.state in ("promoted", "restored") else ending.code)
