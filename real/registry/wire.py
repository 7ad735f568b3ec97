"""One request and its answer, or a named error: time-outs, TLS, redirects, truncation, and what the server said.

Keeps no cookies: with Harbor's session cookie every write would be asked for a CSRF token.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx

from real.registry.errors import (
    BadRequest,
    BadResponse,
    InsecureRedirect,
    RegistryError,
    Timeout,
    TlsRejected,
    Unavailable,
    named,
)
from real.registry.patience import Patience
from real.registry.secrets import Credentials, Redactor

MOST_BYTES = 64 << 20  # of one answer; a layer may ask for more
REDIRECTS = 5
MESSAGE = 400  # characters of a server's own words that an error repeats


@dataclass(frozen=True, slots=True)
class Answer:
    """A response that was read to its end."""

    status: int
    headers: httpx.Headers
    body: bytes
    action: str

    def document(self) -> Any:
        """Its JSON. Raises BadResponse."""
        try:
            return json.loads(self.body)
        except ValueError:
            kind = self.headers.get("content-type", "no content type")
            raise BadResponse(f"{self.action}: {len(self.body)} bytes of {kind} that are not JSON") from None

    def said(self) -> str:
        """Code and message of an error body, else its beginning."""
        try:
            errors = json.loads(self.body)["errors"]
            text = "; ".join(f"{one.get('code', '')} {one.get('message', '')}" for one in errors)
        except (ValueError, KeyError, TypeError, AttributeError):
            text = self.body[:MESSAGE].decode("utf-8", "replace")
        return re.sub(r"\s+", " ", text).strip()[:MESSAGE]

    def retry_after_s(self) -> float | None:
        """Seconds that the server asks to wait; a date is not read, since clocks differ."""
        text = self.headers.get("retry-after", "")
        return float(text) if re.fullmatch(r"\d+", text) else None


def trust(ca: Path | None) -> ssl.SSLContext:
    """The system's certificates, or this bundle alone. Raises TlsRejected for a bundle that cannot be read."""
    try:
        return ssl.create_default_context(cafile=str(ca) if ca else None)
    except OSError as error:
        raise TlsRejected(f"{ca}: not a CA bundle ({error})") from None


@dataclass(slots=True)
class Wire:
    """A connection to one registry.

    `deadline_s` bounds one answer as a whole, however slowly its bytes come; `transport` stands in for the network in tests.
    """

    url: str
    ca: Path | None = None
    patience: Patience = field(default_factory=Patience)
    redactor: Redactor = field(default_factory=Redactor)
    deadline_s: float = 60.0
    transport: httpx.BaseTransport | None = None
    _client: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        base = _address(self.url)
        verify: ssl.SSLContext | bool = trust(self.ca) if base.scheme == "https" and self.transport is None else True
        self._client = httpx.Client(
            base_url=base, verify=verify, transport=self.transport, trust_env=False, follow_redirects=False,
            timeout=httpx.Timeout(self.deadline_s / 2, connect=5.0), cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"user-agent": "seatrial", "accept-encoding": "identity"},
        )  # fmt: skip

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close()

    @property
    def host(self) -> str:
        """host:port, as image names carry it."""
        return self._client.base_url.netloc.decode("ascii")

    def know(self, credentials: Credentials | None) -> None:
        """Never show these."""
        if credentials:
            self.redactor.learn(credentials.secret, credentials.user)

    def ask(self, method: str, path: str, *, patient: bool = True, **request: Any) -> Answer:
        """`once`, and again while the error is a passing one."""
        reading = method in ("GET", "HEAD")

        def again(error: RegistryError) -> bool:
            """A write that was answered badly may have been carried out: it is not repeated blindly."""
            return patient and (reading or not isinstance(error, BadResponse))

        return self.patience.persist(lambda: self.once(method, path, **request), again)

    def once(
        self,
        method: str,
        path: str,
        *,
        good: tuple[int, ...] = (200, 201, 202, 204),
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        document: Any = None,
        parsed: bool = False,
        limit: int = MOST_BYTES,
    ) -> Answer:
        """One request. `path` is relative to the registry, or a whole URL; `parsed`: the answer must be JSON.

        A status outside `good` is raised as the error that it stands for.
        """
        url = self._client.base_url.join(path) if path.startswith("/") else httpx.URL(path)
        if params:
            url = url.copy_merge_params(dict(params))
        action = self.redactor.scrub(f"{method} {url.copy_with(query=None)}")
        body = json.dumps(document).encode() if document is not None else content
        sent = dict(headers or {})
        if document is not None:
            sent["content-type"] = "application/json"
        answer = self._follow(method, url, sent, body, action, limit)
        if answer.status not in good:
            raise named(answer.status, self.redactor.scrub(answer.said()), action, answer.retry_after_s())
        if parsed:
            answer.document()
        return answer

    def _follow(
        self, method: str, url: httpx.URL, headers: dict[str, str], body: bytes | None, action: str, limit: int
    ) -> Answer:
        for _ in range(REDIRECTS + 1):
            answer = self._exchange(method, url, headers, body, action, limit)
            target = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or not target:
                return answer
            if method not in ("GET", "HEAD"):
                raise BadResponse(f"{action}: a write was redirected")
            there = url.join(target)
            if url.scheme == "https" and there.scheme != "https":
                raise InsecureRedirect(f"{action}: redirected from https to {there.scheme}")
            if (there.host, there.port) != (url.host, url.port):
                headers = {key: value for key, value in headers.items() if key.lower() != "authorization"}
            url = there
        raise BadResponse(f"{action}: more than {REDIRECTS} redirects")

    def _exchange(
        self, method: str, url: httpx.URL, headers: dict[str, str], body: bytes | None, action: str, limit: int
    ) -> Answer:
        began = self.patience.clock.now()
        received = bytearray()
        try:
            with self._client.stream(method, url, headers=headers, content=body) as response:
                for part in response.iter_bytes():
                    received += part
                    if self.patience.clock.now() - began > self.deadline_s:
                        raise Timeout(f"{action}: no whole answer within {self.deadline_s:g} s")
                    if len(received) > limit:
                        raise BadResponse(f"{action}: an answer of more than {limit} bytes")
                return _whole(method, Answer(response.status_code, response.headers, bytes(received), action))
        except httpx.HTTPError as error:
            raise _failed(error, action, self.redactor) from None


def _address(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise BadRequest("the registry's address is no URL of the form https://host:port, without user and password")
    return url


def _whole(method: str, answer: Answer) -> Answer:
    stated = answer.headers.get("content-length", "")
    if method != "HEAD" and stated.isdigit() and int(stated) != len(answer.body) and answer.status != 204:
        raise BadResponse(f"{answer.action}: {len(answer.body)} of {stated} bytes came")
    return answer


def _failed(error: httpx.HTTPError, action: str, redactor: Redactor) -> RegistryError:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    text = redactor.scrub(str(cause or error) or type(error).__name__)
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
        return TlsRejected(f"{action}: {text}")
    if isinstance(error, httpx.TimeoutException):
        return Timeout(f"{action}: no answer in time ({type(error).__name__})")
    if isinstance(error, httpx.RemoteProtocolError) and "incomplete" in text:
        return BadResponse(f"{action}: {text}")
    return Unavailable(f"{action}: {text}")
