"""The real controllers at work: a recorder of what they do. See README.md."""
