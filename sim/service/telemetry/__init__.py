"""The samples that Prometheus would have of a simulated service, and what queries may ask of them."""
