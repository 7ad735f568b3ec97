"""Rows 33 to 35 of the error table: certificates, against a real server on a loopback address."""

from __future__ import annotations

import datetime
import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from real.registry.distribution import Distribution
from real.registry.errors import BadRequest, TlsRejected
from real.registry.patience import Patience
from real.registry.wire import Wire
from tests.real.registry.conftest import Still


class Registry(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        return


class Quiet(http.server.HTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        return  # a client that refuses our certificate ends the handshake


@contextmanager
def serving(certificate: trustme.LeafCert) -> Iterator[int]:
    server = Quiet(("127.0.0.1", 0), Registry)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return file


def ping(port: int, ca: Path | None, host: str = "127.0.0.1") -> None:
    with Wire(f"https://{host}:{port}", ca, Patience(clock=Still())) as wire:
        Distribution(wire).ping()


def test_row_33_an_own_authority_is_trusted_only_by_its_bundle(authority: trustme.CA, bundle: Path) -> None:
    with serving(authority.issue_cert("127.0.0.1")) as port:
        ping(port, bundle)
        with pytest.raises(TlsRejected, match="CA bundle"):
            ping(port, None)


def test_row_34_an_expired_certificate_is_refused(authority: trustme.CA, bundle: Path) -> None:
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    with (
        serving(authority.issue_cert("127.0.0.1", not_before=past, not_after=past.replace(year=2021))) as port,
        pytest.raises(TlsRejected, match="expired"),
    ):
        ping(port, bundle)


def test_row_35_a_certificate_of_another_host_is_refused(authority: trustme.CA, bundle: Path) -> None:
    with (
        serving(authority.issue_cert("other.test")) as port,
        pytest.raises(TlsRejected, match="IP address mismatch|127"),
    ):
        ping(port, bundle)


def test_a_bundle_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("nothing", encoding="utf-8")
    for name in ("no.pem", "absent.pem"):
        with pytest.raises(TlsRejected, match=f"{name}: not a CA bundle"):
            Wire("https://registry.test", tmp_path / name)


@pytest.mark.parametrize(
    "url", ["registry.test", "ftp://registry.test", "https://", "https://me:pw@registry.test", "::"]
)
def test_an_address_is_https_or_http_and_holds_no_credentials(url: str) -> None:
    with pytest.raises(BadRequest, match="without user and password") as raised:
        Wire(url)
    assert "pw" not in str(raised.value)
