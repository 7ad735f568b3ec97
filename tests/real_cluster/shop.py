"""A service that is not the sample: other ports, other names of metrics, no header of ours. One file of plain Python, run in a pod.

Users on 9000, metrics on 9100. FAIL is the share of answers that are errors.
"""

import http.server
import os
import random
import threading

FAIL = float(os.environ.get("FAIL", "0"))
counts = {"sold": 0, "failed": 0}
lock = threading.Lock()


class Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        failed = random.random() < FAIL
        with lock:
            counts["failed" if failed else "sold"] += 1
        self.reply(503 if failed else 200, "closed" if failed else "sold")

    def reply(self, code, text):
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


class Metrics(Shop):
    def do_GET(self):
        lines = [f'shop_orders_total{{outcome="{name}"}} {count}\n' for name, count in counts.items()]
        self.reply(200, "# TYPE shop_orders_total counter\n" + "".join(lines))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    threading.Thread(target=Server(("", 9100), Metrics).serve_forever, daemon=True).start()
    Server(("", 9000), Shop).serve_forever()
