"""The site: what every stage of one simulated delivery system shares."""

from __future__ import annotations

from dataclasses import dataclass

import simpy

from sim.durations import Uniforms
from sim.pipeline.disruptions import Windows
from sim.pipeline.model import PipelineModel
from sim.pipeline.rows import Book
from sim.pipeline.trunk import Trunk


@dataclass(frozen=True, slots=True)
class Site:
    """One environment, one model, one trunk, one book; ``uniform`` is the only source of chance."""

    env: simpy.Environment
    model: PipelineModel
    uniform: Uniforms
    windows: Windows
    trunk: Trunk
    book: Book
