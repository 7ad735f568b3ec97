"""The generator as a process: a plan as JSON on standard input, counts as JSON into a file, the end when its input closes.

Every further line of its input is all the faults of users that are to be in force from now on (`real.load.demand.Rules`).
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
from pathlib import Path

from real.load.demand import Demand
from real.load.generator import Plan, generate
from real.load.plans import understood
from real.load.truth import Truth

_EVERY = 1.0  # seconds between two writings of the counts


def main() -> None:
    plan = understood(json.loads(sys.stdin.readline()))
    path = Path(sys.argv[1])
    truth, stopped, demand = Truth(), threading.Event(), Demand(plan.traffic, plan.segments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    # Whoever started us is gone when our input ends: then nobody wants this load any more.
    threading.Thread(target=_listen, args=(demand, stopped), daemon=True).start()
    asyncio.run(_run(plan, truth, stopped, path, demand))


def _listen(demand: Demand, stopped: threading.Event) -> None:
    for line in sys.stdin:
        demand.asked = json.loads(line)
    stopped.set()


async def _run(plan: Plan, truth: Truth, stopped: threading.Event, path: Path, demand: Demand) -> None:
    async def note() -> None:
        while True:
            _write(path, truth)
            await asyncio.sleep(_EVERY)

    noting = asyncio.create_task(note())
    try:
        await generate(plan, truth, stopped.is_set, demand=demand)
    finally:
        noting.cancel()
        _write(path, truth)


def _write(path: Path, truth: Truth) -> None:
    """Whole or not at all: a reader never sees half a file."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(truth.document()), encoding="utf-8")
    beside.replace(path)


main()
