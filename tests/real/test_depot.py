"""Which registry is meant by what was written, and by which address it is reached."""

from __future__ import annotations

import pytest

from real.lab.depot import place


@pytest.mark.parametrize(
    "written, address, host, project",
    [
        ("harbor.example.org/shop", "https://harbor.example.org", "harbor.example.org", "shop"),
        ("harbor.example.org:8443/shop", "https://harbor.example.org:8443", "harbor.example.org:8443", "shop"),
        ("https://harbor.example.org/shop/team", "https://harbor.example.org", "harbor.example.org", "shop/team"),
        ("http://registry:5000/shop", "http://registry:5000", "registry:5000", "shop"),
        ("127.0.0.1:5001/shop", "http://127.0.0.1:5001", "127.0.0.1:5001", "shop"),
        ("localhost:5001", "http://localhost:5001", "localhost:5001", ""),
    ],
)
def test_a_registry_as_it_is_written(written: str, address: str, host: str, project: str) -> None:
    assert place(written) == (address, host, project)
