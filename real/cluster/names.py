"""Names, labels and annotations of everything that Seatrial makes on a cluster; the only place where they are spelled."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "ADOPTED",
    "APP",
    "CLUSTER",
    "EPOCH",
    "MANAGED",
    "OWNED",
    "REVISION",
    "RUN",
    "SYSTEM",
    "THING",
    "UNDO",
    "VALUE",
    "labels",
]

MANAGED = "app.kubernetes.io/managed-by"  # Kubernetes' recommended labels
APP = "app.kubernetes.io/name"
REVISION = "seatrial.dev/revision"  # of a pod: a Deployment that replaces its pods has pods of two
THING = "seatrial.dev/thing"  # which thing of real/ports an object is: `workload/home`
VALUE = "seatrial.dev/value"  # its value, as JSON
RUN, EPOCH, UNDO = "seatrial.dev/run", "seatrial.dev/epoch", "seatrial.dev/undo"
CLUSTER = "seatrial.dev/cluster"  # of a namespace: the uid of kube-system where we made or adopted it
ADOPTED = "seatrial.dev/adopted"

SYSTEM = "seatrial-system"  # where Prometheus lives
OWNED: Mapping[str, str] = {MANAGED: "seatrial"}


def labels(app: str, **more: str) -> dict[str, str]:
    """Labels of an object of ours that belongs to an app."""
    return {**OWNED, APP: app, **more}
