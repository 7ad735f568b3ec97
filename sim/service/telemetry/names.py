"""What the objects of a rollout are called: the words from which labels are made.

A manifest says it (`sim.manifests.identity`), the service's `telemetry:` may say it otherwise, and what nobody says has a plain name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

__all__ = ["Identity", "Named", "Version", "Words", "identity_of", "pod_name"]

Version = Literal["stable", "canary"]

Words = Mapping[str, str]
"""Words that may stand in braces in the text of a label."""


@dataclass(frozen=True, slots=True)
class Named:
    """One version: its workload, the Service in front of it, the pods' hash and labels."""

    workload: str
    service: str
    hash: str
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """A rollout: both its versions, and where it lives.

    `system` is who asks (argo, flagger, or nobody: ''); `router` is the dialect of what routes its requests, '' if nobody says.
    `service` is what clients call; `active` is the Service that `Switch` points at another version ('' where there is none).
    """

    stable: Named
    canary: Named
    namespace: str = "default"
    service: str = ""
    ingress: str = ""
    route: str = ""
    system: Literal["argo", "flagger", ""] = ""
    router: str = ""
    active: str = ""

    def words(self, version: Version) -> dict[str, str]:
        """The words of a version."""
        named = self.stable if version == "stable" else self.canary
        service = named.service or self.service
        return {
            "namespace": self.namespace, "workload": named.workload, "service": service, "apex": self.service or service,
            "hash": named.hash, "version": version, "ingress": self.ingress or self.service or service,
            "route": self.route or self.service or service, "app": dict(named.labels).get("app", self.canary.workload),
        }  # fmt: skip

    def lives_in(self, namespace: str) -> Identity:
        return replace(self, namespace=namespace)


def identity_of(name: str) -> Identity:
    """A rollout that no manifest names: one workload and one Service of this name."""
    return Identity(Named(name, name, "stable"), Named(name, name, "latest"), service=name)


def pod_name(words: Words, number: int) -> str:
    """As a ReplicaSet names its pods; the five characters at the end count instead of being random.

    >>> pod_name({"workload": "shop", "hash": "latest"}, 12)
    'shop-latest-00012'
    """
    return f"{words['workload']}-{words['hash']}-{number:05d}"
