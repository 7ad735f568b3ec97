"""`seatrial real run MANIFEST... --controller C`: the real controller on our kind cluster, measured by a script."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from real.controllers.answers import Answers
from real.controllers.given import changes, files, given
from real.controllers.keeping import begin, keep
from real.controllers.prepare import prepared
from real.controllers.recorder import record
from real.controllers.recording import Recording
from real.controllers.tell import tell
from real.docker.engine import bridge
from real.lab.ground import Ground
from sim.cli import console, exits
from sim.cli.exits import Missing, Usage
from sim.scenario import load_script
from sim.single import found

__all__ = ["CONTROLLERS", "conducted"]

QUIET = 35.0  # seconds without a change after the end: Argo keeps old pods for 30 s (scaleDownDelaySeconds)

# Name -> (resource that its installation brings, what it is called, how to get it)
CONTROLLERS = {
    "argo-rollouts": ("rollouts.argoproj.io", "Argo Rollouts", "https://argo-rollouts.readthedocs.io/en/stable/installation"),
    "flagger": ("canaries.flagger.app", "Flagger", "https://docs.flagger.app/install/flagger-install-on-kubernetes"),
}  # fmt: skip


def conducted(
    manifests: Sequence[Path], controller: str, script: Path | None, ground: Ground, out: Path | None, *, quiet: bool = False
) -> int:  # fmt: skip
    """Hand the manifests over, record what is done, keep it in a folder; returns the exit code."""
    if script is None:
        raise Usage("who measures? say --script SCRIPT (its form: seatrial schema script)")
    policy = found(list(manifests))
    case = given(manifests, controller, policy.name, load_script(script))
    _installed(ground, controller)
    id = f"{controller}-{policy.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder, namespace = out or Path("runs") / id, f"seatrial-{time.time_ns() // 1_000_000:x}"
    with Answers(bridge("kind")) as answers:
        changed = changes(
            case, prepared(case, "run", "http://script")
        )  # addresses of this machine are nobody's business
        about: dict[str, Any] = {
            "run": id,
            "controller": controller,
            "policy": policy.name,
            "cluster": ground.name,
            "changed": changed,
        }
        begin(folder, about, files(manifests), script)
        if not quiet:
            for text in changed:
                console.err().print(f"changed  {text}", style="dim", markup=False, soft_wrap=True)
        with _stoppable():
            recording: Recording = asyncio.run(record(case, ground.config, answers, namespace, QUIET))
    ended = keep(folder, about, tell(recording, QUIET))
    console.pairs(
        ("ended", f"{ended['outcome']}: {ended['reason']}"), ("run", str(folder)), ("next", f"seatrial replay {folder}")
    )
    return {"promoted": exits.DONE, "aborted": exits.FAILED}.get(ended["outcome"], exits.UNDECIDED)


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
