"""`found`: the findings of texts written in a test, as one set of files m0.yaml, m1.yaml, ..."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest

from sim.files import read_documents
from sim.lint import Finding, lint

Found = Callable[..., tuple[Finding, ...]]


@pytest.fixture
def found() -> Found:
    def looking(*texts: str, name: str = "m{}.yaml", **options: Any) -> tuple[Finding, ...]:
        named = [(name.format(index), dedent(text)) for index, text in enumerate(texts)]
        documents = [document for file, text in named for document in read_documents(text, file)]
        report = lint(documents, **options)
        assert report.problems == ()
        return report.findings

    return looking
