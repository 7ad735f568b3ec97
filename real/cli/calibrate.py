"""`seatrial real calibrate`: a service model from what a real service was seen to do."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli import console
from sim.cli import options as shared
from sim.cli.exits import Usage

if TYPE_CHECKING:
    from real.calibrate.evidence import Evidence
    from real.calibrate.model import Calibrated
    from sim.service.traffic import Traffic

__all__ = ["calibrate"]

_RUNS = typer.Argument(metavar="[RUN]...", help="Folders of healthy recorded runs of one service.", show_default=False)


def _option(name: str, text: str) -> Any:
    return typer.Option(name, help=text, show_default=False)


def calibrate(
    runs: Annotated[list[Path] | None, _RUNS] = None,
    prometheus: Annotated[str, _option("--prometheus", "A Prometheus of yours, in place of a run: its URL.")] = "",
    dialect: Annotated[str, typer.Option("--dialect", help="Whose metrics: app, istio, nginx, linkerd, ...")] = "app",
    label: Annotated[list[str] | None, _option("--label", "LABEL=VALUE that chooses the service's series.")] = None,
    query: Annotated[list[str] | None, _option("--query", "NAME=PROMQL in place of the dialect's query.")] = None,
    since: Annotated[str, typer.Option("--since", help="How far back to look.")] = "1h",
    until: Annotated[str, typer.Option("--until", help="How long ago it ended.")] = "0s",
    step: Annotated[str, typer.Option("--step", help="Between two points; at least four scrapes.")] = "1m",
    base: Annotated[Path | None, _option("--base", "A service file or scenario: what is not measured.")] = None,
    name: Annotated[str, typer.Option("--name", help="The service's name.")] = "calibrated",
    out: Annotated[Path | None, _option("--out", "Write the service here, not to the screen.")] = None,
    scenario: Annotated[Path | None, _option("--scenario", "Write the run's scenario with that service here.")] = None,
    json: shared.Json = False,
) -> None:
    """Fit traffic, latency, errors, pod starts, propagation and scrapes to healthy runs, or to what a Prometheus kept.

    Every number comes with its interval and its count, and with its doubt in the model: the more runs, the less. What was not healthy,
    or is too short, is refused. Then:
    `seatrial run --service service.yaml`, `seatrial compare --real OTHER_RUN --service service.yaml`.
    """
    runs = runs or []
    if bool(runs) == bool(prometheus):
        raise Usage("name the folder of a recorded run, or a Prometheus: --prometheus URL")
    if scenario is not None and (out is None or (not runs and base is None)):
        raise Usage(
            "--scenario needs the file of the service (--out), and a scenario to begin with: a run's, or --base"
        )
    from real.calibrate import writing
    from real.calibrate.model import calibrated

    if runs:
        seen, against, place = _of_runs(runs, base)
    else:
        seen, against, place = _of_prometheus(prometheus, dialect, label, query, (since, until, step)), (), base
    found = calibrated(seen, against)
    if place is not None and not place.is_file():
        if base is not None:
            raise Usage(f"{base} is not there; --base is a service file or a scenario")
        found = replace(
            found, missing=(*found.missing, f"all else: the run's scenario {place} is not here; name it: --base")
        )
    text = writing.service(found, name, writing.carried(place, out or Path("service.yaml")))
    if out is not None:
        _checked(out, text)
    if scenario is not None and out is not None:
        if place is None or not place.is_file():
            raise Usage("the run's scenario is not here; name it: --base SCENARIO")
        scenario.write_text(writing.scenario(place, out, scenario), encoding="utf-8")
    if json:
        console.document(_document(found, text))
    elif out is None:
        print(text, end="")
    else:
        _show(found, out, bool(runs))


def _of_runs(runs: list[Path], base: Path | None) -> tuple[Evidence, tuple[str, ...], Path | None]:
    """What runs showed, why they must not be used, and what else is known of the service: --base, or the first run's scenario."""
    from real.calibrate.evidence import pooled
    from real.calibrate.recorded import evidence, ill
    from sim.results.recorded import Recorded

    recorded = [Recorded.read(run) for run in runs]
    places = [base or _file(one.about.get("scenario")) for one in recorded]
    seen = pooled([evidence(run, _traffic(place)) for run, place in zip(runs, places, strict=True)])
    return seen, tuple(reason for one in recorded for reason in ill(one)), places[0]


def _file(told: object) -> Path | None:
    return Path(str(told)) if told else None


def _traffic(place: Path | None) -> Traffic | None:
    """What the generator of a run was told, if that can be read."""
    from sim.files import FileErrors
    from sim.scenario import load, load_service

    if place is None or not place.is_file():
        return None
    try:
        return load_service(place).traffic
    except FileErrors:
        return load(place, "real").service.traffic


def _of_prometheus(
    url: str, dialect: str, labels: list[str] | None, texts: list[str] | None, span: tuple[str, str, str]
) -> Evidence:
    from real.calibrate.asked import Span, evidence
    from real.calibrate.queries import Queries, of_dialect, own
    from real.measure.prometheus import elsewhere
    from sim.files import Refused, parse_duration

    chosen = dict(_pair(one) for one in labels or ())
    mine = own(texts or [])
    try:
        since, until, step = map(parse_duration, span)
    except Refused as error:
        raise Usage(f"--since, --until and --step are durations such as 90s, 1h: {error}") from None
    known = Queries() if "requests" in mine else of_dialect(dialect, chosen)
    queries = Queries({**known.texts, **mine}, 1.0 if "latency" in mine else known.unit)
    end = time.time() - until
    return evidence(elsewhere(url), queries, Span(end - since, end, step), f"Prometheus ({dialect})")


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise Usage(f"--label takes LABEL=VALUE, got {text!r}")
    return name, value


def _checked(out: Path, text: str) -> None:
    """Write the file, and read it as `seatrial run --service` will."""
    from sim.scenario import load_service

    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    load_service(out)


def _document(found: Calibrated, text: str) -> dict[str, Any]:
    numbers = {
        name: {"estimate": one.estimate, "low": one.low, "high": one.high, "level": round(one.level, 6), "n": one.n, "method": one.method}
        for line in found.lines for name, one in line.numbers
    }  # fmt: skip
    return {
        "about": found.about, "requests": found.requests, "seconds": round(found.seconds, 3), "numbers": numbers,
        "missing": list(found.missing), "service": text,
    }  # fmt: skip


def _show(found: Calibrated, out: Path, recorded: bool) -> None:
    console.title(str(out), f"from {found.about}")
    console.pairs(*((".".join(line.path), f"{line.value}   {line.why}") for line in found.lines), style="")
    for one in found.missing:
        console.line(f"not calibrated: {one}", "yellow")
    console.pairs(("next", f"seatrial compare --real {'OTHER_RUN' if recorded else 'RUN'} --service {out}"))
