"""Pods of the app: killed, restarted, kept from going away, kept from being evicted or placed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from real.chaos.field import Field
from real.chaos.injector import Injector, Job, Record
from real.cluster.names import labels
from real.ports.errors import Conflict, Forbidden, Gone, PortError, Unavailable

__all__ = ["Block", "ContainerKill", "Kill", "Stuck"]

_POD = "v1/Pod"


class Kill(Injector):
    """`pod.kill`: deleted under the version that was read, so that no other pod of that name is ever hit."""

    def record(self, job: Job) -> Record:
        return {"uids": {name: job.field.pod(name)["metadata"]["uid"] for name in job.targets}}

    def inject(self, job: Job) -> None:
        for name, uid in job.record["uids"].items():
            try:
                pod = job.field.pod(name)
                if pod["metadata"]["uid"] == uid and not pod["metadata"].get("deletionTimestamp"):
                    version, grace = pod["metadata"]["resourceVersion"], int(job.number("grace_s"))
                    job.field.api.delete(_POD, name, job.field.namespace, version, grace)
            except (Gone, Conflict):
                continue  # gone already, or changed: looked at again by the proof

    def proof(self, job: Job) -> str:
        for name, uid in job.record["uids"].items():
            found = job.field.api.get(_POD, name, job.field.namespace)
            if found and found["metadata"]["uid"] == uid and not found["metadata"].get("deletionTimestamp"):
                self.inject(job)
                return ""
        return f"{', '.join(job.record['uids'])} killed"


class ContainerKill(Injector):
    """`pod.container_kill`: the app's first container, by its node (137) or by the sample's own exit (another code)."""

    needs: ClassVar[tuple[str, ...]] = ("nodes",)

    def record(self, job: Job) -> Record:
        found = {}
        for name in job.targets:
            pod = job.field.pod(name)
            status = pod["status"]["containerStatuses"][0]
            container = status.get("containerID", "").rpartition("/")[2]
            found[name] = {"node": pod["spec"]["nodeName"], "container": container, "restarts": status["restartCount"]}
        return {"pods": found}

    def inject(self, job: Job) -> None:
        code = int(job.number("exit_code"))
        for name, was in job.record["pods"].items():
            if self._restarts(job, name) != was["restarts"]:
                continue
            if code == 137:
                kill = ("ctr", "-n", "k8s.io", "tasks", "kill", "-s", "SIGKILL", was["container"])
                job.field.machines().do(was["node"], *kill)
            else:
                job.field.api.through(
                    job.field.namespace, f"pods/{name}:8081", "/exit", "POST", content=str(code).encode()
                )

    def proof(self, job: Job) -> str:
        known = job.record["pods"].items()
        restarted = all(self._restarts(job, name) > was["restarts"] for name, was in known)
        return f"{', '.join(job.targets)} restarted" if restarted else ""

    def _restarts(self, job: Job, name: str) -> int:
        return int(job.field.pod(name)["status"]["containerStatuses"][0]["restartCount"])


class Stuck(Injector):
    """`pod.stuck_terminating`: a finalizer of ours keeps a deleted pod."""

    def record(self, job: Job) -> Record:
        return {"uids": {name: job.field.pod(name)["metadata"]["uid"] for name in job.targets}}

    def inject(self, job: Job) -> None:
        for name in job.targets:
            pod = job.field.pod(name)
            meta = pod["metadata"]
            if _finalizer(job) not in (meta.get("finalizers") or ()):
                kept = [*(meta.get("finalizers") or ()), _finalizer(job)]
                body = {"metadata": {"finalizers": kept, "resourceVersion": meta["resourceVersion"]}}
                meta = job.field.api.merge(_POD, name, job.field.namespace, body)["metadata"]
            if not meta.get("deletionTimestamp"):
                job.field.api.delete(_POD, name, job.field.namespace, meta["resourceVersion"])

    def proof(self, job: Job) -> str:
        stuck = all(job.field.pod(name)["metadata"].get("deletionTimestamp") for name in job.targets)
        return f"{', '.join(job.targets)} cannot go" if stuck else ""

    def undo(self, job: Job) -> None:
        for name in job.targets:
            found = job.field.api.get(_POD, name, job.field.namespace)
            there = (found or {}).get("metadata", {}).get("finalizers") or ()
            if found and _finalizer(job) in there:
                rest = [one for one in there if one != _finalizer(job)] or None
                job.field.api.merge(_POD, name, job.field.namespace, {"metadata": {"finalizers": rest}})

    def left(self, job: Job) -> str:
        for name in job.targets:
            found = job.field.api.get(_POD, name, job.field.namespace)
            if found and _finalizer(job) in (found["metadata"].get("finalizers") or ()):
                return f"our finalizer on {name}"
        return ""


def _finalizer(job: Job) -> str:
    return f"seatrial.dev/fault-{job.id}"


_KINDS = {"pdb": ("policy/v1", "PodDisruptionBudget"), "quota": ("v1", "ResourceQuota")}


class Block(Injector):
    """`sched.block`: an object of our own in the namespace forbids evictions (pdb) or new pods (quota)."""

    aims: ClassVar[str] = "none"

    def refuses(self, params: Mapping[str, Any], field: Field) -> str:
        if params.get("reason", "pdb") not in _KINDS:
            return f"reason {params['reason']} would have to taint nodes under other people's pods; use reason: quota"
        return ""

    def record(self, job: Job) -> Record:
        return {"pods": len(job.field.api.list(_POD, job.field.namespace))}

    def inject(self, job: Job) -> None:
        if job.field.api.get(self._kind(job), self._name(job), job.field.namespace) is None:
            job.field.api.create(self._body(job))

    def proof(self, job: Job) -> str:
        """A try that changes nothing (dryRun) is refused."""
        space = f"/api/v1/namespaces/{job.field.namespace}/pods"
        try:
            if self._reason(job) == "quota":
                job.field.api.raw(
                    "POST", f"{space}?dryRun=All", content=json.dumps(_probe(job)).encode(), headers=_JSON
                )
                return ""
            pods = job.field.pods()
            if not pods:
                return ""
            name = pods[0]["metadata"]["name"]
            body = {
                "apiVersion": "policy/v1",
                "kind": "Eviction",
                "metadata": {"name": name, "namespace": job.field.namespace},
            }
            job.field.api.raw(
                "POST", f"{space}/{name}/eviction?dryRun=All", content=json.dumps(body).encode(), headers=_JSON
            )
            return ""
        except (Forbidden, Unavailable) as error:
            return f"refused: {str(error)[:160]}"

    def undo(self, job: Job) -> None:
        try:
            job.field.api.delete(self._kind(job), self._name(job), job.field.namespace)
        except Gone:
            return

    def left(self, job: Job) -> str:
        there = job.field.api.get(self._kind(job), self._name(job), job.field.namespace)
        return f"{self._kind(job)} {self._name(job)}" if there else ""

    def _reason(self, job: Job) -> str:
        return str(job.params.get("reason", "pdb"))

    def _kind(self, job: Job) -> str:
        return "/".join(_KINDS[self._reason(job)])

    def _name(self, job: Job) -> str:
        return f"{job.field.app}-fault-{job.id}-block"

    def _body(self, job: Job) -> dict[str, Any]:
        version, kind = _KINDS[self._reason(job)]
        head = {"name": self._name(job), "namespace": job.field.namespace, "labels": labels(job.field.app)}
        spec: dict[str, Any] = {"hard": {"pods": str(job.record["pods"])}}
        if kind == "PodDisruptionBudget":
            spec = {"maxUnavailable": 0, "selector": {"matchLabels": labels(job.field.app)}}
        return {"apiVersion": version, "kind": kind, "metadata": head, "spec": spec}


_JSON = {"content-type": "application/json"}


def _probe(job: Job) -> dict[str, Any]:
    container = {"name": "probe", "image": "probe"}
    head = {"name": f"{job.field.app}-fault-probe", "namespace": job.field.namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": head, "spec": {"containers": [container]}}


def evict(job: Job, name: str) -> bool:
    """Whether the pod may go; False while a disruption budget forbids it (429)."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": job.field.namespace}}
    path = f"/api/v1/namespaces/{job.field.namespace}/pods/{name}/eviction"
    try:
        job.field.api.raw("POST", path, content=json.dumps(body).encode(), headers=_JSON)
    except Unavailable:
        return False
    except PortError as error:
        if not isinstance(error, Gone):
            raise
    return True
