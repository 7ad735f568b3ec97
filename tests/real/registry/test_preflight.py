"""What Harbor can tell before a rollout, check by check; and the pure rules behind it: gate and retention."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from real.registry import gate, retention
from real.registry.harbor import artifacts, projects
from real.registry.harbor.registry import HarborRegistry
from real.registry.harbor.values import Artifact, Project, Rule, Scan, Selector, Tag
from real.registry.image import push
from real.registry.port import Finding, Planned
from real.registry.reference import Pinned
from tests.real.registry.conftest import IMAGE, NEXT, Harbor


def look(harbor: Harbor, spoil: Callable[[Harbor, str], None], **planned: object) -> dict[str, Finding]:
    projects.create(harbor.api(), "shop")
    name = push(harbor.distribution(), "shop/web", IMAGE, "1.0")
    spoil(harbor, name)
    found = harbor.registry().preflight(Pinned("", "shop/web", name), Planned(**planned))  # type: ignore[arg-type]
    return {one.check: one for one in found}


def shop(harbor: Harbor) -> Project:
    return projects.project(harbor.api(), "shop")


def nothing(harbor: Harbor, name: str) -> None:
    return


def ill(harbor: Harbor, name: str) -> None:
    harbor.world.sick["redis"] = "connection refused"


def read_only(harbor: Harbor, name: str) -> None:
    harbor.world.read_only = True


def full(harbor: Harbor, name: str) -> None:
    projects.limit(harbor.api(), projects.quota(harbor.api(), shop(harbor)), 2000)


def frozen(harbor: Harbor, name: str) -> None:
    projects.freeze(harbor.api(), "shop", "1.*")


def untagged(harbor: Harbor, name: str) -> None:
    artifacts.untag(harbor.api(), "shop", "web", name, "1.0")


def crowded(harbor: Harbor, name: str) -> None:
    push(harbor.distribution(), "shop/web", NEXT, "2.0")
    projects.retain(harbor.api(), shop(harbor), [("latestPushedK", 1)])


def collected(harbor: Harbor, name: str) -> None:
    harbor.memory.blobs.clear()


@pytest.mark.parametrize(
    "spoil, planned, check, says",
    [
        (nothing, {"tag": "2.0", "bytes": 10}, None, None),
        (ill, {}, "health", "redis connection refused"),
        (read_only, {}, "read-only mode", "is in read-only mode"),
        (full, {"bytes": 10_000}, "quota", "the push may need 10000"),
        (frozen, {"tag": "1.0"}, "immutability", "the tag 1.0 is there and immutable"),
        (frozen, {"tag": "1.1"}, None, None),
        (untagged, {}, "garbage collection", "has no tag"),
        (crowded, {}, "retention", "the next run of retention deletes"),
        (collected, {}, "rollback image", "its blob"),
    ],
)
def test_each_check_refuses_alone(
    harbor: Harbor,
    spoil: Callable[[Harbor, str], None],
    planned: dict[str, object],
    check: str | None,
    says: str | None,
) -> None:
    found = look(harbor, spoil, **planned)
    assert [one.check for one in found.values() if one.says == "refuse"] == ([check] if check else [])
    assert says is None or check is None or (says in found[check].text and found[check].remedy)


def hired(harbor: Harbor, *more: tuple[str, str]) -> HarborRegistry:
    """The registry as a robot account for one day sees it."""
    robot = projects.hire(harbor.api(), "shop", "day", days=1, may=(*projects.PULL_AND_PUSH, *more))
    assert robot.secret is not None
    return harbor.registry(robot.name, robot.secret.reveal())


@pytest.mark.parametrize("lasts_s, says", [(3600.0, "ok"), (43_300.0, "refuse")])
def test_a_robot_must_outlive_the_rollout_twice(harbor: Harbor, lasts_s: float, says: str) -> None:
    look(harbor, nothing)
    told = hired(harbor, ("robot", "list")).preflight(_any(harbor), Planned(lasts_s=lasts_s))
    assert {one.check: one.says for one in told}["account"] == says


def _any(harbor: Harbor) -> Pinned:
    return Pinned("", "shop/web", harbor.world.artifacts[0]["digest"])


def test_what_a_robot_may_not_see_is_a_note(harbor: Harbor) -> None:
    look(harbor, nothing)
    told = hired(harbor).preflight(_any(harbor), Planned(tag="2.0"))
    assert {one.check for one in told if one.says == "note"} >= {"quota", "account"}
    assert [one for one in told if one.says == "refuse"] == []


def project(**change: object) -> Project:
    values = {"id": 1, "name": "shop", "public": False, "gate": True, "severity": "high", "allowed": (), "retention": 1,
              "proxy": False, **change}  # fmt: skip
    return Project(**values)  # type: ignore[arg-type]


def artifact(name: str = "d", pushed: float = 0.0, pulled: float | None = None, **change: object) -> Artifact:
    values = {"digest": name, "type": "IMAGE", "size": 1, "index": False, "pushed_at": pushed, "pulled_at": pulled,
              "tags": (Tag("1.0", False),), "labels": (), "scan": Scan("Success", "Low", 1), **change}  # fmt: skip
    return Artifact(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "about, of, why",
    [
        (project(gate=False), artifact(scan=None), None),
        (project(), artifact(scan=None), "no report"),
        (project(), artifact(scan=Scan("Running", None, 0)), "status is Running"),
        (project(), artifact(scan=Scan("Error", None, 0)), "status is Error"),
        (project(), artifact(scan=Scan("Success", "Medium", 9)), None),
        (project(), artifact(scan=Scan("Success", "High", 1)), "1 vulnerabilities up to High"),
        (project(severity="critical"), artifact(scan=Scan("Success", "High", 1)), None),
        (project(severity="low"), artifact(scan=Scan("Success", "None", 0)), None),
        (project(), artifact(scan=Scan("Success", "Critical", 1), index=True), None),
        (project(), artifact(scan=Scan("Success", "Critical", 1), index=True, type="CHART"), "refuses high"),
    ],
)
def test_the_gate(about: Project, of: Artifact, why: str | None) -> None:
    found = gate.blocked(about, of)
    assert found is None if why is None else found is not None and why in found


def rule(
    template: str, most: int | None = None, tags: str | Selector = "**", where: str = "**", **change: object
) -> Rule:
    values = {
        "id": 1, "template": template, "params": ((template, most),) if most is not None else (), "disabled": False,
        "tags": (Selector("doublestar", "matches", tags, "") if isinstance(tags, str) else tags,),
        "repositories": (Selector("doublestar", "repoMatches", where, ""),), **change,
    }  # fmt: skip
    return Rule(**values)  # type: ignore[arg-type]


DAY = 86_400.0
NOW = 100 * DAY
ALL = (
    artifact("new", 99 * DAY, 99 * DAY, tags=(Tag("3.0", False),)),
    artifact("mid", 95 * DAY, None, tags=(Tag("2.0", False),)),
    artifact("old", 50 * DAY, 98 * DAY, tags=(Tag("1.0", False), Tag("stable", False)), labels=("keep",)),
    artifact("bare", 10 * DAY, None, tags=()),
)


@pytest.mark.parametrize(
    "rules, doomed",
    [
        ((), ""),
        ((rule("always"),), ""),
        ((rule("nothing"),), "new mid old bare"),
        ((rule("latestPushedK", 2),), "old bare"),
        ((rule("latestPulledN", 2),), "mid bare"),
        ((rule("latestActiveK", 1),), "mid old bare"),
        ((rule("nDaysSinceLastPush", 5),), "old bare"),
        ((rule("nDaysSinceLastPull", 5),), "mid bare"),
        ((rule("lastXDays", 50),), "bare"),
        ((rule("latestPushedK", 1), rule("always", tags="stable")), "mid"),  # an untagged one counts as matching
        ((rule("always", tags="[12].*"),), "new"),
        ((rule("always", tags="{3.0,stable}"),), "mid"),
        ((rule("latestPushedK", 1, where="api/**"),), ""),  # another repository's rule
        ((rule("always", disabled=True),), ""),
        ((rule("always", tags=Selector("doublestar", "excludes", "2.*", "")),), "mid"),
        ((rule("always", tags=Selector("doublestar", "matches", "**", '{"untagged":false}')),), "bare"),
        ((rule("always", tags=Selector("label", "withLabels", "keep", "")),), "new mid bare"),
        ((rule("always", tags=Selector("label", "withoutLabels", "keep", "")),), "old"),
        ((rule("latestPushedK", 1, repositories=(Selector("doublestar", "repoExcludes", "web", ""),)),), ""),
        ((rule("inventedLater", 3),), "new mid old bare"),
    ],
)
def test_retention(rules: tuple[Rule, ...], doomed: str) -> None:
    assert retention.doomed(rules, "web", ALL, NOW) == tuple(doomed.split())


def test_an_immutable_tag_is_never_deleted() -> None:
    frozen = artifact("old", 0.0, tags=(Tag("1.0", True),))
    assert retention.doomed((rule("nothing"),), "web", (frozen,), NOW) == ()


@pytest.mark.parametrize(
    "pattern, text, wanted",
    [
        ("**", "a/b", True), ("*", "a/b", False), ("a/**", "a/b/c", True), ("**/c", "a/b/c", True), ("**/c", "c", True),
        ("?.0", "1.0", True), ("?.0", "/.0", False), ("[!1].0", "1.0", False), ("[!1].0", "2.0", True),
        ("{a,b}-*", "b-1", True), ("a,b", "a,b", True), ("1.0", "1x0", False), ("", "anything", True),
    ],
)  # fmt: skip
def test_doublestar(pattern: str, text: str, wanted: bool) -> None:
    assert retention.matches(pattern, text) == wanted
