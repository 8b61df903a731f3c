"""Reports: one HTML file each that needs nothing else, of a run or of an evaluation; also for paper and phones."""

import base64
from collections.abc import Iterable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from zerosum.metrics import Score


def render(template: str, **values: Any) -> bytes:
    """Fill in a template of this folder; return the page."""
    environment = Environment(
        loader=PackageLoader("zerosum.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template(template).render(values).encode()


def inline(png: bytes) -> str:
    """Write a picture as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def group_by_protocol(scores: Iterable[Score]) -> list[tuple[str, list[Score]]]:
    """Group the scores by how they were measured, in their order; each group begins with its protocol in words."""
    groups: dict[str, list[Score]] = {}
    for score in scores:
        resizer = "" if score.resizer == "none" else f"; resizer: {score.resizer}"
        groups.setdefault(f"Measured in {score.features}{resizer}. {score.comparable}", []).append(score)
    return list(groups.items())
