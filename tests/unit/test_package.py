"""The package as a whole."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import zerosum

CALLS_THAT_RUN_CODE = ("eval", "exec", "compile", "__import__", "yaml.load", "yaml.unsafe_load", "torch.hub.load")
MODULES_THAT_RUN_CODE = ("pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib.numpy_pickle")


def test_nothing_is_imported_that_only_unix_has() -> None:
    found = [
        f"{path.name}: {line}"
        for path in Path(zerosum.__file__).parent.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*(import|from) (fcntl|grp|pwd|resource|termios|tty)\b", line)
    ]
    assert found == []


def find_risks(text: str) -> Iterator[str]:
    """Yield what may run code that comes from outside, by its line."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [each.name for each in node.names] + [getattr(node, "module", None) or ""]
            yield from (f"{node.lineno}: {name}" for name in names if name in MODULES_THAT_RUN_CODE)
        if not isinstance(node, ast.Call):
            continue
        name, words = ast.unparse(node.func), {each.arg: ast.unparse(each.value) for each in node.keywords}
        if name in CALLS_THAT_RUN_CODE or (name == "joblib.load" or words.get("allow_pickle") == "True"):
            yield f"{node.lineno}: {name}"
        if name == "torch.load" and words.get("weights_only") != "True":
            yield f"{node.lineno}: {name}"


def test_nothing_runs_code_that_comes_from_outside() -> None:
    files = sorted(Path(zerosum.__file__).parent.rglob("*.py"))
    assert len(files) > 100
    assert [f"{file.name}:{risk}" for file in files for risk in find_risks(file.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from pickle import loads",
        "eval('1')",
        "torch.load(file)",
        "torch.load(file, weights_only=False)",
        "np.load(file, allow_pickle=True)",
        "yaml.load(text)",
        "joblib.load(file)",
    ],
)
def test_what_runs_code_is_found(text: str) -> None:
    assert list(find_risks(text))
