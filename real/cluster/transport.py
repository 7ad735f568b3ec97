"""What may leave for the API server: power is taken away at the transport, so that a forgotten `if` cannot write.

`ReadOnly` lets only reads through (planning). `Owned` lets writes through to named namespaces only. Both set the deadline of a call.
"""

from __future__ import annotations

import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from lightkube.config.client_adapter import verify_cluster
from lightkube.config.kubeconfig import SingleConfig

from real.ports.errors import Forbidden

__all__ = ["Everything", "Guard", "Owned", "ReadOnly", "wire"]

_READS = ("GET", "HEAD")
_NAMESPACE = re.compile(r"^/apis?/(?:[^/]+/){1,2}namespaces/([^/]+)(?:/|$)")


class Guard(httpx2.BaseTransport, ABC):
    """Lets a request through to `inner` unless it `refuses` it, with the deadline that is set for this thread."""

    def __init__(self, inner: httpx2.BaseTransport) -> None:
        self._inner = inner
        self._local = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Calls of this thread inside the block take at most so long."""
        before = getattr(self._local, "seconds", None)
        self._local.seconds = seconds
        try:
            yield
        finally:
            self._local.seconds = before

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method not in _READS:
            refusal = self.refuses(request.method, request.url.path)
            if refusal:
                raise Forbidden(f"{request.method} {request.url.path}: {refusal}")
        seconds = getattr(self._local, "seconds", None)
        if seconds is not None:
            request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), max(0.05, seconds))
        return self._inner.handle_request(request)

    @abstractmethod
    def refuses(self, method: str, path: str) -> str:
        """Why a write is not let through; '' if it is."""

    def close(self) -> None:
        self._inner.close()


class ReadOnly(Guard):
    """No write at all."""

    def refuses(self, method: str, path: str) -> str:
        return "nothing is written here; this client only reads"


class Owned(Guard):
    """Writes to these namespaces only."""

    def __init__(self, inner: httpx2.BaseTransport, namespaces: tuple[str, ...]) -> None:
        super().__init__(inner)
        self._namespaces = namespaces

    def refuses(self, method: str, path: str) -> str:
        found = _NAMESPACE.match(path)
        if found is None:
            return "it concerns the whole cluster; only objects of our namespaces are written"
        return (
            "" if found[1] in self._namespaces else f"namespace {found[1]} is not ours ({', '.join(self._namespaces)})"
        )


class Everything(Guard):
    """For `up` and `down` on a cluster of our own, which make namespaces and roles."""

    def refuses(self, method: str, path: str) -> str:
        return ""


def wire(config: SingleConfig) -> httpx2.BaseTransport:
    """The transport to a cluster that verifies it as its kubeconfig says."""
    assert config.user is not None
    context = verify_cluster(config.cluster, config.user, config.abs_file, trust_env=False)
    return httpx2.HTTPTransport(verify=context, trust_env=False, retries=0)
