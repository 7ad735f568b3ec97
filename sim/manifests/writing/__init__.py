"""Our policies -> other people's manifests. See README.md."""
