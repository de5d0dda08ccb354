"""Every notebook runs from top to bottom, uses public names only, and is kept without output."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import sspr_audit

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
ALLOWED = {"json", "pandas", "pathlib", "sspr_audit", "tempfile"}
NEVER_ENDING_S = 110


def code(path):
    """Return the code cells of a notebook, without lines for IPython alone."""
    cells = nbformat.read(path, as_version=4).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    return [
        "\n".join(line for line in source.splitlines() if not line.startswith("%"))
        for source in sources
    ]


def test_there_are_the_four_that_the_readme_names():
    """None is lost from the checkout."""
    assert [path.stem[0] for path in NOTEBOOKS] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_from_top_to_bottom(path, tmp_path, monkeypatch):
    """On the demo tenant, or on files that it writes itself, and without a word of warning."""
    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent))  # a checkout that nobody installed, too
    book = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(tmp_path)}}

    NotebookClient(book, timeout=NEVER_ENDING_S, resources=place).execute()

    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    streams = [out for cell in cells for out in cell.outputs if out.output_type == "stream"]
    assert [out.text for out in streams if out.name == "stderr"] == []
    assert all("image/png" in _shown(cell) for cell in cells if cell.source.startswith("charts."))


def _shown(cell):
    return {kind for out in cell.outputs for kind in out.get("data", {})}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_without_output(path):
    """What a run showed belongs to who ran it: it may hold names."""
    cells = nbformat.read(path, as_version=4).cells

    assert [cell.outputs for cell in cells if cell.get("outputs")] == []
    assert {cell.execution_count for cell in cells if cell.cell_type == "code"} == {None}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_uses_public_names_only(path):
    """A notebook that reaches inside breaks with the next version."""
    tree = ast.parse("\n".join(code(path)))
    imports = {
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "sspr_audit"
    }

    assert imports <= ALLOWED
    assert used <= {*sspr_audit.__all__}
