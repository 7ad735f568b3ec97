"""The `kind` program: create, find, load and delete clusters by name. Errors carry its last words."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from real.kind.config import config
from sim.cli.exits import Missing
from sim.policy.errors import WorldError

__all__ = ["clusters", "create", "delete", "kubeconfig", "load"]

Say = Callable[[str], None]

_CREATE = 600.0  # seconds; three nodes take 25 to 45 s, and much longer on a busy machine
_LOAD = 300.0
_ASK = 60.0


def clusters() -> list[str]:
    """Names of the kind clusters on this machine."""
    return [name for name in _kind(("get", "clusters"), _ASK).split() if name]


def create(name: str, *, image: str | None = None, workers: int = 2, say: Say | None = None) -> None:
    """A cluster of that name; the caller looks first whether there is one. `image` None: kind's own default."""
    chosen = () if image is None else ("--image", image)
    words = (
        "create",
        "cluster",
        "--name",
        name,
        "--config",
        "-",
        "--wait",
        "120s",
        "--kubeconfig",
        "/dev/null",
        *chosen,
    )
    try:
        _kind(words, _CREATE, stdin=config(workers), say=say)
    except BaseException:
        delete(name)  # half a cluster would be taken for a whole one the next time
        raise


def delete(name: str) -> None:
    """Nothing is left of the cluster; one that is not there is no error."""
    _kind(("delete", "cluster", "--name", name, "--kubeconfig", "/dev/null"), _ASK)


def kubeconfig(name: str, path: Path) -> Path:
    """Write the cluster's kubeconfig to `path`, readable by its owner only."""
    text = _kind(("get", "kubeconfig", "--name", name), _ASK)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")
    return path


def load(name: str, *images: str) -> None:
    """Copy images of the local engine into every node."""
    _kind(("load", "docker-image", "--name", name, *images), _LOAD)


def _kind(words: Sequence[str], timeout: float, *, stdin: str = "", say: Say | None = None) -> str:
    program = shutil.which("kind")
    if program is None:
        raise Missing("kind is not on the PATH; install it: https://kind.sigs.k8s.io/docs/user/quick-start")
    try:
        done = subprocess.run(
            (program, *words), input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise WorldError(
            f"kind {words[0]} {words[1]} took more than {timeout:g} s; is the machine overloaded?"
        ) from None
    if done.returncode:
        last = "; ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise WorldError(f"kind {words[0]} {words[1]} failed ({done.returncode}): {last}")
    if say is not None:
        for line in done.stderr.splitlines():
            say(line)
    return done.stdout
