"""`zerosum cite`: BibTeX of what a recipe uses."""

from typing import Annotated

import typer


def cite(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe's name, a JSON file, or a run.")],
) -> None:
    """Print BibTeX of the papers that RECIPE's networks, game, regularisers, tricks and optimisers are taken from."""
    from zerosum import names

    names.check_recipe(recipe)
    from zerosum import recipes, references

    used = references.find_references("\n".join(recipes.find(recipe).papers))
    typer.echo("\n\n".join(each.bibtex for each in used))
