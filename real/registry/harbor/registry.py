"""Harbor behind the port: the plain registry's answers, and what only Harbor can tell beforehand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from real.registry import gate, plain
from real.registry import retention as retained
from real.registry.distribution import Distribution
from real.registry.errors import AuthRejected, Forbidden, NotFound, RegistryError, Unscanned
from real.registry.harbor import artifacts, projects, system
from real.registry.harbor.api import Api
from real.registry.harbor.values import Artifact, Project
from real.registry.image import Image
from real.registry.port import Finding, Planned
from real.registry.reference import Pinned

SPARE = 2.0  # a robot lives for twice the planned duration (faults.md section 4, preflight)


@dataclass(frozen=True, slots=True)
class HarborRegistry:
    """`host`: the name by which the nodes know it, where that differs from ours; `today`: seconds since 1970.

    `scan_s`: the longest wait for a scan that the gate asks for.
    """

    api: Api
    distribution: Distribution
    host: str = ""
    today: Callable[[], float] = time.time
    scan_s: float = artifacts.SCAN_LIMIT_S

    def resolve(self, repository: str, tag: str) -> Pinned:
        return self._plain.resolve(repository, tag)

    def push(self, repository: str, image: Image, tag: str) -> Pinned:
        return self._plain.push(repository, image, tag)

    def preflight(self, rollback: Pinned, planned: Planned) -> tuple[Finding, ...]:
        """Every check, even where an earlier one refuses; one that the account may not look at is a note."""
        scanned = tuple(self._scanned(rollback))
        return (
            *scanned,
            *plain.pull_and_push(self.distribution, rollback, planned),
            *self._told(rollback, planned),
        )

    def still(self, rollback: Pinned) -> Finding:
        return self._plain.still(rollback)

    def await_(self, image: Pinned, limit_s: float) -> None:
        self._plain.await_(image, limit_s)

    @property
    def _plain(self) -> plain.PlainRegistry:
        return plain.PlainRegistry(self.distribution, self.host)

    def _scanned(self, rollback: Pinned) -> Iterator[Finding]:
        """A gate that waits for a report is given one: a scan is started and waited for."""
        try:
            self.distribution.manifest(rollback.repository, rollback.digest)
        except Unscanned:
            place = (self.api, rollback.project, rollback.name, rollback.digest)
            yield plain.attempt("scan", lambda: f"scanned now: {artifacts.scanned(*place, self.scan_s).status}")
        except RegistryError:
            return  # told by the next check

    def _told(self, rollback: Pinned, planned: Planned) -> Iterator[Finding]:
        yield _look("health", self._health)
        yield _look("read-only mode", self._read_only)
        try:
            project = projects.project(self.api, rollback.project)
        except RegistryError as error:
            yield Finding("project", "refuse", f"{type(error).__name__}: {error.problem}", error.remedy)
            return
        if project.proxy:
            text = f"project {project.name} is a proxy cache: what it has not stored comes from upstream"
            yield Finding("proxy cache", "note", text, "keep the rollback image in a project of your own")
        yield _look("quota", lambda: self._quota(project, planned))
        yield _look("account", lambda: self._robot(project, planned))
        yield _look("immutability", lambda: self._immutable(project, rollback, planned))
        yield from self._artifact(project, rollback)

    def _artifact(self, project: Project, rollback: Pinned) -> Iterator[Finding]:
        try:
            found = artifacts.artifact(self.api, project.name, rollback.name, rollback.digest)
        except RegistryError as error:
            yield _unseen("artifact", error)
            return
        yield _gate(project, found)
        yield _look("retention", lambda: self._retention(project, rollback))
        if not found.tags:
            text = f"{rollback.digest} has no tag: garbage collection of untagged artifacts deletes it"
            yield Finding("garbage collection", "refuse", text, "tag it before the rollout")

    def _health(self) -> Finding:
        found = system.health(self.api)
        if found.sick:
            return Finding("health", "refuse", f"not healthy: {', '.join(found.sick)}", "repair Harbor first")
        return Finding("health", "ok", "every component is healthy")

    def _read_only(self) -> Finding:
        found = system.info(self.api).read_only
        if found is None:
            return Finding("read-only mode", "note", "the account may not see it")
        if found:
            return Finding("read-only mode", "refuse", "Harbor is in read-only mode", "switch it off")
        return Finding("read-only mode", "ok", "off")

    def _quota(self, project: Project, planned: Planned) -> Finding:
        found = projects.quota(self.api, project)
        free = found.hard - found.used
        if found.hard >= 0 and planned.bytes > free:
            text = f"project {project.name} has {free} bytes free of {found.hard}, the push may need {planned.bytes}"
            return Finding("quota", "refuse", text, "raise the quota, or delete artifacts and collect garbage")
        return Finding("quota", "ok", "no limit" if found.hard < 0 else f"{free} bytes free")

    def _robot(self, project: Project, planned: Planned) -> Finding:
        user = self.api.credentials.user if self.api.credentials else ""
        for robot in projects.robots(self.api, project):
            if robot.name != user:
                continue
            if robot.disabled:
                return Finding("account", "refuse", f"{user} is disabled", "enable it")
            left = robot.expires_at - self.today()
            if robot.expires_at >= 0 and left < SPARE * planned.lasts_s:
                text = f"{user} expires in {max(0.0, left):.0f} s, the rollout may last {planned.lasts_s:.0f} s"
                return Finding("account", "refuse", text, "renew the robot account")
            return Finding("account", "ok", f"{user} lives long enough")
        return Finding("account", "note", f"{user or 'anonymous'} is no robot of project {project.name}")

    def _immutable(self, project: Project, rollback: Pinned, planned: Planned) -> Finding:
        if planned.tag is None:
            return Finding("immutability", "ok", "nothing is pushed")
        rules = [rule for rule in projects.immutability(self.api, project.name) if not rule.disabled]
        if not any(retained.covers(rule, rollback.name, planned.tag) for rule in rules):
            return Finding("immutability", "ok", f"no rule covers the tag {planned.tag}")
        try:
            self.distribution.resolve(rollback.repository, planned.tag)
        except NotFound:
            return Finding("immutability", "ok", f"the tag {planned.tag} is new; it can be pushed once")
        text = f"the tag {planned.tag} is there and immutable: another image cannot be pushed over it"
        return Finding("immutability", "refuse", text, "choose a new tag")

    def _retention(self, project: Project, rollback: Pinned) -> Finding:
        rules = projects.retention(self.api, project)
        there = list(artifacts.artifacts(self.api, project.name, rollback.name))
        if rollback.digest in retained.doomed(rules, rollback.name, there, self.today()):
            text = f"the next run of retention deletes {rollback.digest}"
            return Finding("retention", "refuse", text, "give it a tag that a rule keeps, or make its tag immutable")
        return Finding("retention", "ok", "no policy" if not rules else "the policy keeps it")


def _gate(project: Project, found: Artifact) -> Finding:
    why = gate.blocked(project, found)
    if why is None:
        return Finding("scan gate", "ok", "open" if not project.gate else f"passed ({project.severity})")
    # Without a report the pull itself has decided: Harbor lets through what no scanner can scan.
    remedy = "scan it, fix it, or add what it has to the CVE allowlist"
    return Finding("scan gate", "note" if found.scan is None else "refuse", why, remedy)


def _look(check: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except RegistryError as error:
        return _unseen(check, error)


def _unseen(check: str, error: RegistryError) -> Finding:
    """What the account may not see is said, not held against the rollout; anything else is."""
    allowed = isinstance(error, (Forbidden, AuthRejected))
    text = f"{type(error).__name__}: {error.problem}"
    return Finding(check, "note" if allowed else "refuse", text, "" if allowed else error.remedy)
