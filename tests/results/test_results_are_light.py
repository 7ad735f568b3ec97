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
print(*sorted({"scipy", "pandas", "matplotlib", "joblib", "simpy"} & set(sys.modules)))
"""


def test_no_heavy_import() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
