"""Which names are there? Read from the source, so that a wrong word is refused without importing PyTorch for seconds.

Names are declared as literals: in class statements (`class Hinge(Game, name="hinge")`), in calls at a module's top
(`Recipe(name="dcgan")`), and in readers' `names`. Words that pass here are checked again where they are used.
"""

import ast
import fnmatch
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from zerosum.addresses import find_fault, is_address
from zerosum.errors import InputError, did_you_mean

ROOT = Path(__file__).parent
FIELDS = {"": ("game/recipe.py", "Recipe"), "data": ("data/preparation.py", "Preparation")}
COMPONENTS = {  # where the components lie that a field of the recipe takes by name
    "networks": "networks",
    "game": "game/losses.py",
    "regularizers": "game/regularizers.py",
    "tricks": "game/tricks.py",
    "generator_optimizer": "game/optimizers.py",
    "discriminator_optimizer": "game/optimizers.py",
}
METRICS, FEATURES, LOGGERS, PROTOCOLS = "metrics", "metrics/features", "loggers", "metrics/protocols"
ELSEWHERE = {  # what people call metrics that have other names here
    "fid": "the Fréchet distance in Inception's features: --metric frechet-distance --features inception",
    "kid": "the kernel distance in Inception's features: --metric kernel-distance --features inception",
    "mind": "the Monge distance in Inception's features: --metric monge-distance --features inception",
    "is": "the Inception score: --metric inception-score --features inception",
    "precision": "measured with recall, density and coverage: --metric neighbours",
    "recall": "measured with precision, density and coverage: --metric neighbours",
}
DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
CONDITION = re.compile(r"([a-z0-9-]+)\s*(<=|>=|<|>)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)", re.IGNORECASE)
BUILT_IN = "builtin:"
INTRA = "intra-"  # what begins the name of a mean over classes, as in intra-FID
OF_CLASSES = "frechet-distance", "neighbours"  # the metrics that are measured class by class


def check_recipe(name: str | Path) -> None:
    """Refuse the name of a recipe that is neither built in nor a path.

    Raises:
        InputError: see there; the message suggests the nearest one.
    """
    known, path = recipe_names(), Path(name).expanduser()
    if str(name) not in known and not path.suffix and not path.exists():  # of a file more is said where it is opened
        raise InputError(f"unknown recipe {str(name)!r}: {did_you_mean(str(name), known)}")


def check_data(data: str) -> None:
    """Refuse data that are neither built in, nor a path, nor anything after a prefix as `hub:`, nor an address.

    Raises:
        InputError: see there; the message suggests the nearest built-in set.
    """
    _check_address(data)
    if is_address(data):
        return
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
    check_changes(changes)
    if recipe != "auto":
        check_recipe(recipe)


def check_scores(metrics: Iterable[str], features: str) -> None:
    """Refuse metrics or features that are not there; `auto` is one of the latter.

    Raises:
        InputError: see there; the message suggests the nearest one.
    """
    for metric in metrics:
        check_metric(metric)
    if features != "auto":
        _check_component(FEATURES, features.partition(":")[0])


def check_logs(logs: Iterable[str]) -> None:
    """Refuse names of logs (`--log`) that are not there.

    Raises:
        InputError: see there; the message suggests the nearest one.
    """
    for log in logs:
        _check_component(LOGGERS, log)


def check_protocol(name: str) -> None:
    """Refuse the name of a protocol that is not there; an empty one asks for none.

    Raises:
        InputError: see there; the message suggests the nearest one.
    """
    if name:
        _check_component(PROTOCOLS, name)


def check_metric(name: str) -> None:
    """Refuse the name of a metric that is not there.

    Raises:
        InputError: see there; the message says what it is called here, or suggests the nearest one.
    """
    known = component_names(METRICS)
    if any(is_metric(name, each) for each in known):
        return
    if name.lower() in ELSEWHERE:
        raise InputError(f"{name} is {ELSEWHERE[name.lower()]}")
    raise InputError(f"unknown metric {name!r}: {did_you_mean(name, known)}")


def check_plan(metrics: Iterable[str]) -> None:
    """Refuse metrics of which a pilot cannot say how their intervals narrow.

    Raises:
        InputError: see there; the message names those of which it can.
    """
    known = [name for name, values in _metrics() if "shrinks" in values and ast.literal_eval(values["shrinks"])]
    for metric in metrics:
        if not any(is_metric(metric, name) for name in known):
            raise InputError(
                f"--plan: no law is known by which the interval of {metric} narrows; it forecasts {', '.join(known)}"
            )


def check_condition(text: str, metrics: Sequence[str] = (), *, by_class: bool = False) -> tuple[str, str, float]:
    """Split a condition on a figure, as `frechet-distance>12`, into figure, sign and bound.

    Refuse it if it is none, or about a figure that is not measured where only `metrics` are asked for, or by itself, or
    without `by_class`.

    Raises:
        InputError: see there; the message suggests the nearest figure, or the option to give.
    """
    parts = CONDITION.fullmatch(text.strip())
    if parts is None:
        raise InputError(f"--fail-if {text!r}: write a figure, one of < <= > >=, and a number: 'frechet-distance>12'")
    figure, sign, bound = parts.groups()
    means = [INTRA + pattern for pattern, name, _ in _figures() if name in OF_CLASSES]
    if figure in means:
        if not by_class:
            raise InputError(f"--fail-if {text!r}: {figure} is not measured without --by-class")
        return figure, sign, float(bound)
    owners = {name: on_request for pattern, name, on_request in _figures() if fnmatch.fnmatch(figure, pattern)}
    if not owners:
        known = [*(pattern for pattern, _, _ in _figures()), *means]
        raise InputError(f"--fail-if {text!r}: unknown figure {figure!r}: {did_you_mean(figure, known)}")
    asked = [name for name in owners if any(is_metric(metric, name) for metric in metrics)]
    if not asked and (metrics or all(owners.values())):
        raise InputError(f"--fail-if {text!r}: {figure} is not measured without --metric {next(iter(owners))}")
    return figure, sign, float(bound)


def _figures() -> Iterator[tuple[str, str, bool]]:
    """List the figures of all metrics: the name, the metric, and whether that is measured on request only."""
    for name, values in _metrics():
        on_request = "when" in values and ast.literal_eval(values["when"]) == "request"
        for figure, alias in ast.literal_eval(values["figures"]).items() if "figures" in values else ():
            yield from ((each, name, on_request) for each in (figure, alias) if each)


def _metrics() -> Iterator[tuple[str, dict[str, ast.expr]]]:
    """List all metrics: the name, and the values that the class statement gives to attributes."""
    for cls in _classes(METRICS):
        values = {
            node.target.id: node.value
            for node in cls.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None
        }
        yield from ((name, values) for name in _named(cls.keywords))


def is_metric(name: str, known: str) -> bool:
    """Return whether people may write `name` for the metric `known`: in capitals, or without its dashes."""
    return name.lower() in (known, known.replace("-", ""))


def check_device(name: str) -> None:
    """Refuse the name of a device that PyTorch could not have on any machine that zerosum knows.

    Raises:
        InputError: see there.
    """
    if not DEVICE.fullmatch(name):
        raise InputError(f"unknown device {name!r}: choose auto, cpu, cuda (of several cuda:0, cuda:1 ...) or mps")


def check_pictures(places: Iterable[str | Path]) -> None:
    """Refuse runs or pictures that lie nowhere.

    Raises:
        InputError: see there.
    """
    for place in places:
        _check_address(str(place))
        if not Path(place).expanduser().exists():
            raise InputError(f"no run and no images at {place}: no such file or folder")


def _check_address(data: str) -> None:
    """Refuse an address that cannot be used, before it is repeated anywhere with the secrets in it."""
    if is_address(data) and (fault := find_fault(data)):
        raise InputError(fault)


def no_such_data(data: str, known: Iterable[str]) -> InputError:
    """Make the error for data that are neither one of the `known` built-in sets nor a path."""
    name = data.removeprefix(BUILT_IN)
    if name != data:
        return InputError(f"no built-in set {name!r}: {did_you_mean(name, known)}")
    return InputError(f"no data at {data!r}: no such file or folder, and no built-in set ({did_you_mean(data, known)})")


def check_changes(changes: Iterable[str]) -> None:
    """Refuse changes (`field=value`) of fields that a recipe, or its `data`, does not have, and words they do not take.

    Raises:
        InputError: see there; the message suggests the nearest one.
    """
    for change in changes:
        path, equals, text = (part.strip() for part in change.partition("="))
        if not equals or not path:
            raise InputError(f"--set takes field=value, e.g. --set batch_size=32, not {change!r}")
        first, _, rest = path.partition(".")
        part, field, owner = (
            (first, rest.split(".")[0], "preparation") if first == "data" and rest else ("", first, "recipe")
        )
        if field not in field_names(part):
            raise InputError(f"--set {path}: {owner} has no field {field!r}: {did_you_mean(field, field_names(part))}")
        try:
            _check_value(path, part, field, text)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None


def _check_value(path: str, part: str, field: str, text: str) -> None:
    """Refuse a `text` that names no component, or none of the words, that the field at `path` takes."""
    if path in COMPONENTS:
        for name in _component_names_in(text):
            _check_component(COMPONENTS[path], name)
        return
    first, _, rest = path.partition(".")
    words: list[str] = []
    if path == f"{part}.{field}".lstrip("."):
        words = _words(part, field)
    elif first in COMPONENTS:
        words = _words_of_component(COMPONENTS[first], rest)
    if words and text.strip('"') not in words:
        *others, last = (repr(word) for word in words)
        raise InputError(f"it must be {', '.join(others)} or {last}, but it was {text!r}")


def check_demonstration(name: str) -> None:
    """Refuse the name of a demonstration that is not there.

    Raises:
        InputError: see there; the message suggests the nearest one.
    """
    _check_component("demonstrations", name)


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


def _check_component(place: str, name: str) -> None:
    known = component_names(place)
    if name not in known:
        kind = next(str(each) for cls in _classes(place) for each in _constants(cls.keywords, "kind"))
        raise InputError(f"unknown {kind} {name!r}: {did_you_mean(name, known)}")


def _component_names_in(text: str) -> Iterator[str]:
    """List the names of components in a value, as it is typed: a name, or JSON of names or of objects with `name`."""
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    for each in value if isinstance(value, list) else [value]:
        name = each.get("name") if isinstance(each, dict) else each
        if isinstance(name, str):
            yield name


def _words(part: str, field: str) -> list[str]:
    """Return the words of which the `field` of a recipe, or of its `part`, takes one; none where it takes others."""
    annotation = _annotations(part)[field]
    if isinstance(annotation, ast.Name):
        shared = ast.parse((ROOT / "types.py").read_bytes()).body
        found = (
            node.value for node in shared if isinstance(node, ast.Assign) and _is_called(node.targets[0], annotation.id)
        )
        annotation = next(found, annotation)
    return _literals(annotation)


def _words_of_component(place: str, field: str) -> list[str]:
    """Return the words of which the `field` of any component in `place` takes one; none where one takes others."""
    found = [_literals(fields[field]) for cls in _classes(place) if field in (fields := _fields(cls))]
    return list(dict.fromkeys(word for words in found for word in words)) if all(found) else []


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
