"""Parts of objects, as documentation prints them: put into a whole object to be read, and told by their content or by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from sim.files import Document
from sim.files.nodes import Node
from sim.files.words import Path, choose, show
from sim.policy.errors import PolicyError

__all__ = ["PARTS", "Part", "part_of", "whole"]

_CANARY = ("flagger.app/v1beta1", "Canary")
_ROLLOUT = ("argoproj.io/v1alpha1", "Rollout")
_TEMPLATE = ("argoproj.io/v1alpha1", "AnalysisTemplate")
_DEPLOYMENT = ("apps/v1", "Deployment")
_COMPOSE = ("", "")
_NAME = "*"  # in a path: the name that the file gives


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an object: the word for `--as`, what it is part of, the keys that tell it, the object, and where it stands in it."""

    name: str
    what: str
    keys: tuple[str, ...]
    of: tuple[str, str]
    at: Path


# The first one whose keys are there wins; keys with a dot look inside.
PARTS: tuple[Part, ...] = (
    Part("canary-spec", "a Canary's spec", ("analysis",), _CANARY, ("spec",)),
    Part("canary-analysis", "a Canary's analysis", ("webhooks",), _CANARY, ("spec", "analysis")),
    Part("canary-analysis", "a Canary's analysis", ("interval", "threshold"), _CANARY, ("spec", "analysis")),
    Part("rollout-spec", "a Rollout's spec", ("strategy.canary",), _ROLLOUT, ("spec",)),
    Part("rollout-spec", "a Rollout's spec", ("strategy.blueGreen",), _ROLLOUT, ("spec",)),
    Part("deployment-spec", "a Deployment's spec", ("strategy",), _DEPLOYMENT, ("spec",)),
    Part("rollout-strategy", "a Rollout's strategy", ("canary",), _ROLLOUT, ("spec", "strategy")),
    Part("rollout-strategy", "a Rollout's strategy", ("blueGreen",), _ROLLOUT, ("spec", "strategy")),
    Part("rollout-canary", "a Rollout's canary strategy", ("steps",), _ROLLOUT, ("spec", "strategy", "canary")),
    Part("template-spec", "an AnalysisTemplate's spec", ("metrics",), _TEMPLATE, ("spec",)),
    Part("compose-service", "a Compose service", ("deploy",), _COMPOSE, ("services", _NAME)),
    Part("compose-deploy", "a Compose service's deploy", ("update_config",), _COMPOSE, ("services", _NAME, "deploy")),
)


def part_of(document: Document, wanted: str = "") -> Part | None:
    """The part that a document is, by its content, or the one called `wanted`. PolicyError for a name that is none."""
    value = document.value
    if wanted:
        named = [part for part in PARTS if part.name == wanted]
        if not named:
            names = tuple(dict.fromkeys(part.name for part in PARTS))
            raise PolicyError(f"no part of an object is called {show(wanted)}; {choose(wanted, names)}")
        return named[0]
    if not isinstance(value, Mapping):
        return None
    return next((part for part in PARTS if all(_has(value, key) for key in part.keys)), None)


def whole(document: Document, part: Part) -> Document:
    """The document as the object that it is part of, named after its file."""
    name = FilePath(document.file.strip("<>")).name.partition(".")[0] or "part"
    at = tuple(name if step == _NAME else step for step in part.at)
    node = document.root
    for step in reversed(at):
        node = _around({str(step): node}, document.root)
    if part.of != _COMPOSE:
        version, kind = (Node(word, *document.root.place) for word in part.of)
        metadata = _around({"name": Node(name, *document.root.place)}, document.root)
        node = _around({"apiVersion": version, "kind": kind, "metadata": metadata, **_children(node)}, document.root)
    return Document(document.file, document.text, document.dialect, node, at)


def _around(children: dict[str, Node], inside: Node) -> Node:
    node = Node({key: child.value for key, child in children.items()}, *inside.place, children)
    node.keys = dict.fromkeys(children, inside.place)
    return node


def _children(node: Node) -> dict[str, Node]:
    return node.children if isinstance(node.children, dict) else {}


def _has(value: Mapping[str, Any], key: str) -> bool:
    head, _, rest = key.partition(".")
    below = value.get(head)
    return head in value if not rest else isinstance(below, Mapping) and _has(below, rest)
