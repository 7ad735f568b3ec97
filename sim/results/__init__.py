"""Results: what rows of finished rollouts say, every number with its interval and the count behind it."""
