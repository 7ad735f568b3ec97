"""Registries of images: Harbor, or any that speaks the OCI distribution API."""
