"""`export`: YAML to standard output, what is lost to standard error; and `validate` on what came out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

Seatrial = Callable[..., "object"]

OWN = "seatrial: policy\nname: shop\nreplicas: 3\nrolling: {max_surge: 1, min_ready: 5s}\n"
ASKED = """
seatrial: policy
canary: {weights: [10, 100], interval: 1m, count: 2, judge: {threshold: {max_error_rate: 1%}}}
"""
PART = "steps:\n- setWeight: 20\n- pause: {}\nsurge: 1\n"


def test_what_is_written_is_valid(seatrial: Seatrial, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN)
    said = seatrial("export", "own.yaml", "--to", "deployment", "--out", "shop.yaml")
    assert said.code == 0 and "placeholder" in said.err and "everything is said exactly" in said.err
    assert seatrial("validate", "shop.yaml", "--strict").code == 0
    assert seatrial("plan", "shop.yaml").code == 0


def test_what_is_lost_is_told_and_with_strict_refused(seatrial: Seatrial, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(ASKED)
    said = seatrial("export", "own.yaml", "--to", "argo-rollouts")
    assert said.code == 0 and "approximated" in said.err and said.out.startswith("apiVersion: argoproj.io")
    strict = seatrial("export", "own.yaml", "--to", "argo-rollouts", "--strict")
    assert strict.code == 2 and "own.yaml:1:1" in strict.err and not strict.out
    report = json.loads(seatrial("export", "own.yaml", "--to", "argo-rollouts", "--json").out)
    assert report["exact"] is False and report["documents"][0]["kind"] == "Rollout" and report["losses"]


def test_fragments_come_back_as_they_are(seatrial: Seatrial, tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text(PART)
    said = seatrial("export", "part.yaml", "--to", "argo-rollouts", "--as", "rollout-canary")
    assert said.code == 0 and said.out == PART
    assert seatrial("export", "-", "--to", "argo-rollouts", given=PART).out == PART


def test_every_field_is_shown(seatrial: Seatrial, tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text(PART)
    said = seatrial("validate", "part.yaml", "--fields")
    assert said.code == 0 and "steps.0.setWeight" in said.out and "unknown to argo-rollouts@1.10" in said.out
    document = json.loads(seatrial("validate", "part.yaml", "--fields", "--json").out)
    assert [one["status"] for one in document["files"][0]["fields"]] == ["exact", "exact", "ignored"]


def test_a_rendered_chart_is_one_file(seatrial: Seatrial) -> None:
    chart = (
        "---\n# Source: shop/a.yaml\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\n# Source: shop/b.yaml\n"
    )
    said = seatrial(
        "validate",
        "-",
        "--fields",
        given=chart + "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {selector: {}}\n",
    )
    assert said.code == 0 and "<stdin>" in said.out and "1 file, no problems" in said.out and "next" not in said.out


def test_unknown_systems_are_a_matter_of_usage(seatrial: Seatrial, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN)
    said = seatrial("export", "own.yaml", "--to", "argo")
    assert said.code == 2 and "argo-rollouts" in said.err
