"""Other people's formats -> our policies, and a report of how each place was read. See README.md."""

from __future__ import annotations

from sim.manifests.load import load
from sim.manifests.profiles import PROFILES
from sim.manifests.report import Imported, ImportedPolicy, Reference, Remark, Status

__all__ = ["PROFILES", "Imported", "ImportedPolicy", "Reference", "Remark", "Status", "load"]
