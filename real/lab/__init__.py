"""The place of a trial: a cluster of our own or one that was named, and an app on it."""
