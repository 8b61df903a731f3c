"""What each kind of layer takes in each precision and memory format: the table behind the engine's candidates.

Usage: python benchmarks/layers.py [THREADS]

Each layer is timed forwards, and forwards and backwards (gradients of its input and of its weights), as players run it:
the parameters stay in float32 and are cast under autocast. Rounds are interleaved. Results: results/layers.json.
"""

import statistics
import sys
import time
from collections.abc import Callable
from itertools import product
from typing import Any

import torch
from protocol import write
from torch import Tensor, nn

ROUNDS, SECONDS = 7, 0.05
PRECISIONS = ("float32", "bfloat16")
FORMATS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}
LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "3x3, 32 to 32 channels, 32x32 pixels, batch 16": (lambda: nn.Conv2d(32, 32, 3, padding=1), (16, 32, 32, 32)),
    "3x3, 128 to 128 channels, 8x8 pixels, batch 16": (lambda: nn.Conv2d(128, 128, 3, padding=1), (16, 128, 8, 8)),
    "3x3, 256 to 256 channels, 4x4 pixels, batch 16": (lambda: nn.Conv2d(256, 256, 3, padding=1), (16, 256, 4, 4)),
    "3x3, 256 to 256 channels, 4x4 pixels, batch 64": (lambda: nn.Conv2d(256, 256, 3, padding=1), (64, 256, 4, 4)),
    "4x4 of stride 2, 64 to 128 channels, 16x16 pixels, batch 64": (
        lambda: nn.Conv2d(64, 128, 4, stride=2, padding=1),
        (64, 64, 16, 16),
    ),
    "transposed 4x4 of stride 2, 128 to 64 channels, 8x8 pixels, batch 64": (
        lambda: nn.ConvTranspose2d(128, 64, 4, stride=2, padding=1),
        (64, 128, 8, 8),
    ),
    "first layer: 4x4 of stride 2, 3 to 64 channels, 64x64 pixels, batch 64": (
        lambda: nn.Conv2d(3, 64, 4, stride=2, padding=1),
        (64, 3, 64, 64),
    ),
    "first layer on folded pixels: 3x3, 12 to 32 channels, 32x32 pixels, batch 16": (
        lambda: nn.Conv2d(12, 32, 3, padding=1),
        (16, 12, 32, 32),
    ),
    "1x1, 16 to 96 channels, 32x32 pixels, batch 16": (lambda: nn.Conv2d(16, 96, 1), (16, 16, 32, 32)),
    "1x1, 192 to 1,152 channels, 2x2 pixels, batch 16": (lambda: nn.Conv2d(192, 1152, 1), (16, 192, 2, 2)),
    "depthwise 3x3, 144 channels, 16x16 pixels, batch 16": (
        lambda: nn.Conv2d(144, 144, 3, padding=1, groups=144),
        (16, 144, 16, 16),
    ),
    "depthwise 3x3 of stride 2, 96 channels, 32x32 pixels, batch 16": (
        lambda: nn.Conv2d(96, 96, 3, stride=2, padding=1, groups=96),
        (16, 96, 32, 32),
    ),
    "depthwise 5x5, 672 channels, 4x4 pixels, batch 16": (
        lambda: nn.Conv2d(672, 672, 5, padding=2, groups=672),
        (16, 672, 4, 4),
    ),
    "batch normalisation, 64 channels, 16x16 pixels, batch 64": (lambda: nn.BatchNorm2d(64), (64, 64, 16, 16)),
    "linear, 1,200 to 1,200, batch 100": (lambda: nn.Linear(1200, 1200), (100, 1200)),
    "linear, 784 to 256, batch 64": (lambda: nn.Linear(784, 256), (64, 784)),
}


class Trial:
    """One layer in one precision and format."""

    def __init__(self, build: Callable[[], nn.Module], shape: tuple[int, ...], precision: str, layout: str) -> None:
        """Build the layer and an input."""
        image = len(shape) == 4
        memory_format = FORMATS[layout] if image else torch.preserve_format
        torch.manual_seed(0)
        self.layer = build().to(memory_format=memory_format)  # type: ignore[call-overload]
        dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        self.bfloat16 = precision == "bfloat16"
        self.input = torch.randn(shape).to(dtype=dtype, memory_format=memory_format).requires_grad_()
        self.times: dict[str, list[float]] = {"forward": [], "both": []}

    def forward(self) -> Tensor:
        """Run the layer."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            output: Tensor = self.layer(self.input)
        return output

    def both(self) -> None:
        """Run the layer and differentiate it."""
        output = self.forward()
        torch.autograd.grad(output, [self.input, *self.layer.parameters()], torch.ones_like(output))

    def play_round(self, keep: bool) -> None:
        """Time both for a while each."""
        with torch.no_grad():
            forward = time_one(self.forward)
        both = time_one(self.both)
        if keep:
            self.times["forward"].append(forward)
            self.times["both"].append(both)

    def describe(self) -> dict[str, float]:
        """Return milliseconds."""
        return {name: round(1000 * statistics.median(each), 3) for name, each in self.times.items()}


def time_one(act: Callable[[], Any]) -> float:
    """Return how many seconds `act` takes, a mean."""
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        act()
        count += 1
    return (time.perf_counter() - began) / count


def main(threads: int = 1) -> None:
    """Measure every layer."""
    torch.set_num_threads(threads)
    table = {}
    for name, (build, shape) in LAYERS.items():
        layouts = list(FORMATS) if len(shape) == 4 else ["channels first"]
        trials = {(p, f): Trial(build, shape, p, f) for p, f in product(PRECISIONS, layouts)}
        for round_number in range(ROUNDS + 1):
            for trial in trials.values():
                trial.play_round(keep=round_number > 0)
        table[name] = {", ".join(key[: 1 + (len(shape) == 4)]): trial.describe() for key, trial in trials.items()}
        print(name, table[name], flush=True)
    write("layers", f"{ROUNDS} interleaved rounds, median milliseconds of one pass, {threads} thread(s)", table)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
