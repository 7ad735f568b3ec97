"""The open-loop load generator, and the truth that it counts."""
