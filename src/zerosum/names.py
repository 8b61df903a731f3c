"""Is this word a name at all? A wrong one is refused by what the source declares, without importing PyTorch.

Words that pass here are checked again where they are used.
"""

import fnmatch
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from zerosum.addresses import find_fault, is_address
from zerosum.declared import (
    METRICS,
    component_kind,
    component_names,
    component_words,
    data_names,
    field_names,
    field_words,
    metric_figures,
    metrics_with,
    recipe_names,
)
from zerosum.errors import InputError, did_you_mean

COMPONENTS = {  # where the components lie that a field of the recipe takes by name
    "networks": "networks",
    "game": "game/losses.py",
    "regularizers": "game/regularizers.py",
    "tricks": "game/tricks.py",
    "generator_optimizer": "game/optimizers.py",
    "discriminator_optimizer": "game/optimizers.py",
}
FEATURES, LOGGERS, PROTOCOLS = "metrics/features", "loggers", "metrics/protocols"
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
    known = metrics_with("shrinks")
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
    means = [INTRA + pattern for pattern, name, _ in metric_figures() if name in OF_CLASSES]
    if figure in means:
        if not by_class:
            raise InputError(f"--fail-if {text!r}: {figure} is not measured without --by-class")
        return figure, sign, float(bound)
    owners = {name: on_request for pattern, name, on_request in metric_figures() if fnmatch.fnmatch(figure, pattern)}
    if not owners:
        known = [*(pattern for pattern, _, _ in metric_figures()), *means]
        raise InputError(f"--fail-if {text!r}: unknown figure {figure!r}: {did_you_mean(figure, known)}")
    asked = [name for name in owners if any(is_metric(metric, name) for metric in metrics)]
    if not asked and (metrics or all(owners.values())):
        raise InputError(f"--fail-if {text!r}: {figure} is not measured without --metric {next(iter(owners))}")
    return figure, sign, float(bound)


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
        words = field_words(part, field)
    elif first in COMPONENTS:
        words = component_words(COMPONENTS[first], rest)
    if words and text.strip('"') not in words:
        *others, last = (repr(word) for word in words)
        raise InputError(f"it must be {', '.join(others)} or {last}, but it was {text!r}")


def check_demonstration(name: str) -> None:
    """Refuse the name of a demonstration that is not there.

    Raises:
        InputError: see there; the message suggests the nearest one.
    """
    _check_component("demonstrations", name)


def _check_component(place: str, name: str) -> None:
    known = component_names(place)
    if name not in known:
        raise InputError(f"unknown {component_kind(place)} {name!r}: {did_you_mean(name, known)}")


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
