"""Load from within the cluster, where no port leads to it from this machine: the generator in a pod of the app's own namespace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import real
import sim
from real.cluster.api import Api
from real.cluster.names import labels
from real.docker import images
from real.load.channel import Channel
from real.load.demand import Rules
from real.load.generator import Plan
from real.load.plans import told
from real.load.pod import PORT
from real.load.truth import Truth
from real.ports.errors import Gone, PortError

__all__ = ["Inside", "built", "ended", "pod", "removed"]

# What `real/load/pod.py` needs, besides the standard library.
_FILES = (
    "real/__init__.py", "real/load/__init__.py", "real/load/demand.py", "real/load/generator.py", "real/load/plans.py",
    "real/load/pod.py", "real/load/truth.py", "sim/__init__.py", "sim/service/__init__.py", "sim/service/traffic.py",
    "sim/policy/errors.py",
)  # fmt: skip


_RUN = 'ENTRYPOINT ["python3", "-m", "real.load.pod"]'


def built(python: str) -> str:
    """The image of the generator, on a Python image; the local tag."""
    roots = {"real": Path(real.__file__).parents[1], "sim": Path(sim.__file__).parents[1]}
    files = {name: (roots[name.partition("/")[0]] / name).read_text(encoding="utf-8") for name in _FILES}
    steps = (f"FROM {python}", "COPY real /load/real", "COPY sim /load/sim", "ENV PYTHONPATH=/load", _RUN, "")
    tag = "seatrial/load:1"
    images.build(tag, {**files, "Dockerfile": "\n".join(steps)}, {})
    return tag


def pod(namespace: str, app: str, image: str, plan: Plan) -> dict[str, Any]:
    """The pod; it is never started again, since its counts would be lost."""
    container = {
        "name": "load", "image": image, "env": [{"name": "PLAN", "value": json.dumps(told(plan))}],
        "ports": [{"name": "truth", "containerPort": PORT}], "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}},
    }  # fmt: skip
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"{app}-load", "namespace": namespace, "labels": labels(f"{app}-load")},
        "spec": {"containers": [container], "restartPolicy": "Never", "automountServiceAccountToken": False},
    }  # fmt: skip


def removed(api: Api, namespace: str, app: str) -> None:
    """The pod goes, with its counts; one that is not there is no error."""
    try:
        api.delete("v1/Pod", f"{app}-load", namespace, grace=0)
    except Gone:
        return


def ended(api: Api, namespace: str, app: str) -> Truth | None:
    """The counts of a generator whose driver died, which sends no more; None where there is none, or it does not answer."""
    try:
        return _asked(api, namespace, app, "POST", "/stop")
    except PortError:
        return None


class Inside:
    """Load that has started in the cluster; what `Load` is outside of it."""

    def __init__(self, api: Api, namespace: str, app: str, image: str, plan: Plan) -> None:
        self._api, self._namespace, self._app = api, namespace, app
        removed(api, namespace, app)
        api.create(pod(namespace, app, image, plan))
        self.channel = Channel(plan.traffic, plan.segments, self._tell, lambda: self._asked("GET", "/truth"))

    def _tell(self, rules: Rules) -> None:
        self._asked("PUT", "/rules", content=json.dumps(rules).encode())

    def truth(self) -> Truth:
        """The counts so far; none while the pod does not answer."""
        try:
            return self._asked("GET", "/truth")
        except PortError:
            return Truth()

    def stop(self) -> Truth:
        """No more requests; the final counts; the pod goes."""
        try:
            with self._api.guard.within(60.0):
                return self._asked("POST", "/stop")
        finally:
            removed(self._api, self._namespace, self._app)

    def _asked(self, method: str, path: str, **more: Any) -> Truth:
        return _asked(self._api, self._namespace, self._app, method, path, **more)


def _asked(api: Api, namespace: str, app: str, method: str, path: str, **more: Any) -> Truth:
    answer = api.through(namespace, f"pods/{app}-load:{PORT}", path, method, **more)
    return Truth.of(json.loads(answer.read()))
