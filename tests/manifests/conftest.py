"""`read`: import manifests written in a test, as one set of files m0.yaml, m1.yaml, ..."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest

from sim.files import read_documents
from sim.manifests import Imported, load

Read = Callable[..., Imported]


@pytest.fixture
def read() -> Read:
    def reading(*texts: str, **options: Any) -> Imported:
        named = [(f"m{index}.yaml", dedent(text)) for index, text in enumerate(texts)]
        return load([document for name, text in named for document in read_documents(text, name)], **options)

    return reading
