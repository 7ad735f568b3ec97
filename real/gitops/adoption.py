"""The first commit: an app that runs, as the manifests of a folder that does not hold it yet."""

from __future__ import annotations

from real.cluster.api import Api
from real.cluster.forms import CONFIGMAP, DEPLOYMENT, SERVICE
from real.gitops.desired import Desired
from real.gitops.manifests import Object
from real.routers.base import Place, Router

__all__ = ["adopt"]

_SERVERS = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy", "sessionAffinity")
_MACHINES = ("deployment.kubernetes.io/", "kubectl.kubernetes.io/")  # annotations that nobody wrote by hand


def adopt(desired: Desired, live: Api, place: Place, router: Router) -> list[str]:
    """Commit what a rollout changes and the folder has not; returns what it was."""
    app = place.app
    keys = [
        (DEPLOYMENT, app),
        (SERVICE, app),
        (SERVICE, f"{app}-preview"),
        (CONFIGMAP, f"{app}-stable"),
        router.key(place),
    ]
    said: list[str] = []
    for kind, name in dict.fromkeys(keys):
        found = live.get(kind, name, place.namespace)
        if found is not None and desired.get(kind, name, place.namespace) is None:
            desired.create(_bare(kind, found))
            said.append(f"{found.get('kind', kind)} {name}")
    return said


def _bare(kind: str, found: Object) -> Object:
    """What was wanted of it, without what the server added."""
    group, _, word = kind.rpartition("/")
    meta = {key: found["metadata"][key] for key in ("name", "labels", "annotations") if found["metadata"].get(key)}
    if "annotations" in meta:
        meta["annotations"] = {
            key: value for key, value in meta["annotations"].items() if not key.startswith(_MACHINES)
        }
    body: Object = {"apiVersion": group, "kind": word, "metadata": meta}
    for part in ("spec", "data"):
        if part in found:
            body[part] = {key: value for key, value in found[part].items() if key not in _SERVERS}
    return body
