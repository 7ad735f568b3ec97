"""A service model fitted to what a real service was seen to do."""
