"""The notebooks: whole, without outputs, and run from top to bottom by a kernel, with small constants."""

import ast
import re
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

from tests.end_to_end.conftest import FEW

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
SMALL = {
    "comparing-two-games": "SEEDS, STEPS = 2, 4",
    "the-paper-in-an-hour": """
STEPS, MINUTES = 4, 0.005
LENGTHS = {
    "cross-entropy": {},
    "optimal-discriminator": {"updates": 4, "batch_size": 16},
    "equilibrium": {"steps": 10, "discriminator_steps": 1, "batch_size": 16},
    "saturation": {"steps": 10, "head_start": 2},
    "figure-1": {"steps": 20, "pause": 10, "discriminator_alone": 8, "discriminator_steps": 1, "batch_size": 16},
    "dirac": {"methods": METHODS[:1]},
}
""",
    "your-own-photos": "DIGITS, MINUTES, MORE_MINUTES, SAMPLES = 600, 0.01, 0.01, 100",
}


def read(name: str) -> Any:
    """Return a notebook that the format's own schema finds valid."""
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    return notebook


def assigned(source: str) -> set[str]:
    """Return the names that a cell assigns to."""
    return {
        node.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_committed_without_outputs_and_its_cells_keep_their_names(name: str) -> None:
    notebook = read(name)
    assert (notebook.nbformat, notebook.nbformat_minor) >= (4, 5)
    for cell in notebook.cells:
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", cell.id), cell.id
        assert cell.source.strip(), cell.id
        if cell.cell_type == "code":
            assert cell.outputs == [], cell.id
            assert cell.execution_count is None, cell.id
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert 'find_spec("zerosum") is None' in first.source


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_from_top_to_bottom(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable))  # nothing of the user's is read or written
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    notebook = read(name)
    (constants,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    assert assigned(SMALL[name]) <= assigned(constants.source)
    constants.source += f"\n{SMALL[name]}"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(FEW))
    (tmp_path / "here").mkdir()
    folder = {"metadata": {"path": str(tmp_path / "here")}}
    client = nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=300, startup_timeout=120, resources=folder
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert outputs
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
