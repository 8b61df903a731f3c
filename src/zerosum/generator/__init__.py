"""The trained generator: what a user loads (`loading.py`), samples from and saves."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from zerosum import catalog, randomness
from zerosum.atomic import write_atomically
from zerosum.data import to_uint8
from zerosum.errors import InputError, did_you_mean
from zerosum.game.engine import Engine
from zerosum.generator.interpolation import lerp, slerp
from zerosum.networks import Networks

CHUNK = 64
FORMAT = "zerosum generator 1"


@dataclass(frozen=True, eq=False)
class TrainedGenerator:
    """A trained generator.

    Attributes:
        network: the averaged network, in evaluation mode.
        networks: the family it comes from.
        shape: of one sample, (C, H, W) or (d,).
        classes: the names of the classes and how often each was seen; empty if the generator is not told classes.
        engine: where and how it is executed.
        metadata: the recipe and whatever else was saved with it, JSON-able.
    """

    network: nn.Module
    networks: Networks
    shape: tuple[int, ...]
    classes: dict[str, int]
    engine: Engine
    metadata: dict[str, Any]

    def __repr__(self) -> str:
        """Describe it in one line; the network and the recipe are attributes."""
        classes = f", classes {', '.join(self.classes)}" if self.classes else ""
        name, size = catalog.name_of(self.networks), sum(each.numel() for each in self.network.parameters())
        return f"<TrainedGenerator {name}, {size:,} weights, samples of {list(self.shape)}{classes}>"

    @property
    def shown(self) -> tuple[int, ...] | None:
        """The channels that pictures show, if the recipe chose some."""
        shown = self.metadata.get("recipe", {}).get("data", {}).get("shown")
        return None if shown is None else tuple(shown)

    def sample(self, n: int, seed: int = 0, label: str | int | None = None, truncation: float | None = None) -> Tensor:
        """Draw `n` samples: uint8 [n, C, H, W] for images, float32 [n, d] for points, on the CPU.

        The first samples of a seed are the same whatever `n`. A conditional generator draws each class as often as it
        was seen in training, or makes only samples of the class called `label`. With `truncation`, a number above 0,
        latents stay near the middle of their distribution, which gives up variety for quality (`Networks.truncate`).

        Raises:
            InputError: `n` is not positive, there is no such class, or `truncation` has no meaning for the latents.
        """
        return torch.cat(list(self.sample_batches(n, seed, label, truncation)))

    def sample_labels(self, n: int, seed: int = 0) -> Tensor:
        """Return the classes of `sample(n, seed)`, numbers into `classes`: int64 [n], on the CPU.

        Raises:
            InputError: the generator was not told classes.
        """
        if not self.classes:
            raise InputError("the samples of this generator have no classes: it was trained without labels")
        latents = torch.cat(list(self.sample_latents(n, seed)))[:n]
        return latents[:, self.networks.latent :].argmax(1).cpu()

    def sample_batches(
        self, n: int, seed: int = 0, label: str | int | None = None, truncation: float | None = None
    ) -> Iterator[Tensor]:
        """Yield the samples of `sample`, at most CHUNK at a time, so that memory does not grow with `n`.

        Raises:
            InputError: as `sample`; when the first of them is asked for.
        """
        if n < 1:
            raise InputError(f"cannot make {n} samples: ask for at least 1")
        for chunk, samples in enumerate(self._map_latents(_chunks(n), seed, label, truncation, self.generate)):
            yield samples[: n - chunk * CHUNK]

    def sample_chunks(self, chunks: Iterable[int], seed: int = 0) -> Tensor:
        """Draw some of the samples of `sample`, CHUNK at a time: chunk c has those from number c * CHUNK on."""
        return torch.cat(list(self._map_latents(chunks, seed, None, None, self.generate)))

    def interpolate(
        self, n: int, steps: int, seed: int = 0, label: str | int | None = None, truncation: float | None = None
    ) -> Tensor:
        """Interpolate between `n` pairs of latents, each in `steps` samples: [n * steps, ...], pair after pair.

        Normal latents move along great circles, uniform ones on straight lines, and binary ones jump half-way; the
        class stays that of the start. With `truncation`, both ends are truncated.

        Raises:
            InputError: `n` is not positive, `steps` is less than 2, there is no such class, or `truncation` has no
                meaning for the latents.
        """
        return torch.cat(list(self.interpolate_batches(n, steps, seed, label, truncation)))

    def interpolate_batches(
        self, n: int, steps: int, seed: int = 0, label: str | int | None = None, truncation: float | None = None
    ) -> Iterator[Tensor]:
        """Yield the samples of `interpolate`, at most CHUNK at a time.

        Raises:
            InputError: as `interpolate`; when the first batch is asked for.
        """
        if n < 1 or steps < 2:
            raise InputError(f"cannot make {n} journeys of {steps} steps: ask for at least 1 of at least 2")
        ends = torch.cat(list(self.sample_latents(2 * n, seed, label, truncation)))[: 2 * n]
        starts, goals = ends[0::2], ends[1::2]
        classes = starts[:, self.networks.latent :]
        goals = torch.cat([goals[:, : self.networks.latent], classes], dim=1)
        yield from self._generate_along(self.connect(starts, goals, steps).flatten(0, 1), seed)

    def walk(
        self, points: int, steps: int, seed: int = 0, label: str | int | None = None, truncation: float | None = None
    ) -> Iterator[Tensor]:
        """Walk from one latent to the next through `points` of them and back to the first; yield samples in batches.

        Each leg has `steps` samples, the first of which is that of its start, so that the whole repeats without a
        seam: points * steps samples. The ways are those of `interpolate`, but the one-hot class is mixed on a straight
        line (Brock et al. 2019, figure 8).

        Raises:
            InputError: there are fewer than 2 `points`, `steps` is not positive, there is no such class, or
                `truncation` has no meaning for the latents; when the first batch is asked for.
        """
        if points < 2 or steps < 1:
            raise InputError(f"cannot walk through {points} points in {steps} steps each: ask for at least 2 and 1")
        stops = torch.cat(list(self.sample_latents(points, seed, label, truncation)))[:points]
        legs = self.connect(stops, stops.roll(-1, 0), steps + 1)
        yield from self._generate_along(legs[:, :-1].flatten(0, 1), seed)

    def connect(self, starts: Tensor, goals: Tensor, steps: int) -> Tensor:
        """Interpolate from each row of latents (and class) to that of `goals`, both included: [n, steps, inputs].

        Normal latents move along great circles, uniform ones and the class on straight lines; binary ones jump.
        """
        latent = self.networks.latent
        interpolate = slerp if self.networks.prior == "normal" else lerp
        ways = self.networks.binarize(interpolate(starts[:, :latent], goals[:, :latent], steps))
        return torch.cat([ways, lerp(starts[:, latent:], goals[:, latent:], steps)], dim=2)

    def _generate_along(self, latents: Tensor, seed: int) -> Iterator[Tensor]:
        """Map latents in their order, CHUNK at a time, each in a random scope that is left before the yield."""
        for number, chunk in enumerate(torch.split(latents, CHUNK)):
            with randomness.scope(seed, number, "interpolate", device=self.engine.device):
                samples = self.generate(chunk)
            yield samples

    def sample_latents(
        self, n: int, seed: int = 0, label: str | int | None = None, truncation: float | None = None
    ) -> Iterator[Tensor]:
        """Yield the latents [CHUNK, latent (+ classes)] of `sample`, chunk by chunk, at least `n` of them."""
        return self._map_latents(_chunks(n), seed, label, truncation, lambda latents: latents)

    def check_request(self, label: str | int | None, truncation: float | None) -> None:
        """Refuse a class or a truncation that this generator cannot serve, before any work.

        Raises:
            InputError: there is no such class, or `truncation` has no meaning for the latents.
        """
        self._class_weights(label)
        if truncation is not None:
            self.networks.check_truncation(truncation)

    def _map_latents(
        self,
        chunks: Iterable[int],
        seed: int,
        label: str | int | None,
        truncation: float | None,
        function: Callable[[Tensor], Tensor],
    ) -> Iterator[Tensor]:
        """Apply `function` to the latents of each chunk, in a random scope that is left before the yield."""
        self.check_request(label, truncation)
        weights = self._class_weights(label)
        for chunk in chunks:
            with randomness.scope(seed, chunk, "sample", device=self.engine.device):
                labels = None if weights is None else torch.multinomial(weights, CHUNK, replacement=True)
                latents = self.networks.sample_latents(CHUNK, self.engine.device, labels, len(self.classes), truncation)
                result = function(latents)
            yield result

    def _class_weights(self, label: str | int | None) -> Tensor | None:
        """Return how often each class should be drawn, as weights [classes]; None if the generator has no classes."""
        if label is None and not self.classes:
            return None
        names = list(self.classes)
        if label is None:
            return torch.tensor(list(self.classes.values()), dtype=torch.float32, device=self.engine.device)
        if not names:
            raise InputError(f"cannot make samples of class {str(label)!r}: the generator was trained without labels")
        if str(label) not in names:
            raise InputError(f"unknown class {str(label)!r}: {did_you_mean(str(label), names)}")
        return torch.tensor([float(name == str(label)) for name in names], device=self.engine.device)

    @torch.no_grad()
    def generate(self, latents: Tensor) -> Tensor:
        """Map latents [N, latent (+ classes)] to samples: uint8 if images, else float32, on the CPU."""
        samples = self.engine.generate(self.network, latents)
        return (to_uint8(samples) if len(self.shape) == 3 else samples).cpu()

    def save(self, path: Path) -> None:
        """Write the weights to a safetensors file, with the metadata in its header: the file that people share."""
        write_atomically(path, self.encode())

    def encode(self) -> bytes:
        """Return the content of the file that `save` writes."""
        metadata = {
            **self.metadata,
            "format": FORMAT,
            "networks": catalog.encode(self.networks),
            "shape": self.shape,
            "classes": self.classes,
        }
        tensors = {name: tensor.cpu().contiguous() for name, tensor in self.network.state_dict().items()}
        return safetensors.torch.save(tensors, {"zerosum": json.dumps(metadata)})


def _chunks(n: int) -> range:
    """Return the numbers of the chunks that `n` samples lie in."""
    return range((n + CHUNK - 1) // CHUNK)
