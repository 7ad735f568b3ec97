"""Credentials that no output ever shows: not a repr, not an error, not a log, not a journal."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, quote_plus

from sim.policy.errors import SeatrialError

USER, PASSWORD, FILE = "SEATRIAL_REGISTRY_USER", "SEATRIAL_REGISTRY_PASSWORD", "SEATRIAL_REGISTRY_CREDENTIALS"
HIDDEN = "***"


class Secret:
    """A text that prints as ***. `reveal()` is the only way to it; it cannot be pickled or put into JSON."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user (for Harbor mostly a robot account: robot$project+name) and its secret."""

    user: str
    secret: Secret

    def basic(self) -> str:
        """The value of the header Authorization."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.secret.reveal()}".encode()).decode("ascii")


def credentials(environ: Mapping[str, str], file: Path | None = None) -> Credentials | None:
    """From a file (JSON, as Harbor exports a robot account: name and secret), else from the environment; None: anonymous.

    Raises SeatrialError, which names the place and never the content.
    """
    named = environ.get(FILE)
    path = file or (Path(named) if named else None)
    if path is not None:
        return _from_file(path)
    user, password = environ.get(USER), environ.get(PASSWORD)
    if user and password:
        return Credentials(user, Secret(password))
    if user or password:
        missing = PASSWORD if user else USER
        raise SeatrialError(f"{missing} is not set; set both {USER} and {PASSWORD}, or {FILE} to a file")
    return None


def _from_file(path: Path) -> Credentials:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SeatrialError(f"{path}: {error.strerror}; give a readable file with name and secret") from None
    except ValueError:  # its text would quote the content
        document = None
    name, secret = (document.get("name"), document.get("secret")) if isinstance(document, dict) else (None, None)
    if not (isinstance(name, str) and isinstance(secret, str) and name and secret):
        raise SeatrialError(f'{path}: not a robot account; write {{"name": "robot$project+name", "secret": "..."}}')
    return Credentials(name, Secret(secret))


@dataclass(slots=True)
class Redactor(logging.Filter):
    """Replaces every known secret, in every form it travels in. Also a filter for loggers and handlers."""

    known: dict[str, None] = field(default_factory=dict, repr=False)  # in the order they came: a set has none

    def learn(self, secret: Secret | None, user: str = "") -> None:
        """Remember a secret as it is, in base64 (alone and as user:secret), as part of a URL and of JSON."""
        text = secret.reveal() if secret else ""
        if not text:
            return
        pair = f"{user}:{text}"
        plain = (text, quote(text, safe=""), quote_plus(text), json.dumps(text)[1:-1])
        encoded = (base64.b64encode(one.encode()).decode("ascii") for one in (text, pair))
        self.known.update(dict.fromkeys((*plain, *encoded)))

    def scrub(self, text: str) -> str:
        for form in sorted(self.known, key=len, reverse=True):  # a form may hold another
            text = text.replace(form, HIDDEN)
        return text

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self.scrub(record.getMessage()), None
        if record.exc_info:
            record.exc_text = self.scrub(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True

    def scrubbed(self, document: Any) -> Any:
        """The same for a document of JSON (a journal line)."""
        if isinstance(document, str):
            return self.scrub(document)
        if isinstance(document, dict):
            return {self.scrub(str(key)): self.scrubbed(value) for key, value in document.items()}
        return [self.scrubbed(one) for one in document] if isinstance(document, (list, tuple)) else document
