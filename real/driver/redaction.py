"""No secret in anything that is written or shown: exact, base64, URL-encoded and JSON-escaped forms (faults.md section 6)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote

__all__ = ["Redaction"]

_SHORTEST = 6  # a shorter one would hide words that are no secret


class Redaction:
    """Replaces secrets by ***.

    >>> Redaction(["s3cr3t-token"])("Bearer s3cr3t-token, czNjcjN0LXRva2Vu")
    'Bearer ***, ***'
    """

    __slots__ = ("_forms",)

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
        self._forms = sorted(forms, key=lambda form: (-len(form), form))

    def __call__(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, "***")
        return text


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1]
    data = secret.encode()
    for shift in range(3):  # base64 of a text that holds it, wherever in it
        whole = base64.b64encode(b"\0" * shift + data).decode().rstrip("=")
        inner = whole[(0, 2, 3)[shift] :]
        yield inner[: len(inner) - (1 if (len(data) + shift) % 3 else 0)]
