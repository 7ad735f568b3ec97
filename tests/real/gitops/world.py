"""A cluster in memory whose desired state is a repository: somebody like Argo CD applies each commit and prunes what is gone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx2

from real.cluster.adapter import Kubernetes
from real.cluster.transport import Owned
from real.gitops.cluster import GitOps
from real.gitops.desired import Desired
from real.gitops.git import Author, Branch
from real.gitops.manifests import Object, documents, texts
from real.ports.things import Live, Put, Seen, Stamp
from real.routers.rules import Istio
from tests.real.apiserver import config
from tests.real.fake import Behaviour, Trouble
from tests.real.kubeyard import PLACE, KubeYard

KINDS = ("apps/v1/Deployment", "v1/Service", "v1/ConfigMap", "networking.istio.io/v1/VirtualService")
FOLDER = "apps/web"


def git(place: Path, *words: str) -> str:
    who = ("-c", "user.name=A Person", "-c", "user.email=person@example.org")
    return subprocess.run(
        ["git", "-C", str(place), *who, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def repository(place: Path, files: dict[str, str]) -> Path:
    """A bare repository with one commit on main."""
    work, bare = place / "work", place / "desired.git"
    work.mkdir(parents=True)
    git(work, "init", "-q", "-b", "main")
    for name, text in files.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text)
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "As it is")
    git(place, "clone", "-q", "--bare", str(work), str(bare))
    return bare


class GitYard(KubeYard):
    """The yard of the crash suite, through lightkube, with git between what is wanted and what is applied."""

    def __init__(self, place: Path, behaviour: Behaviour | None = None) -> None:
        super().__init__(behaviour, Trouble())
        assert isinstance(self.router, Istio)  # the first draw of its chance
        self._calm = self.server.api("trial")
        self.bare = repository(place, {"README": "Deployments", f"{FOLDER}/all.yaml": texts(self._exported())})
        self.branch = Branch(self.bare, "main", Author("Ship", "ship@example.org"))
        self._synced = self.branch.head()
        guard = Owned(httpx2.MockTransport(self._wire), ("trial",))
        self.desired = Desired(config(), guard, self.branch, FOLDER)
        live = Kubernetes(self.server.api("trial", through=self._wire), PLACE, self.router, settle=0.0)
        self.ops = GitOps(Kubernetes(self.desired, PLACE, self.router), live)

    def _exported(self) -> list[Object]:
        found = [one for kind in KINDS for one in self._calm.list(kind, "trial")]
        kept = [one for one in found if not one["metadata"]["name"].endswith("-lease")]
        for one in kept:
            one.pop("status", None)
            one["metadata"] = {
                key: one["metadata"][key] for key in ("name", "labels", "annotations") if key in one["metadata"]
            }
        return kept

    def sync(self) -> None:
        head = self.branch.head()
        if head == self._synced:
            return
        before, now = ({_key(one): one for one in self._at(commit)} for commit in (self._synced, head))
        self._synced = head
        for key, one in now.items():
            if before.get(key) != one:
                self._calm.apply({**one, "metadata": {**one["metadata"], "namespace": "trial"}})
        for kind, name in before.keys() - now.keys():
            self._calm.delete(kind, name, "trial")

    def _at(self, commit: str) -> list[Object]:
        return [one for text in self.branch.files(commit, FOLDER).values() for one in documents(text)]

    # ---- the port ----

    def names(self) -> tuple[str, ...]:
        return self.ops.names()

    def read(self, name: str, deadline: float) -> Live:
        return super().read(name, deadline) if name.startswith("fault/") else self.ops.read(name, deadline)

    def write(self, put: Put, stamp: Stamp, deadline: float) -> Live:
        if put.name.startswith("fault/"):
            return super().write(put, stamp, deadline)
        written = self.ops.write(put, stamp, deadline)
        self.sync()
        return written

    def look(self, deadline: float) -> Seen:
        return self.ops.look(deadline)

    def history(self, form: str = "%s", *words: str) -> list[str]:
        """Of the branch, oldest first, without the commit that was there."""
        return git(self.bare, "log", "--reverse", f"--format={form}", "main", *words).splitlines()[1:]


def _key(one: Object) -> tuple[str, str]:
    return f"{one['apiVersion']}/{one['kind']}", one["metadata"]["name"]
