"""Import -> export to the same system -> import is the identity; and policies written anew come back equal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sim.files import Document, read_documents
from sim.manifests import Imported, load
from sim.manifests.export import TARGETS, export
from sim.manifests.export import write as write_policies
from sim.manifests.systems import system_of

SHARED = Path(os.environ.get("SEATRIAL_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "manifests"
LOCAL = Path(__file__).parent / "samples"
NAMES = {target.system: name for name, target in TARGETS.items()}

shared = pytest.mark.shared


def again(documents: list[Document], name: str) -> Imported:
    """Exported to its own system, as text, and read again."""
    imported = load(documents)
    systems = [found for found in map(system_of, imported.objects) if found]
    system = next((found for found in systems if found != "kubernetes"), "kubernetes")  # a workload follows its driver
    exported = export(imported, NAMES[system])
    assert exported.losses == () and exported.documents == tuple(document.value for document in imported.documents)
    return load(read_documents(exported.text, name))


def same(path: Path) -> None:
    documents = read_documents(path)
    before, after = load(documents), again(documents, str(path))
    assert [document.value for document in after.documents] == [document.value for document in before.documents]
    assert after.policies == before.policies
    assert [(one.path, one.status, one.text) for one in after.fields] == [
        (one.path, one.status, one.text) for one in before.fields
    ]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*") if path.suffix in (".yaml", ".json"))


@shared
@pytest.mark.parametrize("name", files(SHARED))
def test_public_manifests(name: str) -> None:
    same(SHARED / name)


@pytest.mark.parametrize("name", files(LOCAL))
def test_our_samples(name: str) -> None:
    same(LOCAL / name)


def rewritten(folder: Path) -> None:
    """Every policy of the folder, written from the policy alone."""
    imported = load(folder)
    for one in imported.policies:
        parts = [part for part in imported.objects if part.value == one.document]
        to = NAMES.get("compose" if one.kind == "service" else system_of(parts[0]))
        if one.policy is None or to is None:
            continue
        exported = write_policies([(one.name, one.policy, one.replicas)], to)
        after = load(read_documents(exported.text, "again.yaml")).policies[0]
        if exported.exact:
            assert (after.policy, after.replicas) == (one.policy, one.replicas), exported.text


@shared
def test_public_policies_written_anew() -> None:
    rewritten(SHARED)


def test_our_policies_written_anew() -> None:
    rewritten(LOCAL)


@shared
@pytest.mark.parametrize("to", TARGETS)
@pytest.mark.parametrize("name", files(SHARED))
def test_every_file_for_every_system(name: str, to: str) -> None:
    """What is written is read again without a fault, and whatever is not said is told."""
    imported = load(SHARED / name)
    exported = export(imported, to)
    after = load(read_documents(exported.text, "again.yaml"))
    kept = len(after.policies) == len(imported.policies) or bool(exported.losses)
    assert kept and all(loss.text for loss in exported.losses)
