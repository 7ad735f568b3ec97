"""How long the base takes to import: `python -m tests.bench.start` prints JSON, with the heavy modules that came along."""

from __future__ import annotations

import json
import sys
from time import perf_counter

HEAVY = ("pandas", "scipy", "matplotlib", "streamlit")


def main() -> None:
    start = perf_counter()
    import sim
    import sim.cli

    seconds = perf_counter() - start
    json.dump(
        {"seconds": seconds, "heavy": [name for name in HEAVY if name in sys.modules], "version": sim.__version__},
        sys.stdout,
    )


if __name__ == "__main__":
    main()
