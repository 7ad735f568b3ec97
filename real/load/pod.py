"""The generator as a pod: the plan in the environment, the counts over HTTP. Runs in the cluster where no port leads to it from outside.

GET /truth: the counts so far. PUT /rules: all the faults of users that are to be in force from now on. POST /stop: no more requests; the
answer comes once those in flight have ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from contextlib import suppress

from real.load.demand import Demand
from real.load.generator import generate
from real.load.plans import understood
from real.load.truth import Truth

PORT = 9090


async def main() -> None:
    plan, truth, stopped = understood(json.loads(os.environ["PLAN"])), Truth(), threading.Event()
    demand = Demand(plan.traffic, plan.segments)
    sending = asyncio.create_task(generate(plan, truth, stopped.is_set, demand=demand))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"POST /stop"):
                stopped.set()
                await sending
            if head.startswith(b"PUT /rules"):
                demand.asked = json.loads(await reader.readexactly(_length(head)))
            body = json.dumps(truth.document()).encode()
            line = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            writer.write(line.encode() + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "0.0.0.0", PORT)
    async with server:
        await server.serve_forever()


def _length(head: bytes) -> int:
    """The length of the body that a head announces; ValueError where it does not."""
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    return int(fields.get(b"content-length", b""))


if __name__ == "__main__":
    asyncio.run(main())
