"""A registry in memory: the OCI distribution API as the registry 2.8 answers it (no authentication)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from itertools import count

import httpx

Handler = Callable[[httpx.Request], httpx.Response]
VERSION = {"docker-distribution-api-version": "registry/2.0"}


def sha256(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def failure(status: int, code: str, message: str, detail: object = None) -> httpx.Response:
    error = {"code": code, "message": message} | ({"detail": detail} if detail is not None else {})
    text = json.dumps({"errors": [error]}).encode()
    headers = {**VERSION, "content-type": "application/json; charset=utf-8"}
    return httpx.Response(status, headers=headers, content=text)


class MemoryRegistry:
    """`blobs` and `manifests` by (repository, digest), `names` by (repository, tag): tests may break what is in them."""

    def __init__(self) -> None:
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.names: dict[tuple[str, str], str] = {}
        self.uploads: dict[str, tuple[str, bytearray]] = {}
        self.page = 100
        self._next = count(1)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        for verbs, pattern, answer in _ROUTES:
            found = re.fullmatch(pattern, request.url.path)
            if found and request.method in verbs:
                response = answer(self, request, *found.groups())
                if request.method == "HEAD":
                    response = httpx.Response(response.status_code, headers=response.headers)
                return response
        return failure(404, "NOT_FOUND", f"path {request.url.path} was not found")

    def root(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=VERSION, json={})

    def pull(self, request: httpx.Request, name: str, reference: str) -> httpx.Response:
        digest = reference if reference.startswith("sha256:") else self.names.get((name, reference), "")
        if (name, digest) not in self.manifests:
            return failure(404, "MANIFEST_UNKNOWN", "manifest unknown", {"Tag": reference})
        kind, body = self.manifests[name, digest]
        headers = {**VERSION, "content-type": kind, "docker-content-digest": digest, "etag": f'"{digest}"'}
        return httpx.Response(200, headers=headers, content=body)

    def push(self, request: httpx.Request, name: str, reference: str) -> httpx.Response:
        body, digest = request.content, sha256(request.content)
        if reference.startswith("sha256:") and reference != digest:
            return failure(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        for blob in self._needs(json.loads(body)):
            if (name, blob) not in self.blobs and (name, blob) not in self.manifests:
                return failure(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", blob)
        self.manifests[name, digest] = request.headers["content-type"], body
        if not reference.startswith("sha256:"):
            self.names[name, reference] = digest
        return self._created(request, f"/v2/{name}/manifests/{digest}", digest)

    @staticmethod
    def _needs(document: dict[str, object]) -> list[str]:
        parts = [document.get("config"), *(document.get("layers") or ()), *(document.get("manifests") or ())]  # type: ignore[misc]
        return [part["digest"] for part in parts if part]  # type: ignore[index]

    def erase(self, request: httpx.Request, name: str, digest: str) -> httpx.Response:
        if self.manifests.pop((name, digest), None) is None:
            return failure(404, "MANIFEST_UNKNOWN", "unknown manifest")
        self.names = {key: value for key, value in self.names.items() if not (key[0] == name and value == digest)}
        return httpx.Response(202, headers=VERSION)

    def tags(self, request: httpx.Request, name: str) -> httpx.Response:
        known = sorted(tag for repository, tag in self.names if repository == name)
        if not known:
            return failure(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": name})
        last, most = request.url.params.get("last", ""), int(request.url.params.get("n", self.page))
        rest = [tag for tag in known if tag > last]
        headers = {**VERSION}
        if len(rest) > most:
            headers["link"] = f'</v2/{name}/tags/list?last={rest[most - 1]}&n={most}>; rel="next"'
        return httpx.Response(200, headers=headers, json={"name": name, "tags": rest[:most]})

    def read(self, request: httpx.Request, name: str, digest: str) -> httpx.Response:
        if (name, digest) not in self.blobs:
            return failure(404, "BLOB_UNKNOWN", "blob unknown to registry", digest)
        headers = {**VERSION, "docker-content-digest": digest, "content-type": "application/octet-stream"}
        return httpx.Response(200, headers=headers, content=self.blobs[name, digest])

    def begin(self, request: httpx.Request, name: str) -> httpx.Response:
        upload = f"upload-{next(self._next)}"
        self.uploads[upload] = name, bytearray()
        return self._stands(request, 202, name, upload)

    def add(self, request: httpx.Request, name: str, upload: str) -> httpx.Response:
        if upload not in self.uploads:
            return self._lost(request)
        self.uploads[upload][1].extend(
            request.content
        )  # wherever Content-Range says: the registry 2.8 never looks at it
        return self._stands(request, 202, name, upload)

    def status(self, request: httpx.Request, name: str, upload: str) -> httpx.Response:
        if upload not in self.uploads:
            return self._lost(request)
        return self._stands(request, 204, name, upload)

    def cancel(self, request: httpx.Request, name: str, upload: str) -> httpx.Response:
        if self.uploads.pop(upload, None) is None:
            return self._lost(request)
        return httpx.Response(204, headers=VERSION)

    def finish(self, request: httpx.Request, name: str, upload: str) -> httpx.Response:
        if upload not in self.uploads:
            return self._lost(request)
        whole = bytes(self.uploads[upload][1]) + request.content
        digest = request.url.params["digest"]
        if sha256(whole) != digest:
            detail = {"Digest": digest, "Reason": {}}
            return failure(400, "DIGEST_INVALID", "provided digest did not match uploaded content", detail)
        del self.uploads[upload]
        self.blobs[name, digest] = whole
        return self._created(request, f"/v2/{name}/blobs/{digest}", digest)

    @staticmethod
    def _lost(request: httpx.Request) -> httpx.Response:
        if "_state" not in request.url.params:
            return failure(404, "BLOB_UPLOAD_INVALID", "blob upload invalid")
        return failure(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")

    def _stands(self, request: httpx.Request, status: int, name: str, upload: str) -> httpx.Response:
        size = len(self.uploads[upload][1])
        place = request.url.copy_with(path=f"/v2/{name}/blobs/uploads/{upload}", query=b"_state=x")
        headers = {**VERSION, "location": str(place), "range": f"0-{max(0, size - 1)}", "docker-upload-uuid": upload}
        return httpx.Response(status, headers=headers)

    def _created(self, request: httpx.Request, path: str, digest: str) -> httpx.Response:
        location = str(request.url.copy_with(path=path, query=None))
        return httpx.Response(201, headers={**VERSION, "location": location, "docker-content-digest": digest})


_NAME = r"([a-z0-9._/-]+)"
_ROUTES: tuple[tuple[str | tuple[str, ...], str, Callable[..., httpx.Response]], ...] = (
    (("GET",), r"/v2/", MemoryRegistry.root),
    (("GET", "HEAD"), rf"/v2/{_NAME}/manifests/([^/]+)", MemoryRegistry.pull),
    (("PUT",), rf"/v2/{_NAME}/manifests/([^/]+)", MemoryRegistry.push),
    (("DELETE",), rf"/v2/{_NAME}/manifests/([^/]+)", MemoryRegistry.erase),
    (("GET",), rf"/v2/{_NAME}/tags/list", MemoryRegistry.tags),
    (("POST",), rf"/v2/{_NAME}/blobs/uploads/", MemoryRegistry.begin),
    (("PATCH",), rf"/v2/{_NAME}/blobs/uploads/([^/]+)", MemoryRegistry.add),
    (("GET",), rf"/v2/{_NAME}/blobs/uploads/([^/]+)", MemoryRegistry.status),
    (("PUT",), rf"/v2/{_NAME}/blobs/uploads/([^/]+)", MemoryRegistry.finish),
    (("DELETE",), rf"/v2/{_NAME}/blobs/uploads/([^/]+)", MemoryRegistry.cancel),
    (("GET", "HEAD"), rf"/v2/{_NAME}/blobs/(sha256:[0-9a-f]+)", MemoryRegistry.read),
)
