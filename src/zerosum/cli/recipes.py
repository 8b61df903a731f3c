"""`zerosum recipes`: what there is to train with."""

import json
from typing import Annotated

import typer


def recipes(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Print this one as JSON.")] = None,
) -> None:
    """List the recipes, or print one as JSON, which `train --recipe FILE` takes back."""
    from rich.console import Console
    from rich.table import Table

    from zerosum import recipes as known

    if name is not None:
        typer.echo(json.dumps(known.find(name).as_json(), indent=2))
        return
    table = Table("recipe", "what it is")
    table.add_row("auto", "chooses one of the others by the data (the default)")
    for recipe in known.recipes().values():
        table.add_row(recipe.name, recipe.summary)
    Console().print(table)
