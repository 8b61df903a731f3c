"""What a recipe costs on this machine: an iteration part by part, beside what the machine can do."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from zerosum.data import Batch, Source, Split
from zerosum.game.algorithm import play
from zerosum.game.ema import EMA
from zerosum.game.engine import Engine
from zerosum.game.players import Player, Players
from zerosum.game.predictions import Prediction
from zerosum.game.recipe import Recipe

PEAK_SECONDS = 0.3  # for each of the two operations that the peak is measured with
SIDE, IMAGES, CHANNELS, PIXELS = 1024, 32, 256, 16  # of the matrices; of the convolution
WARM_UP = 3
TEXTBOOK_LR, TEXTBOOK_BETAS = 2e-4, (0.5, 0.999)
PARTS = (
    "data",
    "generator forward",
    "discriminator forward",
    "discriminator backward",
    "generator backward",
    "discriminator optimizer",
    "generator optimizer",
    "average",
    "rest",
)


@dataclass(frozen=True)
class Speed:
    """What an iteration takes.

    Attributes:
        engine: what it ran on.
        seconds: an iteration takes, timed without looking at its parts.
        parts: the seconds of each of `PARTS`, from iterations that were timed part by part.
        flops: floating-point operations of the matrix products and convolutions of an iteration.
        peak: operations a second that `measure_peak` reaches, in the same precision with the same threads.
        batch_size: real images shown in an iteration, all the discriminator's updates together.
    """

    engine: Engine
    seconds: float
    parts: dict[str, float]
    flops: int
    peak: float
    batch_size: int

    @property
    def images_per_second(self) -> float:
        """How many real images the discriminator is shown in a second."""
        return self.batch_size / self.seconds

    @property
    def share_of_peak(self) -> float:
        """The share of the peak that an iteration reaches."""
        return self.flops / self.seconds / self.peak

    @property
    def outside(self) -> float:
        """The share of an iteration that is neither of the players' passes nor their optimisers."""
        return sum(self.parts[name] for name in ("data", "average", "rest")) / sum(self.parts.values())


@dataclass
class Stopwatch:
    """Adds up what each part takes; on GPUs it waits for the device before and after."""

    device: torch.device
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 0.0))

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Add the time that the block takes to part `name`."""
        began = self.now()
        yield
        self.seconds[name] += self.now() - began

    def now(self) -> float:
        """Return the time when the device has done what was asked of it."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


@dataclass(frozen=True)
class TimedPlayer(Player):
    """A player whose backward pass and update are timed."""

    name: str = ""
    stopwatch: Stopwatch = field(default_factory=lambda: Stopwatch(torch.device("cpu")))

    def backward(self, loss: Tensor, *, retain_graph: bool = False) -> None:
        """Compute the gradient, timed."""
        with self.stopwatch.part(f"{self.name} backward"):
            super().backward(loss, retain_graph=retain_graph)

    def apply_gradients(self, step: int, steps: int) -> None:
        """Move the parameters, timed."""
        with self.stopwatch.part(f"{self.name} optimizer"):
            super().apply_gradients(step, steps)


@dataclass(frozen=True)
class TimedPlayers(Players):
    """Players whose passes are timed."""

    stopwatch: Stopwatch = field(default_factory=lambda: Stopwatch(torch.device("cpu")))

    def real_batch(self, data: Split, size: int, number: int, seed: int) -> Batch:
        """Draw a minibatch, timed."""
        with self.stopwatch.part("data"):
            return super().real_batch(data, size, number, seed)

    def generate(self, labels: Tensor | None, count: int) -> Tensor:
        """Generate, timed."""
        with self.stopwatch.part("generator forward"):
            return super().generate(labels, count)

    def predict(self, samples: Tensor, labels: Tensor | None, done: float) -> Prediction:
        """Predict, timed."""
        with self.stopwatch.part("discriminator forward"):
            return super().predict(samples, labels, done)


def measure_speed(recipe: Recipe, source: Source, engine: Engine, seconds: float) -> Speed:
    """Play `recipe` on players that are thrown away: so many seconds as it is, and as many part by part."""
    engine.use_threads()
    players = Players.build(recipe, source, engine, seed=0)
    average = EMA(players.generator.network, recipe.ema_decay)
    flops = count_flops(players, recipe, source)
    stopwatch = Stopwatch(engine.device)
    each = _time(_play(players, average, recipe, source, None), stopwatch, seconds)
    timed = _add_timing(players, stopwatch)
    took = _time(_play(timed, average, recipe, source, stopwatch), stopwatch, seconds, forget=True)
    parts = {name: total / took.count for name, total in stopwatch.seconds.items()}
    parts["rest"] = max(0.0, took.seconds - sum(parts.values()))
    shown = recipe.batch_size * recipe.discriminator_steps
    return Speed(engine, each.seconds, parts, flops, measure_peak(engine), shown)


def measure_peak(engine: Engine) -> float:
    """Measure how many operations a second this machine reaches at best, in the engine's precision.

    The faster one of a product of matrices of 1,024 rows and of a 3x3 convolution of 32 images of 256 channels: on some
    CPUs, the library that multiplies matrices uses shorter vectors than the one for convolutions.
    """
    dtype = torch.bfloat16 if engine.bfloat16 else torch.float32
    one, other = (torch.randn(SIDE, SIDE, device=engine.device).to(dtype) for _ in range(2))
    images, weights = torch.randn(IMAGES, CHANNELS, PIXELS, PIXELS), torch.randn(CHANNELS, CHANNELS, 3, 3)
    images, weights = (
        each.to(device=engine.device, dtype=dtype, memory_format=torch.channels_last) for each in (images, weights)
    )
    product = _time_fastest(lambda: one @ other, engine)
    convolution = _time_fastest(lambda: F.conv2d(images, weights, padding=1), engine)
    return max(2 * SIDE**3 / product, 2 * 9 * IMAGES * (CHANNELS * PIXELS) ** 2 / convolution)


def _time_fastest(operation: Callable[[], Tensor], engine: Engine) -> float:
    stopwatch = Stopwatch(engine.device)
    fastest, end = float("inf"), time.perf_counter() + PEAK_SECONDS
    while time.perf_counter() < end:
        began = stopwatch.now()
        operation()
        fastest = min(fastest, stopwatch.now() - began)
    return fastest


def play_textbook(
    generator: nn.Module, discriminator: nn.Module, latent: int, batches: Iterator[Tensor]
) -> Iterator[float]:
    """Play as tutorials do, in float32: D on real and on fake, then G, and both losses read in each iteration.

    It is PyTorch's DCGAN example in outline: binary cross-entropy of probabilities, Adam 2e-4 with beta1 0.5, gradients
    of G's loss for D's weights too, which nobody uses. Yields G's loss after each iteration.
    """
    optimizer_g = torch.optim.Adam(generator.parameters(), TEXTBOOK_LR, TEXTBOOK_BETAS)
    optimizer_d = torch.optim.Adam(discriminator.parameters(), TEXTBOOK_LR, TEXTBOOK_BETAS)
    for real in batches:
        ones, zeros = torch.ones(len(real)), torch.zeros(len(real))
        discriminator.zero_grad()
        loss_real = F.binary_cross_entropy(discriminator(real).sigmoid(), ones)
        loss_real.backward()  # type: ignore[no-untyped-call]
        fake = generator(torch.randn(len(real), latent))
        loss_fake = F.binary_cross_entropy(discriminator(fake.detach()).sigmoid(), zeros)
        loss_fake.backward()  # type: ignore[no-untyped-call]
        optimizer_d.step()
        generator.zero_grad()
        loss_g = F.binary_cross_entropy(discriminator(fake).sigmoid(), ones)
        loss_g.backward()  # type: ignore[no-untyped-call]
        optimizer_g.step()
        (loss_real + loss_fake).item()
        yield loss_g.item()


def time_textbook(recipe: Recipe, source: Source, threads: int, seconds: float) -> float:
    """Return how many real images a second the textbook's loop is shown, with the networks and batches of `recipe`.

    It has the samples in memory, as floats, and needs none of the recipe's other parts.
    """
    torch.set_num_threads(threads)
    networks = replace(recipe.networks, condition="none")
    generator, discriminator = networks.build_pair(source.shape, 0, seed=0)
    count = min(len(source.train), 64 * recipe.batch_size)
    samples = source.train.batch(torch.arange(count)).samples

    def batches() -> Iterator[Tensor]:
        while True:
            yield samples[torch.randint(count, (recipe.batch_size,))]

    loop = play_textbook(generator, discriminator, networks.latent, batches())
    return recipe.batch_size / _time(loop, Stopwatch(torch.device("cpu")), seconds).seconds


@dataclass(frozen=True)
class _Taken:
    seconds: float
    count: int


def _time(iterations: Iterator[Any], stopwatch: Stopwatch, seconds: float, *, forget: bool = False) -> _Taken:
    """Time whole iterations for about so many seconds, after three that warm up, whose parts are forgotten if asked."""
    for _ in islice(iterations, WARM_UP):
        pass
    if forget:
        stopwatch.seconds.update(dict.fromkeys(PARTS, 0.0))
    began, count = stopwatch.now(), 0
    while count == 0 or stopwatch.now() - began < seconds:
        next(iterations)
        count += 1
    return _Taken((stopwatch.now() - began) / count, count)


def _play(
    players: Players, average: EMA, recipe: Recipe, source: Source, stopwatch: Stopwatch | None
) -> Iterator[object]:
    """Play with the moving average, as a run does."""
    update: Callable[[int], None] = average.update
    for iteration in play(players, recipe, source.train, steps=10**9, seed=0):
        if stopwatch is None:
            update(iteration.step + 1)
        else:
            with stopwatch.part("average"):
                update(iteration.step + 1)
        yield iteration


def _add_timing(players: Players, stopwatch: Stopwatch) -> TimedPlayers:
    """Return the same players, timed."""

    def shallow(made: Player | Players) -> dict[str, Any]:
        return {each.name: getattr(made, each.name) for each in fields(made)}

    def timed(player: Player, name: str) -> TimedPlayer:
        return TimedPlayer(**shallow(player), name=name, stopwatch=stopwatch)

    shared = shallow(players)
    shared |= {name: timed(getattr(players, name), name) for name in ("generator", "discriminator")}
    return replace(TimedPlayers(**shared), stopwatch=stopwatch)


class _FlopCounter(TorchDispatchMode):
    """Counts the operations of matrix products and convolutions, in both directions.

    PyTorch's `FlopCounterMode` also follows the modules, with hooks that penalties on gradients break.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops: int = 0

    def __torch_dispatch__(
        self, operation: Any, types: Any, arguments: tuple[Any, ...] = (), options: dict[str, Any] | None = None
    ) -> Any:
        """Compute the operation, and add what it costs."""
        out = operation(*arguments, **(options or {}))
        if count := flop_registry.get(operation.overloadpacket):
            self.flops += count(*arguments, **(options or {}), out_val=out)
        return out


def count_flops(players: Players, recipe: Recipe, source: Source) -> int:
    """Count the operations of matrix products and convolutions of an iteration, a mean where penalties are rare."""
    iterations = max((each.every for each in recipe.regularizers), default=1)
    counter = _FlopCounter()
    with counter:
        for _ in islice(play(players, recipe, source.train, steps=10**9, seed=0), iterations):
            pass
    return counter.flops // iterations
