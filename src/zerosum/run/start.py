"""Begin a run with the weights of another one instead of drawn ones: fine-tuning.

Of a run both players and the average are taken, as its newest intact checkpoint has them: starting from a trained G and
D is better than from either alone (Wang et al. 2018). A generator's file holds the averaged G only: D is drawn.
Optimisers, schedules and what tricks remember begin anew.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from zerosum import recipes
from zerosum.data import Source
from zerosum.errors import InputError
from zerosum.game.ema import EMA
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe, from_json
from zerosum.generator.loading import read_generator
from zerosum.networks.points import Standardize
from zerosum.run import checkpoint
from zerosum.run_folder import RunFolder

PARTS = "generator", "discriminator", "ema"


@dataclass(frozen=True, eq=False)
class Start:
    """The weights that a run begins with.

    Attributes:
        place: the run's folder or the generator's file, absolute.
        step: after how many iterations of that run.
        sha256: of the file that they were read from.
        recipe: what they were trained by; None if the file does not say so in words that are known here.
        parts: the tensors of `generator` and `ema`, and of the `discriminator` if they are there, each by name.
    """

    place: Path
    step: int
    sha256: str
    recipe: Recipe | None
    parts: dict[str, dict[str, Tensor]]

    @classmethod
    def open(cls, place: str | Path) -> "Start":
        """Read the weights in a run's folder or a `generator.safetensors`.

        Raises:
            InputError: it is neither, or damaged.
        """
        path = Path(place).expanduser()
        if path.is_dir():
            folder = RunFolder.open(path)
            recipe = recipes.find(path.resolve())
            state = checkpoint.load_latest(folder.checkpoints)
            parts = {name: tensors for name, tensors in state.parts.items() if name in PARTS}
            return cls(path.resolve(), state.step, state.metadata["sha256"], recipe, parts)
        about, tensors = read_generator(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        step = about["step"] if isinstance(about.get("step"), int) else 0
        return cls(path.resolve(), step, digest, _read_recipe(about), {"generator": tensors, "ema": tensors})

    @property
    def has_discriminator(self) -> bool:
        """Whether D's weights are there."""
        return "discriminator" in self.parts

    def own_recipe(self) -> Recipe:
        """Return the recipe that the weights were trained by.

        Raises:
            InputError: it is not known.
        """
        if self.recipe is None:
            raise InputError(f"{self.place} does not say by which recipe it was trained: name it with --recipe")
        return self.recipe

    def check(self, recipe: Recipe, source: Source) -> None:
        """Refuse a game that the weights do not fit, before it is begun.

        Raises:
            InputError: see `put`; or layers of D should not learn whose weights are not there.
        """
        if recipe.frozen_layers and not self.has_discriminator:
            raise InputError(
                f"{self.place} has no discriminator whose first layers could be kept (--freeze "
                f"{recipe.frozen_layers}): start from the run's folder"
            )
        generator, discriminator = recipe.build_networks(source, seed=0)
        for part, network in (("generator", generator), ("discriminator", discriminator)):
            self._check_part(part, network, recipe, source)

    def put(self, players: Players, ema: EMA) -> None:
        """Put the weights into the players and the average; points stay standardised by the data of this run."""
        networks = (players.generator.network, players.discriminator.network, ema.network)
        for part, network in zip(PARTS, networks, strict=True):
            own = _own_to_data(network)
            tensors = {name: tensor for name, tensor in self.parts.get(part, {}).items() if name not in own}
            network.load_state_dict(tensors, strict=False)  # `check` has compared the names

    def describe(self) -> dict[str, Any]:
        """Return what `run.json` says of it."""
        taken = [part for part in PARTS if part in self.parts]
        return {"place": str(self.place), "step": self.step, "sha256": self.sha256, "parts": taken}

    def in_words(self, recipe: Recipe) -> str:
        """Say in a line what is taken and what is not."""
        taken = (
            "both players and the average" if self.has_discriminator else "the generator; the discriminator is drawn"
        )
        classes = ", class by class in their order" if recipe.networks.conditional else ""
        kept = f"; D's first {recipe.frozen_layers} layers do not learn (--freeze)" if recipe.frozen_layers else ""
        return (
            f"weights from {self.place} after {self.step:,} iterations: {taken}{classes}; optimisers and schedules "
            f"begin anew{kept}"
        )

    def _check_part(self, part: str, network: nn.Module, recipe: Recipe, source: Source) -> None:
        if part not in self.parts:
            return
        there = {name: list(tensor.shape) for name, tensor in self.parts[part].items()}
        here = {name: list(tensor.shape) for name, tensor in network.state_dict().items()}
        for name in (*here, *there):
            if here.get(name) != there.get(name):
                raise InputError(
                    f"the weights of {self.place} do not fit: {part}'s {name} is of shape {there.get(name, 'none')} "
                    f"there and {here.get(name, 'none')} here: {self._remedy(recipe, source)}"
                )

    def _remedy(self, recipe: Recipe, source: Source) -> str:
        """Say what has to be the same."""
        mine = recipe.networks, recipe.regularizers
        if self.recipe is not None and mine != (self.recipe.networks, self.recipe.regularizers):
            return "leave its networks and regularisers as they were, without --recipe and such --set"
        classes = f" in {source.classes} classes" if recipe.networks.conditional else ""
        return (
            f"{source.name} has samples of shape {list(source.shape)}{classes}, and they must be as those it was "
            "trained on (--size brings image files to a size)"
        )


def _read_recipe(about: dict[str, Any]) -> Recipe | None:
    try:
        return from_json(about.get("recipe"))
    except InputError:
        return None


def _own_to_data(network: nn.Module) -> set[str]:
    """List the buffers that are measured on the data, not learned."""
    return {
        f"{name}.{buffer}" if name else buffer
        for name, module in network.named_modules()
        if isinstance(module, Standardize)
        for buffer in module.state_dict()
    }
