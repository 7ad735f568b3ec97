"""Clusters of our own, through the `kind` program."""
