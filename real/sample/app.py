"""The sample service: answers requests, breaks on demand, drains politely. One file of plain Python that needs nothing else.

Traffic on PORT (8080); health, metrics and the fault endpoint on ADMIN_PORT (8081), which no router forwards to.

Environment: REVISION, ERRORS (ratio), MEDIAN_S and SIGMA (lognormal latency), BOUNDS (histogram, seconds), START_S (until ready),
DRAIN_S (kept open after SIGTERM, until every router knows), FAULTS (JSON list of {"kind", "params"}, names as in `sim/faults`), SEED.
"""

import asyncio
import bisect
import json
import math
import mmap
import os
import pathlib
import random
import signal
import sys
import time

BUILD = (
    "build.error_rate",
    "build.latency",
    "build.memory_leak",
    "build.cpu",
    "build.segment_error",
    "build.wrong_result",
)
START = ("pod.slow_start", "pod.crash_loop", "pod.unready", "pod.ready_flap", "members.flap", "members.false_positive")
HELD = ("stress.memory",)
LEAST = 1e-6  # seconds; shorter waits are not worth a timer


class State:
    """What this process is set to do, and what it counted."""

    def __init__(self, env):
        self.revision = env.get("REVISION", "1")
        self.errors = float(env.get("ERRORS", "0"))
        self.median, self.sigma = float(env.get("MEDIAN_S", "0")), float(env.get("SIGMA", "0.7"))
        self.bounds = [float(bound) for bound in env.get("BOUNDS", "0.05,0.1,0.25,0.5,1,2.5").split(",")]
        self.faults = checked(json.loads(env.get("FAULTS", "[]")))
        self.started = time.monotonic()
        self.start_s = float(env.get("START_S", "0")) + self.total("pod.slow_start", "startup_delay_s")
        self.drain_s = float(env.get("DRAIN_S", "5"))
        self.random = random.Random(f"{env.get('SEED', '')}/{env.get('HOSTNAME', '')}")
        self.served = 0
        self.open = 0  # requests in flight
        self.draining = False
        self.leak = []
        self.held = {}  # id of a fault -> memory that it keeps
        self.reset()

    def reset(self):
        """All counters begin at 0, as in a process that has just started."""
        self.created = time.time()
        self.requests = {(200, ""): 0}  # (code, segment) -> count; there from the start, so that its rise is seen
        self.buckets = {}  # code -> counts per bucket, not cumulative
        self.seconds = {}  # code -> sum

    def of(self, kind):
        return [fault["params"] for fault in self.faults if fault["kind"] == kind]

    def total(self, kind, name):
        return sum(params.get(name, 0.0) for params in self.of(kind))

    @property
    def age(self):
        return time.monotonic() - self.started

    @property
    def ready(self):
        return self.age >= self.start_s and not self.draining and not self.of("pod.unready") and not self.out

    @property
    def out(self):
        """Whether a fault takes it out of service at this look."""
        flaps = [fault for fault in self.faults if fault["kind"] in ("pod.ready_flap", "members.flap")]
        doubts = self.of("members.false_positive")
        return any(map(self.down, flaps)) or any(self.random.random() < params["p"] for params in doubts)

    def down(self, fault):
        """Whether a fault that comes and goes is in the bad part of its cycle, which comes first."""
        period, duty = fault["params"]["period_s"], fault["params"].get("duty", 0.5)
        return (time.monotonic() - fault.get("since", self.started)) % period < period * (1.0 - duty)

    def told(self, faults):
        """These faults from now on: what they hold is there, what others held is free."""
        before = {fault.get("id"): fault for fault in self.faults}
        for fault in faults:
            fault["since"] = before.get(fault.get("id"), {}).get("since", time.monotonic())
        self.faults = faults
        wanted = {fault.get("id"): fault["params"] for fault in faults if fault["kind"] in HELD}
        self.held = {id: self.held.get(id) or hold(**params) for id, params in wanted.items()}

    # ---- one request ----

    def status(self, segment):
        """The HTTP status of the next answer."""
        if self.random.random() < self.errors:
            return 500
        for params in self.of("build.error_rate"):
            if self.random.random() < self.chance(params):
                return int(params.get("status", 500))
        for params in self.of("build.segment_error"):
            if params["segment"] == segment and self.random.random() < params["p"]:
                return int(params.get("status", 500))
        for params in self.of("build.memory_leak"):
            grown = params.get("growth_per_s", 0.0) * max(0.0, self.age - params.get("after_s", 0.0))
            if self.random.random() < min(grown, params.get("max_p", 1.0)):
                return 500
        return 200

    def chance(self, params):
        if self.age < params.get("after_s", 0.0) or self.served < params.get("after_n", 0):
            return 0.0
        if params.get("shape") == "load" and self.served / max(self.age, 1.0) < params.get("load_rps", 0.0):
            return 0.0
        ramp = min(1.0, self.age / 60.0) if params.get("shape") == "ramp" else 1.0
        return params["p"] * ramp

    def wait(self):
        """Seconds that the next answer takes."""
        seconds = self.median * math.exp(self.sigma * self.random.gauss(0.0, 1.0)) if self.median > 0 else 0.0
        for params in self.of("build.latency"):
            seconds = seconds * params.get("factor", 1.0) + params.get("add_s", 0.0)
            seconds += self.random.uniform(-1.0, 1.0) * params.get("jitter_s", 0.0)
            if self.random.random() < params.get("tail_p", 0.0):
                seconds += params.get("tail_s", 0.0)
        for params in self.of("build.cpu"):
            seconds /= params.get("factor", 1.0) or 1.0
        for params in self.of("pod.slow_start"):
            warm = params.get("warmup_s", 0.0)
            if warm and self.age - self.start_s < warm:
                seconds *= params.get("warmup_factor", 3.0)
        return max(0.0, seconds)

    def body(self):
        wrong = any(self.random.random() < params["p"] for params in self.of("build.wrong_result"))
        return b"wrong\n" if wrong else b"ok\n"

    def count(self, code, segment, seconds):
        self.served += 1
        key = (code, segment)
        self.requests[key] = self.requests.get(key, 0) + 1
        self.seconds[code] = self.seconds.get(code, 0.0) + seconds
        self.buckets.setdefault(code, [0] * (len(self.bounds) + 1))[bisect.bisect_left(self.bounds, seconds)] += 1
        for params in self.of("build.memory_leak"):
            if params.get("bytes_per_request"):
                self.leak.append(b"x" * int(params["bytes_per_request"]))

    # ---- what monitoring reads ----

    def metrics(self):
        lines = ["# TYPE http_requests_total counter"]
        for (code, segment), count in sorted(self.requests.items()):
            labels = f'code="{code}",status="{code}"' + (f',segment="{segment}"' if segment else "")
            lines.append(f"http_requests_total{{{labels}}} {count}")
        lines += ["# TYPE http_requests_created gauge", f"http_requests_created {self.created:.6f}"]
        lines.append("# TYPE http_request_duration_seconds histogram")
        for code, counts in sorted(self.buckets.items()):
            labels, total = f'code="{code}",status="{code}"', 0
            for bound, count in zip([*(f"{bound:g}" for bound in self.bounds), "+Inf"], counts):  # noqa: B905
                total += count
                lines.append(f'http_request_duration_seconds_bucket{{{labels},le="{bound}"}} {total}')
            lines.append(f"http_request_duration_seconds_sum{{{labels}}} {self.seconds[code]:.6f}")
            lines.append(f"http_request_duration_seconds_count{{{labels}}} {total}")
        lines += ["# TYPE process_resident_memory_bytes gauge", f"process_resident_memory_bytes {resident()}"]
        return ("\n".join(lines) + "\n").encode()


def resident():
    """Bytes of memory that are really there (proc(5), statm)."""
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def hold(bytes, workers=1, **_):
    """So many bytes for each worker, every page of them written; they go back to the machine when nobody holds them any more."""
    blocks = [mmap.mmap(-1, max(1, int(bytes))) for _ in range(int(workers))]
    for block in blocks:
        for page in range(0, len(block), mmap.PAGESIZE):
            block[page] = 1
    return blocks


def checked(faults):
    """Faults as they are given; a kind that this program does not know is an error."""
    for fault in faults:
        if fault["kind"] not in BUILD + START + HELD:
            raise ValueError(f"no fault {fault['kind']!r} here; known: {', '.join(BUILD + START + HELD)}")
        fault.setdefault("params", {})
    return faults


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive; one request at a time per connection, pipelined ones wait in the buffer."""

    def __init__(self, handle, connections):
        self.handle, self.connections = handle, connections
        self.buffer = b""
        self.task = None

    def connection_made(self, transport):
        self.transport = transport
        self.connections.add(self)

    def connection_lost(self, _):
        self.connections.discard(self)

    def data_received(self, data):
        self.buffer += data
        self.next()

    def next(self):
        if self.task is not None or self.transport.is_closing():
            return
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            if len(self.buffer) > 65536:
                self.transport.close()
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        method, path, *_ = first.split(" ")
        self.task = asyncio.ensure_future(self.answer(method, path, headers, rest[:length]))

    async def answer(self, method, path, headers, body):
        code, kind, text, close = await self.handle(method, path, headers, body)
        close = close or headers.get("connection", "").lower() == "close"
        extra = f"X-Revision: {STATE.revision}\r\n" + ("Connection: close\r\n" if close else "")
        head = f"HTTP/1.1 {code} {'OK' if code < 400 else 'Error'}\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\n{extra}\r\n"
        if not self.transport.is_closing():
            self.transport.write(head.encode("latin-1") + text)
            if close:
                self.transport.close()
        self.task = None
        self.next()

    def idle(self):
        return self.task is None and not self.buffer


async def traffic(_method, path, headers, _body):
    """One user's request."""
    STATE.open += 1
    begun = time.monotonic()
    try:
        segment = headers.get("x-segment", "")
        code, seconds = STATE.status(segment), STATE.wait()
        if seconds > LEAST:
            await asyncio.sleep(seconds)
        STATE.count(code, segment, time.monotonic() - begun)
        return code, "text/plain", STATE.body() if code < 400 else b"error\n", STATE.draining
    finally:
        STATE.open -= 1


async def admin(method, path, _headers, body):
    """Health, metrics, faults."""
    path = path.partition("?")[0]
    if path == "/healthz":
        return 200, "text/plain", b"alive\n", False
    if path == "/ready":
        ready = STATE.ready
        return (200 if ready else 503), "text/plain", b"ready\n" if ready else b"not ready\n", False
    if path == "/metrics":
        return 200, "text/plain; version=0.0.4", STATE.metrics(), False
    if path == "/faults":
        return faults(method, body)
    if path == "/reset" and method == "POST":
        STATE.reset()
        return 200, "text/plain", b"from 0\n", False
    if path == "/exit" and method == "POST":
        asyncio.get_running_loop().call_later(0.05, os._exit, int(body or b"137"))
        return 200, "text/plain", b"bye\n", True
    return 404, "text/plain", b"no such page\n", False


def faults(method, body):
    """GET shows, PUT replaces, DELETE removes all."""
    try:
        if method == "PUT":
            STATE.told(checked(json.loads(body)))
        elif method == "DELETE":
            STATE.told([])
            STATE.leak = []
    except (ValueError, KeyError, TypeError) as error:
        return 400, "text/plain", f"{error}\n".encode(), False
    return 200, "application/json", (json.dumps(STATE.faults) + "\n").encode(), False


async def pauses():
    """build.cpu: stop-the-world pauses, in which nothing at all moves."""
    while True:
        rate = STATE.total("build.cpu", "pause_per_s")
        await asyncio.sleep(STATE.random.expovariate(rate) if rate else 1.0)
        if rate:
            time.sleep(STATE.total("build.cpu", "pause_s"))


async def crash():
    """pod.crash_loop: the process ends by itself."""
    for params in STATE.of("pod.crash_loop"):
        if STATE.random.random() < params.get("p", 1.0):
            await asyncio.sleep(params.get("crash_after_s", 5.0))
            os._exit(1)


async def drain(servers, connections):
    """Not ready from now on; still answering while routers learn it; then the listening socket goes, then what is in flight ends."""
    STATE.draining = True
    await asyncio.sleep(STATE.drain_s)
    servers[0].close()
    for connection in list(connections):
        if connection.idle():
            connection.transport.close()
    limit = time.monotonic() + 20.0
    while connections and time.monotonic() < limit:
        await asyncio.sleep(0.02)


async def main():
    loop = asyncio.get_running_loop()
    connections, watchers = set(), set()
    ports = int(os.environ.get("PORT", "8080")), int(os.environ.get("ADMIN_PORT", "8081"))
    servers = [
        await loop.create_server(lambda: Connection(traffic, connections), "0.0.0.0", ports[0], backlog=1024),
        await loop.create_server(lambda: Connection(admin, watchers), "0.0.0.0", ports[1]),
    ]
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    background = [asyncio.ensure_future(pauses()), asyncio.ensure_future(crash())]
    print(f"revision {STATE.revision} on {ports[0]}, admin on {ports[1]}", flush=True)
    await stop.wait()
    await drain(servers, connections)
    for task in background:
        task.cancel()


if __name__ == "__main__":
    STATE = State(os.environ)
    asyncio.run(main())
    sys.exit(0)
