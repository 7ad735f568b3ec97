"""Beside NGINX in the router's pod: writes the configuration it is told, has NGINX reload, and answers when the new one is in force.

One file of plain Python. POST /say: a configuration; GET /state: the one in force, and its hash. At the start it comes from STATE, a
mounted file: what is configured survives the pod. NGINX says the hash of what it runs at 127.0.0.1:8404/said.
"""

import hashlib
import http.server
import json
import os
import pathlib
import signal
import threading
import time
import urllib.request

STATE = pathlib.Path(os.environ.get("STATE", "/routes/said"))
CONFIG = pathlib.Path("/run/router/nginx.conf")
known = {"text": ""}
lock = threading.Lock()


def digest(text):
    return hashlib.sha256(text.strip().encode()).hexdigest()


def in_force():
    """The hash of what NGINX runs, or '' while it does not answer."""
    try:
        with urllib.request.urlopen("http://127.0.0.1:8404/said", timeout=1.0) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def write(text):
    beside = CONFIG.with_suffix(".new")
    beside.write_text(text.replace("{hash}", digest(text)))
    beside.replace(CONFIG)


def reload():
    """A signal to the master process, which shares our process namespace."""
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if b"nginx: master" in (folder / "cmdline").read_bytes():
                    os.kill(int(folder.name), signal.SIGHUP)
            except OSError:
                continue


def take(text):
    """Have NGINX run this; why not, or ''."""
    write(text)
    reload()
    limit = time.monotonic() + 8.0
    while time.monotonic() < limit:
        if in_force() == digest(text):
            known["text"] = text
            return ""
        time.sleep(0.05)
    write(known["text"])  # a restart must not meet what NGINX refused
    return "NGINX did not take it over; see its log"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        said = in_force()
        if not said:
            self.reply(503, "NGINX does not answer yet")
        elif self.path == "/state":
            self.reply(200, json.dumps({"said": said, "text": known["text"]}))
        else:
            self.reply(200, "ready")

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        with lock:
            problem = take(text.strip())
        self.reply(422 if problem else 200, problem or "done")

    def reply(self, code, text):
        data = text.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    known["text"] = STATE.read_text().strip()
    write(known["text"])
    http.server.ThreadingHTTPServer(("0.0.0.0", 9998), Handler).serve_forever()
