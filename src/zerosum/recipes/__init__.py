"""Recipes: the values that exist, and where to find one by its name.

A new recipe is a module-level `Recipe` (see zerosum/game/recipe.py) in one of this folder's files.
"""

import json
from dataclasses import replace
from pathlib import Path

from zerosum import catalog
from zerosum.errors import InputError, did_you_mean
from zerosum.game.recipe import Recipe, from_json
from zerosum.run_folder import RunFolder, list_runs, name_runs


def recipes() -> dict[str, Recipe]:
    """Return every recipe that exists, by name."""
    found = [
        value for module in catalog.modules(__name__) for value in vars(module).values() if isinstance(value, Recipe)
    ]
    return {recipe.name: recipe for recipe in found}


def find(name: str | Path) -> Recipe:
    """Find the recipe called `name`, in the JSON file of that name, or of the run in that folder.

    A run's recipe has the run's number of iterations, even where the run did not take it from a recipe.

    Raises:
        InputError: there is none, and the message suggests the nearest; or the file is no recipe, or the run damaged.
    """
    path, name, known = Path(name).expanduser(), str(name), recipes()
    if path.name == RunFolder(path.parent).description.name:
        return _again(RunFolder.open(path.parent))
    if path.suffix == ".json":
        return _read(path)
    if name not in known:
        if RunFolder(path).description.exists():
            return _again(RunFolder(path))
        if path.exists() or path.suffix:
            raise InputError(f"no recipe at {name}: {_what_instead(path)}")
        raise InputError(f"unknown recipe {name!r}: {did_you_mean(name, known)}")
    return known[name]


def of_run(folder: RunFolder) -> Recipe:
    """Read the recipe that the run was trained with, its changes included.

    Raises:
        InputError: the run is damaged, or parts of its recipe are not known here.
    """
    about = folder.describe()
    try:
        return from_json(about["recipe"])
    except InputError as error:
        raise InputError(f"{folder.description}: recipe: {error}") from None


def _what_instead(path: Path) -> str:
    """Say what to name instead of a folder or file that is no recipe."""
    if runs := list_runs(path):
        return f"it holds runs, {name_runs(runs)}: name one of them"
    return f"give a run's folder, a .json file, or a name: {', '.join(sorted(recipes()))}"


def _again(folder: RunFolder) -> Recipe:
    return replace(of_run(folder), steps=folder.describe()["steps"])


def _read(path: Path) -> Recipe:
    try:
        values = json.loads(path.read_bytes(), object_pairs_hook=_once)
        if isinstance(values, dict) and {"recipe", "fingerprint"} <= values.keys():
            raise InputError("it is a run's run.json: name the run's folder, or keep what its field 'recipe' holds")
        return from_json(values)
    except OSError as error:
        raise InputError(f"the recipe {path} cannot be read: {error.strerror}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}") from None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make a JSON object, and refuse a key that is there twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key in found if sum(key == other for other, _ in pairs) > 1)
        raise InputError(f"the field {twice!r} is there twice")
    return found


def measured() -> dict[str, str]:
    """Return in words what recipes scored, by name, where they were measured; `benchmarks/protocol.py` writes it."""
    scores: dict[str, str] = json.loads(Path(__file__).with_name("measured.json").read_bytes())
    return scores
