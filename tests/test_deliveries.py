"""A run of a delivery system that is interrupted and continued ends with the bytes of one that was not."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.deliveries import Interrupted, deliver
from sim.engine import delivery
from sim.policy.errors import HistoryError
from sim.session import Session

SMALL = """
seatrial: scenario
name: small
policies:
  all: {recreate: {}}
  rolling: {rolling: {}}
pipeline: {}
commits: {per_hour: 1}
replications: 2
"""


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(delivery, "WEEKS_4", 3 * 86_400.0)
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return Session.of(path)


def stop_after(runs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop like a person with Ctrl-C once so many runs are finished."""
    begun = 0
    whole = delivery.run_delivery

    def run(*told: object, **more: object) -> object:
        nonlocal begun
        if begun == runs:
            raise KeyboardInterrupt
        begun += 1
        return whole(*told, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(delivery, "run_delivery", run)


@pytest.mark.parametrize("out", [Path("here"), None])
@pytest.mark.parametrize("runs", [0, 1, 3])
def test_what_is_finished_is_kept(
    session: Session, monkeypatch: pytest.MonkeyPatch, runs: int, out: Path | None
) -> None:
    deliver(session, out=Path("whole"))
    with monkeypatch.context() as patched, pytest.raises(Interrupted) as stopped:
        stop_after(runs, patched)
        deliver(session, out=out)
    kept = stopped.value.kept
    assert stopped.value.runs == runs and len([*kept.glob("runs/*.json")]) == runs
    assert not (kept / "result.json").exists()
    made: list[tuple[int, int]] = []
    with monkeypatch.context() as patched:
        stop_after(4 - runs, patched)  # no more than what was open is made
        deliver(session, 1, lambda *told: made.append(told), kept, resume=True)
    assert made == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for path in sorted(Path("whole").rglob("*.json")):
        if path.name != "run.json":
            assert path.read_bytes() == (kept / path.relative_to("whole")).read_bytes()


def test_another_run_is_not_continued(session: Session, tmp_path: Path) -> None:
    deliver(session, out=tmp_path / "one")
    with pytest.raises(HistoryError, match="seed 1 there, 2 here"):
        deliver(Session.of(tmp_path / "small.yaml", seed=2), out=tmp_path / "one", resume=True)
