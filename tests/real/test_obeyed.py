"""What route objects say, read by the pod that stands in for their controller: as ours and the real controllers write them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from real.ports.things import Put, Routes
from real.routers.base import Place, Router
from real.routers.carried import RESOURCES, plane
from real.routers.obeyed import KINDS, Rule, Unfit
from real.routers.obeying import Slots, lines
from real.routers.rules import Gateway, Ingress, Istio
from tests.real.apiserver import Server
from tests.real.test_haproxy import Server as HAProxy

PLACE = Place("trial", "web")
ROUTES = [
    Routes(((1, 80.0), (2, 20.0))), Routes(((1, 100.0), (2, 0.0))), Routes(((1, 99.5), (2, 0.5)), (("beta", 2),)), Routes(((2, 100.0),)),
]  # fmt: skip


def service(name: str, address: str = "10.0.0.1", **port: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {"clusterIP": address, "ports": [{"name": "http", "port": 8080, **port}]},
    }


SERVICES = {name: service(name, f"10.0.0.{number}") for number, name in enumerate(("web", "web-r1", "web-r2"), 1)}


def read(kind: str, name: str, *found: dict[str, Any]) -> Rule:
    return KINDS[kind][2](name, found)


@pytest.mark.parametrize(
    ("router", "kind"), [(Gateway(), "HTTPRoute"), (Istio(), "VirtualService"), (Ingress(), "Ingress")]
)
@pytest.mark.parametrize("routes", ROUTES)
def test_what_our_routers_write_is_what_users_get(router: Router, kind: str, routes: Routes) -> None:
    api = Server().api("trial")
    for body in router.objects(api, PLACE):
        api.apply(body)
    api.apply(router.rule(api, PLACE, Put("routes", routes), None))
    router.push(api, PLACE, routes)
    rule = read(kind, "web", *api.list(router.key(PLACE)[0], "trial"))
    total = sum(rule.weights.values())
    shares = {name: weight / total * 100 for name, weight in rule.weights.items() if weight}
    assert shares == pytest.approx({f"web-r{revision}": weight for revision, weight in routes.weights if weight})
    assert rule.segments == {segment: f"web-r{revision}" for segment, revision in routes.matches}


@pytest.mark.parametrize(
    ("router", "kind"), [(Gateway(), "HTTPRoute"), (Istio(), "VirtualService"), (Ingress(), "Ingress")]
)
def test_when_nothing_is_routed_all_pods_serve(router: Router, kind: str) -> None:
    found = router.objects(Server().api("trial"), PLACE)
    assert set(read(kind, "web", *found).weights) == {"web"}


# As Flagger 1.41 (pkg/router/gateway_api.go) and Argo Rollouts 1.10 (nginx, istio) leave them.
FLAGGER = """
metadata: {name: shop}
spec:
  hostnames: [shop.example]
  rules:
  - matches: [{path: {type: PathPrefix, value: /}}]
    backendRefs: [{name: shop-primary, port: 80, weight: 70}, {name: shop-canary, port: 80, weight: 30}]
"""
ARGO = """
metadata: {name: shop}
spec: {rules: [{host: a, http: {paths: [{path: /, backend: {service: {name: old, port: {number: 80}}}}]}}]}
---
metadata:
  name: app-shop-canary
  annotations: {nginx.ingress.kubernetes.io/canary: 'true', nginx.ingress.kubernetes.io/canary-weight: '35'}
spec: {rules: [{host: a, http: {paths: [{path: /, backend: {service: {name: new, port: {name: http}}}}]}}]}
---
metadata:
  name: another
  annotations: {nginx.ingress.kubernetes.io/canary: 'true', nginx.ingress.kubernetes.io/canary-weight: '90'}
spec: {rules: [{host: b, http: {paths: [{path: /, backend: {service: {name: new, port: {number: 80}}}}]}}]}
"""
ISTIO = """
metadata: {name: shop}
spec:
  hosts: [shop]
  http:
  - name: primary
    timeout: 5s
    route:
    - {destination: {host: old.space.svc.cluster.local}, weight: 65}
    - {destination: {host: new, port: {number: 80}}, weight: 35}
"""


@pytest.mark.parametrize(
    ("kind", "text", "weights", "ports"),
    [
        ("HTTPRoute", FLAGGER, {"shop-primary": 70, "shop-canary": 30}, {"shop-primary": 80, "shop-canary": 80}),
        ("Ingress", ARGO, {"old": 0.65, "new": 0.35}, {"old": 80, "new": "http"}),
        ("VirtualService", ISTIO, {"old": 65, "new": 35}, {"old": 0, "new": 80}),
    ],
)
def test_what_controllers_write_is_read(
    kind: str, text: str, weights: dict[str, float], ports: dict[str, object]
) -> None:
    rule = read(kind, "shop", *yaml.safe_load_all(text))
    assert rule.weights == pytest.approx(weights)
    assert rule.ports == ports


def _with(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("HTTPRoute", _with(FLAGGER, "value: /}", "value: /api}"), "a match by path"),
        ("HTTPRoute", _with(FLAGGER, "{path: {type", "{headers: [{name: user, value: x}], path: {type"), "header user"),
        ("HTTPRoute", _with(FLAGGER, "backendRefs", "filters: [{type: RequestMirror}]\n    backendRefs"), "filter RequestMirror"),
        ("HTTPRoute", "metadata: {name: other}\nspec: {}", "HTTPRoute shop is not there"),
        ("HTTPRoute", "metadata: {name: shop}\nspec: {}", "no rule is for everybody"),
        ("Ingress", _with(ARGO, "host: b", "host: a"), "it has 2 canaries"),
        ("Ingress", _with(ARGO, "canary-weight: '35'", "canary-by-cookie: fresh"), "canary-by-cookie is not carried out"),
        ("Ingress", _with(ARGO, "canary-weight: '35'", "canary-by-header: x-other"), "canary-by-header is not carried out"),
        ("VirtualService", _with(ISTIO, "host: new", "subset: v2, host: new"), "subset v2"),
        ("VirtualService", _with(ISTIO, "timeout: 5s", "mirror: {host: new}"), "mirror is not carried out"),
        ("VirtualService", _with(ISTIO, "timeout: 5s", "match: [{headers: {x-segment: {prefix: b}}}]"), "only x-segment, exactly"),
    ],
)  # fmt: skip
def test_what_it_cannot_carry_out_is_said_by_name(kind: str, text: str, said: str) -> None:
    with pytest.raises(Unfit, match=said):
        read(kind, "shop", *yaml.safe_load_all(text))


def test_services_keep_their_slots_and_somebody_always_serves() -> None:
    slots, router = Slots(), HAProxy()
    for rule, expected in (
        (Rule({"web": 100.0}, {}, {"web": 8080}), {"web": 1}),
        (Rule({"web-r1": 8000, "web-r2": 2000}, {}, {"web-r1": 8080, "web-r2": "http"}), {"web-r1": 4, "web-r2": 1}),
        (Rule({"web-r1": 0, "web-r2": 1}, {"beta": "web-r1"}, {"web-r1": 0, "web-r2": 8080}), {"web-r2": 1}),
        (Rule({"web": 100.0}, {}, {"web": 8080}), {"web": 1}),
    ):
        router.hear(lines(rule, SERVICES, slots))
        assert not router.silent
        assert router.serves() == {slots.of[name]: weight for name, weight in expected.items()}
        assert router.segments == {segment: slots.of[name] for segment, name in rule.segments.items()}
        assert all(
            router.address[slots.of[name]] == SERVICES[name]["spec"]["clusterIP"]
            for name in (*expected, *rule.segments.values())
        )


def test_a_slot_goes_to_somebody_else_when_all_are_taken() -> None:
    slots = Slots()
    for number in range(20):
        taken = slots.take([f"s{number}", f"s{number + 1}"])
        assert len(set(taken.values())) == 2
    assert len(slots.of) == 8


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule({"gone": 1}, {}, {"gone": 80}), "Service gone is not there"),
        (Rule({"web": 1}, {}, {"web": 81}), "Service web has no port 81"),
        (Rule({"none": 1}, {}, {"none": 0}), "no address of its own"),
        (Rule({"web": 0}, {}, {"web": 0}), "add up to more than 0"),
    ],
)
def test_what_leads_nowhere_is_said(rule: Rule, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        lines(rule, {**SERVICES, "none": service("none", "None")}, Slots())


def test_the_pod_brings_all_that_it_runs_and_reads_only_its_namespace() -> None:
    objects = {one["kind"]: one for one in plane(PLACE, "HTTPRoute/web", "haproxy", "python")}
    files = objects["ConfigMap"]["data"]
    imported = {
        name
        for text in files.values()
        for name in ("agent", "obeyed", "slots")
        if f"real.routers.{name} import" in text
    }
    assert {f"real.routers.{name}.py" for name in imported} | {"real.__init__.py"} <= set(files)
    assert all("from real.cluster" not in text and "from sim" not in text for text in files.values())
    assert "http-reuse" not in files["haproxy.cfg"]
    assert {verb for rule in objects["Role"]["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert "ClusterRole" not in objects


def test_resources_that_are_made_serve_every_version_that_manifests_use() -> None:
    served = {
        one["spec"]["names"]["kind"]: {version["name"] for version in one["spec"]["versions"]}
        for found in RESOURCES.values()
        for one in found
    }
    assert served["HTTPRoute"] == {"v1", "v1beta1"}
    assert served["VirtualService"] == {"v1", "v1beta1", "v1alpha3"}
