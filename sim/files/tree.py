"""From the C parser's events to a tree of nodes, without recursion and within bounds.

Rules:
1. Events, not `yaml.compose`: the C composer recurses on the C stack and kills the process at 50,000 brackets. The
   parser below it is a state machine that reads lazily, so stopping at MAX_DEPTH stops it for good.
2. An alias counts as many nodes as it stands for. The count runs along, so a bomb is refused while it is small.
3. A fault that leaves the structure clear (duplicate key, unknown tag, key that is no text, unknown alias) is noted and
   reading goes on; a fault of syntax, depth or size ends it. Either way all that was noted is reported.
4. An aliased value is the same object in both places: values are to be read, not changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import yaml  # type: ignore[import-untyped]  # the stubs are a package of their own, and we use three names

from sim.files.errors import Problem, Refused
from sim.files.nodes import Node, Place
from sim.files.scalars import Dialect, resolve, tagged
from sim.files.syntax import explain
from sim.files.words import dotted, short, show

MAX_DEPTH = 100  # the deepest manifest in use (a CRD's schema) is below 40
MAX_NODES = 100_000  # with aliases expanded

_CORE = "tag:yaml.org,2002:"
_SCALAR_TAGS = frozenset(("str", "null", "bool", "int", "float"))


class _Stop(Exception):
    """Reading cannot go on; the reason is in the list of problems."""


@dataclass(slots=True)
class _Frame:
    """An open collection. `turn` says what the next node is; lists only know "value"."""

    node: Node
    anchor: str | None
    turn: Literal["key", "value", "merge", "skip"]
    key: str = ""
    merges: list[Node] = field(default_factory=list)


def build(text: str, name: str, dialect: Dialect, max_nodes: int = MAX_NODES) -> tuple[list[Node], list[Problem], bool]:
    """The root node of every document in the stream that is not empty; everything that is wrong with it; whether it was read to its end."""
    builder = _Builder(name, dialect, max_nodes)
    try:
        builder.run(yaml.CSafeLoader(text))
    except yaml.YAMLError as error:
        builder.problems.append(explain(error, name, text))
        return builder.roots, builder.problems, False
    except _Stop:
        return builder.roots, builder.problems, False
    return builder.roots, builder.problems, True


class _Builder:
    """One pass over the events of one stream."""

    def __init__(self, name: str, dialect: Dialect, max_nodes: int) -> None:
        self.name, self.dialect, self.max_nodes = name, dialect, max_nodes
        self.roots: list[Node] = []
        self.problems: list[Problem] = []
        self.stack: list[_Frame] = []
        self.anchors: dict[str, Node] = {}
        self.count = 0

    def run(self, parser: Any) -> None:
        while (kind := type(event := parser.get_event())) is not yaml.StreamEndEvent:
            if kind is yaml.ScalarEvent:
                self.scalar(event)
            elif kind is yaml.MappingStartEvent:
                self.open(event, {}, {}, "map")
            elif kind is yaml.SequenceStartEvent:
                self.open(event, [], [], "seq")
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self.close()
            elif kind is yaml.AliasEvent:
                self.alias(event)
            elif kind is yaml.DocumentStartEvent:
                self.document(event)

    def document(self, event: Any) -> None:
        self.anchors, self.count = {}, 0
        if event.version not in (None, (1, 2)):
            version = ".".join(map(str, event.version))
            self.refuse(_place(event), f"YAML version {version}", "remove the %YAML line; files are read as YAML 1.2")

    def scalar(self, event: Any) -> None:
        place, text = _place(event), event.value
        plain = event.implicit[0] and not event.style  # libyaml calls `! 'x'` implicit, but quotes are quotes
        if plain and text == "<<" and self.stack and self.stack[-1].turn == "key":
            self.stack[-1].turn = "merge"
            return
        self.spend(1, place)
        node = Node(text, *place)
        try:
            if plain:
                node.value, disputed = resolve(text, self.dialect)
                node.plain = text if disputed else None
            elif event.tag not in (None, "!"):
                node.value = self.tagged(event, place)
        except Refused as fault:
            self.refuse(place, fault.problem, fault.remedy)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self.add(node, place)

    def tagged(self, event: Any, place: Place) -> Any:
        name = event.tag.removeprefix(_CORE)
        if name in _SCALAR_TAGS and name != event.tag:
            return tagged(name, event.value, self.dialect)
        self.unknown_tag(event.tag, place)
        return event.value

    def unknown_tag(self, tag: str, place: Place) -> None:
        written = f"!!{tag.removeprefix(_CORE)}" if tag.startswith(_CORE) else tag
        self.refuse(place, f"unknown tag {short(written)}", "remove the tag; only values are read here, never objects")

    def open(self, event: Any, value: Any, children: Any, tag: str) -> None:
        place = _place(event)
        self.spend(1, place)
        if len(self.stack) >= MAX_DEPTH:
            self.stop(place, f"nested more than {MAX_DEPTH} deep", "flatten the structure")
        if event.tag not in (None, "!", f"{_CORE}{tag}"):
            self.unknown_tag(event.tag, place)
        node = Node(value, *place, children)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self.stack.append(_Frame(node, event.anchor, "key" if tag == "map" else "value"))

    def close(self) -> None:
        frame = self.stack.pop()
        node = frame.node
        for other in frame.merges:
            _merge(node, other)
        children = node.children or ()
        node.size = 1 + sum(child.size for child in (children.values() if isinstance(children, dict) else children))
        self.add(node, node.place)

    def alias(self, event: Any) -> None:
        place = _place(event)
        target = self.anchors.get(event.anchor)
        if target is None:
            name = short(event.anchor)
            self.refuse(place, f"no anchor &{name} above", f"define &{name} first, or quote the text")
            target = Node({}, *place, {})
        elif target.size == 0:
            self.refuse(place, f"*{short(event.anchor)} contains itself", "write the value out")
            target = Node({}, *place, {})
        self.spend(target.size, place)
        self.add(target, place)

    def add(self, node: Node, place: Place) -> None:
        """Put a finished node where it belongs. `place` is where it is used, which for an alias is not where it is."""
        if not self.stack:
            if node.children is not None or node.value is not None:
                self.roots.append(node)
            return
        frame = self.stack[-1]
        into = frame.node
        if isinstance(into.children, list):
            into.children.append(node)
            into.value.append(node.value)
        elif frame.turn == "key":
            self.key(frame, node, place)
        else:
            if frame.turn == "merge":
                self.merge(frame, node, place)
            elif frame.turn == "value" and isinstance(into.children, dict):
                into.children[frame.key] = node
                into.value[frame.key] = node.value
            frame.turn = "key"

    def key(self, frame: _Frame, node: Node, place: Place) -> None:
        frame.turn = "skip"
        key = self.spelled(node)
        if key is None:
            what = show(node.value)
            rendered = "write a plain name (a {{ template }} must be rendered first)"
            self.refuse(place, f"key {what} is not text", f'write "{what}"' if node.children is None else rendered)
        elif (first := frame.node.keys.get(key)) is not None:
            problem = f"key {show(key)} appears twice, first at {first[0]}:{first[1]}"
            self.refuse(place, problem, "remove one of the two", key)
        else:
            frame.turn, frame.key = "value", key
            frame.node.keys[key] = place
            if key != node.value and node.plain is not None:
                frame.node.odd_keys[key] = node.plain

    def spelled(self, node: Node) -> str | None:
        """A key as text. sigs.k8s.io/yaml turns boolean and integer keys into JSON text (yaml.go)."""
        value = node.value
        if self.dialect == "kubernetes" and isinstance(value, int):
            return str(value).lower()
        return value if isinstance(value, str) else None

    def merge(self, frame: _Frame, node: Node, place: Place) -> None:
        sources = node.children if isinstance(node.children, list) else [node]
        if all(isinstance(source.children, dict) for source in sources):
            frame.merges.extend(sources)
        else:
            self.refuse(place, f"<< merges mappings, not {show(node.value)}", "write <<: *anchor of a mapping", "<<")

    def spend(self, nodes: int, place: Place) -> None:
        self.count += nodes
        if self.count > self.max_nodes:
            problem = f"more than {self.max_nodes} values, counting every alias as all it stands for"
            self.stop(place, problem, "write less, or fewer aliases")

    def stop(self, place: Place, problem: str, remedy: str) -> None:
        self.refuse(place, problem, remedy)
        raise _Stop

    def refuse(self, place: Place, problem: str, remedy: str, *last: str) -> None:
        path: list[str | int] = []
        for frame in self.stack:
            if isinstance(frame.node.children, list):
                path.append(len(frame.node.children))
            elif frame.turn == "value":
                path.append(frame.key)
        # Deep inside 100 brackets the path says nothing: its head is enough.
        self.problems.append(Problem(self.name, *place, dotted((*path[:20], *last)), problem, remedy))


def _merge(node: Node, other: Node) -> None:
    """Take over the keys that are not there yet (yaml.org/type/merge.html: own keys win, then earlier sources)."""
    if not isinstance(node.children, dict) or not isinstance(other.children, dict):
        return
    for key, child in other.children.items():
        if key not in node.children:
            node.children[key] = child
            node.value[key] = child.value
            node.keys[key] = other.keys[key]


def _place(event: Any) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1
