"""A policy against a script instead of a world."""
