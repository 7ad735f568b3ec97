"""Which cluster, and by which credentials: a kubeconfig is read, looked at, and refused where it could do what nobody asked for.

The context is always named: by `--context`, or because the file holds one only; never the current context of a file with several.
Refused unless asked for: programs that the file would run (exec plugins), unverified TLS. Refused always: auth providers (removed from
Kubernetes in 1.26), proxies, plain HTTP that leaves this machine.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml  # type: ignore[import-untyped]  # as in sim.files.tree
from lightkube.config.kubeconfig import KubeConfig, SingleConfig

from sim.cli.exits import Usage

__all__ = ["access", "command", "context"]

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def access(path: Path, name: str | None = None, *, allow_exec: bool = False, insecure: bool = False) -> SingleConfig:
    """The one cluster and user of a kubeconfig's context. Errors: `Usage`, with the remedy."""
    document = _read(path)
    chosen = context(document, str(path), name)
    cluster, user = _part(document, "clusters", chosen["cluster"]), _part(document, "users", chosen["user"])
    problem = _refusal(cluster.get("cluster") or {}, user.get("user") or {}, allow_exec, insecure)
    if problem:
        raise Usage(f"{path}: {problem}")
    config = KubeConfig.from_dict(document, fname=path).get(context_name=chosen["name"])
    assert config is not None
    return config


def context(document: dict[str, Any], path: str, name: str | None) -> dict[str, Any]:
    """The named context, or the only one: {name, cluster, user}."""
    known = {entry["name"]: entry.get("context") or {} for entry in document.get("contexts") or ()}
    if name is None and len(known) == 1:
        name = next(iter(known))
    if name is None or name not in known:
        asked = f"there is no context {name!r}" if name else "which context is meant"
        raise Usage(f"{path}: {asked}; name one of them with --context: {', '.join(sorted(known)) or '(none in it)'}")
    return {"name": name, "cluster": known[name].get("cluster", ""), "user": known[name].get("user", "")}


def command(path: Path, name: str | None = None) -> str:
    """The program that the context's user would run for a token, as a shell line; '' if there is none."""
    document = _read(path)
    user = _part(document, "users", context(document, str(path), name)["user"]).get("user") or {}
    told = user.get("exec") or {}
    return shlex.join([told["command"], *(told.get("args") or ())]) if told.get("command") else ""


def _refusal(cluster: dict[str, Any], user: dict[str, Any], allow_exec: bool, insecure: bool) -> str:
    told = user.get("exec")
    if told is not None and not allow_exec:
        line = shlex.join([str(told.get("command", "?")), *map(str, told.get("args") or ())])
        return f"this user runs a program for its token: {line}; allow it with --allow-exec"
    if user.get("auth-provider") is not None:
        return "auth-provider is not supported (Kubernetes removed it in 1.26); use a token, a certificate or exec"
    if cluster.get("proxy-url"):
        return "proxy-url would send credentials through a proxy; remove it from the file"
    if cluster.get("insecure-skip-tls-verify") and not insecure:
        return "insecure-skip-tls-verify: nobody would notice a false server; give its CA, or allow it with --insecure"
    server = urlsplit(str(cluster.get("server", "")))
    if server.scheme != "https" and server.hostname not in _LOOPBACK:
        return f"the server {cluster.get('server')!r} is not https; credentials would travel in the clear"
    return ""


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Usage(f"{path}: {error.strerror}; give a kubeconfig with --kubeconfig") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise Usage(f"{path}: this is not YAML; give a kubeconfig with --kubeconfig") from None
    if not isinstance(document, dict) or not isinstance(document.get("contexts"), list):
        raise Usage(f"{path}: this is not a kubeconfig (no contexts in it)")
    return document


def _part(document: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    return next((entry for entry in document.get(kind) or () if entry.get("name") == name), {})
