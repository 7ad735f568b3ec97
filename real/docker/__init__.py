"""Images and containers, through the Docker SDK."""
