"""`zerosum recipes`: what there is to train with."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zerosum.game.recipe import Recipe

SCORED = (
    "G / D: millions of parameters of the generator and of the discriminator. Scored: the Fréchet distance on MNIST in "
    "a classifier's features (not FID), and the iterations of a training with `--minutes 5` on one core of a busy "
    "machine (3 to 12 minutes); of points, the modes covered and the share of samples near one. Smallest and largest, "
    "or worst, of three seeds."
)


def recipes(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Print this one, a file's or a run's, as JSON.")
    ] = None,
) -> None:
    """List the recipes, their size and what they scored, or print one as JSON, which `train --recipe FILE` takes back.

    The sizes are millions of parameters of the generator and of the discriminator for gray 28x28 images (or points).
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from zerosum import names

    if name is not None:
        names.check_recipe(name)
    from zerosum import recipes as known
    from zerosum.cli._progress import plain_console

    if name is not None:
        typer.echo(json.dumps(known.find(name).as_json(), indent=2))
        return
    scores = known.measured()
    table = Table("recipe", "what it is", "G / D", "scored", box=SIMPLE_HEAD, pad_edge=False)
    table.add_row("auto", "chooses one of the others by the data (the default)", "", "")
    for recipe in known.recipes().values():
        table.add_row(recipe.name, recipe.summary, size(recipe), scores.get(recipe.name, "not measured"))
    console = plain_console()
    console.print(table)
    console.print(SCORED)


def size(recipe: "Recipe") -> str:
    """G / D: their millions of parameters for gray 28x28 images of ten classes, or for points of two coordinates."""
    from zerosum.networks.mlp import MLP

    shape, classes = ((2,), 0) if isinstance(recipe.networks, MLP) else ((1, 28, 28), 10)
    return " / ".join(f"{count / 1e6:.2f}" for count in recipe.sizes(shape, classes))
