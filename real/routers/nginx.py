"""Routes as a whole configuration of NGINX. Pure: routes in, text out, and back.

Who gets a request is a hash of its id (`split_clients`, which keeps hundredths of a percent), so shares are those of the weights in the
long run, not in every run of ten as HAProxy's. A connection carries one request: a reload closes idle connections under their clients'
hands. `proxy_next_upstream off`: what fails at a revision fails, as its weight says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from real.ports.errors import Refused
from real.ports.things import Routes

__all__ = ["configuration", "share"]

_HEAD = """worker_processes 1;
error_log stderr warn;
pid /run/router/nginx.pid;
worker_shutdown_timeout 30s;
events { worker_connections 4096; }
http {
    access_log off;
    keepalive_timeout 0;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    proxy_connect_timeout 500ms;
    proxy_next_upstream off;
"""

_TAIL = """    server {
        listen 8080 backlog=1024;
        location / {
            proxy_pass http://$revision;{mirror}
        }{copies}
    }
    server {
        listen 8404;
        location = /said { return 200 "{hash}"; }
    }
}
"""

_MIRROR = "\n            mirror /copies;"
_COPIES = """
        location = /copies {
            internal;
            if ($copied = "no") { return 204; }
            proxy_pass http://r{revision}$request_uri;
        }"""


def configuration(routes: Routes | None, addresses: Mapping[int, str], front: str) -> str:
    """The text; `{hash}` in it is for the agent, who knows the text's own."""
    if routes is None:
        return _HEAD + _upstream("all", front) + _split("slot", [("*", "all")]) + _segments({}) + _tail(None)
    total = sum(weight for _, weight in routes.weights)
    if total <= 0:
        raise Refused(f"weights add up to more than 0, got {list(routes.weights)}")
    *most, (last, _) = [(revision, weight) for revision, weight in routes.weights if weight > 0]
    parts = [(f"{100 * weight / total:.2f}%", f"r{revision}") for revision, weight in most]
    upstreams = "".join(_upstream(f"r{revision}", address) for revision, address in sorted(addresses.items()))
    text = _HEAD + upstreams + _split("slot", [*parts, ("*", f"r{last}")])
    text += _segments({segment: f"r{revision}" for segment, revision in routes.matches})
    if routes.mirror is not None:
        percent = routes.mirror[1]
        text += _split("copied", [(f"{percent:.2f}%", "yes"), ("*", "no")] if percent < 100 else [("*", "yes")])
    return text + _tail(routes.mirror)


def share(text: str, revision: int) -> float:
    """The share that a configuration gives to a revision, of what is not matched."""
    block = re.search(r"split_clients \$request_id \$slot \{(.*?)\}", text, re.DOTALL)
    rows = re.findall(r"(\S+) (\S+);", block[1]) if block else []
    given = {name: float(part.rstrip("%")) / 100 for part, name in rows if part != "*"}
    rest = {name: 1.0 - sum(given.values()) for part, name in rows if part == "*"}
    return round((given | rest).get(f"r{revision}", 0.0), 6)


def _upstream(name: str, address: str) -> str:
    return f"    upstream {name} {{ server {address}:8080 max_fails=0; keepalive 64; }}\n"


def _split(name: str, rows: list[tuple[str, str]]) -> str:
    lines = " ".join(f"{part} {where};" for part, where in rows)
    return f"    split_clients $request_id ${name} {{ {lines} }}\n"


def _segments(matches: Mapping[str, str]) -> str:
    lines = " ".join(f'"{segment}" {where};' for segment, where in matches.items())
    return f"    map $http_x_segment $revision {{ default $slot; {lines} }}\n"


def _tail(mirror: tuple[int, float] | None) -> str:
    copies = "" if mirror is None else _COPIES.replace("{revision}", str(mirror[0]))
    return _TAIL.replace("{mirror}", "" if mirror is None else _MIRROR).replace("{copies}", copies)
