"""Replications of workload B in an interpreter of its own: `python -m tests.bench.job REPLICATIONS WORKERS` prints JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import perf_counter

from sim.engine import runner
from tests.bench.workload import canary, case


def _peak() -> int:
    """Peak resident bytes of this program alone; `ru_maxrss` would begin with what the parent had (Linux: proc(5))."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    replications, workers = map(int, sys.argv[1:])
    start = perf_counter()
    (rows,) = runner.run([case(canary())], 1, [replications], workers=workers)
    seconds = perf_counter() - start
    json.dump(
        {"seconds": seconds, "peak": _peak(), "rows": len(rows), "requests": int(rows["requests"].sum())}, sys.stdout
    )


if __name__ == "__main__":
    main()
