"""Lint: what will hurt in a manifest or a policy, before it does. See README.md."""

from __future__ import annotations

from sim.lint.finding import Finding, Rule, Severity
from sim.lint.rules import RULES
from sim.lint.run import Report, lint

__all__ = ["RULES", "Finding", "Report", "Rule", "Severity", "lint"]
