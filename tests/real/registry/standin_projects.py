"""The Harbor stand-in's system, projects, quotas, robots, rules and jobs."""

from __future__ import annotations

import json
import re

import httpx

from tests.real.registry.memory import sha256
from tests.real.registry.standin_state import (
    ADMIN,
    NEVER,
    URL,
    Call,
    Json,
    Refused,
    State,
    created,
    done,
    found,
    matches,
    missing,
)


class Projects(State):
    # --- the system --------------------------------------------------------------------------------------------------

    def ping(self, call: Call) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/plain"}, content=b"Pong")

    def info(self, call: Call) -> httpx.Response:
        seen = {
            "auth_mode": "db_auth", "banner_message": "", "oidc_provider_name": "", "primary_auth_mode": False,
            "self_registration": False,
        }  # fmt: skip
        if call.user:
            seen |= {
                "current_time": self.stamp(), "external_url": URL, "harbor_version": "-", "has_ca_root": False,
                "notification_enable": True, "project_creation_restriction": "everyone", "read_only": self.read_only,
                "registry_storage_provider_name": "filesystem", "registry_url": URL.partition("//")[2],
            }  # fmt: skip
        return found(seen)

    def health(self, call: Call) -> httpx.Response:
        names = ("core", "database", "jobservice", "portal", "redis", "registry", "registryctl")
        parts = [
            {"name": name, "status": "unhealthy", "error": self.sick[name]} if name in self.sick
            else {"name": name, "status": "healthy"}
            for name in names
        ]  # fmt: skip
        return found({"components": parts, "status": "unhealthy" if self.sick else "healthy"})

    def current(self, call: Call) -> httpx.Response:
        return found({
            "admin_role_in_auth": False, "comment": "admin user", "creation_time": self.stamp(), "realname": "system admin",
            "sysadmin_flag": True, "update_time": self.stamp(), "user_id": 1, "username": call.user,
        })  # fmt: skip

    def configuration(self, call: Call) -> httpx.Response:
        values = {
            "auth_mode": "db_auth", "project_creation_restriction": "everyone", "quota_per_project_enable": True,
            "read_only": self.read_only, "robot_name_prefix": "robot$", "robot_token_duration": 30,
            "storage_per_project": -1, "token_expiration": 30,
        }  # fmt: skip
        return found({key: {"editable": True, "value": value} for key, value in values.items()})

    def configure(self, call: Call) -> httpx.Response:
        self.read_only = call.body.get("read_only", self.read_only)
        return done()

    # --- projects ----------------------------------------------------------------------------------------------------

    def _project(self, name: str, metadata: Json, storage: int) -> Json:
        id = self.next("project")
        made = self.stamp()
        allowlist = {"creation_time": NEVER, "id": id, "items": [], "project_id": id, "update_time": NEVER}
        project = {
            "creation_time": made, "cve_allowlist": allowlist, "metadata": metadata, "name": name, "owner_id": 1,
            "owner_name": ADMIN, "project_id": id, "update_time": made,
        }  # fmt: skip
        self.projects.append(project)
        self.hard[id] = storage
        return project

    def _seen(self, project: Json, call: Call) -> Json:
        own = call.user == ADMIN
        roles = {"current_user_role_id": 1, "current_user_role_ids": [1]} if own else {"current_user_role_ids": None}
        count_ = sum(1 for name in self.repositories if name.startswith(project["name"] + "/"))
        return {**project, **roles, "repo_count": count_}

    def _visible(self, project: Json, call: Call) -> bool:
        robot = self._robot(call.user)
        own = robot is not None and robot["permissions"][0]["namespace"] == project["name"]
        return project["metadata"].get("public") == "true" or call.user == ADMIN or own

    def list_projects(self, call: Call) -> httpx.Response:
        if call.request.method == "HEAD":
            self.find(call.query["project_name"])
            return done()
        seen = [one for one in self.projects if self._visible(one, call)]
        if call.query.get("sort") == "-name":
            seen.sort(key=lambda one: one["name"], reverse=True)
        else:
            seen.sort(key=lambda one: one["name"])
        return self._paged(call, [self._seen(one, call) for one in seen])

    def make_project(self, call: Call) -> httpx.Response:
        name = call.body.get("project_name", "")
        if not 1 <= len(name) <= 255:
            text = f"Project name {name} is illegal in length. (greater than 255 or less than 1)"
            raise Refused(400, "BAD_REQUEST", text)
        if not re.fullmatch(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", name):
            raise Refused(400, "BAD_REQUEST", "project name is not in lower case or contains illegal characters")
        if any(one["name"] == name for one in self.projects):
            self.next("project")  # the database gives the number away all the same
            raise Refused(409, "CONFLICT", f"The project named {name} already exists")
        metadata = {"public": "false", **(call.body.get("metadata") or {})}
        project = self._project(name, metadata, call.body.get("storage_limit", -1))
        return created(f"/api/v2.0/projects/{project['project_id']}")

    def get_project(self, call: Call, name: str) -> httpx.Response:
        project = self.find(name)
        if not self._visible(project, call):
            raise Refused(401 if call.user is None else 403, "UNAUTHORIZED" if call.user is None else "FORBIDDEN", "no")
        return found(self._seen(project, call))

    def change_project(self, call: Call, name: str) -> httpx.Response:
        self.find(name)["metadata"].update(call.body.get("metadata") or {})
        return done()

    def drop_project(self, call: Call, name: str) -> httpx.Response:
        project = self.find(name)
        if any(each.startswith(project["name"] + "/") for each in self.repositories):
            text = "precondition failed: the project contains repositories, can not be deleted"
            raise Refused(412, "PRECONDITION", text)
        self.projects.remove(project)
        return done()

    def summary(self, call: Call, name: str) -> httpx.Response:
        project = self.find(name)
        id = project["project_id"]
        quota = {"hard": {"storage": self.hard[id]}, "used": {"storage": self._used(project)}}
        return found({"project_admin_count": 1, "quota": quota, "repo_count": self._seen(project, call)["repo_count"]})

    def _used(self, project: Json) -> int:
        """Bytes of what lies in the project: blobs once each, manifests."""
        return sum(size for key, size in self.blobs.items() if key.startswith(project["name"] + "/"))

    def _quota(self, project: Json) -> Json:
        id = project["project_id"]
        return {
            "creation_time": project["creation_time"], "hard": {"storage": self.hard[id]}, "id": id,
            "ref": {"id": id, "name": project["name"], "owner_name": ""},
            "update_time": self.quota_changed.get(id, NEVER), "used": {"storage": self._used(project)},
        }  # fmt: skip

    def quotas(self, call: Call) -> httpx.Response:
        return self._paged(call, [self._quota(self.find(call.query["reference_id"]))])

    def quota(self, call: Call, id: str) -> httpx.Response:
        return found(self._quota(self.find(id)))

    def set_quota(self, call: Call, id: str) -> httpx.Response:
        self.hard[self.find(id)["project_id"]] = call.body["hard"]["storage"]
        return done()

    # --- robots ------------------------------------------------------------------------------------------------------

    def hire(self, call: Call) -> httpx.Response:
        wanted, duration = call.body, call.body.get("duration")
        if duration is None or duration == 0 or duration < -1:
            text = (
                f"bad request error duration input: {duration}, duration must be either -1(Never) or a positive integer"
            )
            raise Refused(400, "BAD_REQUEST", text)
        project = self.find(wanted["permissions"][0]["namespace"])
        name = f"robot${project['name']}+{wanted['name']}"
        if self._robot(name):
            text = f"robot account {project['project_id']}:{project['name']}+{wanted['name']} already exists"
            raise Refused(409, "CONFLICT", text)
        made = self.stamp()
        expires = -1 if duration < 0 else int(self.now.timestamp()) + duration * 86_400
        robot = {
            "creation_time": made, "creator_ref": 1, "creator_type": "local", "disable": False, "duration": duration,
            "editable": True, "expires_at": expires, "id": self.next("robot"), "level": "project", "name": name,
            "permissions": wanted["permissions"], "update_time": made, "secret": sha256(name.encode())[7:39],
        }  # fmt: skip
        self.robots.append(robot)
        told = {key: robot[key] for key in ("creation_time", "expires_at", "id", "name", "secret")}
        return found(told, 201, location=f"/api/v2.0/robots/{robot['id']}")

    def list_robots(self, call: Call) -> httpx.Response:
        id = re.search(r"ProjectID=(\d+)", call.query.get("q", ""))
        name = self.find(id[1])["name"] if id else None
        known = [one for one in self.robots if name is None or one["permissions"][0]["namespace"] == name]
        return self._paged(call, [{key: value for key, value in one.items() if key != "secret"} for one in known])

    def dismiss(self, call: Call, id: str) -> httpx.Response:
        self.robots = [one for one in self.robots if str(one["id"]) != id]
        return done()

    # --- immutability and retention -------------------------------------------------------------------------------------

    def list_rules(self, call: Call, project: str) -> httpx.Response:
        return self._paged(call, self.rules.get(self.find(project)["project_id"], []))

    def add_rule(self, call: Call, project: str) -> httpx.Response:
        rules = self.rules.setdefault(self.find(project)["project_id"], [])
        if any({key: value for key, value in one.items() if key != "id"} == call.body for one in rules):
            raise Refused(409, "CONFLICT", "immutable rule already exists")
        rules.append({**call.body, "id": self.next("rule")})
        return created(f"/api/v2.0/projects/{project}/immutabletagrules/{rules[-1]['id']}")

    def _immutable(self, repository: str, tag: str) -> bool:
        project, _, name = repository.partition("/")
        rules = self.rules.get(self.find(project)["project_id"], [])
        return any(
            all(matches(each["pattern"], tag) for each in one["tag_selectors"])
            and all(matches(each["pattern"], name) for each in one["scope_selectors"]["repository"])
            for one in rules
        )

    def add_retention(self, call: Call) -> httpx.Response:
        project = self.find(str(call.body["scope"]["ref"]))
        if "retention_id" in project["metadata"]:
            text = f"bad request: project {project['project_id']} already has retention policy {project['metadata']['retention_id']}"
            raise Refused(400, "BAD_REQUEST", text)
        id = self.next("retention")
        self.retentions[id] = {**call.body, "id": id}
        project["metadata"]["retention_id"] = str(id)
        return created(f"/api/v2.0/retentions/{id}")

    def retention(self, call: Call, id: str) -> httpx.Response:
        if int(id) not in self.retentions:
            raise Refused(500, "UNKNOWN", "internal server error")
        return found(self.retentions[int(id)])

    def rehearse(self, call: Call, id: str) -> httpx.Response:
        one = {
            "dry_run": call.body["dry_run"], "end_time": NEVER[:19] + "Z", "id": self.next("job"), "policy_id": int(id),
            "start_time": self.stamp(), "status": "Running", "trigger": "MANUAL",
        }  # fmt: skip
        self.executions.append(one)
        return created(f"/api/v2.0/retentions/{id}/executions/{one['id']}")

    def rehearsals(self, call: Call, id: str) -> httpx.Response:
        return self._paged(call, [one for one in self.executions if one.get("policy_id") == int(id)])

    # --- garbage collection, replication --------------------------------------------------------------------------------

    def schedule(self, call: Call) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "application/json"})

    def collect(self, call: Call) -> httpx.Response:
        parameters = {"delete_tag": False, "delete_untagged": True, "dry_run": False, "freed_space": 0, "purged_blobs": 0,
                      "purged_manifests": 0, "time_window": 2, "workers": 0, **call.body["parameters"]}  # fmt: skip
        id, made = self.next("job"), self.stamp()
        self.executions.append({
            "creation_time": made, "id": id, "job_kind": "MANUAL", "job_name": "GARBAGE_COLLECTION",
            "job_parameters": json.dumps(parameters), "job_status": "Running",
            "schedule": {"next_scheduled_time": NEVER[:19] + "Z", "type": "Manual"}, "update_time": made, "polls": 0,
        })  # fmt: skip
        return created(f"/api/v2.0/system/gc/{id}")

    def collections(self, call: Call) -> httpx.Response:
        return self._paged(call, [self._job(one) for one in self.executions if "job_name" in one])

    def collection(self, call: Call, id: str) -> httpx.Response:
        for one in self.executions:
            if str(one["id"]) == id and "job_name" in one:
                return found(self._job(one))
        raise missing(f"gc {id} not found")

    def _job(self, one: Json) -> Json:
        one["polls"] += 1
        if one["polls"] > 2:
            one["job_status"] = "Success"
        return {key: value for key, value in one.items() if key != "polls"}

    def list_replications(self, call: Call) -> httpx.Response:
        return self._paged(call, self.replications)

    def replicate(self, call: Call) -> httpx.Response:
        id = self.next("job")
        self.executions.append({"id": id, "policy": call.body["policy_id"], "polls": 0})
        return created(f"/api/v2.0/replication/executions/{id}")

    def replication(self, call: Call, id: str) -> httpx.Response:
        one = next(each for each in self.executions if str(each["id"]) == id)
        one["polls"] += 1
        status = "InProgress" if one["polls"] < 3 else "Succeed"
        return found({"id": one["id"], "policy_id": one["policy"], "status": status, "trigger": "manual"})
