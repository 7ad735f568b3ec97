"""Beside Prometheus in its pod: tells it which pods to scrape, as HTTP service discovery, in the labels that simulated telemetry shows.

Not every Prometheus is built with discovery for Kubernetes; every one can ask HTTP. One file of plain Python, with the pod's own account.
Pods are scraped that carry the annotation prometheus.io/scrape: "true", at their container port named admin or metrics, else http.
"""

import http.server
import json
import pathlib
import ssl
import threading
import time
import urllib.request

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/"
PODS = "https://kubernetes.default.svc/api/v1/pods?resourceVersion=0"
EVERY = 1.0  # seconds
known = {"targets": b"[]", "at": 0.0}


def pods():
    token = pathlib.Path(ACCOUNT, "token").read_text()
    request = urllib.request.Request(PODS, headers={"Authorization": f"Bearer {token}"})
    context = ssl.create_default_context(cafile=ACCOUNT + "ca.crt")
    with urllib.request.urlopen(request, timeout=5, context=context) as answer:
        return json.load(answer)["items"]


def target(pod):
    """One pod as a target with its labels, or None."""
    meta, status = pod["metadata"], pod.get("status", {})
    if (meta.get("annotations") or {}).get("prometheus.io/scrape") != "true" or not status.get("podIP"):
        return None
    if status.get("phase") != "Running":
        return None
    for container in pod["spec"]["containers"]:
        for port in sorted(container.get("ports", ()), key=lambda one: one.get("name") == "http"):
            if port.get("name") in ("admin", "metrics", "http"):
                return {
                    "targets": [f"{status['podIP']}:{port['containerPort']}"],
                    "labels": labels(pod, container["name"]),
                }
    return None


def labels(pod, container):
    meta = pod["metadata"]
    own = meta.get("labels") or {}
    app = own.get("app.kubernetes.io/name") or own.get("app", "")
    found = {
        "namespace": meta["namespace"], "pod": meta["name"], "container": container, "service": app, "job": app, "app": app,
        "version": own.get("version", ""), "revision": own.get("seatrial.dev/revision", ""),
        "deployment": own.get("seatrial.dev/deployment", app), "pod_template_hash": own.get("pod-template-hash", ""),
        "rollouts_pod_template_hash": own.get("rollouts-pod-template-hash", ""), "node": pod["spec"].get("nodeName", ""),
        "kubernetes_namespace": meta["namespace"], "kubernetes_pod_name": meta["name"],
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}


def keep():
    while True:
        try:
            known["targets"] = json.dumps([one for one in map(target, pods()) if one]).encode()
            known["at"] = time.time()
        except (OSError, ValueError, KeyError) as error:
            print(f"pods cannot be listed: {error}", flush=True)
        time.sleep(EVERY)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if known["at"] else 503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(known["targets"])))
        self.end_headers()
        self.wfile.write(known["targets"])

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    threading.Thread(target=keep, daemon=True).start()
    http.server.ThreadingHTTPServer(("127.0.0.1", 9091), Handler).serve_forever()
