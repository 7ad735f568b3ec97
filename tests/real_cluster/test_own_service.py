"""A service of the user's own: their images, ports, metrics endpoint and PromQL, by the command that they type."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from real.docker import images
from sim.journal import Journal, replay
from sim.single import found
from tests.real_cluster.rig import Cluster
from tests.real_cluster.runs import Asked, Finished, conduct, leftovers

pytestmark = pytest.mark.cluster

MANIFEST = Path(__file__).with_name("manifests") / "shop.yaml"
SHOP = Path(__file__).with_name("shop.py")
FAILS = {"stable": 0.0, "good": 0.0, "bad": 0.4}


def pushed(cluster: Cluster, version: str) -> str:
    """A version of the shop, by digest; versions differ by what is in them."""
    lines = (
        f"FROM {cluster.images.of('python')}",
        f"ENV FAIL={FAILS[version]} VERSION={version}",
        "COPY shop.py /shop.py",
        'ENTRYPOINT ["python3", "/shop.py"]',
        "",
    )
    tag = f"seatrial-test/shop:{version}"
    images.build(tag, {"Dockerfile": "\n".join(lines), "shop.py": SHOP.read_text(encoding="utf-8")}, {})
    assert cluster.ground.registry is not None
    return cluster.ground.registry.push(tag, "shops/shop")


def policy(namespace: str, folder: Path) -> Path:
    place = folder / f"{namespace}.yaml"
    place.write_text(MANIFEST.read_text(encoding="utf-8").replace("NAMESPACE", namespace), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def runs(kind_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Finished]]:
    """Both at once, each in its namespace."""
    root, stable = tmp_path_factory.mktemp("own"), pushed(kind_cluster, "stable")

    def ran(version: str) -> Finished:
        name = f"own-{version}"
        words = (
            "--policy", str(policy(name, root)), "--stable", stable, "--image", pushed(kind_cluster, version),
            "--port", "9000", "--metrics-port", "9100",
        )  # fmt: skip
        return conduct(kind_cluster, name, Asked("shop", words), root / version)

    with ThreadPoolExecutor(2) as pool:
        yield dict(zip(("good", "bad"), pool.map(ran, ("good", "bad")), strict=True))
    for version in ("good", "bad"):
        kind_cluster.drop(f"own-{version}")


@pytest.mark.parametrize("version, code, state", [("good", 0, "promoted"), ("bad", 1, "restored")])
def test_it_ends_as_its_own_queries_say(
    runs: dict[str, Finished], kind_cluster: Cluster, version: str, code: int, state: str
) -> None:
    run = runs[version]
    assert (run.code, run.ended["state"]) == (code, state), run.said
    assert run.totals["lost"] == run.totals["in_flight"] == 0
    assert (run.totals["bad"] > 0) == (version == "bad")
    assert leftovers(kind_cluster, run.namespace, 3) == []


@pytest.mark.parametrize("version", ["good", "bad"])
def test_its_journal_replays_through_the_manifest(runs: dict[str, Finished], version: str, tmp_path: Path) -> None:
    mine = found([policy(f"own-{version}", tmp_path)]).policy
    assert replay(mine, Journal.read(runs[version].folder)) is None
