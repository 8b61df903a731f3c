"""Name -> class, from the classes that exist.

Games, networks, optimisers and the other components are small frozen dataclasses. Their names are not kept in
a table: the name is the class's own in kebab case (`NonSaturating` -> `non-saturating`), and the choices are the
subclasses that can be imported. So a new component is one class, and nothing else has to be edited.
"""

import dataclasses
import importlib
import inspect
import math
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any, TypeVar

from pydantic import GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, core_schema

from zerosum.errors import InputError, did_you_mean

T = TypeVar("T")


class FieldError(InputError):
    """What was to be put into a field does not fit; the text begins with where that is, e.g. `generator.lr`.

    Attributes:
        path: the fields on the way there.
        problem: the rest of the text.
    """

    def __init__(self, path: tuple[str, ...], problem: str) -> None:
        """`path` may be empty."""
        super().__init__(": ".join(filter(None, (".".join(path), problem))))
        self.path, self.problem = path, problem


def name_of(component: object) -> str:
    """The name by which people call a component (an instance or a class): its class in kebab case.

    A number after a word is a word too (`Figure1` -> `figure-1`), one after a letter is not (`R1` -> `r1`).
    """
    cls = component if isinstance(component, type) else type(component)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[a-z]{2})(?=[0-9])", "-", cls.__name__).lower()


def modules(package: str) -> Iterator[ModuleType]:
    """Import and yield every module of `package`, so that the classes defined there exist."""
    root = importlib.import_module(package)
    yield root
    for info in pkgutil.iter_modules(getattr(root, "__path__", ())):
        yield importlib.import_module(f"{package}.{info.name}")


def choices(base: type[T]) -> dict[str, type[T]]:
    """Every concrete subclass of `base` in its package, by name; the modules beside it are imported first."""
    for _ in modules(base.__module__):
        pass
    package = base.__module__.split(".")[0]
    own = {name: cls for name, cls in _subclasses(base) if cls.__module__.split(".")[0] == package}
    return dict(sorted(own.items()))


def _subclasses(base: type[T]) -> list[tuple[str, type[T]]]:
    """Every concrete one that has been imported, whoever wrote it; of several of one name the newest first."""
    found, queue = [], list(base.__subclasses__())
    while queue:
        cls = queue.pop()
        queue += cls.__subclasses__()
        if not inspect.isabstract(cls):
            found.append((name_of(cls), cls))
    return found


def known(base: type[T]) -> dict[str, type[T]]:
    """The `choices`, and behind them whatever else has been imported."""
    own = choices(base)  # imports them
    return {**dict(reversed(_subclasses(base))), **own}


def lookup(base: type[T], name: str) -> type[T]:
    """The subclass of `base` called `name`, one of the package's or another that has been imported.

    Raises:
        InputError: there is none; the message suggests the nearest name.
    """
    found = known(base)
    if name not in found:
        raise InputError(f"no {name_of(base)} is called {name!r}: {did_you_mean(name, found)}")
    return found[name]


class Choice:
    """Annotates a recipe's field whose value is any component of one family, e.g. `Annotated[Game, Choice(Game)]`.

    Accepts an instance, a name, or a mapping with `name` and the fields to change; written as such a mapping.
    """

    def __init__(self, base: type) -> None:
        """`base`: the family's abstract class."""
        self.base = base

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic validate and serialise the field through `decode` and `encode`."""
        return core_schema.no_info_plain_validator_function(
            lambda value: decode(self.base, value),
            serialization=core_schema.plain_serializer_function_ser_schema(encode),
        )


def decode(base: type[T], value: object) -> T:
    """Make the component of family `base` that `value` (an instance, a name, or a mapping) describes.

    Raises:
        InputError: an unknown name or field, a value of the wrong type, or an instance that could not be read back.
    """
    if isinstance(value, base):
        _check_readable(base, value)
        return value
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise InputError(f"a {name_of(base)} is a name or an object with 'name', not {value!r}")
    return build(lookup(base, value["name"]), {k: v for k, v in value.items() if k != "name"})


def _check_readable(base: type, component: object) -> None:
    """Refuse one of somebody's own class that its name, which is all that is written of it, does not lead to."""
    cls, name = type(component), name_of(component)
    if cls.__module__.split(".")[0] == base.__module__.split(".")[0]:
        return
    if not dataclasses.is_dataclass(cls):
        raise InputError(f"{cls.__name__} has to be a dataclass: decorate it with pydantic.dataclasses.dataclass")
    if lookup(base, name) is not cls:
        raise InputError(f"another {name_of(base)} is called {name!r} too: give {cls.__name__} another name")


def build(cls: type[T], values: dict[str, Any]) -> T:
    """Make a `cls` (a pydantic dataclass) of plain `values`, every field checked.

    Raises:
        InputError: an unknown field or a value of the wrong type; the message names the field.
    """
    fields = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]  # every component is a dataclass
    for key in values:
        if key not in fields:
            choice = did_you_mean(key, fields) if fields else "it has none"
            raise FieldError((), f"{name_of(cls)} has no field {key!r}: {choice}")
    try:
        made = TypeAdapter(cls).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        path = tuple(str(part) for part in first["loc"])
        match first.get("ctx", {}).get("error"):
            case FieldError() as cause:
                raise FieldError(path + cause.path, cause.problem) from None
            case InputError() as cause:
                raise FieldError(path, str(cause)) from None
        raise FieldError(path, f"{_in_words(first['msg'])}, but it was {first['input']!r}") from None
    for name in fields:
        if isinstance(number := getattr(made, name), float) and not math.isfinite(number):
            raise FieldError((name,), f"it must be a finite number, but it was {number}")
    return made


def _in_words(problem: str) -> str:
    """What pydantic says, in the words of people who write JSON or a command."""
    plain = problem.lower().removeprefix("value error, ")
    for theirs, ours in (("input should", "it must"), ("valid tuple", "list"), ("valid integer", "whole number")):
        plain = plain.replace(theirs, ours)
    return plain.replace("a valid ", "a ")


def encode(component: object) -> dict[str, Any]:
    """A component as a JSON-able mapping with its `name`; `decode` reads it back equal."""
    return {"name": name_of(component), **TypeAdapter(type(component)).dump_python(component, mode="json")}
