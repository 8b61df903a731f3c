"""Write docs/recipes.md: what each recipe is for and what it is made of; with --check, fail if it is not up to date."""

import dataclasses

from generated_pages import fill_template, table, write_or_check

from zerosum import catalog, recipes
from zerosum.cli.recipes import size
from zerosum.game.optimizers import OptimizerConfig
from zerosum.game.recipe import Recipe

SCORED = ("recipe", "what it is", "G / D", "scored")
PARTS = ("recipe", "networks", "game", "regularisers, tricks", "optimisers", "batch / k", "average", "iterations")


def write_value(value: object) -> str:
    """Write a field's value for people."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def write_part(component: object) -> str:
    """Write a component's name, and the fields that are not at their defaults; of optimisers also the learning rate."""
    fields = [
        f"{field.name}={write_value(value)}"
        for field in dataclasses.fields(component)  # type: ignore[arg-type]
        if (value := getattr(component, field.name)) != field.default
        or (field.name == "lr" and isinstance(component, OptimizerConfig))
    ]
    return f"`{catalog.name_of(component)}`" + (f" ({', '.join(fields)})" if fields else "")


def list_parts(recipe: Recipe) -> tuple[str, ...]:
    """List a recipe's parts and numbers, a row of the table."""
    g, d = write_part(recipe.generator_optimizer), write_part(recipe.discriminator_optimizer)
    further = [write_part(each) for each in (*recipe.regularizers, *recipe.tricks)]
    if recipe.simultaneous:
        further.append("simultaneous updates")
    return (
        f"`{recipe.name}`",
        write_part(recipe.networks),
        write_part(recipe.game),
        ", ".join(further) or "none",
        g if g == d else f"G {g}; D {d}",
        f"{recipe.batch_size} / {recipe.discriminator_steps}",
        f"{recipe.ema_decay}" if recipe.ema_decay else "none",
        f"{recipe.steps:,}",
    )


def page() -> str:
    """Fill the template with both tables."""
    known, scores = list(recipes.recipes().values()), recipes.measured()
    scored = [
        (f"`{recipe.name}`", recipe.summary, size(recipe), scores.get(recipe.name, "not measured")) for recipe in known
    ]
    parts = {"scored": table(SCORED, scored), "parts": table(PARTS, [list_parts(recipe) for recipe in known])}
    return fill_template("recipes", parts)


if __name__ == "__main__":
    write_or_check("recipes", page)
