"""The kinds of Kubernetes object that a recording writes and watches, and which system a set of manifests belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.apps_v1 import Deployment, ReplicaSet
from lightkube.resources.core_v1 import Pod, Service
from lightkube.resources.networking_v1 import Ingress

__all__ = ["ANALYSIS_RUN", "CANARY", "DEPLOYMENT", "POD", "ROLLOUT", "VIRTUAL_SERVICE", "WATCHED", "WORKLOADS"]

ROLLOUT: Any = create_namespaced_resource("argoproj.io", "v1alpha1", "Rollout", "rollouts")
ANALYSIS_RUN: Any = create_namespaced_resource("argoproj.io", "v1alpha1", "AnalysisRun", "analysisruns")
CANARY: Any = create_namespaced_resource("flagger.app", "v1beta1", "Canary", "canaries")
_ROUTE: Any = create_namespaced_resource("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes")
VIRTUAL_SERVICE: Any = create_namespaced_resource("networking.istio.io", "v1", "VirtualService", "virtualservices")
POD: Any = Pod
DEPLOYMENT: Any = Deployment

for _kind, _plural in (
    ("AnalysisTemplate", "analysistemplates"),
    ("ClusterAnalysisTemplate", "clusteranalysistemplates"),
):
    create_namespaced_resource("argoproj.io", "v1alpha1", _kind, _plural)
create_namespaced_resource("flagger.app", "v1beta1", "MetricTemplate", "metrictemplates")
for _version in ("v1beta1", "v1alpha3"):  # as manifests may be written
    create_namespaced_resource("networking.istio.io", _version, "VirtualService", "virtualservices")

# What each system changes; the first kind is the one whose phase is told.
WATCHED: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "argo-rollouts": (ROLLOUT, ANALYSIS_RUN, ReplicaSet, Pod, Service, Ingress),
        "flagger": (CANARY, Deployment, ReplicaSet, Pod, _ROUTE),
        "kubernetes": (Deployment, ReplicaSet, Pod),
    }
)

# The kind of the object that a manifest of each system is about; a Canary comes with its Deployment, so it is looked for first.
WORKLOADS: Mapping[str, tuple[str, Any]] = MappingProxyType(
    {"argo-rollouts": ("Rollout", ROLLOUT), "flagger": ("Canary", CANARY), "kubernetes": ("Deployment", Deployment)}
)
