"""The Harbor stand-in's repositories, artifacts, tags and scans, and the registry behind it."""

from __future__ import annotations

import json
import re
from typing import NoReturn

import httpx

from tests.real.registry.memory import VERSION
from tests.real.registry.standin_projects import Projects
from tests.real.registry.standin_state import ADMIN, NEVER, URL, Call, Json, Refused, done, found, kib, missing

RANKS = ("None", "Unknown", "Negligible", "Low", "Medium", "High", "Critical")


class Images(Projects):
    # --- repositories, artifacts, tags ----------------------------------------------------------------------------------

    def list_repositories(self, call: Call, project: str) -> httpx.Response:
        name = self.find(project)["name"] + "/"
        return self._paged(call, [one for key, one in self.repositories.items() if key.startswith(name)])

    def repository(self, call: Call, project: str, name: str) -> httpx.Response:
        return found(self._repository(f"{project}/{name}"))

    def _repository(self, name: str) -> Json:
        if name not in self.repositories:
            raise missing(f"repository {name} not found")
        return self.repositories[name]

    def drop_repository(self, call: Call, project: str, name: str) -> httpx.Response:
        whole = f"{project}/{name}"
        self._repository(whole)
        for one in self._artifacts(whole):
            self._loose(one)
        self.artifacts = [one for one in self.artifacts if one["repository_name"] != whole]
        del self.repositories[whole]
        return done()

    def _artifacts(self, name: str) -> list[Json]:
        return [one for one in reversed(self.artifacts) if one["repository_name"] == name]

    def _artifact(self, name: str, reference: str) -> Json:
        for one in self._artifacts(name):
            if reference == one["digest"] or reference in [tag["name"] for tag in one["tags"]]:
                return one
        raise missing(f"artifact {name}:{reference} not found")

    def _shown(self, one: Json, query: Json) -> Json:
        tags = [self._tag(one, tag, query) for tag in one["tags"]] or None
        shown = {key: value for key, value in one.items() if key not in ("scan", "polls")} | {"tags": tags}
        if query.get("with_scan_overview") == "true" and one.get("scan"):
            shown["scan_overview"] = {"application/vnd.security.vulnerability.report; version=1.1": self._scan(one)}
        return shown

    def _tag(self, one: Json, tag: Json, query: Json) -> Json:
        frozen = query.get("with_immutable_status") == "true" and self._immutable(one["repository_name"], tag["name"])
        return {**tag, "immutable": frozen}

    def list_artifacts(self, call: Call, project: str, name: str) -> httpx.Response:
        known = self._artifacts(self._repository(f"{project}/{name}")["name"])
        tag = re.fullmatch(r"tags=(.+)", call.query.get("q", ""))
        if tag:
            known = [one for one in known if tag[1] in [each["name"] for each in one["tags"]]]
        return self._paged(call, [self._shown(one, call.query) for one in known])

    def artifact(self, call: Call, project: str, name: str, reference: str) -> httpx.Response:
        self._repository(f"{project}/{name}")
        return found(self._shown(self._artifact(f"{project}/{name}", reference), call.query))

    def drop_artifact(self, call: Call, project: str, name: str, reference: str) -> httpx.Response:
        one = self._artifact(f"{project}/{name}", reference)
        self._loose(one)
        self.artifacts.remove(one)
        return done()

    def _loose(self, one: Json) -> None:
        for tag in one["tags"]:
            if self._immutable(one["repository_name"], tag["name"]):
                text = f"the tag {tag['name']} configured as immutable, cannot be deleted"
                raise Refused(412, "PRECONDITION", text)

    def list_tags(self, call: Call, project: str, name: str, reference: str) -> httpx.Response:
        one = self._artifact(f"{project}/{name}", reference)
        return self._paged(call, [self._tag(one, tag, call.query) for tag in reversed(one["tags"])])

    def add_tag(self, call: Call, project: str, name: str, reference: str) -> httpx.Response:
        one = self._artifact(f"{project}/{name}", reference)
        tag = call.body["name"]
        if not re.fullmatch(r"\w[\w.-]{0,127}", tag):
            raise Refused(400, "BAD_REQUEST", f"bad request: invalid tag name: {tag}")
        if any(tag == each["name"] for other in self._artifacts(f"{project}/{name}") for each in other["tags"]):
            text = f"tag {tag} already exists under the repository {one['repository_id']}"
            raise Refused(409, "CONFLICT", text)
        self._tagged(one, tag)
        return done(201)

    def _tagged(self, one: Json, tag: str) -> None:
        for other in self._artifacts(one["repository_name"]):
            other["tags"] = [each for each in other["tags"] if each["name"] != tag]
        one["tags"].append({
            "artifact_id": one["id"], "id": self.next("tag"), "name": tag, "pull_time": NEVER, "push_time": self.stamp(),
            "repository_id": one["repository_id"],
        })  # fmt: skip

    def drop_tag(self, call: Call, project: str, name: str, reference: str, tag: str) -> httpx.Response:
        one = self._artifact(f"{project}/{name}", reference)
        if tag not in [each["name"] for each in one["tags"]]:
            raise missing(f"tag {tag} attached to artifact {one['id']} not found")
        if self._immutable(one["repository_name"], tag):
            raise Refused(412, "PRECONDITION", f"the tag {tag} configured as immutable, cannot be deleted")
        one["tags"] = [each for each in one["tags"] if each["name"] != tag]
        return done()

    # --- scans -------------------------------------------------------------------------------------------------------

    def scanners(self, call: Call) -> httpx.Response:
        return self._paged(call, [])

    def add_scanner(self, call: Call) -> httpx.Response:
        raise Refused(500, "UNKNOWN", "internal server error")  # no scanner answers anywhere here

    def scan(self, call: Call, project: str, name: str, reference: str) -> httpx.Response:
        if not self.scanner:
            text = f"no available scanner for project: {self.find(project)['project_id']}"
            raise Refused(412, "PRECONDITION", text)
        one = self._artifact(f"{project}/{name}", reference)
        one.setdefault("scan", {"after": 2, "severity": "Low", "total": 1})
        return done(202)

    def _scan(self, one: Json) -> Json:
        """A scan is pending for the first `after` looks at it."""
        scan = one["scan"]
        scan["after"] -= 1
        status = "Pending" if scan["after"] > 0 else scan.get("status", "Success")
        report = {"report_id": "7", "scan_status": status, "start_time": self.stamp()}
        if status != "Success":
            return report
        summary = {"total": scan["total"], "fixable": 0, "summary": {scan["severity"]: scan["total"]}}
        return {**report, "severity": scan["severity"], "summary": summary, "end_time": self.stamp(), "duration": 1}

    def _gated(self, project: Json, one: Json) -> None:
        about = project["metadata"]
        if about.get("prevent_vul") != "true" or not self.scanner:
            return
        severity = about.get("severity", "high").title()
        policy = (
            f"cannot be pulled due to configured policy in 'Prevent images with vulnerability severity of "
            f'"{severity}" or higher from running.\' To continue with pull, please contact your project administrator'
        )
        if not one.get("scan"):
            text = f"current image without vulnerability scanning {policy} for help."
            raise Refused(412, "PROJECTPOLICYVIOLATION", text)
        if one["scan"]["after"] > 0:
            text = f'current image with "Pending" status of vulnerability scanning {policy} for help.'
            raise Refused(412, "PROJECTPOLICYVIOLATION", text)
        if RANKS.index(one["scan"]["severity"]) >= RANKS.index(severity):
            text = (
                f"current image with {one['scan']['total']} vulnerabilities {policy} to exempt matched vulnerabilities."
            )
            raise Refused(412, "PROJECTPOLICYVIOLATION", text)

    # --- the registry behind --------------------------------------------------------------------------------------------

    def _token(self, request: httpx.Request) -> httpx.Response:
        """Never refused: who is not known gets a token that grants nothing."""
        user = self._who(request)
        token = f"token-{len(self.tokens)}-{'x' * 40}"
        self.tokens[token] = user or ""
        issued = self.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        document = {"token": token, "access_token": "", "expires_in": 1800, "issued_at": issued}
        headers = {"content-type": "application/json; charset=utf-8"}
        return httpx.Response(200, headers=headers, content=json.dumps(document, indent=2).encode())

    def _registry(self, request: httpx.Request, path: str) -> httpx.Response:
        parts = re.fullmatch(r"/v2/(?:(.+)/(manifests|blobs|tags)/(.+))?", path)
        if parts is None:
            raise missing(f"path {path} was not found")
        repository, kind, rest = parts.groups()
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme not in ("Bearer", "Basic"):
            self._challenge(repository)
        user = self.tokens.get(token) if scheme == "Bearer" else self._who(request)
        if repository is None:
            return self.upstream(request)
        writing = request.method not in ("GET", "HEAD")
        self._permitted(user, repository, "push" if writing else "pull")
        if writing and self.read_only:
            raise Refused(403, "DENIED", "The system is in read only mode. Any modification is prohibited.")
        project = self.find(repository.partition("/")[0])
        if kind == "manifests" and not writing:
            self._gated(project, self._artifact(repository, rest))
        if kind == "manifests" and request.method == "PUT":
            self._writable(repository, rest)
        if kind == "blobs" and request.method in ("PUT", "PATCH"):
            self._room(project, len(request.content))
        response = self._forward(request)
        if response.status_code == 201 and request.method == "PUT":
            self._stored(repository, kind, rest, request, response)
        return response

    def _challenge(self, repository: str | None) -> NoReturn:
        field_ = f'Bearer realm="{URL}/service/token",service="harbor-registry"'
        text = "unauthorized: unauthorized"
        if repository:
            field_ += f',scope="repository:{repository}:pull"'
            text = ": ".join(["authorize header needed to send HEAD to repository"] * 2)
        raise Refused(401, "UNAUTHORIZED", text, {**VERSION, "www-authenticate": field_})

    def _permitted(self, user: str | None, repository: str, action: str) -> None:
        own = user is not None and user.partition("+")[0] == f"robot${repository.partition('/')[0]}"
        if user == ADMIN or own:
            return
        text = ": ".join([f"unauthorized to access repository: {repository}, action: {action}"] * 2)
        raise Refused(401, "UNAUTHORIZED", text, {**VERSION, "www-authenticate": 'Basic realm="harbor"'})

    def _writable(self, repository: str, tag: str) -> None:
        known = any(tag == each["name"] for one in self._artifacts(repository) for each in one["tags"])
        if known and self._immutable(repository, tag):
            name = repository.partition("/")[2]
            text = f"Failed to process request due to '{name}:{tag}' configured as immutable."
            raise Refused(412, "PRECONDITION", text)

    def _room(self, project: Json, size: int) -> None:
        hard, used = self.hard[project["project_id"]], self._used(project)
        if 0 <= hard < used + size:
            text = (
                f"adding {kib(size)} of storage resource, which when updated to current usage of {kib(used)} "
                f"will exceed the configured upper limit of {kib(hard)}."
            )
            raise Refused(403, "DENIED", text)

    def _forward(self, request: httpx.Request) -> httpx.Response:
        response = self.upstream(request)
        if "location" in response.headers:
            place = httpx.URL(response.headers["location"]).raw_path.decode()
            response.headers["location"] = URL + place
        if request.url.path.endswith("/tags/list") and response.status_code == 200:  # Harbor answers this itself
            response.headers["content-type"] = "application/json; charset=utf-8"
            response.headers.pop("docker-distribution-api-version", None)
        if response.status_code == 404 and "manifests" in request.url.path:
            repository, _, reference = request.url.path.removeprefix("/v2/").partition("/manifests/")
            raise missing(f"artifact {repository}:{reference} not found")
        return response

    def _stored(self, repository: str, kind: str, rest: str, request: httpx.Request, answer: httpx.Response) -> None:
        digest = answer.headers["docker-content-digest"]
        if kind == "blobs":
            size = len(request.content) or 0
            self.blobs.setdefault(f"{repository} {digest}", size)
            return
        self.blobs.setdefault(f"{repository} {digest}", len(request.content))
        project = self.find(repository.partition("/")[0])
        self.quota_changed[project["project_id"]] = self.stamp()
        made = self.stamp()
        if repository not in self.repositories:
            self.repositories[repository] = {
                "artifact_count": 0, "creation_time": made, "id": self.next("repository"), "name": repository,
                "project_id": project["project_id"], "pull_count": 0, "update_time": made,
            }  # fmt: skip
        try:
            one = self._artifact(repository, digest)
        except Refused:
            one = self._new(repository, project, digest, request)
        if not rest.startswith("sha256:"):
            self._tagged(one, rest)

    def _new(self, repository: str, project: Json, digest: str, request: httpx.Request) -> Json:
        document = json.loads(request.content)
        parts = [document["config"], *document["layers"]] if "config" in document else []
        at = f"/api/v2.0/projects/{project['name']}/repositories/{repository.partition('/')[2]}/artifacts/{digest}"
        history = {"absolute": False, "href": f"{at}/additions/build_history"}
        config = document.get("config", {}).get("mediaType", "")
        owner = self.repositories[repository]
        one = {
            "accessories": None, "addition_links": {"build_history": history}, "artifact_type": config, "digest": digest,
            "extra_attrs": {"architecture": "amd64", "author": "", "config": {}, "created": "2026-01-01T00:00:00Z",
                            "os": "linux"},
            "icon": "sha256:0048162a053eef4d4ce3fe7518615bef084403614f8bca43b40ae2e762e11e06", "id": self.next("artifact"),
            "labels": None, "manifest_media_type": request.headers["content-type"], "media_type": config,
            "project_id": project["project_id"], "pull_time": NEVER, "push_time": self.stamp(), "references": None,
            "repository_id": owner["id"], "repository_name": repository,
            "size": sum(part["size"] for part in parts) + len(request.content), "tags": [], "type": "IMAGE",
        }  # fmt: skip
        self.artifacts.append(one)
        owner["artifact_count"] += 1
        return one
