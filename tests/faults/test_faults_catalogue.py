"""The catalogue: complete against faults.md, and consistent in itself."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from sim.faults.aims import AIMS
from sim.faults.catalogue import KINDS, MODELLED, guess
from sim.faults.kind import Kind
from sim.faults.params import read

MODELLED_NOW = {
    *("build.error_rate", "build.latency", "build.segment_error", "build.memory_leak"),
    *("pod.kill", "pod.crash_loop", "pod.slow_start", "node.loss", "node.reboot", "net.delay", "net.loss"),
    *("telemetry.gap", "telemetry.lag", "telemetry.nan", "telemetry.provider_error", "telemetry.reset"),
    *("store.outage", "trigger.drop", "pool.offline", "driver.crash", "load.spike", "load.low"),
}
# The short form of a leak is ours alone: faults.md knows bytes.
OURS = {"build.memory_leak": {"growth_per_s", "max_p", "after_s"}}


# Kinds that faults.md does not have (yet): its note on node.pause warns of them.
BEYOND = {"node.reboot"}


def _reference() -> str:
    """Section 2 of faults.md, without its notes."""
    repo = Path(__file__).resolve().parents[2]
    shared = Path(os.environ.get("SEATRIAL_SHARED", repo.parent / "shared"))
    text = (shared / "reference" / "faults.md").read_text(encoding="utf-8")
    return text.split("## 2. Catalogue")[1].split("### 2.5")[0]


def _table() -> dict[str, tuple[set[str], bool, bool]]:
    """kind -> (parameter names, instant, can be injected for real)."""
    table: dict[str, tuple[set[str], bool, bool]] = {}
    for line in _reference().splitlines():
        if not line.startswith("| `"):
            continue
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        words = re.sub(r"\([^)]*\)", "", cells[1])
        # `subset` is a field of the target, whatever the kind.
        params = set(re.findall(r"`([a-z_]+)", words)) - {"subset"}
        for name in re.findall(r"`([a-z]+\.[a-z_]+)`", cells[0]):
            table[name] = (params, "(instant)" in cells[0], cells[3] != "-")
    return table


@pytest.mark.shared
def test_every_kind_of_the_reference_is_in_the_catalogue_and_no_other() -> None:
    assert sorted(set(KINDS) - BEYOND) == sorted(_table())


@pytest.mark.shared
def test_parameters_instants_and_capabilities_are_those_of_the_reference() -> None:
    for name, (params, instant, real) in _table().items():
        kind = KINDS[name]
        assert {one.name for one in kind.parameters} - OURS.get(name, set()) == params, name
        assert kind.instant == instant, name
        assert (kind.capability == "both") == real, name


def test_the_modelled_kinds_are_the_agreed_ones() -> None:
    assert set(MODELLED) == MODELLED_NOW == set(AIMS)


def test_only_two_kinds_cannot_be_undone() -> None:
    assert [name for name, kind in KINDS.items() if not kind.reversible] == ["db.irreversible", "telemetry.lose"]


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_kind_is_consistent(kind: Kind) -> None:
    names = [one.name for one in kind.parameters]
    assert len(set(names)) == len(names)
    assert kind.simulated
    assert kind.real or not (kind.proof or kind.undo)
    assert all(name in names for group in kind.alternatives for name in group)
    for one in kind.parameters:
        assert one.doc
        assert not (one.required and one.default is not None)
        # A default is a value that a file may write, and it is simulated where its kind is.
        if one.default is not None:
            assert read(one, one.default) == one.default
        assert one.required or one.simulates is None or one.default in one.simulates


def test_a_misspelled_kind_gets_near_names() -> None:
    assert guess("pod.kil").startswith("did you mean pod.kill")
    assert guess("lock.zzzzzzzzzzzzzzz") == "use one of: lock.leak"
    assert guess("x" * 10_000).startswith("modelled kinds: ")
