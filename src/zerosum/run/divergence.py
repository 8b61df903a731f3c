"""A game whose numbers are no longer finite: when it began, and in which layer of which player."""

import math
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from zerosum.errors import RunFailed
from zerosum.game.algorithm import Iteration
from zerosum.game.players import Players
from zerosum.run_folder import RunFolder

WATCHED = 50  # iterations between two looks; each look waits for the device once
LOSSES = {
    "discriminator_loss": "the discriminator's loss",
    "penalty": "the discriminator's penalty",
    "generator_loss": "the generator's loss",
}


class Diverged(RunFailed):
    """A loss, a weight or a sample is no longer finite.

    Attributes:
        what: what was found, in words.
    """

    def __init__(self, what: str, advice: str) -> None:
        """`advice` comes after what was found."""
        super().__init__(f"{what}{advice}")
        self.what = what


def explain(found: str, run: RunFolder, saved: int | None, halved_from: int | None) -> Diverged:
    """Say what was found, and how to go on from the last checkpoint.

    Args:
        found: what is not finite, in words.
        run: the folder it happened in.
        saved: the step of its last checkpoint; None if it has none.
        halved_from: the step from which on the learning rates were halved already; None if they were not.
    """
    if saved is None:
        return Diverged(found, "")
    advice = (
        f"'zerosum resume {shlex.quote(str(run.path))} --on-nonfinite rollback' goes on from it with half the learning "
        "rates; or begin with smaller ones"
    )
    if halved_from is not None:
        advice = f"the learning rates were halved once already, from step {halved_from:,}: begin with smaller ones"
    return Diverged(
        found,
        f". The last checkpoint in {run.checkpoints} is from before, step {saved:,}; {advice}, e.g. "
        "--set generator_optimizer.lr=1e-4 --set discriminator_optimizer.lr=1e-4",
    )


class BadLoss(NamedTuple):
    """The first loss that is not finite.

    Attributes:
        step: the iteration that it is of, from 0.
        what: which it is, and what the losses were just before, in words.
    """

    step: int
    what: str


def find_loss(iterations: Sequence[Iteration]) -> BadLoss | None:
    """Find the first loss of `iterations` that is not finite, if there is one."""
    if not iterations:
        return None
    rows = torch.stack([getattr(each, name).float() for each in iterations for name in LOSSES]).tolist()
    for number, iteration in enumerate(iterations):
        values = dict(zip(LOSSES, rows[len(LOSSES) * number : len(LOSSES) * (number + 1)], strict=True))
        for name, value in values.items():
            if not math.isfinite(value):
                before = rows[len(LOSSES) * (number - 1) : len(LOSSES) * number] if number else []
                return BadLoss(iteration.step, f"{LOSSES[name]} is {value}{_describe(before)}")
    return None


def _describe(losses: Sequence[float]) -> str:
    """Put the losses of the iteration before into words."""
    if not losses:
        return ""
    named = [f"{words.removeprefix('the ')} {value:.3g}" for words, value in zip(LOSSES.values(), losses, strict=True)]
    return f" (an iteration before: {', '.join(named)})"


def find_weight(players: Players) -> str:
    """Name the first weight that is not finite; empty if all are."""
    for name, player in _by_name(players):
        for weight, values in player.named_parameters():
            if not bool(values.isfinite().all()):
                return f"the {name}'s {weight} is not finite"
    return ""


def find_layer(players: Players, iterations: Iterator[Any], number: int) -> str:
    """Play so many of the `iterations`, and in the one after them say where numbers cease to be finite.

    It is empty if they do not.
    """
    for _ in islice(iterations, number):
        pass
    with watch_layers(players) as found:
        next(iterations, None)
    return found[0] if found else find_weight(players)


@contextmanager
def watch_layers(players: Players) -> Iterator[list[str]]:
    """Note in which layers numbers that are not finite appear, in the order in which they do; it slows the players."""
    found: list[str] = []
    handles = []
    for name, player in _by_name(players):
        for layer, module in player.named_modules():
            if not any(True for _ in module.children()):
                where = f"the {name}'s layer {layer} ({type(module).__name__})"
                handles.append(module.register_forward_hook(partial(_look_at_output, found, where)))
        for weight, values in player.named_parameters():
            if values.requires_grad:
                where = f"the gradient of the {name}'s {weight}"
                look = partial(_look_at_gradient, found, where)
                handles.append(values.register_post_accumulate_grad_hook(look))  # type: ignore[no-untyped-call]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _by_name(players: Players) -> list[tuple[str, nn.Module]]:
    return [("generator", players.generator.network), ("discriminator", players.discriminator.network)]


def _look_at_output(found: list[str], where: str, module: nn.Module, inputs: Any, output: Any) -> None:
    if isinstance(output, Tensor) and not bool(output.isfinite().all()):
        found.append(where)


def _look_at_gradient(found: list[str], where: str, weight: Tensor) -> None:
    if weight.grad is not None and not bool(weight.grad.isfinite().all()):
        found.append(where)
