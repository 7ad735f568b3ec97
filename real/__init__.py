"""The same policies in wall-clock time, on a real cluster."""
