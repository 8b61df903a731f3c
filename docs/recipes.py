"""Write docs/recipes.md: which recipe is for what, and what each is made of; with --check, fail if it is not so."""

import dataclasses
import sys
from pathlib import Path

from zerosum import catalog
from zerosum import recipes as known
from zerosum.cli.recipes import size
from zerosum.optimizers import Optimizer
from zerosum.recipes import Recipe

PAGE = Path(__file__).with_name("recipes.md")
TEMPLATE = Path(__file__).with_name("recipes.template.md")


def table(rows: list[tuple[str, ...]]) -> str:
    """In Markdown; the first row is the heading."""
    heading, *others = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([heading, "|" + "---|" * len(rows[0]), *others])


def words(value: object) -> str:
    """A field's value, for people."""
    return (
        ", ".join(map(str, value))
        if isinstance(value, tuple)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def part(component: object) -> str:
    """Its name, and the values that are not its defaults; of optimisers also the learning rate."""
    said = [
        f"{field.name}={words(value)}"
        for field in dataclasses.fields(component)  # type: ignore[arg-type]
        if (value := getattr(component, field.name)) != field.default
        or (field.name == "lr" and isinstance(component, Optimizer))
    ]
    return f"`{catalog.name_of(component)}`" + (f" ({', '.join(said)})" if said else "")


def scored(recipe: Recipe, scores: dict[str, str]) -> tuple[str, ...]:
    """A row: what it is, its size, its score."""
    return f"`{recipe.name}`", recipe.summary, size(recipe), scores.get(recipe.name, "not measured")


def made_of(recipe: Recipe) -> tuple[str, ...]:
    """A row: its parts and numbers."""
    both = [part(recipe.generator), part(recipe.discriminator)]
    further = [part(each) for each in (*recipe.regularizers, *recipe.tricks)]
    if recipe.simultaneous:
        further.append("updates at the same time")
    return (
        f"`{recipe.name}`",
        part(recipe.networks),
        part(recipe.game),
        ", ".join(further) or "none",
        both[0] if both[0] == both[1] else "G " + both[0] + "; D " + both[1],
        f"{recipe.batch_size} / {recipe.discriminator_steps}",
        f"{recipe.average}" if recipe.average else "none",
        f"{recipe.steps:,}",
    )


def page() -> str:
    """All of it."""
    every, scores = list(known.recipes().values()), known.measured()
    heads = ("recipe", "what it is", "G / D", "scored")
    parts = ("recipe", "networks", "game", "regularisers, tricks", "optimisers", "batch / k", "average", "iterations")
    text = TEMPLATE.read_text().replace("{{scored}}", table([heads, *(scored(recipe, scores) for recipe in every)]))
    return text.replace("{{parts}}", table([parts, *map(made_of, every)]))


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if not PAGE.exists() or PAGE.read_text() != page():
            sys.exit("docs/recipes.md is not what the recipes say: run 'make docs'")
    else:
        PAGE.write_text(page())
