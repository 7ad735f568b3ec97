"""`validate`, `init`, `schema`: files, also hostile ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from sim.cli.schema import KINDS

Seatrial = Callable[..., "object"]
ROOT = Path(__file__).parents[2]

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: "shop:1"}]}
"""

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)

HOSTILE = {
    "empty": "",
    "number": "3",
    "list": "[1, 2]",
    "binary": "\x00\x01\x02",
    "tabs": "seatrial:\tscenario\n\tpolicies: {}\n",
    "unknown kind": "seatrial: scenari\n",
    "unknown key": "seatrial: policy\nrolling: {}\nreplica: 3\n",
    "duplicate": "seatrial: policy\nrolling: {}\nrolling: {}\n",
    "unit": "seatrial: service\ntraffic: 100\n",
    "boolean": "seatrial: policy\nrolling: {recreate: on}\n",
    "sexagesimal": "seatrial: policy\nrolling: {min_ready: 1:30}\n",
    "exponent": "seatrial: policy\nreplicas: 1e3\nrolling: {}\n",
    "nan": "seatrial: service\nerrors: .nan\n",
    "negative": "seatrial: service\nerrors: -1%\n",
    "huge": "seatrial: policy\nreplicas: 99999999999999999999999\nrolling: {}\n",
    "weights": "seatrial: policy\ncanary: {weights: [5, 50, 20], interval: 1m, count: 1, judge: threshold}\n",
    "brackets": "[" * 50_000,
    "aliases": BOMB,
    "missing": "seatrial: scenario\npolicies: {a: ./not-there.yaml}\n",
    "circle": "seatrial: scenario\npolicies: {a: ./bad.yaml}\n",
    "two documents": "seatrial: policy\nrolling: {}\n---\nseatrial: policy\nrolling: {}\n",
    "large": "# " + "x" * 11_000_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_told_with_a_place_and_never_a_traceback(
    seatrial: Seatrial, tmp_path: Path, name: str
) -> None:
    (tmp_path / "bad.yaml").write_text(HOSTILE[name], encoding="utf-8")
    for command in (["validate", "bad.yaml"], ["run", "bad.yaml"], ["plan", "bad.yaml"]):
        said = seatrial(*command)
        assert said.code == 2, (command, said.out)
        assert "bad.yaml:" in said.err and "Traceback" not in said.err and "internal" not in said.err
        assert len(said.err) < 20_000


def test_all_errors_come_at_once_with_carets(seatrial: Seatrial, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(
        "seatrial: service\ntraffik: 10/s\nerrors: 200%\npods: {cuont: 3}\n", encoding="utf-8"
    )
    (tmp_path / "good.yaml").write_text("seatrial: service\ntraffic: 10/s\n", encoding="utf-8")
    said = seatrial("validate", "bad.yaml", "good.yaml")
    assert said.code == 2
    assert [line.split(" ")[0] for line in said.err.splitlines() if line.startswith("bad.yaml")] == [
        "bad.yaml:2:1", "bad.yaml:3:9", "bad.yaml:4:8",
    ]  # fmt: skip
    assert said.err.count("^") == 3 and "did you mean traffic" in said.err
    assert "✗ bad.yaml" in said.out and "✓ good.yaml" in said.out
    document = json.loads(seatrial("validate", "bad.yaml", "good.yaml", "--json").out)
    assert [(one["file"], one["ok"], len(one["problems"])) for one in document["files"]] == [
        ("bad.yaml", False, 3),
        ("good.yaml", True, 0),
    ]


def test_manifests_are_read_exactly_or_not_yet(seatrial: Seatrial, tmp_path: Path) -> None:
    (tmp_path / "deployment.yaml").write_text(DEPLOYMENT, encoding="utf-8")
    (tmp_path / "set.yaml").write_text(DEPLOYMENT.replace("kind: Deployment", "kind: StatefulSet"), encoding="utf-8")
    said = seatrial("validate", "deployment.yaml", "set.yaml")
    assert said.code == 0
    assert "read exactly" in said.out and "not yet" in said.out
    strict = seatrial("validate", "deployment.yaml", "set.yaml", "--strict")
    assert strict.code == 2 and "set.yaml:" in strict.err and "--strict allows exact readings only" in strict.err
    assert seatrial("validate", "-", given=DEPLOYMENT).code == 0
    assert seatrial("validate", ".").code == 0


ROLLOUT = (
    DEPLOYMENT.replace("apps/v1", "argoproj.io/v1alpha1").replace("kind: Deployment", "kind: Rollout")
    + """
  restartAt: "2026-01-01T00:00:00Z"
  strategy: {canary: {steps: [{setWeight: 50}, {pause: {duration: 60}}]}}
"""
)


def test_what_is_not_read_exactly_is_said_and_with_strict_refused(seatrial: Seatrial, tmp_path: Path) -> None:
    (tmp_path / "rollout.yaml").write_text(ROLLOUT, encoding="utf-8")
    (tmp_path / "deployment.yaml").write_text(DEPLOYMENT, encoding="utf-8")
    (tmp_path / "s.yaml").write_text(
        "seatrial: scenario\npolicies: {a: rollout.yaml}\nreleases: {good: {}}\nreplications: 5\n", encoding="utf-8"
    )
    for command in (
        ["run", "s.yaml"],
        ["compare", "rollout.yaml", "deployment.yaml", "-n", "5"],
        ["plan", "rollout.yaml"],
    ):
        said = seatrial(*command)
        assert said.code == 0 and "1 part is not read exactly" in said.err
        strict = seatrial(*command, "--strict")
        assert strict.code == 2 and "rollout.yaml:" in strict.err and "restartAt" in strict.err


@pytest.mark.shared
@pytest.mark.parametrize("system", ["argo-rollouts", "flagger", "kubernetes", "swarm"])
def test_every_shared_manifest_gets_through(seatrial: Seatrial, system: str) -> None:
    said = seatrial("validate", ROOT.parent / "shared" / "manifests" / system)
    assert said.code == 0, said.err


def test_what_is_shipped_is_valid(seatrial: Seatrial) -> None:
    said = seatrial("validate", ROOT / "scenarios")
    assert said.code == 0, said.err


def test_init_lists_the_gallery(seatrial: Seatrial) -> None:
    found = json.loads(seatrial("init", "--json").out)["gallery"]
    assert "demo" in [one["name"] for one in found] and all(one["question"] for one in found)


def test_init_copies_a_scenario_that_runs(seatrial: Seatrial, tmp_path: Path) -> None:
    said = seatrial("init", "demo", "mine")
    assert said.code == 0 and "seatrial run mine/demo.yaml" in said.out
    folder = tmp_path / "mine"
    schemas = sorted(path.stem for path in (folder / ".schema").iterdir())
    assert schemas == sorted(KINDS)
    assert (
        (folder / "demo.yaml")
        .read_text(encoding="utf-8")
        .startswith("# yaml-language-server: $schema=.schema/scenario.json\n# $schema: .schema/scenario.json\n")
    )
    policy = next((folder / "policies").glob("*.yaml")).read_text(encoding="utf-8")
    assert (
        policy.startswith("# yaml-language-server: $schema=../.schema/policy.json\n") and policy.count("$schema") == 2
    )
    assert seatrial("validate", "mine").code == 0
    assert seatrial("run", "mine/demo.yaml", "-n", "2", "--quiet").code == 0
    again = seatrial("init", "demo", "mine")
    assert again.code == 2 and "--force" in again.err
    assert seatrial("init", "demo", "mine", "--force").code == 0


def test_schemas_are_schemas(seatrial: Seatrial, tmp_path: Path) -> None:
    for kind in KINDS:
        jsonschema.Draft7Validator.check_schema(json.loads(seatrial("schema", kind).out))
    assert seatrial("schema", "--out", "there").code == 0
    assert len(list((tmp_path / "there").iterdir())) == len(KINDS)
