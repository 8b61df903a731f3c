"""Choose how a recipe is executed here, and learn how long an iteration takes: games that are thrown away."""

import math
import time
from dataclasses import dataclass, replace
from itertools import islice, product

import torch

from zerosum.data import Source
from zerosum.game.algorithm import Iteration, play
from zerosum.game.engine import Engine, count_threads, multiplies_bfloat16
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe

WORTH = 60.0  # seconds of training for which engines are compared; for less, the usual one is taken
ROUNDS, ROUND_SECONDS = 2, 0.1  # of each engine, in turn
GAIN = 1.05  # times as fast as the usual engine, to be taken instead
AGREE = 0.05  # of the usual engine's first losses, plus one


@dataclass(frozen=True)
class Timing:
    """What an iteration of the recipe took on one engine, as `run.json` keeps it.

    Attributes:
        precision: of the engine.
        threads: of the engine.
        milliseconds: an iteration in the fastest round.
        agrees: whether the first iteration's losses are those of the usual engine, within 5% of one plus theirs.
    """

    precision: str
    threads: int
    milliseconds: float
    agrees: bool

    def describe(self) -> str:
        """Return it in words."""
        otherwise = "" if self.agrees else ", with other losses"
        return (
            f"{self.precision} with {count_threads(self.threads)}: {self.milliseconds:.3g} ms an iteration{otherwise}"
        )


@dataclass(frozen=True)
class Probe:
    """What is known before a run begins.

    Attributes:
        engine: the one to train on.
        seconds: that an iteration takes on it.
        timings: what was compared, the usual engine first; empty if nothing was.
    """

    engine: Engine
    seconds: float
    timings: tuple[Timing, ...] = ()


class Trial:
    """A game on one engine that is played only for its speed."""

    def __init__(self, recipe: Recipe, source: Source, engine: Engine) -> None:
        """Play the first iteration, which allocates memory and chooses kernels: it takes longer than others."""
        self.engine = engine
        engine.use_threads()
        players = Players.build(recipe, source, engine, seed=0)
        self._iterations = play(players, recipe, source.train, steps=10**9, seed=0)
        began = time.monotonic()
        self.first = next(self._iterations)
        self.first.generator_loss.item()
        self.seconds = time.monotonic() - began

    def settle(self) -> "Trial":
        """Play another iteration and time a third, which is as fast as those that follow."""
        self._time(1)
        self.seconds = self._time(1)
        return self

    def play_round(self) -> None:
        """Play for a tenth of a second or one iteration, and keep the time of one if it is the shortest so far."""
        self.engine.use_threads()
        self.seconds = min(self.seconds, self._time(max(1, int(ROUND_SECONDS / max(self.seconds, 1e-6)))))

    def _time(self, count: int) -> float:
        """Return the seconds that each of `count` iterations takes; wait for the device at their end only."""
        began = time.monotonic()
        for iteration in islice(self._iterations, count):
            latest = iteration.generator_loss
        latest.item()
        return (time.monotonic() - began) / count


def probe(recipe: Recipe, source: Source, device: str, *, steps: int | None = None, lasts: float = math.inf) -> Probe:
    """Choose the fastest engine for `recipe` whose losses agree with the usual one's, and time an iteration on it.

    The usual one is what `Engine.choose` gives. Others are bfloat16 where the CPU multiplies it natively, and one
    thread, unless the recipe says which precision or how many threads. Runs of less than a minute are not worth the
    comparison. PyTorch's number of threads is afterwards that of the engine.

    Args:
        recipe: what is to be trained.
        source: the data to train on.
        device: where; see `Engine.choose`.
        steps: how many iterations the run will have; None if that follows from `lasts`.
        lasts: how many seconds it will take, if that is known.
    """
    usual = Engine.choose(device, recipe.precision, recipe.threads or torch.get_num_threads())
    trial = Trial(recipe, source, usual)
    if steps is not None and steps * trial.seconds < WORTH:
        return Probe(usual, trial.seconds)
    trial.settle()
    lasts = lasts if steps is None else steps * trial.seconds
    others = _list_others(usual, recipe) if lasts >= WORTH else []
    if not others:
        return Probe(usual, trial.seconds)
    trials = [trial, *(Trial(recipe, source, engine).settle() for engine in others)]
    for _ in range(ROUNDS):
        for each in trials:
            each.play_round()
    agreeing = [each for each in trials if _agree(each.first, trial.first)]
    best = min(agreeing, key=lambda each: each.seconds * (GAIN if each is not trial else 1))
    best.engine.use_threads()
    return Probe(best.engine, best.seconds, tuple(_describe(each, each in agreeing) for each in trials))


def _list_others(usual: Engine, recipe: Recipe) -> list[Engine]:
    """List the engines that may be faster than the usual one, which is on the same device."""
    if usual.device.type != "cpu":
        return []
    lower = recipe.precision == "auto" and multiplies_bfloat16(usual.device)
    precisions = (False, True) if lower else (usual.bfloat16,)
    threads = {usual.threads, 1} if recipe.threads is None else {usual.threads}
    engines = [replace(usual, bfloat16=each, threads=count) for each, count in product(precisions, threads)]
    return [engine for engine in engines if engine != usual]


def _agree(one: Iteration, other: Iteration) -> bool:
    losses = [(getattr(one, name), getattr(other, name)) for name in ("discriminator_loss", "generator_loss")]
    return all(bool((a - b).abs() <= AGREE * (1 + b.abs())) for a, b in losses)


def _describe(trial: Trial, agrees: bool) -> Timing:
    return Timing(trial.engine.precision, trial.engine.threads or 1, round(1000 * trial.seconds, 3), agrees)
