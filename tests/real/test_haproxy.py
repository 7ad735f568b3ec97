"""What HAProxy is told: weights, segments, and no moment at which nobody serves."""

from __future__ import annotations

import pytest

from real.ports.errors import Refused
from real.ports.things import Routes
from real.routers import haproxy

ADDRESSES = {1: "10.96.0.1", 2: "10.96.0.2", 9: "10.96.0.9"}


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (((1, 100.0), (2, 0.0)), {1: 1, 2: 0}),
        (((1, 80.0), (2, 20.0)), {1: 4, 2: 1}),
        (((1, 67.0), (2, 33.0)), {1: 67, 2: 33}),
        (((1, 99.5), (2, 0.5)), {1: 199, 2: 1}),
        (((1, 0), (2, 100)), {1: 0, 2: 1}),
        (((2, 100.0),), {2: 1}),
    ],
)  # fmt: skip
def test_weights_are_the_smallest_whole_numbers_of_the_ratio(
    weights: tuple[tuple[int, float], ...], expected: dict[int, int]
) -> None:
    assert haproxy.parts(dict(weights)) == expected


@pytest.mark.parametrize("percent", [*range(1, 100), 0.5, 0.25, 12.5, 33.3, 66.6])
def test_the_ratio_is_within_a_third_of_a_point(percent: float) -> None:
    parts = haproxy.parts({1: 100.0 - percent, 2: percent})
    assert max(parts.values()) <= 256
    assert parts[2] / sum(parts.values()) * 100 == pytest.approx(percent, abs=0.34)


def test_a_small_weight_is_never_rounded_to_nothing() -> None:
    assert haproxy.parts({1: 99.9, 2: 0.1})[2] == 1


class Server:
    """HAProxy's backend `revisions`, as far as the commands touch it; notices when nobody serves."""

    def __init__(self) -> None:
        self.weight = {"all": 1, **{f"slot{n}": 0 for n in range(haproxy.SLOTS)}}
        self.ready = {"all": True, **{f"slot{n}": False for n in range(haproxy.SLOTS)}}
        self.address: dict[str, str] = {}
        self.segments: dict[str, str] = {}
        self.silent = False

    def serves(self) -> dict[str, int]:
        return {name: weight for name, weight in self.weight.items() if weight and self.ready[name]}

    def hear(self, commands: str) -> None:
        for line in commands.splitlines():
            words = line.split()
            if words[:2] == ["clear", "map"]:
                self.segments.clear()
            elif words[:2] == ["add", "map"]:
                self.segments[words[3]] = words[4]
            else:
                backend, _, name = words[2].partition("/")
                if backend == "revisions":
                    self._set(words, name)
            self.silent = self.silent or not self.serves()

    def _set(self, words: list[str], name: str) -> None:
        if words[1] == "weight":
            self.weight[name] = int(words[3])
        elif words[3] == "state":
            self.ready[name] = words[4] == "ready"
        else:
            self.address[name] = words[4]


def test_from_any_rule_to_any_other_somebody_always_serves_and_repeating_changes_nothing() -> None:
    rules = [
        None, Routes(((1, 100.0), (2, 0.0))), Routes(((1, 80.0), (2, 20.0))), Routes(((2, 100.0),)), Routes(((1, 100.0),)),
        Routes(((9, 60.0), (2, 40.0)), (("beta", 2),)),
    ]  # fmt: skip
    for before in rules:
        for after in rules:
            server = Server()
            server.hear(haproxy.commands(before, ADDRESSES))
            server.hear(haproxy.commands(after, ADDRESSES))
            assert not server.silent, (before, after)
            expected = (
                {"all": 1}
                if after is None
                else {haproxy.slot(r): n for r, n in haproxy.parts(dict(after.weights)).items() if n}
            )
            assert server.serves() == expected
            again = dict(server.weight)
            server.hear(haproxy.commands(after, ADDRESSES))
            assert server.weight == again


def test_segments_go_to_their_revision_and_are_forgotten_with_the_rule() -> None:
    server = Server()
    server.hear(haproxy.commands(Routes(((1, 100.0), (2, 0.0)), (("beta", 2),)), ADDRESSES))
    assert server.segments == {"beta": "slot2"}
    server.hear(haproxy.commands(None, ADDRESSES))
    assert server.segments == {}


def test_what_it_cannot_do_is_refused_with_the_remedy() -> None:
    with pytest.raises(Refused, match="cannot mirror requests; choose --router"):
        haproxy.commands(Routes(((1, 100.0),), mirror=(2, 10.0)), ADDRESSES)
