"""`seatrial real` where there is no cluster: what is missing is said with its remedy, what is wrong is refused before anything is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from real.cli import app
from sim.cli.guard import guarded

GALLERY = Path(__file__).parents[2] / "scenarios"
CANARY = str(GALLERY / "quick-canary.yaml")
GOLDEN = Path(__file__).parents[1] / "golden" / "histories" / "step-failed"
MANIFEST, SCRIPT = str(GOLDEN / "manifest.yaml"), str(GOLDEN / "script.yaml")
DIGEST = "registry.example/app@sha256:" + "0" * 64


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No engine, no kind, and nothing of ours."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SEATRIAL_STATE", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def real(*words: str) -> int:
    """The exit code, by way of the program's own guard."""
    try:
        with guarded():
            return int(app(args=list(words), prog_name="seatrial real", standalone_mode=False) or 0)
    except typer.Exit as end:
        return end.exit_code


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["up"], 4, "kind is not on the PATH; install it: https://kind"),
        (["run", CANARY, "--release", "bad"], 4, "kind is not on the PATH"),
        (["plan", CANARY, "--release", "bad"], 4, "kind is not on the PATH"),
        (["run", CANARY], 2, "which release? say --release NAME; there are good, bad"),
        (["run", CANARY, "--release", "nonsense"], 2, "there are good, bad"),
        (["run", CANARY, "--release", "bad", "--policy", "nonsense"], 2, "nonsense"),
        (["run", CANARY, "--release", "bad", "--image", "app:v2"], 2, "app:v2 is not an image by digest"),
        (["run", CANARY, "--release", "bad", "--stable", "app:v1"], 2, "needs its new version too: --image"),
        (["run", CANARY, "--release", "bad", "--stable", "app:v1", "--image", DIGEST], 2, "app:v1 is not an image by digest"),
        (["run", CANARY, "--release", "bad", "--target", "nowhere"], 2, "--target is HOST:PORT, got nowhere"),
        (["run", str(GALLERY / "delivery.yaml")], 2, "a real run drives one rollout"),
        (["run", str(GALLERY / "demo.yaml"), "--release", "good"], 2, "which policy? say --policy NAME"),
        (["plan", CANARY, "--release", "bad", "--context", "mine"], 2, "name the file too: --kubeconfig FILE"),
        (["run", MANIFEST, "--controller", "argo-rollouts", "--script", SCRIPT], 4, "kind is not on the PATH"),
        (["run", MANIFEST, "--controller", "argocd"], 2, "no controller argocd; there are argo-rollouts, flagger"),
        (["run", MANIFEST, "--controller", "argo-rollouts", "--policy", "p"], 2, "the policy is in the manifests"),
        (["run", CANARY, "--script", SCRIPT], 2, "without --controller a run is of one scenario"),
        (["status", "no-such-run"], 2, "holds no recorded run"),
        (["recover", "no-such-run"], 2, "holds no recorded run"),
        (["halt", "no-such-run"], 2, "holds no recorded run"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_said_with_its_remedy(
    words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert real(*words) == code
    told = capsys.readouterr()
    assert said in told.out + told.err
    assert "Traceback" not in told.out + told.err


def test_an_image_by_digest_goes_on_to_the_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    assert real("run", CANARY, "--release", "bad", "--image", DIGEST) == 4
    assert "kind is not on the PATH" in capsys.readouterr().err


def test_the_doctor_names_what_is_missing_and_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert real("doctor", "--json") == 4
    document = json.loads(capsys.readouterr().out)
    assert document["missing"][:2] == ["docker", "kind"]
    remedies = {check["name"]: check["remedy"] for check in document["checks"]}
    assert remedies["docker"] == "start it, or set DOCKER_HOST"
    assert remedies["kind"].startswith("https://kind")


@pytest.mark.parametrize("text", ["images: {pyhton: x}", "images: [a]", "{}", "images: {python: 3}"])
def test_a_map_of_images_is_read_strictly(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "map.yaml").write_text(text)
    assert real("doctor", "--images", str(tmp_path / "map.yaml")) == 2
    assert "map.yaml" in capsys.readouterr().err
