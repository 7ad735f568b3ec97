"""Every notebook runs from top to bottom, and is stored without output."""

from __future__ import annotations

from pathlib import Path

import pytest

import sim

pytestmark = pytest.mark.notebook

NOTEBOOKS = sorted((Path(sim.__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "store notebooks without output"
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS
