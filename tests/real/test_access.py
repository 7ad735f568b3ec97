"""Kubeconfigs: one context, named; refused where the file could do what nobody asked for. And what may leave for the API server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml  # type: ignore[import-untyped]

from real.cluster import access
from real.cluster.transport import Everything, Guard, Owned, ReadOnly
from real.ports.errors import Forbidden
from sim.cli.exits import Usage


def kubeconfig(
    path: Path, *, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, contexts: int = 1
) -> Path:
    document = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c0",
        "contexts": [{"name": f"c{n}", "context": {"cluster": "k", "user": "u"}} for n in range(contexts)],
        "clusters": [{"name": "k", "cluster": {"server": "https://127.0.0.1:1", **(cluster or {})}}],
        "users": [{"name": "u", "user": user if user is not None else {"token": "s3cret-token"}}],
    }  # fmt: skip
    path.write_text(yaml.safe_dump(document))
    return path


EXEC = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "get-token", "args": ["--for", "me; rm"]}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"user": EXEC}, "runs a program for its token: get-token --for 'me; rm'; allow it with --allow-exec"),
        ({"user": {"auth-provider": {"name": "gcp"}}}, "auth-provider is not supported"),
        ({"cluster": {"insecure-skip-tls-verify": True}}, "give its CA, or allow it with --insecure"),
        ({"cluster": {"proxy-url": "http://p:1"}}, "proxy-url would send credentials through a proxy"),
        ({"cluster": {"server": "http://example.org"}}, "is not https; credentials would travel in the clear"),
        ({"contexts": 2}, "which context is meant; name one of them with --context: c0, c1"),
    ],
)  # fmt: skip
def test_what_a_kubeconfig_could_do_unasked_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(Usage) as refused:
        access.access(kubeconfig(tmp_path / "config", **change))
    assert said in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "- a\n", "a: [", "contexts: 3"])
def test_what_is_no_kubeconfig_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)
    with pytest.raises(Usage, match="not YAML|not a kubeconfig"):
        access.access(tmp_path / "config")


def test_an_exec_plugin_is_shown_and_allowed_when_asked(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", user=EXEC)
    assert access.command(path) == "get-token --for 'me; rm'"
    assert access.access(path, allow_exec=True).user is not None


def test_the_named_context_is_taken_never_the_current_one(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", contexts=2)
    assert access.access(path, "c1").context_name == "c1"
    with pytest.raises(Usage, match="there is no context 'c7'"):
        access.access(path, "c7")


PATHS = {
    "GET /api/v1/namespaces/mine/pods": (True, True, True),
    "POST /api/v1/namespaces/mine/pods": (False, True, True),
    "PATCH /apis/apps/v1/namespaces/mine/deployments/web": (False, True, True),
    "POST /api/v1/namespaces/mine/services/a:b/proxy/commands": (False, True, True),
    "DELETE /api/v1/namespaces/other/pods/p": (False, False, True),
    "DELETE /api/v1/namespaces/mine-too/pods/p": (False, False, True),
    "POST /api/v1/namespaces": (False, False, True),
    "PATCH /api/v1/nodes/n": (False, False, True),
    "PUT /apis/rbac.authorization.k8s.io/v1/clusterroles/x": (False, False, True),
}
GUARDS: tuple[Callable[[httpx2.BaseTransport], Guard], ...] = (
    ReadOnly,
    lambda inner: Owned(inner, ("mine",)),
    Everything,
)


@pytest.mark.parametrize("line", PATHS)
@pytest.mark.parametrize("which", range(3))
def test_a_client_has_only_the_power_of_its_transport(line: str, which: int) -> None:
    reached: list[str] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        reached.append(request.method)
        return httpx2.Response(200)

    method, path = line.split()
    guard = GUARDS[which](httpx2.MockTransport(serve))
    request = httpx2.Request(method, "https://127.0.0.1")
    request.url = request.url.copy_with(raw_path=path.encode())
    if PATHS[line][which]:
        guard.handle_request(request)
        assert reached == [method]
    else:
        with pytest.raises(Forbidden):
            guard.handle_request(request)
        assert reached == []
