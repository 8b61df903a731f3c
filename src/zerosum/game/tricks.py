"""The documented tricks that act while the game is played, each off unless a recipe names it.

They change what the discriminator is shown, which fakes it meets, or the labels it learns from. Tricks that are part of
a network (dropout in the generator, minibatch features, packing, the prior) are fields of `networks.Networks`;
docs/tricks.md has all of them in one table, with what they were worth.
"""

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass
from torch import Tensor

from zerosum.catalog import Component, choices, name_of
from zerosum.data import Source
from zerosum.game.augment import AUGMENTATIONS
from zerosum.game.losses import Game, LabelledGame, decides_by_sign
from zerosum.networks import Networks
from zerosum.types import Fraction, Positive

Finite = Annotated[float, Field(allow_inf_nan=False)]
Memory = dict[str, Tensor]  # what the tricks remember from one iteration to the next; saved with the game


def _rising(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError("it must be [low, high]")
    return bounds


Range = Annotated[tuple[Finite, Finite], AfterValidator(_rising)]


class Trick(Component, kind="trick"):
    """One trick; a subclass overrides what it needs. All randomness is from the scope in force.

    Attributes:
        paper: where it was published.
        relabels: whether it changes the labels 1 and 0 that D learns.
    """

    paper: ClassVar[str]
    relabels: ClassVar[bool] = False

    def refusal(self, game: Game, networks: Networks, source: Source) -> str:
        """Say why the trick cannot be used in `game` with these `networks` and data; empty if it can.

        A trick that relabels needs a game whose discriminator learns labels.
        """
        if self.relabels and not isinstance(game, LabelledGame):
            return (
                f"the game {name_of(game)} has no labels to change; these games have: "
                f"{', '.join(choices(LabelledGame))}"
            )
        return ""

    def show(self, samples: Tensor, done: float, memory: Memory) -> Tensor:
        """Return what the discriminator sees of `samples` [N, ...], real or fake, in both players' updates.

        `done` is the fraction of the training that is done, from 0 to 1.
        """
        return samples

    def replay(self, fakes: Tensor, memory: Memory) -> Tensor:
        """Return the fakes [N, ...] for the discriminator's update."""
        return fakes

    def labels(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return the labels that the discriminator learns, of real samples and of fakes, [N] each.

        They begin as 1 and 0, and may have been changed by other tricks: a new label is affine in the one before.
        """
        return real, fake

    def remember(self, real_logits: Tensor, samples: int, update: int, memory: Memory) -> None:
        """Note what the next update should know, after the discriminator's update number `update`.

        `samples`: the number of real samples, of which a pack has one logit.
        """


@dataclass(frozen=True)
class LabelSmoothing(Trick, name="label-smoothing"):
    """The label 1 becomes `real`, 0 becomes `fake`: with 0 for the fakes, one-sided, as the paper wants it.

    The best discriminator is then (real p_data + fake p_g) / (p_data + p_g): with `fake` above 0 it prefers the fakes'
    present places, which is why the paper leaves them at 0.
    """

    paper: ClassVar[str] = "Salimans et al. 2016, section 3.4"
    relabels: ClassVar[bool] = True
    real: Fraction = 0.9
    fake: Fraction = 0.0

    def labels(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Map the label l to fake + (real - fake) l."""
        one, zero = torch.full_like(real, self.real), torch.full_like(fake, self.fake)
        return torch.lerp(zero, one, real), torch.lerp(zero, one, fake)


@dataclass(frozen=True)
class SoftLabels(Trick, name="soft-labels"):
    """Labels drawn for each sample: around 1 for real ones, a little above 0 for fakes."""

    paper: ClassVar[str] = "Chintala et al. 2016, item 6"
    relabels: ClassVar[bool] = True
    real: Range = (0.7, 1.2)
    fake: Range = (0.0, 0.3)

    def labels(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Draw uniformly between the bounds: 1 becomes a draw from `real`, 0 one from `fake`."""
        one, zero = torch.empty_like(real).uniform_(*self.real), torch.empty_like(fake).uniform_(*self.fake)
        return torch.lerp(zero, one, real), torch.lerp(zero, one, fake)


@dataclass(frozen=True)
class NoisyLabels(Trick, name="noisy-labels"):
    """Now and then a real sample is called fake and the reverse, with probability `flip` for each sample."""

    paper: ClassVar[str] = "Chintala et al. 2016, item 6"
    relabels: ClassVar[bool] = True
    flip: Fraction = 0.05

    def labels(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Replace the label l by 1 - l."""

        def flipped(labels: Tensor) -> Tensor:
            return torch.where(torch.rand_like(labels) < self.flip, 1 - labels, labels)

        return flipped(real), flipped(fake)


@dataclass(frozen=True)
class InstanceNoise(Trick, name="instance-noise"):
    """Normal noise on all that the discriminator sees, so that the distributions overlap; it fades away linearly.

    The standard deviation falls from `sigma` (images reach from -1 to 1) to 0 at the fraction `until` of the training.
    """

    paper: ClassVar[str] = "Arjovsky & Bottou 2017, section 3; Sønderby et al. 2017"
    sigma: Positive = 0.1
    until: Annotated[float, Field(gt=0, le=1)] = 1.0

    def show(self, samples: Tensor, done: float, memory: Memory) -> Tensor:
        """Add sigma (1 - done / until) e with e from N(0, 1)."""
        sigma = self.sigma * max(0.0, 1 - done / self.until)
        return samples + sigma * torch.randn_like(samples) if sigma else samples


@dataclass(frozen=True)
class Replay(Trick, name="replay"):
    """Half of the discriminator's fakes are earlier ones, so that the generator cannot come back to old mistakes.

    The store holds `capacity` samples; each one that is shown again gives its place to a fresh one.
    """

    paper: ClassVar[str] = "Shrivastava et al. 2017, section 2.3"
    capacity: Annotated[int, Field(ge=1)] = 1024

    def refusal(self, game: Game, networks: Networks, source: Source) -> str:
        """Refuse classes: the store does not keep them."""
        return f"it forgets the classes of networks.condition={networks.condition}" if networks.conditional else ""

    def replay(self, fakes: Tensor, memory: Memory) -> Tensor:
        """Return the fakes, the second half replaced by stored ones once the store is full."""
        store = memory.get("replay.samples", fakes[:0])
        if len(store) < self.capacity:
            memory["replay.samples"] = torch.cat([store, fakes])[: self.capacity]
            return fakes
        half = min(len(fakes) // 2, self.capacity)
        places = torch.randperm(self.capacity, device=fakes.device)[:half]
        shown = torch.cat([fakes[: len(fakes) - half], store[places]])
        store.index_copy_(0, places, fakes[:half])
        return shown


@dataclass(frozen=True)
class DiffAugment(Trick, name="diff-augment"):
    """Real and fake images are augmented alike wherever the discriminator sees them, also in the generator's update."""

    paper: ClassVar[str] = "Zhao et al. 2020"
    policy: tuple[Literal["colour", "translation", "cutout"], ...] = ("colour", "translation", "cutout")

    def refusal(self, game: Game, networks: Networks, source: Source) -> str:
        """Refuse points: only images can be augmented."""
        return "" if source.is_images else f"it is for images, and {source.name} has points"

    def show(self, samples: Tensor, done: float, memory: Memory) -> Tensor:
        """Apply each augmentation of the `policy` in turn to every image."""
        for name in self.policy:
            samples = AUGMENTATIONS[name](samples)
        return samples


@dataclass(frozen=True)
class AdaptiveAugment(DiffAugment, name="adaptive-augment"):
    """The same augmentations, each on a share p of the images that follows how sure the discriminator is of real ones.

    Overfitting is read off r_t = E sign(D's logit on real images); every `every` updates p moves by one step towards
    where r_t is `target`. A step is such that p can rise from 0 to 1 within `ramp` real images.
    """

    paper: ClassVar[str] = "Karras et al. 2020, section 3"
    target: Annotated[float, Field(gt=-1, lt=1)] = 0.6
    every: Annotated[int, Field(ge=1)] = 4
    ramp: Annotated[int, Field(ge=1)] = 500_000

    def refusal(self, game: Game, networks: Networks, source: Source) -> str:
        """Refuse points, and games in which the sign of a logit does not say whether a sample is real."""
        if not decides_by_sign(game):
            return (
                f"it takes a logit above 0 for the answer that a sample is real, which it is not in the game "
                f"{name_of(game)}"
            )
        return super().refusal(game, networks, source)

    def show(self, samples: Tensor, done: float, memory: Memory) -> Tensor:
        """Apply each augmentation of the `policy` to the images that a draw of its own chooses."""
        share = memory.get("adaptive.probability")
        if share is None:
            return samples
        for name in self.policy:
            chosen = torch.rand(len(samples), 1, 1, 1, device=samples.device) < share
            samples = torch.where(chosen, AUGMENTATIONS[name](samples), samples)
        return samples

    def remember(self, real_logits: Tensor, samples: int, update: int, memory: Memory) -> None:
        """Move p towards the target, without waiting for the device."""
        zero = real_logits.new_zeros(())
        signs = memory.get("adaptive.signs", zero) + real_logits.detach().sign().mean() / self.every
        share = memory.get("adaptive.probability", zero)
        if (update + 1) % self.every == 0:
            step = self.every * samples / self.ramp
            share, signs = (share + step * (signs - self.target).sign()).clamp(0, 1), zero
        memory |= {"adaptive.signs": signs, "adaptive.probability": share}
