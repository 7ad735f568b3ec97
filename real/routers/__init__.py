"""Who sends requests where, on a real cluster."""
