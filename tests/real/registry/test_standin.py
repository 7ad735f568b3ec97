"""The stand-in answers as a real Harbor v2.16 was recorded to, request by request, and as its OpenAPI document says."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.real.registry import document
from tests.real.registry.memory import MemoryRegistry, sha256
from tests.real.registry.standin import HarborStandIn
from tests.real.registry.standin_state import ADMIN, ADMIN_PASSWORD, URL

pytestmark = pytest.mark.shared

# Nothing here asks these; a stand-in for them would test itself only.
NOT_SERVED = re.compile(
    r"/(statistics|systeminfo/volumes|labels|webhook|auditlog-exts|logs|registries|additions)|/artifacts/[^/]+/labels"
    r"|/scan/stop"
)


@dataclass
class Player:
    """Plays the recording: the same questions in the same order, with bytes of its own where the recording's are cut."""

    world: HarborStandIn = field(default_factory=lambda: HarborStandIn(MemoryRegistry()))
    token: str = ""
    location: str = ""
    names: dict[str, str] = field(default_factory=dict)  # digest recorded -> digest of our bytes
    blobs: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=lambda: {ADMIN: ADMIN_PASSWORD})

    def play(self, one: dict[str, Any]) -> httpx.Response:
        request = self._request(one)
        response = self.world(request)
        response.read()
        self._remember(one, response)
        if one["note"] != "unknown path":
            document.check_answer(request, response)
        return response

    def _request(self, one: dict[str, Any]) -> httpx.Request:
        path = one["path"].removeprefix("http://127.0.0.1:8080")
        for recorded, own in self.names.items():
            path = path.replace(recorded, own)
        content = self._content(one)
        if "/blobs/uploads/" in path and one["method"] == "PUT":
            name = "sha256:" + "0" * 64 if "0" * 64 in path else sha256(content)
            path = httpx.URL(self.location).copy_merge_params({"digest": name}).raw_path.decode()
        headers = {"authorization": value} if (value := self._authorization(one)) else {}
        if one["as"] == "cookie":
            headers["cookie"] = "sid=1"
        if "/manifests/" in path and one["method"] == "PUT":
            headers["content-type"] = "application/vnd.oci.image.manifest.v1+json"
        return httpx.Request(one["method"], URL + path, headers=headers, content=content)

    def _authorization(self, one: dict[str, Any]) -> str:
        user = one["as"]
        if user == "bearer":
            # The one refused pull of the recording was made with a token of nobody.
            nobody = one["status"] == 401 and "/shop/web/manifests/" in one["path"]
            return "Bearer nobody" if nobody else f"Bearer {self.token}"
        if user in ("anonymous", "cookie"):
            return ""
        password = "wrong" if one["note"] == "wrong password" else self.secrets[user]
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def _content(self, one: dict[str, Any]) -> bytes:
        asked = one["request"]
        if asked is None:
            return b""
        if not isinstance(asked, str):
            return json.dumps(asked).encode()
        if "/manifests/" in one["path"] and one["note"] != "manifest of absent blobs":
            return self._manifest()
        if one["note"] == "manifest of absent blobs":
            parts = [{"digest": "sha256:" + "1" * 64, "size": 1}]
            return json.dumps({"schemaVersion": 2, "config": parts[0], "layers": []}).encode()
        size = re.fullmatch(r"<(\d+) bytes>", asked)
        return b"x" * int(size[1]) if size else asked.encode()

    def _manifest(self) -> bytes:
        layer, config = self.blobs[-2:]
        kind = "application/vnd.oci.image."
        return json.dumps({
            "schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
            "config": {"mediaType": kind + "config.v1+json", "digest": config, "size": 208},
            "layers": [{"mediaType": kind + "layer.v1.tar+gzip", "digest": layer, "size": 96}],
        }).encode()  # fmt: skip

    def _remember(self, one: dict[str, Any], response: httpx.Response) -> None:
        if "/service/token" in one["path"]:
            self.token = response.json()["token"]
        if response.status_code == 202 and "location" in response.headers:
            self.location = response.headers["location"]
        if response.status_code == 201 and "secret" in response.text:
            self.secrets[response.json()["name"]] = response.json()["secret"]
        own = response.headers.get("docker-content-digest")
        recorded = one["headers"].get("docker-content-digest")
        if own and recorded and one["method"] == "PUT":
            self.names[recorded] = own
            if "/blobs/" in one["path"]:
                self.blobs.append(own)


def served() -> list[dict[str, Any]]:
    return [one for one in document.recording() if not NOT_SERVED.search(one["path"])]


# What differs without being wrong: sizes depend on the bytes, a cut manifest has another length.
LOOSE_HEADERS = {"content-length", "set-cookie", "date"}


def anonymised(text: str) -> str:
    """Without digests, numbers that count bytes, and ids of uploads."""
    text = re.sub(r"sha256:[0-9a-f]{64}", "sha256:#", text)
    text = re.sub(r"uploads/[^?]+\?_state=\S+", "uploads/#", text)
    return re.sub(r"\d+(\.\d+)? ?KiB", "# KiB", text)


def headers(found: Any) -> dict[str, str]:
    kept = {key.lower(): value for key, value in found.items() if key.lower() not in LOOSE_HEADERS}
    for name in ("docker-upload-uuid", "etag", "docker-content-digest"):
        if name in kept:
            kept[name] = "#"
    return {key: anonymised(re.sub(r"/\d+$", "/#", value)) for key, value in kept.items()}


def body(content: Any) -> Any:
    text = content.decode() if isinstance(content, bytes) else content
    return json.loads(text) if isinstance(text, str) and text[:1] in ("{", "[") else text


def test_the_recording_played_against_the_stand_in_is_answered_alike() -> None:
    player, different = Player(), []
    for number, one in enumerate(served()):
        try:
            response = player.play(one)
        except AssertionError as error:
            different.append(f"{number} {one['method']} {one['path']}: {error}")
            continue
        where = f"{number} {one['section']}/{one['note']}: {one['method']} {one['path'][:90]} as {one['as']}"
        if response.status_code != one["status"]:
            different.append(f"{where}: {response.status_code}, recorded {one['status']}: {response.text[:200]}")
            continue
        if headers(response.headers) != headers(one["headers"]):
            different.append(f"{where}: {headers(response.headers)}, recorded {headers(one['headers'])}")
        own, recorded = body(response.content), body(one["body"])
        if "/manifests/" in one["path"] and one["status"] < 400:
            continue  # the bytes are ours
        if one["status"] >= 400 and isinstance(recorded, dict):
            if anonymised(json.dumps(own)) != anonymised(json.dumps(recorded)):
                different.append(f"{where}: {own}, recorded {recorded}")
        elif document.shape(own) != document.shape(recorded) and not (not own and not recorded):
            different.append(f"{where}: shape {document.shape(own)}\n    recorded {document.shape(recorded)}")
    assert different == [], "\n".join(different)


def test_most_of_the_recording_is_played() -> None:
    assert len(served()) >= 115
