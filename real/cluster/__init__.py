"""Kubernetes, through lightkube."""
