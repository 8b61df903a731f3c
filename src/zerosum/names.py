"""Which names are there? Read from the source, so that a wrong word is refused without importing PyTorch for seconds.

Names are declared as literals: in class statements (`class Hinge(Game, name="hinge")`), in calls at a module's top
(`Recipe(name="dcgan")`), and in readers' `names`. Words that pass here are checked again where they are used.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from zerosum.errors import InputError, did_you_mean

ROOT = Path(__file__).parent
FIELDS = {"": ("game/recipe.py", "Recipe"), "data": ("data/preparation.py", "Preparation")}
BUILT_IN = "builtin:"


def check_recipe(name: str | Path) -> None:
    """Refuse the name of a recipe that is neither built in nor a path.

    Raises:
        InputError: see there; the message suggests the nearest one.
    """
    known, path = recipe_names(), Path(name).expanduser()
    if str(name) not in known and not path.suffix and not path.exists():  # of a file more is said where it is opened
        raise InputError(f"unknown recipe {str(name)!r}: {did_you_mean(str(name), known)}")


def check_data(data: str) -> None:
    """Refuse data that are neither built in, nor a path, nor anything after a prefix as `hub:`.

    Raises:
        InputError: see there; the message suggests the nearest built-in set.
    """
    known, name = data_names(), data.removeprefix(BUILT_IN)
    there = name in known or (name == data and (":" in data or Path(data).expanduser().exists()))
    if not there:
        raise no_such_data(data, known)


def check_training(data: str, changes: Iterable[str], recipe: str = "auto") -> None:
    """Refuse data, changes of a recipe, or a recipe that are not there; `auto` is one of these.

    Raises:
        InputError: see there; the message suggests the nearest one.
    """
    check_data(data)
    check_fields(changes)
    if recipe != "auto":
        check_recipe(recipe)


def check_pictures(places: Iterable[str | Path]) -> None:
    """Refuse runs or pictures that lie nowhere.

    Raises:
        InputError: see there.
    """
    for place in places:
        if not Path(place).expanduser().exists():
            raise InputError(f"no run and no images at {place}: no such file or folder")


def no_such_data(data: str, known: Iterable[str]) -> InputError:
    """Make the error for data that are neither one of the `known` built-in sets nor a path."""
    name = data.removeprefix(BUILT_IN)
    if name != data:
        return InputError(f"no built-in set {name!r}: {did_you_mean(name, known)}")
    return InputError(f"no data at {data!r}: no such file or folder, and no built-in set ({did_you_mean(data, known)})")


def check_fields(changes: Iterable[str]) -> None:
    """Refuse changes (`field=value`) of fields that a recipe, or its `data`, does not have.

    Raises:
        InputError: see there; the message suggests the nearest one.
    """
    for change in changes:
        path = change.partition("=")[0].strip()
        first, _, rest = path.partition(".")
        asked = [("", first, "recipe")] if first != "data" or not rest else [(first, rest.split(".")[0], "preparation")]
        for part, field, owner in asked:
            if path and field not in field_names(part):
                raise InputError(
                    f"--set {path}: {owner} has no field {field!r}: {did_you_mean(field, field_names(part))}"
                )


def check_demonstration(name: str) -> None:
    """Refuse the name of a demonstration that is not there.

    Raises:
        InputError: see there; the message suggests the nearest one.
    """
    known = {each for tree in _parse("demonstrations") for each in _class_names(tree)}
    if name not in known:
        raise InputError(f"unknown demonstration {name!r}: {did_you_mean(name, known)}")


def recipe_names() -> set[str]:
    """Return the names of the recipes that are built in."""
    calls = (node.value for tree in _parse("recipes") for node in tree.body if isinstance(node, ast.Assign))
    return {name for call in calls if isinstance(call, ast.Call) for name in _named(call.keywords)}


def data_names() -> set[str]:
    """Return the names of the data that are built in."""
    return {
        name
        for tree in _parse("data/readers")
        for cls in tree.body
        if isinstance(cls, ast.ClassDef)
        for node in cls.body
        if isinstance(node, ast.AnnAssign) and _is_called(node.target, "names") and node.value is not None
        for name in ast.literal_eval(node.value)
    }


def field_names(part: str) -> list[str]:
    """Return the fields of a recipe, or of its `part`."""
    file, name = FIELDS[part]
    tree = ast.parse((ROOT / file).read_bytes())
    (cls,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    return [
        node.target.id for node in cls.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]


def _parse(folder: str) -> Iterator[ast.Module]:
    for file in sorted((ROOT / folder).glob("*.py")):
        yield ast.parse(file.read_bytes())


def _class_names(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from _named(node.keywords)


def _named(keywords: Sequence[ast.keyword]) -> Iterator[str]:
    for keyword in keywords:
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
            yield str(keyword.value.value)


def _is_called(target: ast.expr, name: str) -> bool:
    return isinstance(target, ast.Name) and target.id == name
