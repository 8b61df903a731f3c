"""The named mutants still apply, and their tests exist; whether they are caught, `make mutants` finds out."""

import ast
from pathlib import Path

import pytest

from tests.mutants.operators import mutants
from tests.mutants.patches import NAMED, Patch

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "zerosum"


@pytest.mark.parametrize("patch", NAMED, ids=[patch.name for patch in NAMED])
def test_a_named_mutant_is_another_program_and_has_its_test(patch: Patch) -> None:
    text = (PACKAGE / patch.file).read_text(encoding="utf-8")
    assert ast.dump(ast.parse(patch.apply(PACKAGE))) != ast.dump(ast.parse(text))
    file, test = patch.test.split("::")
    assert test in {
        node.name for node in ast.parse((ROOT / file).read_text()).body if isinstance(node, ast.FunctionDef)
    }


def test_a_patch_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    patch = Patch("wrong", "a.py", "x", "y", "")
    for text in ("", "x = x"):
        (tmp_path / "a.py").write_text(text)
        with pytest.raises(ValueError, match="not once"):
            patch.apply(tmp_path)


def test_systematic_mutants_change_one_place_each() -> None:
    source = '''
def least(values: list[int], *, key: int = 2) -> int:
    """Not 1."""
    if not values:
        raise ValueError("1 + 1")
    first = min(values, key=abs)  # π
    return first if first * 2 < key and True else max(f(0, first))
'''
    found = {(mutant.old, mutant.new) for mutant in mutants("a.py", source)}
    assert found == {
        ("not values", "(values)"),
        ("raise ValueError('1 + 1')", "pass"),
        ("min", "(max)"),
        ("min(values, key=abs)", "(min(values))"),
        ("first * 2 < key", "(first * 2 <= key)"),
        ("first * 2 < key", "(first * 2 >= key)"),
        ("first * 2", "(first / 2)"),
        ("2", "(3)"),
        ("first * 2 < key and True", "(first * 2 < key or True)"),
        ("first * 2 < key and True", "(not (first * 2 < key and True))"),
        ("True", "(False)"),
        ("max", "(min)"),
        ("f(0, first)", "(f(first, 0))"),
        ("0", "(1)"),
    }
    for mutant in mutants("a.py", source):
        ast.parse(mutant.text)
        changed = [new for old, new in zip(source.splitlines(), mutant.text.splitlines(), strict=True) if old != new]
        assert len(changed) == 1
