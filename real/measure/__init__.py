"""What a policy asks, answered by Prometheus."""
