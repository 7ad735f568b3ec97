"""The wall-clock driver of one rollout: intention, effect, outcome, undo. See README.md."""
