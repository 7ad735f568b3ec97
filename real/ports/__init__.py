"""What a driver needs of the world around it, as small protocols. See README.md."""
