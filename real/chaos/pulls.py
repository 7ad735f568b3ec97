"""Images that cannot be pulled: the nodes are sent to something that refuses, or the registry stands still."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, ClassVar

from real.chaos.field import Field
from real.chaos.injector import Injector, Job, Record
from real.chaos.netns import mark
from real.chaos.scripts import installed, running, stopped
from real.ports.errors import Refused

__all__ = ["Outage", "PullFail"]

_CERTS = "/etc/containerd/certs.d"  # containerd, "Registry Configuration": read at every pull
_PORT = 15980
_HOSTS = f"""# written by seatrial: fault image.pull_fail
server = "http://127.0.0.1:{_PORT}"
[host."http://127.0.0.1:{_PORT}"]
  capabilities = ["pull", "resolve"]
"""


class PullFail(Injector):
    """`image.pull_fail`: on each worker the registry's name leads to an answer with the given code. Images that a node has are served."""

    aims: ClassVar[str] = "all nodes"
    needs: ClassVar[tuple[str, ...]] = ("nodes",)

    def refuses(self, params: Mapping[str, Any], field: Field) -> str:
        if float(params.get("p", 1.0)) < 1.0:
            return "every pull fails for real; leave p at 1"
        return "" if params.get("cached", "serve") == "serve" else "a node serves what it has; leave cached: serve"

    def record(self, job: Job) -> Record:
        host = self._host(job)
        path = f"{_CERTS}/{host}/hosts.toml"
        before = {node: _content(job, node, path) for node in job.targets}
        if any(text is not None and "written by seatrial: fault" in text for text in before.values()):
            raise Refused(f"the registry {host} is cut off by another fault already")
        return {"path": path, "before": before}

    def inject(self, job: Job) -> None:
        nodes, code = job.field.machines(), str(job.params.get("code", "404"))
        for node in job.targets:
            job.field.worker(node)
            path = installed(nodes, node, "answer.pl")
            if not running(nodes, node, mark(job.id)):
                status = "0" if code == "timeout" else code
                nodes.start(node, "perl", path, f"code={status}", f"port={_PORT}", f"tag={mark(job.id)}")
            nodes.file(node, job.record["path"], _HOSTS)

    def proof(self, job: Job) -> str:
        """A pull by the node itself fails."""
        said = []
        for node in job.targets:
            if (
                not running(job.field.machines(), node, mark(job.id))
                or _content(job, node, job.record["path"]) != _HOSTS
            ):
                return ""
            words = (
                "timeout",
                "2",
                "ctr",
                "-n",
                "seatrial-probe",
                "content",
                "fetch",
                "--hosts-dir",
                _CERTS,
                self._reference(job),
            )
            try:
                job.field.machines().run(node, *words)
                return ""
            except Refused as error:
                said.append(f"{node}: {str(error)[-80:]}")
        return "; ".join(said)

    def undo(self, job: Job) -> None:
        nodes, path = job.field.machines(), job.record["path"]
        for node, text in job.record["before"].items():
            if _content(job, node, path) == _HOSTS:
                if text is None:
                    nodes.do(node, "rm", "-f", path)
                else:
                    nodes.file(node, path, text)
            stopped(nodes, node, mark(job.id))

    def left(self, job: Job) -> str:
        for node, text in job.record["before"].items():
            if _content(job, node, job.record["path"]) != text:
                return f"{job.record['path']} on {node} is not what it was"
            if running(job.field.machines(), node, mark(job.id)):
                return f"a process on {node}"
        return ""

    def _reference(self, job: Job) -> str:
        pods = job.field.pods()
        if not pods:
            raise Refused("the app has no pod whose image says which registry is meant")
        return str(pods[0]["spec"]["containers"][0]["image"])

    def _host(self, job: Job) -> str:
        host, slash, _ = self._reference(job).partition("/")
        if not slash or not (":" in host or "." in host):
            raise Refused(f"the image {self._reference(job)} names no registry that could be cut off")
        return host


def _content(job: Job, node: str, path: str) -> str | None:
    """A file's text; None where there is none."""
    told = job.field.machines().run(
        node, "sh", "-c", f"if [ -f {shlex.quote(path)} ]; then echo +; cat {shlex.quote(path)}; fi"
    )
    return told[2:] if told.startswith("+\n") else None


class Outage(Injector):
    """`store.outage`: the registry beside the cluster stands still; who asks gets no answer."""

    aims: ClassVar[str] = "registry"
    needs: ClassVar[tuple[str, ...]] = ("nodes",)

    def refuses(self, params: Mapping[str, Any], field: Field) -> str:
        return "" if float(params.get("p", 1.0)) >= 1.0 else "the registry stands still as a whole; leave p at 1"

    def record(self, job: Job) -> Record:
        return {"state": [job.field.machines().state(self._registry(job, name)) for name in job.targets]}

    def inject(self, job: Job) -> None:
        for name in job.targets:
            job.field.machines().pause(self._registry(job, name))

    def proof(self, job: Job) -> str:
        paused = all(job.field.machines().state(name) == "paused" for name in job.targets)
        return f"{', '.join(job.targets)} stands still" if paused and job.targets else ""

    def undo(self, job: Job) -> None:
        for name in job.targets:
            job.field.machines().unpause(self._registry(job, name))

    def left(self, job: Job) -> str:
        return next((f"{name} is paused" for name in job.targets if job.field.machines().state(name) == "paused"), "")

    def _registry(self, job: Job, name: str) -> str:
        if name != job.field.machines().registry():
            raise Refused(f"{name} is not the registry of our cluster")
        return name
