"""Look up components by name among the classes that exist.

Games, networks, optimisers and the other components are small frozen dataclasses. Each declares its name in its class
statement, and the choices are the subclasses that can be imported. A new component is one class; nothing else has to
be edited.
"""

import dataclasses
import importlib
import inspect
import json
import math
import pkgutil
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, ClassVar, TypeVar

from pydantic import GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, core_schema

from zerosum.errors import InputError, did_you_mean

T = TypeVar("T")
C = TypeVar("C", bound="Component")


class FieldError(InputError):
    """A value that does not fit its field; the text begins with the field's path, e.g. `generator.lr`.

    Attributes:
        path: the names of the fields from the outermost to the one at fault.
        problem: the rest of the text.
    """

    def __init__(self, path: tuple[str, ...], problem: str) -> None:
        """Join `path`, which may be empty, and `problem` to the text."""
        super().__init__(": ".join(filter(None, (".".join(path), problem))))
        self.path, self.problem = path, problem


class Component:
    """Base class of parts that users choose by name, such as a game or a network family.

    A family's base class declares what its members are, `class Game(Component, kind="game")`; a member declares its own
    name, `class Hinge(Game, name="hinge")`, and after a renaming the old ones: `aliases={"old-name": {}}`. An alias may
    also stand for a member with some of its fields set.

    Attributes:
        kind: what a member of the family is, in words, e.g. `game`.
        declared_name: the name of this class; empty for a base class.
        aliases: further names, each with the fields that it sets.
    """

    kind: ClassVar[str] = "component"
    declared_name: ClassVar[str] = ""
    aliases: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def __init_subclass__(
        cls, *, kind: str = "", name: str = "", aliases: Mapping[str, Mapping[str, Any]] | None = None, **options: Any
    ) -> None:
        """Store what the class statement declares; a name and aliases are not inherited."""
        super().__init_subclass__(**options)
        if kind:
            cls.kind = kind
        cls.declared_name, cls.aliases = name, aliases or {}


def name_of(component: object) -> str:
    """Return the declared name of a component (an instance or a class), or else its class's name in lower case."""
    cls = component if isinstance(component, type) else type(component)
    return str(getattr(cls, "declared_name", "")) or cls.__name__.lower()


def modules(package: str) -> Iterator[ModuleType]:
    """Import and yield every module of `package`, so that the classes defined there exist."""
    root = importlib.import_module(package)
    yield root
    for info in pkgutil.iter_modules(getattr(root, "__path__", ())):
        yield importlib.import_module(f"{package}.{info.name}")


def choices(base: type[C]) -> dict[str, type[C]]:
    """Return every concrete subclass of `base` in its package, by name; import the modules beside it first."""
    for _ in modules(base.__module__):
        pass
    package = base.__module__.split(".")[0]
    return {name_of(cls): cls for cls in sorted(_subclasses(base), key=name_of) if _package(cls) == package}


def known(base: type[C]) -> dict[str, tuple[type[C], Mapping[str, Any]]]:
    """Return every name that `lookup` accepts, with the class and the fields that the name sets.

    The classes are the `choices` and all others that have been imported. Of two with the same name, the package's own
    wins, else the newest.
    """
    own = choices(base)  # imports them
    found = {name_of(cls): cls for cls in reversed(_subclasses(base))} | own
    aliases = {alias: (cls, fields) for cls in found.values() for alias, fields in cls.aliases.items()}
    return aliases | {name: (cls, {}) for name, cls in found.items()}


def lookup(base: type[C], name: str) -> type[C]:
    """Return the subclass of `base` with that name, one of the package's or another that has been imported.

    Raises:
        InputError: no class has that name; the message suggests the nearest one.
    """
    return _entry(base, name)[0]


def _entry(base: type[C], name: str) -> tuple[type[C], Mapping[str, Any]]:
    found = known(base)
    if name not in found:
        raise InputError(f"unknown {base.kind} {name!r}: {did_you_mean(name, found)}")
    return found[name]


def _subclasses(base: type[C]) -> list[type[C]]:
    """Return every concrete subclass that has been imported and has a name, from any package, the newest first."""
    found, queue = [], list(base.__subclasses__())
    while queue:
        cls = queue.pop()
        queue += cls.__subclasses__()
        if cls.declared_name and not inspect.isabstract(cls):
            found.append(cls)
    return found


def _package(cls: type) -> str:
    return cls.__module__.split(".")[0]


class Choice:
    """Annotate a recipe's field whose value is any component of one family, e.g. `Annotated[Game, Choice(Game)]`.

    It accepts an instance, a name, or a mapping with `name` and the fields to change, and serialises to such a mapping.
    """

    def __init__(self, base: type[Component]) -> None:
        """Store the family's abstract class."""
        self.base = base

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic validate and serialise the field through `decode` and `encode`."""
        return core_schema.no_info_plain_validator_function(
            lambda value: decode(self.base, value),
            serialization=core_schema.plain_serializer_function_ser_schema(encode),
        )


def decode(base: type[C], value: object) -> C:
    """Build the component of family `base` that `value` (an instance, a name, or a mapping) describes.

    Raises:
        InputError: an unknown name or field, a value of the wrong type, or an instance that could not be read back.
    """
    if isinstance(value, base):
        _check_readable(base, type(value))
        return value
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise InputError(f"a {base.kind} is a name or an object with 'name', not {value!r}")
    cls, fields = _entry(base, value["name"])
    return build(cls, {**fields, **{key: each for key, each in value.items() if key != "name"}})


def _check_readable(base: type[C], cls: type[C]) -> None:
    """Refuse a class from another package whose name, all that a recipe stores of it, does not lead back to it."""
    if _package(cls) == _package(base):
        return
    if not dataclasses.is_dataclass(cls):
        raise InputError(f"{cls.__name__} has to be a dataclass: decorate it with pydantic.dataclasses.dataclass")
    if not cls.declared_name:
        raise InputError(f"{cls.__name__} has no name: declare it, class {cls.__name__}({base.__name__}, name='...')")
    if lookup(base, cls.declared_name) is not cls:
        raise InputError(f"another {base.kind} is called {cls.declared_name!r} too: give {cls.__name__} another name")


def build(cls: type[T], values: dict[str, Any]) -> T:
    """Build a `cls` (a pydantic dataclass) from plain `values` and check every field.

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
        if first["type"] == "missing":
            raise FieldError(path, "it is missing") from None
        example = f", as {json.dumps([first['input']])}" if first["type"] == "tuple_type" else ""
        raise FieldError(path, f"{_in_words(first['msg'])}{example}, but it was {first['input']!r}") from None
    for name in fields:
        if isinstance(number := getattr(made, name), float) and not math.isfinite(number):
            raise FieldError((name,), f"it must be a finite number, but it was {number}")
    return made


def _in_words(problem: str) -> str:
    """Rephrase a message of pydantic for users who write JSON or a command."""
    plain = problem.lower().removeprefix("value error, ")
    for theirs, ours in (("input should", "it must"), ("valid tuple", "list"), ("valid integer", "whole number")):
        plain = plain.replace(theirs, ours)
    return plain.replace("a valid ", "a ")


def encode(component: object) -> dict[str, Any]:
    """Serialise a component to a JSON-able mapping with its `name`; `decode` reads it back equal."""
    return {"name": name_of(component), **TypeAdapter(type(component)).dump_python(component, mode="json")}
