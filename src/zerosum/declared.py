"""Which names does the source declare? Read from its text, so that nothing has to be imported, which takes seconds.

Names are declared as literals: in class statements (`class Hinge(Game, name="hinge")`), in calls at a module's top
(`Recipe(name="dcgan")`), and in readers' `names`.
"""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent
FIELDS = {"": ("game/recipe.py", "Recipe"), "data": ("data/preparation.py", "Preparation")}
METRICS = "metrics"


class Figure(NamedTuple):
    """A figure that a metric measures.

    Attributes:
        name: of the figure.
        metric: that measures it.
        on_request: whether that is measured on request only.
    """

    name: str
    metric: str
    on_request: bool


def recipe_names() -> set[str]:
    """Return the names of the recipes that are built in."""
    calls = (node.value for tree in _parse("recipes") for node in tree.body if isinstance(node, ast.Assign))
    return {name for call in calls if isinstance(call, ast.Call) for name in _named(call.keywords)}


def data_names() -> set[str]:
    """Return the names of the data that are built in."""
    return {
        name
        for cls in _classes("data/readers")
        for node in cls.body
        if isinstance(node, ast.AnnAssign) and _is_called(node.target, "names") and node.value is not None
        for name in ast.literal_eval(node.value)
    }


def component_names(place: str) -> set[str]:
    """Return the names, and the aliases, of the components whose classes lie in `place`, a file or a folder."""
    return {name for cls in _classes(place) for name in (*_named(cls.keywords), *_aliases(cls.keywords))}


def field_names(part: str) -> list[str]:
    """Return the fields of a recipe, or of its `part`."""
    return list(_annotations(part))


def component_kind(place: str) -> str:
    """Return of which kind the components in `place` are, in a word."""
    return next(str(each) for cls in _classes(place) for each in _constants(cls.keywords, "kind"))


def metric_figures() -> Iterator[Figure]:
    """List the figures of all metrics."""
    for name, values in _metrics():
        on_request = "when" in values and ast.literal_eval(values["when"]) == "request"
        for figure, alias in ast.literal_eval(values["figures"]).items() if "figures" in values else ():
            yield from (Figure(each, name, on_request) for each in (figure, alias) if each)


def metrics_with(attribute: str) -> list[str]:
    """List the metrics whose class statement gives the `attribute` a value that is true."""
    return [name for name, values in _metrics() if attribute in values and ast.literal_eval(values[attribute])]


def field_words(part: str, field: str) -> list[str]:
    """Return the words of which the `field` of a recipe, or of its `part`, takes one; none where it takes others."""
    annotation = _annotations(part)[field]
    if isinstance(annotation, ast.Name):
        shared = ast.parse((ROOT / "types.py").read_bytes()).body
        found = (
            node.value for node in shared if isinstance(node, ast.Assign) and _is_called(node.targets[0], annotation.id)
        )
        annotation = next(found, annotation)
    return _literals(annotation)


def component_words(place: str, field: str) -> list[str]:
    """Return the words of which the `field` of any component in `place` takes one; none where one takes others."""
    found = [_literals(fields[field]) for cls in _classes(place) if field in (fields := _fields(cls))]
    return list(dict.fromkeys(word for words in found for word in words)) if all(found) else []


def _metrics() -> Iterator[tuple[str, dict[str, ast.expr]]]:
    """List all metrics: the name, and the values that the class statement gives to attributes."""
    for cls in _classes(METRICS):
        values = {
            node.target.id: node.value
            for node in cls.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None
        }
        yield from ((name, values) for name in _named(cls.keywords))


def _literals(annotation: ast.expr) -> list[str]:
    """Return the words in `Literal[...]`; none in anything else."""
    if not isinstance(annotation, ast.Subscript) or not _is_called(annotation.value, "Literal"):
        return []
    words = ast.literal_eval(annotation.slice)
    return [word for word in (words if isinstance(words, tuple) else (words,)) if isinstance(word, str)]


def _annotations(part: str) -> dict[str, ast.expr]:
    """Return what the fields of a recipe, or of its `part`, are annotated with."""
    file, name = FIELDS[part]
    (cls,) = (cls for cls in _classes(file) if cls.name == name)
    return _fields(cls)


def _fields(cls: ast.ClassDef) -> dict[str, ast.expr]:
    return {
        node.target.id: node.annotation
        for node in cls.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def _parse(place: str) -> Iterator[ast.Module]:
    """Parse a file, or all files of a folder."""
    path = ROOT / place
    for file in [path] if path.suffix else sorted(path.glob("*.py")):
        yield ast.parse(file.read_bytes())


def _classes(place: str) -> Iterator[ast.ClassDef]:
    return (node for tree in _parse(place) for node in tree.body if isinstance(node, ast.ClassDef))


def _constants(keywords: Sequence[ast.keyword], wanted: str) -> Iterator[object]:
    for keyword in keywords:
        if keyword.arg == wanted and isinstance(keyword.value, ast.Constant):
            yield keyword.value.value


def _aliases(keywords: Sequence[ast.keyword]) -> Iterator[str]:
    for keyword in keywords:
        if keyword.arg == "aliases" and isinstance(keyword.value, ast.Dict):
            yield from (str(key.value) for key in keyword.value.keys if isinstance(key, ast.Constant))


def _named(keywords: Sequence[ast.keyword]) -> Iterator[str]:
    return (str(name) for name in _constants(keywords, "name"))


def _is_called(target: ast.expr, name: str) -> bool:
    return isinstance(target, ast.Name) and target.id == name
