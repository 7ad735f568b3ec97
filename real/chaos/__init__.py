"""Faults injected for real: the other side of `sim/faults`."""
