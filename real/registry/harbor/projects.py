"""Projects: their settings, quota, robot accounts, immutability and retention."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from real.registry.errors import BadRequest, BadResponse
from real.registry.harbor.api import Api, number, part
from real.registry.harbor.values import Job, Project, Quota, Robot, Rule

PULL_AND_PUSH = (("repository", "pull"), ("repository", "push"), ("repository", "read"), ("repository", "list"),
                 ("artifact", "read"), ("artifact", "list"), ("tag", "list"))  # fmt: skip


def projects(api: Api) -> Iterator[Project]:
    return (Project.of(one) for one in api.pages("/projects"))


def project(api: Api, name: str) -> Project:
    """Raises ProjectMissing."""
    return Project.of(api.get(f"/projects/{part(name)}"))


def create(api: Api, name: str, *, public: bool = False, storage: int = -1) -> Project:
    """Asked for by a person, never on the way to something else. One that is there with the same visibility is success."""
    wanted = {"project_name": name, "metadata": {"public": "true" if public else "false"}, "storage_limit": storage}
    return api.create("/projects", wanted, lambda: project(api, name), lambda found: found.public == public)


def gate(api: Api, name: str, *, on: bool, severity: str = "high") -> None:
    """Switch the vulnerability gate."""
    metadata = {"prevent_vul": "true" if on else "false", "severity": severity}
    api.send("PUT", f"/projects/{part(name)}", {"metadata": metadata})


def delete(api: Api, name: str) -> None:
    """Raises Precondition while it has repositories."""
    api.send("DELETE", f"/projects/{part(name)}")


def quota(api: Api, project: Project) -> Quota:
    """Raises BadResponse for a project without one."""
    for one in api.get("/quotas", reference="project", reference_id=project.id):
        return Quota.of(one)
    raise BadResponse(f"GET /quotas: none for project {project.name}")


def limit(api: Api, quota: Quota, storage: int) -> None:
    """Set the bytes that a project may store; -1: no limit."""
    api.send("PUT", f"/quotas/{quota.id}", {"hard": {"storage": storage}})


def robots(api: Api, project: Project) -> Iterator[Robot]:
    query = f"Level=project,ProjectID={project.id}"
    return (Robot.of(one) for one in api.pages("/robots", q=query))


def hire(api: Api, project: str, name: str, *, days: int = -1, may: Sequence[tuple[str, str]] = PULL_AND_PUSH) -> Robot:
    """A robot account of one project; its secret is told here and never again. days: -1 for ever, else positive."""
    access = [{"resource": resource, "action": action} for resource, action in may]
    permission = {"kind": "project", "namespace": project, "access": access}
    wanted = {"name": name, "duration": days, "level": "project", "permissions": [permission]}
    robot = Robot.of(api.send("POST", "/robots", wanted).document())
    api.wire.redactor.learn(robot.secret, robot.name)
    return robot


def dismiss(api: Api, robot: Robot) -> None:
    """Tokens that it was given go on until they end."""
    api.send("DELETE", f"/robots/{robot.id}")


def immutability(api: Api, project: str) -> tuple[Rule, ...]:
    return tuple(Rule.of(one) for one in api.pages(f"/projects/{part(project)}/immutabletagrules"))


def freeze(api: Api, project: str, tags: str, repositories: str = "**") -> None:
    """Make tags of this pattern immutable; a rule that is there already is success."""
    rule = {"action": "immutable", "template": "immutable_template", **_selectors(tags, repositories)}
    api.create(
        f"/projects/{part(project)}/immutabletagrules", rule, lambda: immutability(api, project),
        lambda found: any(_patterns(one) == ((tags,), (repositories,)) and not one.disabled for one in found),
    )  # fmt: skip


def retention(api: Api, project: Project) -> tuple[Rule, ...]:
    """The rules of its retention policy; none where there is none. (A policy's absence is a 500: only asked by its id.)"""
    if project.retention is None:
        return ()
    return tuple(Rule.of(one) for one in api.get(f"/retentions/{project.retention}").get("rules") or ())


def retain(api: Api, project: Project, rules: Sequence[tuple[str, int]], tags: str = "**") -> int:
    """A retention policy of these (template, number) rules; its id. Raises BadRequest where there is one that differs."""
    policy: dict[str, Any] = {
        "algorithm": "or",
        "scope": {"level": "project", "ref": project.id},
        "trigger": {"kind": "Schedule", "settings": {"cron": ""}},
        "rules": [{"action": "retain", "template": kind, "params": {kind: most}, **_selectors(tags, "**")}
                  for kind, most in rules],
    }  # fmt: skip
    try:
        return number(api.send("POST", "/retentions", policy))
    except BadRequest:  # "already has retention policy": no 409 here (recorded)
        there = _again(api, project)
        if there.retention is not None and [(one.template, one.params) for one in retention(api, there)] == [
            (kind, ((kind, most),)) for kind, most in rules
        ]:
            return int(there.retention)
        raise


def rehearse(api: Api, policy: int) -> int:
    """Run a retention policy without deleting anything; the execution's id."""
    return number(api.send("POST", f"/retentions/{policy}/executions", {"dry_run": True}))


def rehearsals(api: Api, policy: int) -> Iterator[Job]:
    return (Job.of(one) for one in api.pages(f"/retentions/{policy}/executions"))


def _selectors(tags: str, repositories: str) -> dict[str, Any]:
    return {
        "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": tags}],
        "scope_selectors": {
            "repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": repositories}]
        },
    }


def _patterns(rule: Rule) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(one.pattern for one in rule.tags), tuple(one.pattern for one in rule.repositories)


def _again(api: Api, known: Project) -> Project:
    return project(api, known.name)
