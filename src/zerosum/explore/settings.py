"""What the page sets of a game, as the changes of a recipe that `zerosum train --set` takes."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from functools import reduce
from typing import Annotated, Any

from pydantic import Field
from pydantic.dataclasses import dataclass

from zerosum import catalog, recipes
from zerosum.catalog import FieldError
from zerosum.data.distributions import DISTRIBUTIONS
from zerosum.errors import InputError, did_you_mean
from zerosum.explore.typed import read_seed
from zerosum.game.losses import Game
from zerosum.game.recipe import Recipe, change
from zerosum.game.regularizers import Regularizer
from zerosum.types import Count, Positive, Whole

MOST_WIDTH, MOST_K = 512, 50
POINTS = (2,)  # the shape of a sample


@dataclass(frozen=True)
class Settings:
    """A game of points; None leaves what the recipe has.

    Attributes:
        data: the name of a toy distribution.
        recipe: the name of a recipe for points, or the folder of a run of such.
        game: the name of a game.
        regularizer: the name of the only regulariser, or `none`.
        generator_lr: the generator's learning rate.
        discriminator_lr: the discriminator's.
        k: updates of the discriminator to each of the generator.
        width: units of the networks' hidden layers.
        seed: everything random is a function of it.
    """

    data: str = "ring"
    recipe: str = "toy-vanilla"
    game: str | None = None
    regularizer: str | None = None
    generator_lr: Positive | None = None
    discriminator_lr: Positive | None = None
    k: Annotated[Count, Field(le=MOST_K)] | None = None
    width: Annotated[Count, Field(le=MOST_WIDTH)] | None = None
    seed: Whole = 0

    @classmethod
    def read(cls, values: object, known_recipes: Sequence[str] = ()) -> "Settings":
        """Build settings from what the page sends; its seed is a string of digits, as numbers there end at 2^53.

        The recipe is one of `known_recipes`, so that no page names a path; by default, of those that are built in.

        Raises:
            InputError: a field is not known, or its value cannot be used.
        """
        if not isinstance(values, dict):
            raise InputError("settings are an object")
        try:
            seed = read_seed(str(values.get("seed", 0)))
        except InputError as error:
            raise FieldError(("seed",), str(error)) from None
        made = catalog.build(cls, {**values, "seed": seed})
        for word, known in ((made.data, list(DISTRIBUTIONS)), (made.recipe, known_recipes or recipe_names())):
            if word not in known:
                raise InputError(f"unknown {word!r}: {did_you_mean(word, known)}")
        return made

    def changes(self) -> list[str]:
        """Return the changes of the recipe, each as `--set` takes it."""
        regularizers = None if self.regularizer is None else ([] if self.regularizer == "none" else [self.regularizer])
        values = {
            "game": self.game,
            "regularizers": None if regularizers is None else json.dumps(regularizers),
            "generator_optimizer.lr": self.generator_lr,
            "discriminator_optimizer.lr": self.discriminator_lr,
            "discriminator_steps": self.k,
            "networks.width": self.width,
        }
        return [f"{field}={_plain(value)}" for field, value in values.items() if value is not None]

    def make_recipe(self) -> Recipe:
        """Return the recipe with its changes.

        Raises:
            InputError: there is no such recipe, game or regulariser.
        """
        return reduce(change, self.changes(), recipes.find(self.recipe))

    def command(self) -> str:
        """Return the command that plays the same game, iteration by iteration, and keeps what came of it."""
        sets = [word for each in self.changes() for word in ("--set", each)]
        return shlex.join(["zerosum", "train", self.data, "--recipe", self.recipe, *sets, "--seed", str(self.seed)])

    def python(self) -> str:
        """Return the Python that does the same."""
        recipe, lines = f"zerosum.recipe({self.recipe!r})", ["import zerosum"]
        if changes := self.changes():
            lines = ["from functools import reduce", "", *lines, "from zerosum.game.recipe import change"]
            recipe = f"reduce(change, {changes!r}, {recipe})"
        lines += ["", f"recipe = {recipe}", f"generator = zerosum.train({self.data!r}, recipe, seed={self.seed})"]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Return what `read` reads back equal."""
        return {**asdict(self), "seed": str(self.seed)}


def choices(known_recipes: Sequence[str]) -> dict[str, list[str]]:
    """Return the words that may be chosen, by the settings' fields; of recipes, the known ones."""
    return {
        "data": list(DISTRIBUTIONS),
        "recipe": list(known_recipes),
        "game": list(catalog.choices(Game)),
        "regularizer": ["none", *sorted(catalog.known(Regularizer))],
    }


def recipe_names() -> list[str]:
    """List the recipes whose networks serve points."""
    return [name for name, recipe in recipes.recipes().items() if _serves_points(recipe)]


def _serves_points(recipe: Recipe) -> bool:
    try:
        recipe.networks.check(POINTS)
    except InputError:
        return False
    return True


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
