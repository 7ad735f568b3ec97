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
        (["run", CANARY, "--release", "bad", "--image", DIGEST.removeprefix("registry.example/app")], 2, "not an image by digest"),
        (["run", CANARY, "--release", "bad", "--image", DIGEST + "0"], 2, "not an image by digest"),
        (["run", CANARY, "--release", "bad", "--target", "127.0.0.1:0"], 2, "--target is HOST:PORT, got 127.0.0.1:0"),
        (["run", CANARY, "--release", "bad", "--target", "127.0.0.1:65536"], 2, "--target is HOST:PORT"),
        (["run", CANARY, "--release", "bad", "--router", "traefik"], 2, "there is no router traefik; there are auto, haproxy"),
        (["run", CANARY, "--release", "bad", "--namespace", "Team_A"], 2, "'Team_A' is no name for a cluster's objects"),
        (["run", CANARY, "--release", "bad", "-n", "seatrial-system"], 2, "holds what all trials share"),
        (["run", CANARY, "--release", "bad", "--app", "web;reboot"], 2, "'web;reboot' is no name"),
        (["run", CANARY, "--release", "bad", "--app", "w" * 41], 2, "use at most 40 of a-z"),
        (["up", "--name", "../../elsewhere"], 2, "'../../elsewhere' is no name"),
        (["down", "--name", "../../elsewhere"], 2, "'../../elsewhere' is no name"),
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
        (["resume", "no-such-run"], 2, "holds no recorded run"),
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


def test_a_folder_that_holds_a_run_is_never_written_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Found before anything else is looked at, let alone made."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    assert real("run", CANARY, "--release", "bad", "--out", str(tmp_path / "run")) == 2
    assert "holds a run already; choose another folder" in capsys.readouterr().err
    assert (tmp_path / "run" / "run.json").read_text() == "{}"


KUBE = """apiVersion: v1
kind: Config
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: abc}}]
"""


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        (("token: abc", "exec: {command: touch, args: [ran]}"), (), "runs a program for its token: touch ran; allow it with --allow-exec"),
        (('":1"', "x"), ("--context", "d"), "there is no context 'd'; name one of them with --context: c"),
        ((":1\"", ":1\", insecure-skip-tls-verify: true"), (), "nobody would notice a false server; give its CA, or allow it"),
        (("https://127.0.0.1", "http://cluster.example"), (), "is not https; credentials would travel in the clear"),
        (("https://127.0.0.1", "http://cluster.example"), ("--insecure",), "is not https; credentials would travel in the clear"),
        (("token: abc", "auth-provider: {name: gcp}"), (), "auth-provider is not supported"),
        ((":1\"", ":1\", proxy-url: 'http://proxy.example'"), (), "would send credentials through a proxy"),
        (("contexts: [", "contexts: [{name: d, context: {cluster: c, user: u}}, "), (), "which context is meant; name one of them"),
        (("contexts:", "others:"), (), "this is not a kubeconfig"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "command", [("plan", CANARY, "--release", "bad"), ("run", CANARY, "--release", "bad"), ("up",)]
)
def test_a_kubeconfig_that_does_what_nobody_asked_for_is_refused_by_every_command(
    command: tuple[str, ...],
    change: tuple[str, str],
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "kube").write_text(KUBE.replace(*change))
    assert real(*command, "--kubeconfig", str(tmp_path / "kube"), *words) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "ran").exists()


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
