"""Whether Harbor's vulnerability gate lets a pull through (goharbor/harbor src/server/middleware/vulnerable).

Asked again before every rollout: new vulnerability data can block an image that was pulled yesterday.
"""

from __future__ import annotations

from real.registry.harbor.values import Artifact, Project

# goharbor/harbor src/pkg/scan/vuln/severity.go: the order that the gate compares in.
SEVERITIES = ("none", "unknown", "negligible", "low", "medium", "high", "critical")


def blocked(project: Project, artifact: Artifact) -> str | None:
    """Why a pull would be refused; None where it would not.

    An image index of images is never refused for what its report says. Whether the image can be scanned at all is known to Harbor
    only: one without any report is told as blocked, and the pull itself decides.
    """
    if not project.gate:
        return None
    if artifact.scan is None:
        return f"project {project.name} lets only scanned images through, and there is no report"
    if artifact.index and artifact.type in ("IMAGE", "CNAB"):
        return None
    if artifact.scan.status != "Success":
        return (
            f"project {project.name} lets only scanned images through, and the scan's status is {artifact.scan.status}"
        )
    if rank(artifact.scan.severity) >= rank(project.severity):
        found = f"{artifact.scan.total} vulnerabilities up to {artifact.scan.severity}"
        return f"project {project.name} refuses {project.severity} and above: {found}"
    return None


def rank(severity: str | None) -> int:
    """Its place in the order; an unknown word counts as 'unknown', no severity as none."""
    word = (severity or "none").lower()
    return SEVERITIES.index(word) if word in SEVERITIES else SEVERITIES.index("unknown")
