"""The game written out in plain torch: what `play` has to amount to, without the code that it is made of.

Networks come from their families, and randomness from scopes of the same purposes. All else is said here once more: the
stream of minibatches, the order of the updates, the numbers that schedules count by. What a recipe adds to that, a
`Case` says in formulas.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zerosum import randomness
from zerosum.data import Source
from zerosum.game.recipe import Recipe

Memory = dict[str, Tensor]
Optimizer = torch.optim.Optimizer


class Pass(NamedTuple):
    """What a penalty is a function of: a pass of D over both kinds, its update's number, and the fraction done."""

    real: Tensor
    fake: Tensor
    real_logits: Tensor
    fake_logits: Tensor
    discriminator: nn.Module
    update: int
    done: float


@dataclass(frozen=True)
class Case:
    """A recipe, and the same mathematics by hand.

    Attributes:
        discriminator_loss: of the logits of real samples and of fakes; it may draw labels.
        generator_loss: of the same.
        generator_optimizer: PyTorch's, over the parameters.
        generator_schedule: what holds at step t of T; so for the discriminator.
        one_pass: whether D may see real samples and fakes together.
        real_again: whether G's loss needs the logits of real samples.
        prepare: changes the fresh discriminator.
        penalty: added to the discriminator's loss.
        project: changes the discriminator after its update.
        show: what D sees of samples when a fraction of the training is done.
        replay: the fakes that D's update sees.
        remember: notes what the next update should know, given the logits of real samples and the update's number.
        tolerance: by how much weights and figures may differ; 0 asks for the same bits.
    """

    recipe: Recipe
    source: Source
    discriminator_loss: Callable[[Tensor, Tensor], Tensor]
    generator_loss: Callable[[Tensor, Tensor], Tensor]
    generator_optimizer: Callable[[Iterable[nn.Parameter]], Optimizer]
    discriminator_optimizer: Callable[[Iterable[nn.Parameter]], Optimizer]
    generator_schedule: Callable[[int, int], dict[str, float]] = lambda step, steps: {}
    discriminator_schedule: Callable[[int, int], dict[str, float]] = lambda step, steps: {}
    one_pass: bool = True
    real_again: bool = False
    prepare: Callable[[nn.Module], None] = lambda discriminator: None
    penalty: Callable[[Pass], Tensor] = lambda out: torch.zeros(())
    project: Callable[[nn.Module], None] = lambda discriminator: None
    show: Callable[[Tensor, float, Memory], Tensor] = lambda samples, done, memory: samples
    replay: Callable[[Tensor, Memory], Tensor] = lambda fakes, memory: fakes
    remember: Callable[[Tensor, int, Memory], None] = lambda real_logits, update, memory: None
    tolerance: float = 0.0


class Measured(NamedTuple):
    """What an iteration measured."""

    step: int
    discriminator_loss: Tensor
    penalty: Tensor
    generator_loss: Tensor
    real_logits: Tensor
    fake_logits: Tensor


def part_size(recipe: Recipe) -> int:
    """How many samples are in each of the parts that a minibatch is cut into."""
    return recipe.batch_size // recipe.accumulate


def minibatch(case: Case, number: int, seed: int) -> tuple[Tensor, Tensor | None]:
    """Cut minibatch `number` out of shuffled epochs laid end to end, and take each sample's own label."""
    split, size, length = case.source.train, part_size(case.recipe), len(case.source.train)
    first = number * size
    epochs = range(first // length, (first + size - 1) // length + 1)
    orders = [torch.randperm(length, generator=randomness.rng(seed, epoch, "shuffle")) for epoch in epochs]
    indices = torch.cat(orders)[first - epochs[0] * length :][:size]
    samples = split.samples[indices]
    if split.flip:
        mirrored = torch.rand(size, generator=randomness.rng(seed, number, "flip")) < 0.5
        samples = torch.where(mirrored[:, None, None, None], samples.flip(3), samples)
    labels = split.labels[indices] if split.labels is not None and case.recipe.networks.condition != "none" else None
    return (samples.float() / 127.5 - 1 if samples.dtype == torch.uint8 else samples), labels


class Reference:
    """The game of a case, from its initial weights on."""

    def __init__(self, case: Case, seed: int) -> None:
        self.case, self.recipe, self.seed = case, case.recipe, seed
        self.memory: Memory = {}
        players = self.recipe.networks.build_pair(case.source.shape, case.source.classes, seed)
        self.recipe.networks.fit_to_data(*players, case.source.train.samples)
        with randomness.scope(seed, 0, "regularizers"):
            case.prepare(players[1])
        self.generator, self.discriminator = (each.to(memory_format=torch.channels_last) for each in players)
        self.g_optimizer = case.generator_optimizer(self.generator.parameters())
        self.d_optimizer = case.discriminator_optimizer(self.discriminator.parameters())

    def generate(self, labels: Tensor | None) -> Tensor:
        size = part_size(self.recipe), self.recipe.networks.latent
        normal = self.recipe.networks.prior == "normal"
        latents = torch.randn(size) if normal else (2 * torch.rand(size) - 1) * math.sqrt(3)
        if labels is not None:
            latents = torch.cat([latents, F.one_hot(labels, self.case.source.classes)], dim=1)
        return self.generator(latents)

    def discriminate(self, samples: Tensor, labels: Tensor | None, done: float) -> tuple[Tensor, Tensor]:
        shown = self.case.show(samples, done, self.memory)
        answer = self.discriminator(shown) if labels is None else self.discriminator(shown, labels)
        return answer if isinstance(answer, tuple) else (answer, torch.zeros(len(answer)))

    def compare(
        self, real: Tensor, fake: Tensor, labels: Tensor | None, done: float
    ) -> Iterable[tuple[Tensor, Tensor]]:
        if not self.case.one_pass:
            return [self.discriminate(each, labels, done) for each in (real, fake)]
        both = torch.cat([real, fake])
        logits, nll = self.discriminate(both, None if labels is None else torch.cat([labels, labels]), done)
        return zip(logits.chunk(2), nll.chunk(2), strict=True)

    def play(self, steps: int) -> Iterator[Measured]:
        case, recipe, seed, memory = self.case, self.recipe, self.seed, self.memory
        d_parameters, g_parameters = list(self.discriminator.parameters()), list(self.generator.parameters())
        parts = range(recipe.accumulate)
        for step in range(steps):
            done = step / steps
            for k in range(recipe.discriminator_steps):
                update = step * recipe.discriminator_steps + k
                shown, figures, d_gradients, g_gradients, g_losses = [], [], [], [], []
                for part in parts:
                    with randomness.scope(seed, step, f"discriminator update {k}", rank=part):
                        real, labels = minibatch(case, update * len(parts) + part, seed)
                        fake = made = self.generate(labels)
                        fake = case.replay(fake if recipe.simultaneous else fake.detach(), memory)
                        if recipe.regularizers:
                            real.requires_grad_()
                            fake.requires_grad_()
                        (real_logits, real_nll), (fake_logits, fake_nll) = self.compare(real, fake, labels, done)
                        d_loss = case.discriminator_loss(real_logits, fake_logits)
                        out = Pass(real, fake, real_logits, fake_logits, self.discriminator, update, done)
                        penalty = case.penalty(out) + (real_nll.mean() + fake_nll.mean())
                        loss = (d_loss + penalty) / len(parts)
                        d_gradients.append(torch.autograd.grad(loss, d_parameters, retain_graph=recipe.simultaneous))
                        if recipe.simultaneous:
                            g_losses.append(case.generator_loss(real_logits, fake_logits) + fake_nll.mean())
                            g_gradients.append(torch.autograd.grad(g_losses[-1] / len(parts), g_parameters))
                    shown.append((real, labels, made))
                    figures.append((d_loss, penalty, real_logits, fake_logits))
                move(self.d_optimizer, d_parameters, add(d_gradients), case.discriminator_schedule(step, steps))
                case.project(self.discriminator)
                case.remember(torch.cat([each[2] for each in figures]).detach(), update, memory)
            if not recipe.simultaneous:
                for part, (real, labels, made) in zip(parts, shown, strict=True):
                    with randomness.scope(seed, step, "generator update", rank=part):
                        fake = made if recipe.same_fakes else self.generate(labels)
                        answers, nll = self.discriminate(fake, labels, done)
                        again = answers * math.nan
                        if case.real_again:
                            again = self.discriminate(real, labels, done)[0].detach()
                        g_losses.append(case.generator_loss(again, answers) + nll.mean())
                        g_gradients.append(torch.autograd.grad(g_losses[-1] / len(parts), g_parameters))
            move(self.g_optimizer, g_parameters, add(g_gradients), case.generator_schedule(step, steps))
            d_losses, penalties, real_answers, fake_answers = zip(*figures, strict=True)
            means = (torch.stack(each).mean() for each in (d_losses, penalties, g_losses))
            yield Measured(step, *means, torch.cat(real_answers), torch.cat(fake_answers))


def add(gradients: list[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """Add the gradients of parts, in their order."""
    return tuple(sum(each[1:], each[0]) for each in zip(*gradients, strict=True))


def move(
    optimizer: Optimizer, parameters: list[nn.Parameter], gradients: tuple[Tensor, ...], values: dict[str, float]
) -> None:
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    optimizer.param_groups[0].update(values)
    optimizer.step()
