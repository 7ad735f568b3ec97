"""The sample service: what runs in the pods, and its image."""
