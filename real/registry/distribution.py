"""The OCI distribution API: pull and push by digest, every byte checked against its name (specification v1.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import httpx

from real.registry.errors import (
    ArtifactMissing,
    AuthExpired,
    AuthRejected,
    BadResponse,
    DigestMismatch,
    ImmutableTag,
    Timeout,
    Unavailable,
    UploadLost,
)
from real.registry.patience import Patience
from real.registry.reference import digest, is_digest
from real.registry.secrets import Credentials
from real.registry.tokens import Tokens, challenge
from real.registry.wire import Answer, Wire

MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
PAGES = 1000  # faults.md section 5.3, row 40
CHUNK = 8 << 20  # bytes of one PATCH


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or an index as it was stored; `digest` is computed from the bytes."""

    media_type: str
    digest: str
    body: bytes


@dataclass(slots=True)
class Distribution:
    """One registry. `worked`: its credentials were accepted in this run, so that a refusal means that they expired."""

    wire: Wire
    credentials: Credentials | None = None
    worked: bool = False
    tokens: Tokens = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.wire.know(self.credentials)
        self.tokens = Tokens(self.wire, self.credentials)

    def ping(self) -> None:
        """Raises unless a registry answers that knows us (or needs not to)."""
        self._ask("GET", "/v2/", "")

    def manifest(self, repository: str, reference: str) -> Manifest:
        """By tag or digest; what was asked by digest has that digest, or DigestMismatch is raised."""

        def look() -> Answer:
            return self._ask("GET", f"/v2/{repository}/manifests/{reference}", _pull(repository), headers=_accept())

        answer = look()
        found = Manifest(answer.headers.get("content-type", "").partition(";")[0], digest(answer.body), answer.body)
        stated = answer.headers.get("docker-content-digest", found.digest)
        wanted = reference if is_digest(reference) else stated
        if found.digest != wanted:
            raise DigestMismatch(f"{repository}: asked for {wanted}, got bytes of {found.digest}")
        return found

    def resolve(self, repository: str, tag: str) -> str:
        """The digest that a tag names now."""
        path = f"/v2/{repository}/manifests/{tag}"
        answer = self._ask("HEAD", path, _pull(repository), headers=_accept(), good=(200, 404))
        # Without a digest (or at all) the bytes decide, and a refusal has words: HEAD has none.
        stated = str(answer.headers.get("docker-content-digest", ""))
        return stated if is_digest(stated) else self.manifest(repository, tag).digest

    def holds(self, repository: str, name: str) -> bool:
        """Whether the blob is there."""
        answer = self._ask("HEAD", f"/v2/{repository}/blobs/{name}", _pull(repository), good=(200, 404))
        return answer.status == 200

    def blob(self, repository: str, name: str, limit: int = 1 << 30) -> bytes:
        """Its bytes, or DigestMismatch."""
        answer = self._ask("GET", f"/v2/{repository}/blobs/{name}", _pull(repository), limit=limit)
        if digest(answer.body) != name:
            raise DigestMismatch(f"{repository}: blob {name} came as {digest(answer.body)}")
        return answer.body

    def tags(self, repository: str) -> tuple[str, ...]:
        """Every tag, page by page."""
        found: list[str] = []
        path = f"/v2/{repository}/tags/list"
        for _ in range(PAGES):
            answer = self._ask("GET", path, _pull(repository), parsed=True)
            found += answer.document().get("tags") or ()
            more = following(answer)
            if more is None:
                return tuple(found)
            path = more
        raise BadResponse(f"GET /v2/{repository}/tags/list: more than {PAGES} pages")

    def upload(self, repository: str, content: bytes, chunk: int = CHUNK) -> str:
        """Store a blob and return its digest: in one PUT up to `chunk` bytes, above that in chunks.

        A broken upload goes on where the registry says it stands; one that the registry has forgotten begins again.
        """
        name = digest(content)
        if self.holds(repository, name):
            return name
        patience = self.wire.patience
        for tried in range(1, patience.tries + 1):
            try:
                return _Upload(self, repository, content, name, chunk).run()
            except UploadLost:
                if tried == patience.tries:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    def store(self, repository: str, reference: str, body: bytes, media_type: str) -> str:
        """Store a manifest under a tag or its digest. A tag that is immutable and names the same bytes is no error."""
        name = digest(body)
        try:
            answer = self._ask(
                "PUT", f"/v2/{repository}/manifests/{reference}", _push(repository),
                content=body, headers={"content-type": media_type}, good=(201,),
            )  # fmt: skip
        except ImmutableTag:
            if self._names(repository, reference) == name:
                return name
            raise
        stated = answer.headers.get("docker-content-digest", name)
        if stated != name:
            raise DigestMismatch(f"{repository}: pushed {name}, the registry stored {stated}")
        return name

    def delete(self, repository: str, name: str) -> None:
        """Delete a manifest by digest."""
        scope = f"repository:{repository}:delete"
        self._ask("DELETE", f"/v2/{repository}/manifests/{name}", scope, good=(202,))

    def may_push(self, repository: str) -> None:
        """Raises unless the account may push: an upload is begun and taken back. (A token alone proves nothing.)"""
        scope = _push(repository)
        begun = self._ask("POST", f"/v2/{repository}/blobs/uploads/", scope, good=(202,), content=b"")
        self._ask("DELETE", place(begun), scope, good=(204, 404), patient=False)

    def _names(self, repository: str, tag: str) -> str | None:
        try:
            return self.resolve(repository, tag)
        except ArtifactMissing:
            return None

    def _ask(self, method: str, path: str, scope: str, **request: Any) -> Answer:
        """A request with the token for its scope; a challenge is answered once, and the request repeated once."""
        headers = dict(request.pop("headers", {}))
        good = request.pop("good", (200, 201, 202, 204))
        kept = self.tokens.kept(scope)
        first = self.wire.ask(method, path, headers=headers | _bearer(kept), good=(*good, 401), **request)
        if first.status != 401:
            return first
        header = self.tokens.answer(challenge(first.headers.get("www-authenticate", "")), scope)
        if header is None:
            raise AuthRejected(f"{first.action}: 401, and there are no credentials to answer with")
        answer = self.wire.ask(method, path, headers=headers | _bearer(header), good=(*good, 401), **request)
        if answer.status == 401:
            error = AuthExpired if self.worked else AuthRejected
            raise error(f"{answer.action}: 401 {self.wire.redactor.scrub(answer.said())}".rstrip())
        self.worked = True
        return answer


@dataclass(slots=True)
class _Upload:
    """One upload: where it stands, and what is still to be sent."""

    registry: Distribution
    repository: str
    content: bytes
    name: str
    chunk: int

    def run(self) -> str:
        if len(self.content) <= self.chunk:
            self._close(self._begin(), self.content)
        else:
            self._close(self._chunks(self._begin()), b"")
        return self.name

    def _begin(self) -> str:
        path = f"/v2/{self.repository}/blobs/uploads/"
        return place(self._ask("POST", path, good=(202,), content=b""))

    def _chunks(self, location: str) -> str:
        """Send everything, chunk by chunk, and return the last location."""
        patience: Patience = self.registry.wire.patience
        at = broken = 0
        while at < len(self.content):
            part = self.content[at : at + self.chunk]
            headers = {
                "content-type": "application/octet-stream",
                "content-range": f"{at}-{at + len(part) - 1}",
            }
            try:
                answer = self._ask("PATCH", location, good=(202,), content=part, headers=headers, patient=False)
            except (Unavailable, Timeout):
                broken += 1
                if broken >= patience.tries:
                    raise
                patience.clock.sleep(patience.first_s * broken)
                answer = self._ask("GET", location, good=(202, 204))
                if reached(answer) == 0:  # or one byte: the same words, and the registry 2.8 ignores Content-Range
                    raise UploadLost(f"{answer.action}: it is not known where the upload stands") from None
            location, at = place(answer, location), reached(answer)
        return location

    def _close(self, location: str, rest: bytes) -> None:
        """The PUT that names the digest. Broken off, it may have been carried out all the same."""
        headers = {"content-type": "application/octet-stream"}
        try:
            answer = self._ask(
                "PUT", location, good=(201,), content=rest, params={"digest": self.name}, headers=headers, patient=False
            )
        except (Unavailable, Timeout) as error:
            if self.registry.holds(self.repository, self.name):
                return
            raise UploadLost(error.problem) from None
        stated = answer.headers.get("docker-content-digest", self.name)
        if stated != self.name:
            raise DigestMismatch(f"{self.repository}: pushed {self.name}, the registry stored {stated}")

    def _ask(self, method: str, path: str, **request: Any) -> Answer:
        return self.registry._ask(method, path, _push(self.repository), **request)


def place(answer: Answer, before: str | None = None) -> str:
    """Where an upload goes on: path and query of Location, at the address by which we reach the registry.

    Registries build that header from their external URL, which may be another name; credentials never go there.
    """
    stated = answer.headers.get("location") or before
    if not stated:
        raise BadResponse(f"{answer.action}: an answer without Location")
    return httpx.URL(stated).raw_path.decode("ascii")


def reached(answer: Answer) -> int:
    """How many bytes the registry has, from `Range: 0-N`; 0-0 also stands for none (distribution 2.8)."""
    found = re.fullmatch(r"(?:bytes=)?0-(\d+)", answer.headers.get("range", ""))
    if found is None:
        raise BadResponse(f"{answer.action}: an answer without a Range")
    return int(found[1]) + 1 if int(found[1]) else 0


def following(answer: Answer) -> str | None:
    """Path and query of the next page, from the header Link."""
    found = re.search(r'<([^>]+)>\s*;\s*rel="?next"?', answer.headers.get("link", ""))
    return httpx.URL(found[1]).raw_path.decode("ascii") if found else None


def _pull(repository: str) -> str:
    return f"repository:{repository}:pull"


def _push(repository: str) -> str:
    return f"repository:{repository}:pull,push"


def _accept() -> dict[str, str]:
    return {"accept": ", ".join(MANIFESTS)}


def _bearer(header: str | None) -> dict[str, str]:
    return {"authorization": header} if header else {}
