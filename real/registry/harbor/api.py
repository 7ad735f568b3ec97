"""Calls of the REST API: basic authentication, paging, names in paths, and creating what may be there already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from real.registry.distribution import PAGES, following
from real.registry.errors import AuthExpired, AuthRejected, BadResponse, Conflict
from real.registry.secrets import Credentials
from real.registry.wire import Answer, Wire

ROOT = "/api/v2.0"
PAGE = 100  # the most that Harbor takes; above it answers 422 (recorded)

T = TypeVar("T")


@dataclass(slots=True)
class Api:
    """Harbor behind a wire. Paths are relative to /api/v2.0."""

    wire: Wire
    credentials: Credentials | None = None
    worked: bool = False

    def __post_init__(self) -> None:
        self.wire.know(self.credentials)

    def get(self, path: str, **params: str | int) -> Any:
        """The document at this path. Raises a RegistryError."""
        return self._ask("GET", path, params=params, good=(200,), parsed=True).document()

    def there(self, path: str, **params: str | int) -> bool:
        """Whether HEAD finds it."""
        return self._ask("HEAD", path, params=params, good=(200, 404)).status == 200

    def pages(self, path: str, **params: str | int) -> Iterator[Any]:
        """Every entry of a list, page by page. Raises BadResponse for a list without an end."""
        here, asked = path, {**params, "page_size": PAGE}
        for _ in range(PAGES):
            answer = self._ask("GET", here, params=asked, good=(200,), parsed=True)
            yield from answer.document() or ()
            more = following(answer)
            if more is None:
                return
            here, asked = more.removeprefix(ROOT), {}
        raise BadResponse(f"GET {ROOT}{path}: more than {PAGES} pages")

    def send(self, method: str, path: str, document: Any = None) -> Answer:
        """A write. Raises a RegistryError."""
        return self._ask(method, path, document=document)

    def create(self, path: str, document: Any, read: Callable[[], T], same: Callable[[T], bool]) -> T:
        """Create, and return it as it is then. What is there already and is the same counts as created (409: read back)."""
        try:
            self.send("POST", path, document)
        except Conflict as error:
            found = read()
            if same(found):
                return found
            raise error
        return read()

    def _ask(self, method: str, path: str, **request: Any) -> Answer:
        headers: Mapping[str, str] = {"authorization": self.credentials.basic()} if self.credentials else {}
        try:
            answer = self.wire.ask(method, ROOT + path, headers=headers, **request)
        except AuthRejected as error:
            if self.worked:
                raise AuthExpired(error.problem) from None
            raise
        # Reading proves nothing: Harbor answers wrong credentials with what is public.
        self.worked = self.worked or (self.credentials is not None and method not in ("GET", "HEAD"))
        return answer


def number(answer: Answer) -> int:
    """The id of what was created: the last part of Location. Raises BadResponse."""
    last = answer.headers.get("location", "").rpartition("/")[2]
    if not last.isdigit():
        raise BadResponse(f"{answer.action}: created, without saying where")
    return int(last)


def part(name: str) -> str:
    """A name as one part of a path; one with a slash is encoded twice, as Harbor asks for."""
    once = quote(name, safe="")
    return quote(once, safe="") if "/" in name else once
