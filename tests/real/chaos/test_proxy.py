"""The proxy itself, on a loopback address: what each fault does to a request, and that its end harms none. Needs perl, as nodes have it."""

from __future__ import annotations

import http.client
import http.server
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import real.chaos

pytestmark = pytest.mark.cluster

PROXY = Path(real.chaos.__file__).with_name("proxy.pl")
BODY = b"x" * 1000


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, format: str, *args: object) -> None:
        return


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 200

    def handle_error(self, request: object, client_address: object) -> None:
        return  # connections end early here, on purpose


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = Server(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def proxy(port: int, **options: float) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = free.getsockname()[1]
    words = [f"{name}={value}" for name, value in {"listen": listen, "target": port, "tag": "t", **options}.items()]
    process = subprocess.Popen(["perl", str(PROXY), *words], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"listening\n"
    try:
        yield process, listen
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


def ask(port: int, limit: float = 3.0) -> tuple[Any, float]:
    """(bytes of the answer, or the error's name; seconds)."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=limit)
    try:
        connection.request("GET", "/")
        came: Any = len(connection.getresponse().read())
    except (OSError, http.client.HTTPException) as error:
        came = type(error).__name__
    finally:
        connection.close()
    return came, time.monotonic() - began


@pytest.mark.parametrize(
    "options, came, least",
    [
        ({}, 1000, 0.0),
        ({"to": 0.3}, 1000, 0.3),
        ({"from": 0.3}, 1000, 0.3),
        ({"to": 0.2, "from": 0.2}, 1000, 0.4),
        ({"to": 0.4, "jitter": 0.1}, 1000, 0.3),
        ({"slice": 100, "gap": 0.05}, 1000, 0.5),
        ({"limit": 500}, "IncompleteRead", 0.0),
        ({"reset_after": 0}, "ConnectionResetError", 0.0),
        ({"hole": 1}, "TimeoutError", 1.0),
    ],
)
def test_what_a_fault_does_to_a_request(port: int, options: dict[str, float], came: Any, least: float) -> None:
    with proxy(port, **options) as (_, listen):
        for _ in range(2):
            found, took = ask(listen, 1.0 if came == "TimeoutError" else 3.0)
            assert found == came and took >= least - 0.01


def test_requests_under_way_when_it_ends_are_answered_at_once(port: int) -> None:
    found: list[tuple[Any, float]] = []
    with proxy(port, to=2.0) as (process, listen):
        threads = [threading.Thread(target=lambda: found.append(ask(listen, 10.0))) for _ in range(30)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        process.terminate()
        for thread in threads:
            thread.join()
        assert process.wait(timeout=10) == 0
    assert [came for came, _ in found] == [1000] * 30
    assert max(took for _, took in found) < 1.9
