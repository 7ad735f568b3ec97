"""The explorer: a policy and a service as a form, what they do to users as pictures, and the command that says the same.

A thin frame: the form becomes a scenario file, the scenario is run as the command line would run it. Start it with `make app`.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import streamlit as st
import yaml

import sim
from sim.faults.presets import RELEASES
from sim.files import FileErrors
from sim.policy.errors import SeatrialError
from sim.results.measures import MEASURES, evaluate
from sim.results.plots import plot_detection, plot_harm, plot_outcomes
from sim.results.wording import say

SHAPES = {
    "Canary, fixed thresholds": "canary-thresholds",
    "Canary, sequential test": "canary-sequential",
    "Blue-green": "blue-green",
    "Rolling update": "rolling",
    "All at once": "all-at-once",
}
SHOWN = {
    True: ("escape_rate", "harm.mean", "harm.p95", "detection_delay.median", "time_to_mitigate.median", "users.mean"),
    False: ("false_rollback_rate", "promote_delay.median", "pod_hours.mean", "lost.mean"),
}
ROW = 3  # numbers beside each other: more of them lose the ends of their names


def policy_form() -> dict[str, Any]:
    """The policy file that the form describes."""
    st.subheader("Policy")
    shape = SHAPES[st.selectbox("Strategy", list(SHAPES), key="strategy")]
    name = {"seatrial": "policy", "name": shape}
    if shape == "rolling":
        return name | {"rolling": {}}
    if shape == "all-at-once":
        return name | {"all-at-once": {}}
    look = {"interval": f"{st.number_input('Seconds between looks', 15, 3600, 60, step=15, key='interval')}s"}
    look["count"] = st.number_input(
        "Looks", 1, 100, 5, key="count", help="per weight; for blue-green before the switch holds"
    )
    if shape == "canary-sequential":
        alpha = st.number_input("False alarms allowed, %", 0.1, 50.0, 5.0, key="alpha")
        judge: dict[str, Any] = {"eprocess.counts": {"alpha": f"{alpha:g}%"}}
    else:
        limit = st.number_input("Most bad requests, %", 0.01, 100.0, 1.0, key="limit")
        judge = {"threshold": {"max_error_rate": f"{limit:g}%"}}
    if shape == "blue-green":
        return name | {"blue-green": {"post": {**look, "judge": judge}}}
    weights = st.text_input("Weights, %", "5, 20, 50, 100", key="weights")
    return name | {"canary": {"weights": _numbers(weights), **look, "judge": judge}}


def service_form() -> dict[str, Any]:
    """The service that the form describes."""
    st.subheader("Service")
    rate = st.number_input("Requests per second", 0.1, 1_000_000.0, 100.0, key="rate")
    errors = st.number_input("Errors on a good day, %", 0.0, 50.0, 0.1, format="%.3f", key="errors")
    pods = st.number_input("Pods", 1, 1000, 5, key="pods")
    start = st.number_input("Seconds until a new pod is ready", 0, 3600, 10, key="start")
    return {"traffic": f"{rate:g}/s", "errors": f"{errors:g}%", "pods": {"count": pods, "start": f"{start}s"}}


def scenario_form() -> tuple[dict[str, Any], int]:
    """The whole question, and the seed."""
    with st.sidebar:
        policy, service = policy_form(), service_form()
        st.subheader("Release")
        bad = st.selectbox("If it is bad, then how?", [name for name in RELEASES if name != "good"], key="release")
        replications = st.select_slider(
            "Simulated rollouts of each release", [100, 200, 500, 1000, 2000, 5000], 500, key="n"
        )
        seed = st.number_input("Seed", 0, 2**31, 1, key="seed")
    policies = {policy["name"]: {key: value for key, value in policy.items() if key not in ("seatrial", "name")}}
    releases: dict[str, Any] = {"good": "good", bad: bad}
    question = f"What does {policy['name']} do to users when a release is {bad}, and when it is good?"
    return {
        "seatrial": "scenario", "name": "what-if", "question": question, "service": service, "policies": policies,
        "releases": releases, "replications": replications, "seed": seed,
    }, seed  # fmt: skip


@st.cache_data(max_entries=32, show_spinner="Simulating ...")
def simulate(text: str) -> sim.Result:
    """The result of a scenario file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "what-if.yaml"
        file.write_text(text, encoding="utf-8")
        return sim.run(file)


def numbers(result: sim.Result, bad: bool) -> None:
    """What was measured for the good or the bad release, with intervals and the count behind them."""
    cell = next(cell for cell in result.cells if cell.bad is bad)
    st.subheader(f"If the release is bad: {cell.release}" if bad else "If the release is good")
    names = SHOWN[bad]
    for row in (names[:ROW], names[ROW:]):
        for column, name in zip(st.columns(ROW), row, strict=False):
            measure = MEASURES[name.partition(".")[0]]
            unit = "%" if measure.kind == "rate" else measure.unit
            value, around = say(evaluate(cell, name), unit)
            column.metric(" ".join((measure.title, name.partition(".")[2])).strip(), value, help=measure.definition)
            column.caption(f"{around} {unit}" if around.startswith("[") and unit not in ("%", "s") else around)


def pictures(result: sim.Result) -> None:
    """The distributions."""
    left, right = st.columns(2)
    for column, title, plot in (
        (left, "Requests that the bad release breaks", plot_harm),
        (left, "How rollouts end", plot_outcomes),
        (right, "How soon it is aborted", plot_detection),
    ):
        column.markdown(f"**{title}**")
        image = io.BytesIO()
        plot(result).figure.savefig(image, format="svg")
        column.image(image.getvalue().decode(), width="stretch")


def main() -> None:
    st.set_page_config(page_title="Seatrial", page_icon="⚓", layout="wide")
    st.title("What would this policy do to your users?")
    form, _ = scenario_form()
    text = yaml.safe_dump(form, sort_keys=False, allow_unicode=True)
    try:
        result = simulate(text)
    except FileErrors as errors:
        st.error("\n\n".join(f"**{problem.path}**: {problem.problem}; {problem.remedy}" for problem in errors.problems))
        return
    except SeatrialError as error:
        st.error(str(error))
        return
    st.caption(form["question"])
    numbers(result, bad=True)
    numbers(result, bad=False)
    pictures(result)
    st.subheader("The same on the command line")
    st.code("seatrial run what-if.yaml", language="bash")
    with st.expander("what-if.yaml"):
        st.code(text, language="yaml")
    st.download_button("Download what-if.yaml", text, "what-if.yaml", on_click="ignore")
    replications = len(result.cells[0].rows)
    st.caption(
        f"{replications:,} rollouts of each release; 95% intervals. digest {result.digest[:16]}, seed {result.seed}, "
        f"rung {result.rung}; {result.service}; people: {result.people}."
    )


def _numbers(text: str) -> list[Any]:
    """Weights as they were typed: what is no number is left for the file's own check to name."""
    return [int(part) if part.strip().isdigit() else part.strip() for part in text.split(",")]


if __name__ == "__main__":
    main()
