"""Harbor's REST API v2.0, as far as a rollout needs it."""
