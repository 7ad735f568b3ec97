"""`python -m tests.determinism.digests HOW SEEDS`: a digest of summaries and journals per seed, computed as HOW says.

`one`: in this process; `two`: the replications on two workers of joblib; `spawn`: the seeds on two spawned processes.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from dataclasses import replace
from functools import cache
from hashlib import blake2b
from pathlib import Path

from sim.scenario import Scenario, load
from sim.session import Session
from sim.story import play

SCENARIO = Path(__file__).with_name("scenario.yaml")


def digest(seed: int, jobs: int = 1) -> str:
    """Of the result of all replications, and of the journal of the first one of every policy under every release."""
    session = Session.of(_scenario(), seed=seed)
    made = blake2b(json.dumps(session.run(jobs).document(), sort_keys=True).encode(), digest_size=16)
    for _, _, case in session.scenario.cases():
        journal, _ = play(case, seed, 0)
        made.update("\n".join(journal.lines()).encode())
    return made.hexdigest()


@cache
def _scenario() -> Scenario:
    return replace(load(SCENARIO), file=None)  # results name no place


def main() -> None:
    how, count = sys.argv[1], int(sys.argv[2])
    seeds = range(1, count + 1)
    if how == "spawn":
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            found = pool.map(digest, seeds)
    else:
        found = [digest(seed, {"one": 1, "two": 2}[how]) for seed in seeds]
    print("\n".join(found))


if __name__ == "__main__":
    main()
