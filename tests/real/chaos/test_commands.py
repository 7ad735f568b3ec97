"""What is really run on nodes, word by word. Values are typed; nothing of a user is part of a script."""

from __future__ import annotations

from typing import Any

import pytest

from real.chaos.injector import Job
from real.chaos.netns import Inside, tools
from real.chaos.packets import Dns, Gap, Loss, Partition, Rules, wire_name, worded
from real.chaos.podwise import traffic_ports
from real.chaos.qdiscs import HANDLE, Bandwidth, netem, root
from real.chaos.streams import bites, options
from real.ports.things import Injection
from tests.real.chaos.world import World, pod

POD = {"ip": "10.244.1.10", "ports": [8080, 9000], "scraped": [8081], "uid": "u", "node": "w1"}
OURS = "-m comment --comment seatrial:f1"


def job(record: dict[str, Any] | None = None, **params: Any) -> Job:
    return Job(World().field(), "f1", Injection("k", ("web-a",), tuple(params.items())), record or {})


@pytest.mark.parametrize(
    "injector, asked, wanted",
    [
        (Loss(), job(p=0.25), [
            f"INPUT -p tcp --dport 8080 -m statistic --mode random --probability 0.250000 {OURS} -j DROP",
            f"INPUT -p tcp --dport 9000 -m statistic --mode random --probability 0.250000 {OURS} -j DROP",
        ]),
        (Loss(), job(p=1.0), [f"INPUT -p tcp --dport 8080 {OURS} -j DROP", f"INPUT -p tcp --dport 9000 {OURS} -j DROP"]),
        (Partition(), job({"peers": ["10.0.0.7/32"]}, direction="both"), [
            f"INPUT -s 10.0.0.7/32 {OURS} -j DROP", f"OUTPUT -d 10.0.0.7/32 {OURS} -j DROP",
        ]),
        (Partition(), job({"peers": ["10.0.0.0/8"]}, direction="to"), [f"INPUT -s 10.0.0.0/8 {OURS} -j DROP"]),
        (Partition(), job({"peers": ["10.0.0.0/8"]}, direction="from"), [f"OUTPUT -d 10.0.0.0/8 {OURS} -j DROP"]),
        (Gap(), job({"monitors": ["10.244.1.50"]}), [
            f"INPUT -p tcp -s 10.244.1.50 --dport 8081 {OURS} -j REJECT --reject-with tcp-reset",
        ]),
        (Dns(), job(p=1.0, names=("db.test",)), [
            f"OUTPUT -p udp --dport 53 -m string --algo bm --icase --hex-string |02|db|04|test {OURS} -j REJECT",
        ]),
    ],
)  # fmt: skip
def test_rules(injector: Rules, asked: Job, wanted: list[str]) -> None:
    assert [" ".join(words) for words in injector.rules(asked, POD)] == [f"-t filter {one}" for one in wanted]


def test_a_rule_is_added_looked_for_and_deleted_by_the_same_words() -> None:
    words = Loss().rules(job(p=1.0), POD)[0]
    rest = "INPUT -p tcp --dport 8080 -m comment --comment seatrial:f1 -j DROP"
    for verb in ("-A", "-C", "-D"):
        assert " ".join(worded(verb, words)) == f"iptables -w 5 -t filter {verb} {rest}"


@pytest.mark.parametrize(
    "kind, params, wanted",
    [
        ("net.delay", {"delay_s": 0.1, "jitter_s": 0.0, "correlation": 0.0}, "netem delay 100.000ms"),
        (
            "net.delay",
            {"delay_s": 0.1, "jitter_s": 0.02, "correlation": 0.5},
            "netem delay 100.000ms 20.000ms 50.0000%",
        ),
        ("net.delay", {"delay_s": 0.1, "direction": "both"}, "netem delay 200.000ms"),
        ("net.loss", {"p": 0.01, "correlation": 0.0, "burst": None}, "netem loss 1.0000%"),
        ("net.loss", {"p": 0.5, "burst": (0.1, 0.3)}, "netem loss gemodel 10.0000% 30.0000% 50.0000% 0%"),
        ("net.duplicate", {"p": 0.02, "correlation": 0.1}, "netem duplicate 2.0000% 10.0000%"),
        ("net.corrupt", {"p": 0.02, "correlation": 0.0}, "netem corrupt 2.0000%"),
        ("net.reorder", {"p": 0.25, "correlation": 0.5}, "netem delay 10ms reorder 25.0000% 50.0000%"),
    ],
)
def test_netem(kind: str, params: dict[str, Any], wanted: str) -> None:
    assert " ".join(netem(kind, params)) == wanted


def test_bandwidth() -> None:
    asked = job(rate_bps=1_500_000.0, burst_bytes=1000)
    assert " ".join(Bandwidth().words(asked)) == "tbf rate 1500000bit burst 1600 latency 50ms"


@pytest.mark.parametrize(
    "told, wanted",
    [
        ("qdisc noqueue 0: root refcnt 2", ""),
        (f"qdisc tbf {HANDLE} root refcnt 2 rate 1Mbit", HANDLE),
        ("qdisc htb 1: root refcnt 2\nqdisc fq 2: parent 1:1", "1:"),
        ("", ""),
    ],
)
def test_the_root_qdisc_is_read(told: str, wanted: str) -> None:
    assert root(told) == wanted


@pytest.mark.parametrize(
    "kind, params, wanted",
    [
        ("net.delay", {"delay_s": 0.2, "direction": "to"}, {"to": 0.2, "jitter": 0.0}),
        ("net.delay", {"delay_s": 0.2, "direction": "from", "jitter_s": 0.1}, {"from": 0.2, "jitter": 0.1}),
        ("net.delay", {"delay_s": 0.2, "direction": "both"}, {"to": 0.2, "from": 0.2, "jitter": 0.0}),
        ("net.reset", {"after_s": 1.0}, {"reset_after": 1.0}),
        ("net.blackhole", {}, {"hole": 1}),
        ("net.slow_close", {"delay_s": 2.0}, {"close_delay": 2.0}),
        ("net.slice", {"size_bytes": 64, "delay_s": 0.1}, {"slice": 64, "gap": 0.1}),
        ("net.limit", {"bytes": 100}, {"limit": 100}),
    ],
)
def test_the_proxy_is_told(kind: str, params: dict[str, Any], wanted: dict[str, float]) -> None:
    assert options(kind, job(**params)) == wanted


def test_a_namespace_is_entered_by_the_pid_of_the_pause_container() -> None:
    inside = Inside(World(), "w1", 4711, "u")
    assert inside.words("tc", "-s") == ("nsenter", "--net=/proc/4711/ns/net", "--", "tc", "-s")


def test_names_as_questions_carry_them() -> None:
    assert wire_name("a.example.org.") == "|01|a|07|example|03|org"


def test_probes_and_scrapes_are_no_traffic() -> None:
    assert traffic_ports(pod("p", 1, "w1", 1)) == [8080]


def test_tools_that_a_node_lacks_are_named() -> None:
    class Node(World):
        def run(self, name: str, *words: str) -> str:
            assert words[3:] == ("sh", "tc", "nsenter", "ctr") or words[3:] == ("tc", "nsenter", "ctr")
            return "tc\nctr\n"

    assert tools(Node(), "w1", "tc", "nsenter", "ctr") == ("nsenter",)


@pytest.mark.parametrize(
    "kind, params, came, longer, wanted",
    [
        ("net.delay", {}, "120", 0.39, True),
        ("net.delay", {}, "120", 0.31, False),
        ("net.delay", {}, "silent", 9.0, False),
        ("net.slow_close", {"delay_s": 1.0}, "120", 0.9, True),
        ("net.slow_close", {"delay_s": 1.0}, "120", 0.1, False),
        ("net.slice", {"size_bytes": 10, "delay_s": 0.1}, "100", 0.8, True),
        ("net.slice", {"size_bytes": 10, "delay_s": 0.1}, "100", 0.5, False),
        ("net.limit", {"bytes": 20}, "20", 0.0, True),
        ("net.limit", {"bytes": 20}, "120", 0.0, False),
        ("net.reset", {}, "reset", 0.0, True),
        ("net.reset", {}, "120", 0.0, False),
        ("net.blackhole", {}, "silent", 0.0, True),
        ("net.blackhole", {}, "refused", 0.0, False),
    ],
)
def test_a_request_shows_the_fault_or_not(
    kind: str, params: dict[str, Any], came: str, longer: float, wanted: bool
) -> None:
    assert bites(kind, job(**params), came, longer, 0.4) is wanted
