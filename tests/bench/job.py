"""Replications of workload B in an interpreter of its own: `python -m tests.bench.job REPLICATIONS WORKERS` prints JSON."""

from __future__ import annotations

import json
import resource
import sys
from time import perf_counter

from sim.engine import runner
from tests.bench.workload import canary, case


def main() -> None:
    replications, workers = map(int, sys.argv[1:])
    start = perf_counter()
    (rows,) = runner.run([case(canary())], 1, [replications], workers=workers)
    seconds = perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
    json.dump({"seconds": seconds, "peak": peak, "rows": len(rows), "requests": int(rows["requests"].sum())}, sys.stdout)


if __name__ == "__main__":
    main()
