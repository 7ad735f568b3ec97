"""The statistics that the demo prints must not wait for scipy, whose import takes longer than the demo's arithmetic."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import sim.results.matching, sim.results.multiplicity, sim.results.pareto, sim.results.planning, sim.results.stopping
import sim.results.survival, sim.results.sequences
from sim.results.means import mean_interval
from sim.results.paired import mcnemar, paired_difference
from sim.results.proportions import jeffreys, wilson
from sim.results.quantiles import quantile_interval
wilson(3, 40), jeffreys(3, 40), mean_interval([1, 2, 4]), quantile_interval([1, 2, 4], 0.5)
paired_difference([1, 2, 4], [1, 3, 3]), mcnemar([1, 0], [0, 0])
import sim.results.report
from sim.engine.rows import empty
from sim.results.blocks import blocks, contrasts
from sim.results.budgets import verdicts
from sim.results.result import Cell, Result
from sim.results.stopping import Budget
from sim.results.table import text
rows = empty(50)
rows["replication"] = range(50)
cells = tuple(Cell(p, "errors", True, 0.0, rows) for p in ("a", "b"))
result = Result("s", "d", 1, "service", "aggregated", "nobody", "seatrial", cells)
text(result), contrasts(result), verdicts(result, [Budget("harm.p95", 3)]), result.document()
print(*sorted({"scipy", "pandas", "matplotlib", "joblib", "simpy"} & set(sys.modules)))
"""


def test_no_heavy_import() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
