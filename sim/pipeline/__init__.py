"""The delivery system: seven stages from a commit to the users and back, as blocks over virtual time."""

from __future__ import annotations

from sim.durations import Constant, Duration, Exponential, Lognormal, Uniform, Uniforms
from sim.pipeline.commits import Change, mark, synthesize
from sim.pipeline.disruptions import Disruption
from sim.pipeline.dora import Dora, Share, Times, dora
from sim.pipeline.git_history import digest, read_history, shorten
from sim.pipeline.model import (
    Alerting,
    Artifacts,
    Commits,
    Delivery,
    Hop,
    Integration,
    PipelineModel,
    Poll,
    Propagation,
    Recovery,
    Retry,
    Risk,
    Wakeups,
    Webhook,
)
from sim.pipeline.pipeline import Pipeline
from sim.pipeline.release import Release, Roll, RolloutEnd, Superseded
from sim.pipeline.rows import ChangeRow, DeploymentRow, Rows

__all__ = [
    "Alerting",
    "Artifacts",
    "Change",
    "ChangeRow",
    "Commits",
    "Constant",
    "Delivery",
    "DeploymentRow",
    "Disruption",
    "Dora",
    "Duration",
    "Exponential",
    "Hop",
    "Integration",
    "Lognormal",
    "Pipeline",
    "PipelineModel",
    "Poll",
    "Propagation",
    "Recovery",
    "Release",
    "Retry",
    "Risk",
    "Roll",
    "RolloutEnd",
    "Rows",
    "Share",
    "Superseded",
    "Times",
    "Uniform",
    "Uniforms",
    "Wakeups",
    "Webhook",
    "digest",
    "dora",
    "mark",
    "read_history",
    "shorten",
    "synthesize",
]
