"""Beside HAProxy in the router's pod: carries commands from HTTP to HAProxy's runtime API, which speaks plain TCP.

So the router is reached the way everything else is, through the API server's proxy. One file of plain Python.
POST /say: lines for the runtime API; remembered, and said again when HAProxy has started anew.
GET /state: `show stat` as JSON, and a hash of what was said.
At the start the commands come from STATE, a mounted file: what is configured survives the pod.
"""

import csv
import hashlib
import http.server
import json
import os
import pathlib
import socket
import threading
import time
from typing import Any

API = ("127.0.0.1", 9999)
STATE = pathlib.Path(os.environ.get("STATE", "/routes/said"))
known = {"commands": "", "process": ""}
lock = threading.Lock()


def say(line):
    """One line to the runtime API; its answer."""
    with socket.create_connection(API, timeout=2.0) as link:
        link.sendall(line.encode() + b"\n")
        parts = []
        while part := link.recv(65536):
            parts.append(part)
    return b"".join(parts).decode().strip()


def process():
    """Which HAProxy it is: its worker's process and age."""
    told = dict(line.split(": ", 1) for line in say("show info").splitlines() if ": " in line)
    return f"{told.get('Pid')}/{int(time.time()) - int(told.get('Uptime_sec', '0'))}"


def carry(commands):
    """Say commands in order; the first answer that is a complaint."""
    for line in commands.splitlines():
        answer = say(line) if line.strip() else ""
        if (
            answer and "changed" not in answer and "no need" not in answer
        ):  # the runtime API is silent, or tells what it changed
            return f"{line}: {answer}"
    return ""


def tell(commands: str) -> str:
    """Say commands and remember them; the first complaint, or ''."""
    with lock:
        problem = carry(commands)
        if not problem:
            known["commands"] = commands
    return problem


def changed(before, now):
    pid, born = before.split("/") if before else ("", "0")
    return pid != now.split("/")[0] or abs(int(born) - int(now.split("/")[1])) > 2


def keep() -> None:
    """A HAProxy that has started anew hears everything again."""
    while True:
        try:
            with lock:
                now = process()
                if changed(known["process"], now):
                    problem = carry(known["commands"])
                    known["process"] = now
                    print(f"HAProxy {now} told again {problem}", flush=True)
        except (OSError, ValueError) as error:
            print(f"waiting for HAProxy: {error}", flush=True)
        time.sleep(0.5)


def state() -> list[dict[str, Any]]:
    lines = say("show stat").lstrip("# ").splitlines()
    rows = [row for row in csv.DictReader(lines) if row["pxname"] == "revisions" and row["svname"] != "BACKEND"]
    return [
        {"server": row["svname"], "status": row["status"], "weight": int(row["weight"] or 0), "requests": int(row["stot"] or 0),
         "errors": int(row["hrsp_5xx"] or 0)}
        for row in rows if row["svname"] != "FRONTEND"
    ]  # fmt: skip


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        try:
            with lock:
                ready = bool(known["process"])
                body = state() if ready and self.path == "/state" else None
                said = hashlib.sha256(known["commands"].strip().encode()).hexdigest()
            self.reply(200 if ready else 503, json.dumps({"servers": body, "said": said}))
        except OSError as error:
            self.reply(503, str(error))

    def do_POST(self):
        commands = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        try:
            problem = tell(commands)
            self.reply(422 if problem else 200, problem or "done")
        except OSError as error:
            self.reply(503, str(error))

    def reply(self, code, text):
        data = text.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    if STATE.exists():
        known["commands"] = STATE.read_text()
    threading.Thread(target=keep, daemon=True).start()
    http.server.ThreadingHTTPServer(("0.0.0.0", 9998), Handler).serve_forever()
