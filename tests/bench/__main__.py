"""`python -m tests.bench [--quick]`: measure every goal, print it, write bench.json."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from math import inf
from pathlib import Path

from tests.bench.goals import GOALS, QUICK, Goal, Sizes


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, to see that it works; never fails for a missed goal"
    )
    parser.add_argument("--only", metavar="NAME", help="only the functions of goals.py whose name contains this")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    asked = parser.parse_args()
    found: list[Goal] = []
    for measure in GOALS:
        if asked.only is None or asked.only in measure.__name__:
            for goal in measure(QUICK if asked.quick else Sizes()):
                print(goal, flush=True)
                found.append(goal)
    missed = [goal.name for goal in found if not goal.met]
    _write(asked.out, found, asked.quick)
    note = " (quick: the values mean nothing)" if asked.quick else ""
    print(
        f"{len(found) - len(missed)} of {len(found)} goals met{': missed ' + ', '.join(missed) if missed else ''}{note}"
    )
    return 1 if missed and not asked.quick else 0


def _write(path: Path, found: list[Goal], quick: bool) -> None:
    goals = [_plain(goal) | {"met": goal.met} for goal in found]
    path.write_text(json.dumps({"quick": quick, "goals": goals}, indent=2) + "\n", encoding="utf-8")


def _plain(goal: Goal) -> dict[str, object]:
    """JSON has no infinity: a bound that is none is left out."""
    return {key: value for key, value in asdict(goal).items() if value not in (inf, -inf)}


if __name__ == "__main__":
    sys.exit(main())
