"""The token dance of the distribution specification: a challenge, a token for one scope, the request again."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import httpx

from real.registry.errors import AuthRejected, BadResponse, InsecureRedirect
from real.registry.secrets import Credentials, Secret
from real.registry.wire import Wire

SHORTEST_S = 60.0  # "expires_in ... if omitted, this defaults to 60 seconds" (distribution, docs/spec/auth/token)
MARGIN_S = 10.0  # a token that ends within this time is not used any more


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a 401 asks for: scheme 'bearer' with realm, service and scope, or 'basic'."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


def challenge(header: str) -> Challenge:
    """Read WWW-Authenticate. Raises AuthRejected where it names no way in."""
    scheme, _, rest = header.strip().partition(" ")
    fields = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    if scheme.lower() == "bearer" and fields.get("realm"):
        return Challenge("bearer", fields["realm"], fields.get("service", ""), fields.get("scope", ""))
    if scheme.lower() == "basic":
        return Challenge("basic")
    raise AuthRejected(f"401 with the challenge {header!r}, which names no way in")


@dataclass(slots=True)
class Tokens:
    """Tokens by scope, each kept until shortly before it ends. Anonymous without credentials."""

    wire: Wire
    credentials: Credentials | None
    _kept: dict[str, tuple[Secret, float]] = field(default_factory=dict, repr=False)

    def kept(self, scope: str) -> str | None:
        """The header for this scope, where there is a token that lives."""
        found = self._kept.get(scope)
        if found is None or found[1] <= self.wire.patience.clock.now():
            return None
        return "Bearer " + found[0].reveal()

    def answer(self, asked: Challenge, scope: str) -> str | None:
        """The header that answers a challenge; None: there is nothing to answer with."""
        if asked.scheme == "basic":
            return self.credentials.basic() if self.credentials else None
        self._kept[scope] = self._fetch(asked, asked.scope or scope)
        return self.kept(scope)

    def _fetch(self, asked: Challenge, scope: str) -> tuple[Secret, float]:
        realm = httpx.URL(asked.realm)
        _guard(self.wire, realm, self.credentials is not None)
        params = {key: value for key, value in (("service", asked.service), ("scope", scope)) if value}
        headers = {"authorization": self.credentials.basic()} if self.credentials else {}
        document = self.wire.ask("GET", asked.realm, params=params, headers=headers, parsed=True).document()
        text = (document.get("token") or document.get("access_token")) if isinstance(document, dict) else None
        if not isinstance(text, str):
            raise BadResponse(f"GET {realm.copy_with(query=None)}: an answer without a token")
        token = Secret(text)
        self.wire.redactor.learn(token)
        lives = document.get("expires_in")
        lives_s = float(lives) if isinstance(lives, (int, float)) and lives > 0 else SHORTEST_S
        return token, self.wire.patience.clock.now() + max(1.0, lives_s - MARGIN_S)


def _guard(wire: Wire, realm: httpx.URL, secret: bool) -> None:
    """Credentials go to the registry itself, or over https."""
    ours = httpx.URL(wire.url)
    if ours.scheme == "https" and realm.scheme != "https":
        raise InsecureRedirect(f"{wire.url} sends for tokens to {realm.scheme}://{realm.host}")
    if secret and realm.scheme != "https" and (realm.host, realm.port) != (ours.host, ours.port):
        raise InsecureRedirect(f"{wire.url} sends for tokens to another host without TLS ({realm.host})")
