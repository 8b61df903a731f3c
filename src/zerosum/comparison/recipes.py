"""What differs between two recipes, field by field, from their JSON."""

import json
from collections.abc import Iterator
from typing import Any

NONE = "none"


def differ(first: object, second: object, path: str = "") -> Iterator[str]:
    """Yield each difference as `field: value vs value`; a component of another name is one difference."""
    if first == second:
        return
    if isinstance(first, dict) and isinstance(second, dict) and first.get("name") == second.get("name"):
        for name in dict.fromkeys([*first, *second]):
            yield from differ(first.get(name), second.get(name), f"{path}.{name}" if path else name)
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for number, (one, other) in enumerate(zip(first, second, strict=True)):
            yield from differ(one, other, f"{path}.{number}")
    else:
        yield f"{path}: {in_words(first)} vs {in_words(second)}"


def in_words(value: Any) -> str:
    """Write a value of a recipe as people would: a component as `name(field=value)`."""
    if value is None or value == []:
        return NONE
    if isinstance(value, dict) and "name" in value:
        fields = ", ".join(f"{name}={in_words(each)}" for name, each in value.items() if name != "name")
        return f"{value['name']}({fields})" if fields else str(value["name"])
    if isinstance(value, list):
        return f"[{', '.join(map(in_words, value))}]"
    return value if isinstance(value, str) else json.dumps(value)
