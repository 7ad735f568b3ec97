"""A cluster in memory for injectors: objects with versions, nodes that understand the few commands used, and a death at any call.

`World.tree()` is everything that a fault could leave behind; after an undo it must be what it was before.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from real.chaos.field import Field, NodeFailed, Object
from real.cluster.names import APP, MANAGED, REVISION, SYSTEM
from real.ports.errors import Conflict, Gone, Unavailable, Unclear

NAMESPACE, APPNAME = "trial", "web"
IMAGE = "sea-registry:5000/seatrial/sample@sha256:" + "ab" * 32
HOSTS = "/etc/containerd/certs.d/sea-registry:5000/hosts.toml"
ORDINARY = '[host."http://sea-registry:5000"]\n'


class Dead(BaseException):
    """The process is gone: nobody catches it."""


def pod(name: str, revision: int, node: str, number: int, namespace: str = NAMESPACE, **labels: str) -> Object:
    ports = [{"name": "http", "containerPort": 8080}, {"name": "admin", "containerPort": 8081}]
    marks = {MANAGED: "seatrial", APP: APPNAME, REVISION: str(revision), **labels}
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": f"{number:08d}-0000", "labels": marks, "resourceVersion": "1"},
        "spec": {"nodeName": node, "containers": [{"name": "app", "image": IMAGE, "ports": ports}]},
        "status": {
            "podIP": f"10.244.1.{number}", "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"containerID": f"containerd://c{number}", "restartCount": 0}],
        },
    }  # fmt: skip


class Answered:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def read(self) -> bytes:
        return self.content


@dataclass
class World:
    """`die_at`: the number of the call before which the process dies; `unclear_at`: the one on a node whose answer is lost.

    `deaf`: nothing that is injected bites.
    """

    die_at: int = -1
    unclear_at: int = -1
    deaf: bool = False
    calls: int = 0
    at: float = 1000.0
    lines: list[str] = field(default_factory=list)  # every change, in order
    objects: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    knobs: dict[str, list[Object]] = field(default_factory=dict)
    rules: dict[tuple[str, int], list[tuple[str, ...]]] = field(default_factory=dict)
    qdiscs: dict[tuple[str, int], str] = field(default_factory=dict)
    hits: dict[tuple[str, int], int] = field(default_factory=dict)
    processes: list[tuple[str, int, tuple[str, ...]]] = field(default_factory=list)
    files: dict[tuple[str, str], str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    images: dict[str, set[str]] = field(default_factory=dict)
    created: dict[str, float] = field(default_factory=dict)  # since when the counters of a pod count
    boots: dict[str, int] = field(default_factory=dict)  # how often each node started anew
    booting: float = 0.0  # seconds until a node that started anew says so
    elsewhere: str = ""  # the address of a node after its first boot, if not the one that it had
    budget: bool = False  # evictions are refused

    def __post_init__(self) -> None:
        for number, (name, revision, node) in enumerate(
            [("web-a", 1, "w1"), ("web-b", 1, "w2"), ("web-c", 1, "w2"), ("web-d", 2, "w1")], 10
        ):
            self.add(pod(name, revision, node, number))
        self.add(pod("prometheus-0", 0, "w2", 50, SYSTEM, **{APP: "prometheus"}))
        self.add(pod("peer-0", 0, "w2", 51, **{APP: "peer"}))
        for key in (("prometheus-0", SYSTEM), ("peer-0", NAMESPACE)):
            del self.objects["v1/Pod", key[1], key[0]]["metadata"]["labels"][REVISION]
        for node in ("w1", "w2"):
            self.add(
                {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node, "resourceVersion": "1"}, "spec": {}}
            )
            self.files[node, HOSTS] = ORDINARY
            self.states[node] = "running"
            self.images[node] = {IMAGE, "sha256:" + "cd" * 32}
        self.states |= {"cp": "running", "sea-registry": "running"}

    def add(self, body: Object) -> None:
        meta = body["metadata"]
        self.objects[f"{body['apiVersion']}/{body['kind']}", meta.get("namespace", ""), meta["name"]] = body

    def field(self, **more: Any) -> Field:
        whole = {"nodes": self, "whole": self, **more}
        return Field(self, NAMESPACE, APPNAME, now=lambda: self.at, sleep=self._sleep, **whole)  # type: ignore[arg-type]

    def tree(self) -> Any:
        pods = {key: one for key, one in self.objects.items() if key[0] != "v1/Pod"}
        kept = json.dumps(sorted((str(key), _bare(one)) for key, one in pods.items()), sort_keys=True)
        rules = {str(key): one for key, one in self.rules.items() if one}
        qdiscs = {str(key): one for key, one in self.qdiscs.items() if one}
        files = {key: text for key, text in self.files.items() if not key[1].startswith("/run/seatrial")}
        knobs = {name: one for name, one in self.knobs.items() if one}
        images = {
            node: sorted(one for one in names if not one.startswith("sha256:")) for node, names in self.images.items()
        }
        return copy.deepcopy((kept, rules, qdiscs, files, knobs, self.states, images, self.processes))

    def _sleep(self, seconds: float) -> None:
        """Prometheus scrapes meanwhile."""
        self.at += seconds
        for place, rules in self.rules.items():
            self.hits[place] = self.hits.get(place, 0) + sum("8081" in one for one in rules)

    def _step(self, line: str = "") -> None:
        self.calls += 1
        if self.calls == self.die_at:
            raise Dead
        if line:
            self.lines.append(line)

    # ---- objects ----

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        self._step()
        found = copy.deepcopy(self.objects.get((kind, namespace or "", name)))
        if found is not None and kind == "v1/Node":
            found["status"] = self._status(name)
        return found

    def _status(self, node: str) -> Object:
        """What the kubelet said last: from before the boot as long as it boots, though the node counts as Ready all the time."""
        said = self.boots.get(node, 0) if self.at >= 1000.0 + self.booting else 0
        ready = {"type": "Ready", "status": "True", "lastHeartbeatTime": f"2026-01-01T00:00:{said:02d}Z"}
        return {"conditions": [ready], "addresses": [{"type": "InternalIP", "address": f"172.18.0.{len(node)}"}]}

    def list(self, kind: str, namespace: str | None = None, labels: Mapping[str, str] | None = None) -> list[Object]:
        self._step()
        return [
            copy.deepcopy(one) for (known, space, _), one in sorted(self.objects.items())
            if known == kind and namespace in (None, space)
            and all((one["metadata"].get("labels") or {}).get(key) == value for key, value in (labels or {}).items())
        ]  # fmt: skip

    def create(self, body: Object) -> Object:
        meta = body["metadata"]
        kind = f"{body['apiVersion']}/{body['kind']}"
        self._step(f"create {kind} {meta['name']}")
        if (kind, meta.get("namespace", ""), meta["name"]) in self.objects:
            raise Conflict(meta["name"])
        made = copy.deepcopy(body)
        made["metadata"]["resourceVersion"] = str(self.calls)
        self.add(made)
        return copy.deepcopy(made)

    def merge(self, kind: str, name: str, namespace: str, body: Object) -> Object:
        self._step(f"merge {kind} {name}")
        found = self.objects.get((kind, namespace, name))
        if found is None:
            raise Gone(name)
        wanted = body.get("metadata", {}).get("resourceVersion")
        if wanted and wanted != found["metadata"]["resourceVersion"]:
            raise Conflict(name)
        _merged(found, body)
        found["metadata"]["resourceVersion"] = str(self.calls)
        if found["metadata"].get("deletionTimestamp") and not found["metadata"].get("finalizers"):
            del self.objects[kind, namespace, name]
        return copy.deepcopy(found)

    def delete(
        self, kind: str, name: str, namespace: str | None = None, version: str = "", grace: int | None = None
    ) -> None:
        self._step(f"delete {kind} {name}")
        found = self.objects.get((kind, namespace or "", name))
        if found is None:
            raise Gone(name)
        if version and version != found["metadata"]["resourceVersion"]:
            raise Conflict(name)
        if found["metadata"].get("finalizers"):
            found["metadata"]["deletionTimestamp"] = "now"
        else:
            del self.objects[kind, namespace or "", name]

    def raw(self, method: str, path: str, **more: Any) -> Any:
        self._step(f"{method} {path}")
        node = re.fullmatch(r"/api/v1/nodes/(\w+)", path)
        if node:
            _merged(self.objects["v1/Node", "", node[1]], json.loads(more["content"]))
            return Answered(b"{}")
        eviction = re.fullmatch(r".*/pods/([\w-]+)/eviction(\?dryRun=All)?", path)
        if eviction:
            blocked = self.budget or any(kind == "policy/v1/PodDisruptionBudget" for kind, _, _ in self.objects)
            if blocked and not self.deaf:
                raise Unavailable("Cannot evict pod as it would violate the pod's disruption budget")
            if not eviction[2]:
                del self.objects["v1/Pod", NAMESPACE, eviction[1]]
        return Answered(b"{}")

    def through(self, namespace: str, target: str, path: str, method: str = "GET", **more: Any) -> Answered:
        self._step(f"{method} {target}{path}" if method != "GET" else "")
        name = target.removeprefix("pods/").partition(":")[0]
        if ("v1/Pod", namespace, name) not in self.objects:
            raise Gone(name)
        found = self.objects["v1/Pod", namespace, name]
        if self.states.get(found["spec"]["nodeName"]) == "paused":
            raise Unavailable("no answer")
        if path == "/faults" and method == "PUT" and not self.deaf:
            self.knobs[name] = json.loads(more["content"])
            out = any(one["kind"] in ("pod.unready", "pod.ready_flap", "members.flap") for one in self.knobs[name])
            found["status"]["conditions"][0]["status"] = "False" if out else "True"
        if path == "/reset" and not self.deaf:
            self.created[name] = self.at
        set_to = {one["kind"]: one["params"] for one in self.knobs.get(name, ())}
        if path == "/ready" and set_to.get("members.false_positive"):
            raise Unavailable("not ready")
        if path == "/metrics":
            held = set_to.get("stress.memory", {}).get("bytes", 0)
            created = self.created.get(name, 0.0)
            return Answered(f"http_requests_created {created}\nprocess_resident_memory_bytes {2e7 + held}\n".encode())
        return Answered(json.dumps(self.knobs.get(name, [])).encode())

    # ---- nodes ----

    def workers(self) -> tuple[str, ...]:
        return "w1", "w2"

    def all(self) -> tuple[str, ...]:
        return "cp", "w1", "w2"

    def registry(self) -> str:
        return "sea-registry"

    def state(self, name: str) -> str:
        self._step()
        return self.states[name]

    def pause(self, name: str) -> None:
        self._step(f"pause {name}")
        if not self.deaf:
            self.states[name] = "paused"

    def unpause(self, name: str) -> None:
        self._step(f"unpause {name}")
        self.states[name] = "running"

    def reboot(self, name: str, address: str) -> None:
        self._step(f"reboot {name}")
        if not self.deaf:
            self.boots[name] = self.boots.get(name, 0) + 1

    def boot(self, name: str, address: str) -> None:
        self._step(f"boot {name}")
        self.states[name] = "running"

    def born(self, name: str) -> tuple[str, str]:
        boots = self.boots.get(name, 0)
        address = self.elsewhere if boots == 1 and self.elsewhere else f"172.18.0.{len(name)}"
        return f"2026-01-01T00:00:{boots:02d}.123456789Z", address

    def file(self, name: str, path: str, text: str) -> None:
        self._step(f"{name}: file {path}")
        self.files[name, path] = text

    def start(self, name: str, *words: str) -> None:
        self._step(f"{name}: start {' '.join(words)}")
        space, words = self._space(words)
        if not self.deaf:
            self.processes.append((name, space, words))

    def run(self, name: str, *words: str) -> str:
        self._step()
        answer = self._answer(name, *words)
        if self.calls == self.unclear_at:
            raise Unclear("the output did not arrive whole")
        return answer

    def do(self, name: str, *words: str) -> None:
        self._step()
        self._answer(name, *words)
        if self.calls == self.unclear_at:
            raise Unclear("it goes on without a word")

    def _answer(self, name: str, *words: str) -> str:
        space, words = self._space(words)
        for first, answer in _COMMANDS:
            if words[: len(first)] == first:
                return answer(self, (name, space), words)
        raise AssertionError(f"the world does not know {words}")

    @staticmethod
    def _space(words: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        """The pid whose network namespace a command runs in; 0: the node's."""
        if words[0] != "nsenter":
            return 0, words
        return int(words[1].removeprefix("--net=/proc/").removesuffix("/ns/net")), words[3:]

    def sandboxes(self, place: tuple[str, int], words: tuple[str, ...]) -> str:
        uid = re.search(r"pod\.uid\"==([\w-]+),", words[-1])
        assert uid is not None
        on = [
            one
            for (kind, _, _), one in self.objects.items()
            if kind == "v1/Pod" and one["spec"]["nodeName"] == place[0]
        ]
        return "".join(f"box{uid[1]}\n" for one in on if one["metadata"]["uid"] == uid[1])

    def tasks(self, place: tuple[str, int], words: tuple[str, ...]) -> str:
        pods = [one["metadata"]["uid"] for (kind, _, _), one in self.objects.items() if kind == "v1/Pod"]
        return "TASK PID STATUS\n" + "".join(f"box{uid} {100 + int(uid[:8])} RUNNING\n" for uid in pods)

    def kill(self, place: tuple[str, int], words: tuple[str, ...]) -> str:
        for (kind, _, _), one in self.objects.items():
            if kind == "v1/Pod" and one["status"]["containerStatuses"][0]["containerID"].endswith("/" + words[-1]):
                one["status"]["containerStatuses"][0]["restartCount"] += not self.deaf
        return ""

    def iptables(self, place: tuple[str, int], words: tuple[str, ...]) -> str:
        table, verb, rest = words[4], words[5], (words[4], *words[6:])
        assert words[3] == "-t" and table in ("filter", "nat")
        there = self.rules.setdefault(place, [])
        if verb == "-A":
            self.lines.append(f"iptables {' '.join(words[3:])}")
            if not self.deaf:
                there.append(rest)
        elif rest not in there:
            raise NodeFailed("no such rule", 1)
        elif verb == "-D":
            there.remove(rest)
        return ""

    def saved(self, place: tuple[str, int], words: tuple[str, ...]) -> str:
        known = [next(word for word in one if word.startswith("seatrial:")) for one in self.rules.get(place, [])]
        return "".join(f'[{self.hits.get(place, 0)}:0] -A X -m comment --comment "{one}" -j DROP\n' for one in known)

    def tc(self, place: tuple[str, int], words: tuple[str, ...]) -> str:
        there = self.qdiscs.get(place, "")
        if "add" in words:
            self.lines.append(" ".join(words))
            self.qdiscs[place] = "" if self.deaf else " ".join(words[words.index("handle") + 1 :])
        elif "del" in words:
            self.qdiscs[place] = ""
        handle, _, rest = there.partition(" ")
        return f"qdisc {rest.partition(' ')[0]} {handle} root refcnt 2" if there else "qdisc noqueue 0: root refcnt 2"

    def sockets(self, place: tuple[str, int], words: tuple[str, ...]) -> str:
        arguments = [word for _, space, started in self.processes if space == place[1] for word in started]
        ports = [word.removeprefix("listen=") for word in arguments if word.startswith("listen=")]
        return "".join(f"LISTEN 0 512 0.0.0.0:{port} 0.0.0.0:*\n" for port in ports)

    def probe(self, place: tuple[str, int], words: tuple[str, ...]) -> str:
        mine = self.rules.get(place, []) if place[1] else [one for rules in self.rules.values() for one in rules]
        for key in self.rules:
            if self.rules[key] and (not place[1] or key == place):
                self.hits[key] = self.hits.get(key, 0) + 1
        if mine:
            raise NodeFailed("no answer", 1)
        return ""

    def shell(self, place: tuple[str, int], words: tuple[str, ...]) -> str:
        script, arguments = words[2], words[4:]
        tagged = [one for one in self.processes if one[0] == place[0] and arguments and arguments[0] in one[2]]
        if "kill -TERM" in script:
            self.processes = [one for one in self.processes if one not in tagged]
            return ""
        if "/proc/[0-9]*" in script:
            return "".join(f"{number}\n" for number, _ in enumerate(tagged, 7))
        if "uptime" in script:
            options = dict(word.partition("=")[::2] for _, _, started in self.processes for word in started)
            if "127.0.0.1" in arguments:
                options = {}
            took = sum(float(options.get(name, 0)) for name in ("to", "from", "close_delay"))
            came = (
                "silent"
                if options.get("hole")
                else "reset"
                if "reset_after" in options
                else str(int(float(options.get("limit", 120))))
            )
            return f"{came} 10.00 {10.0 + took:.2f}\n"
        path = re.search(r"-f '?([^' ]+)'? ", script)
        assert path is not None, script
        text = self.files.get((place[0], path[1]))
        return "" if text is None else "+\n" + text

    def remove(self, place: tuple[str, int], words: tuple[str, ...]) -> str:
        self.files.pop((place[0], words[-1]), None)
        return ""

    def stored(self, place: tuple[str, int], words: tuple[str, ...]) -> str:
        if words[4] == "ls":
            return "\n".join(sorted(self.images[place[0]]))
        if words[4] == "rm" and not self.deaf:
            self.images[place[0]] -= set(words[5:])
        if words[4] == "pull":
            self.images[place[0]].add(words[-1])
        return ""

    def pull(self, place: tuple[str, int], words: tuple[str, ...]) -> str:
        if self.files[place[0], HOSTS] != ORDINARY and not self.deaf:
            raise NodeFailed("unexpected status from HEAD request: 404", 1)
        return ""


Command = Callable[[World, tuple[str, int], tuple[str, ...]], str]
_COMMANDS: tuple[tuple[tuple[str, ...], Command], ...] = (
    (("ctr", "-n", "k8s.io", "containers", "ls"), World.sandboxes),
    (("ctr", "-n", "k8s.io", "tasks", "ls"), World.tasks),
    (("ctr", "-n", "k8s.io", "tasks", "kill"), World.kill),
    (("ctr", "-n", "k8s.io", "images"), World.stored),
    (("iptables", "-w", "5"), World.iptables),
    (("iptables-save", "-c"), World.saved),
    (("tc",), World.tc),
    (("ss",), World.sockets),
    (("timeout", "2", "ctr"), World.pull),
    (("timeout",), World.probe),
    (("perl",), World.probe),
    (("sh", "-c"), World.shell),
    (("rm", "-f"), World.remove),
)


def _merged(found: Object, body: Object) -> None:
    for key, value in body.items():
        if value is None:
            found.pop(key, None)
        elif isinstance(value, dict) and isinstance(found.get(key), dict):
            _merged(found[key], value)
        else:
            found[key] = copy.deepcopy(
                {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value
            )


def _bare(one: Object) -> Object:
    """Without what the server sets by itself."""
    bare = copy.deepcopy(one)
    bare["metadata"].pop("resourceVersion", None)
    for name in [name for name, value in bare["metadata"].items() if value in ({}, None)]:
        del bare["metadata"][name]
    return bare
