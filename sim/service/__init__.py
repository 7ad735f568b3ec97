"""The running service: what arrives, what answers, what is measured of it."""
