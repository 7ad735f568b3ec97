"""What can go wrong: one catalogue of faults for simulated and real injection."""
