"""What a user holds after training: a generator that can be loaded, sampled and saved."""

import dataclasses
import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pydantic
import safetensors
import safetensors.torch
import torch
from pydantic import Field
from torch import Tensor, nn

from zerosum import catalog, randomness
from zerosum.data.pixels import to_uint8
from zerosum.engine import Engine, Precision
from zerosum.errors import InputError, did_you_mean
from zerosum.networks import Networks
from zerosum.record import RunFolder, write_atomically

CHUNK = 64
FORMAT = "zerosum generator 1"


def _of_images_or_points(shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) not in (1, 3):
        raise ValueError("it must be of 1 or 3 numbers")
    return shape


@pydantic.dataclasses.dataclass(frozen=True)
class Header:
    """What a saved generator is rebuilt from, as the file says it."""

    networks: Annotated[Networks, catalog.Choice(Networks)]
    shape: Annotated[
        tuple[Annotated[int, Field(ge=1, strict=True)], ...], pydantic.AfterValidator(_of_images_or_points)
    ]
    classes: dict[str, Annotated[int, Field(ge=0, strict=True)]]
    precision: Precision = "float32"


@dataclass(frozen=True, eq=False)
class GAN:
    """A trained generator.

    Attributes:
        generator: the averaged network, in evaluation mode.
        networks: the family it comes from.
        shape: of one sample, (C, H, W) or (d,).
        classes: the names of the classes and how often each was seen; empty if the generator is not told classes.
        engine: where it is executed.
        about: the recipe and whatever else was saved with it, JSON-able.
    """

    generator: nn.Module
    networks: Networks
    shape: tuple[int, ...]
    classes: dict[str, int]
    engine: Engine
    about: dict[str, Any]

    def __repr__(self) -> str:
        """One line: the network and the recipe are attributes."""
        told = f", classes {', '.join(self.classes)}" if self.classes else ""
        size = sum(each.numel() for each in self.generator.parameters())
        return f"<GAN {catalog.name_of(self.networks)}, {size:,} weights, samples of {list(self.shape)}{told}>"

    def sample(self, n: int, seed: int = 0, label: str | int | None = None) -> Tensor:
        """`n` samples: uint8 [n, C, H, W] for images, float32 [n, d] for points, on the CPU.

        The first samples of a seed are the same whatever `n`. A conditional generator draws each class as often as it
        was seen in training, or makes only samples of the class called `label`.

        Raises:
            InputError: `n` is not positive, or there is no such class.
        """
        return torch.cat(list(self.batches(n, seed, label)))

    def batches(self, n: int, seed: int = 0, label: str | int | None = None) -> Iterator[Tensor]:
        """The same `n` samples, at most CHUNK at a time, so that memory does not grow with `n`.

        Raises:
            InputError: `n` is not positive, or there is no such class; when the first of them is asked for.
        """
        if n < 1:
            raise InputError(f"cannot make {n} samples: ask for at least 1")
        for chunk, samples in enumerate(self._chunks(n, seed, label, lambda codes: self._finish(self.forward(codes)))):
            yield samples[: n - chunk * CHUNK]

    def interpolate(self, n: int, steps: int, seed: int = 0, label: str | int | None = None) -> Tensor:
        """`n` journeys of `steps` samples from one latent to another, journey after journey: [n * steps, ...].

        Normal latents travel along great circles, uniform ones on straight lines, and binary ones jump half-way; the
        class stays that of the start.

        Raises:
            InputError: `n` is not positive, `steps` is less than 2, or there is no such class.
        """
        if n < 1 or steps < 2:
            raise InputError(f"cannot make {n} journeys of {steps} steps: ask for at least 1 of at least 2")
        ends = torch.cat(list(self.codes(2 * n, seed, label)))[: 2 * n]
        latents, classes = ends[:, : self.networks.latent], ends[0::2, None, self.networks.latent :]
        travel = great_circle if self.networks.prior == "normal" else straight_line
        journeys = self.networks.tossed(travel(latents[0::2], latents[1::2], steps))
        codes = torch.cat([journeys, classes.expand(-1, steps, -1)], dim=2).flatten(0, 1)
        with randomness.scope(seed, 0, "interpolate", device=self.engine.device):
            return torch.cat([self._finish(self.forward(chunk)) for chunk in torch.split(codes, CHUNK)])

    def codes(self, n: int, seed: int = 0, label: str | int | None = None) -> Iterator[Tensor]:
        """The generator's inputs [CHUNK, latent (+ classes)] for at least `n` samples, chunk by chunk."""
        return self._chunks(n, seed, label, lambda codes: codes)

    def _chunks(self, n: int, seed: int, label: str | int | None, make: Callable[[Tensor], Tensor]) -> Iterator[Tensor]:
        """What is made of the codes, chunk by chunk; each in a random scope that is left before the caller goes on."""
        shares = self._shares(label)
        for chunk in range((n + CHUNK - 1) // CHUNK):
            with randomness.scope(seed, chunk, "sample", device=self.engine.device):
                labels = None if shares is None else torch.multinomial(shares, CHUNK, replacement=True)
                made = make(self.networks.draw_codes(CHUNK, self.engine.device, labels, len(self.classes)))
            yield made

    def _shares(self, label: str | int | None) -> Tensor | None:
        """How often each class should be drawn, as weights."""
        if label is None and not self.classes:
            return None
        names = list(self.classes)
        if label is None:
            return torch.tensor(list(self.classes.values()), dtype=torch.float32, device=self.engine.device)
        if not names:
            raise InputError(f"cannot make samples of class {str(label)!r}: the generator was trained without labels")
        if str(label) not in names:
            raise InputError(f"no class is called {str(label)!r}: {did_you_mean(str(label), names)}")
        return torch.tensor([float(name == str(label)) for name in names], device=self.engine.device)

    @torch.no_grad()
    def forward(self, codes: Tensor) -> Tensor:
        """Codes [N, latent (+ classes)] to samples as the players see them, in [-1, 1] if images."""
        return self.engine.samples(self.generator, codes)

    def _finish(self, samples: Tensor) -> Tensor:
        return (to_uint8(samples) if len(self.shape) == 3 else samples).cpu()

    def save(self, path: Path) -> None:
        """Write the generator with its description in the header: the file that people share."""
        about = {
            **self.about,
            "format": FORMAT,
            "networks": catalog.encode(self.networks),
            "shape": self.shape,
            "classes": self.classes,
        }
        tensors = {name: tensor.cpu().contiguous() for name, tensor in self.generator.state_dict().items()}
        write_atomically(path, safetensors.torch.save(tensors, {"zerosum": json.dumps(about)}))


def straight_line(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Points [n, steps, d] at equal distances from each row of `start` [n, d] to that of `end`, both included."""
    share = torch.linspace(0, 1, steps, device=start.device)[:, None]
    return start[:, None] + (end - start)[:, None] * share


def great_circle(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """The same by equal angles about the origin, with the length changing evenly (White 2016, section 2.1).

    In many dimensions nearly all of a normal distribution lies on a shell that a straight line cuts short.
    """
    lengths = start.norm(dim=1, keepdim=True), end.norm(dim=1, keepdim=True)
    angle = ((start / lengths[0]) * (end / lengths[1])).sum(1).clamp(-1 + 1e-6, 1 - 1e-6).acos()[:, None, None]
    share = torch.linspace(0, 1, steps, device=start.device)[:, None]
    directions = ((1 - share) * angle).sin() * (start / lengths[0])[:, None]
    directions = (directions + (share * angle).sin() * (end / lengths[1])[:, None]) / angle.sin()
    points: Tensor = directions * straight_line(*lengths, steps)
    return points


def load(path: str | Path, device: str = "auto") -> GAN:
    """Load a generator from a run folder or a `generator.safetensors`. Loading cannot run code from the file.

    Raises:
        InputError: there is none, it is damaged, or zerosum did not write it.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        folder = RunFolder.open(path)
        path = folder.generator
        if not path.exists():
            best = f"; its best one so far is {folder.best}" if folder.best.exists() else ""
            resume = f"'zerosum resume {shlex.quote(str(folder.path))}'"
            raise InputError(f"{folder.path} has no generator yet: finish it with {resume}{best}")
    if not path.exists():
        raise InputError(f"no run and no generator at {path}: no such file or folder")
    about, tensors = _read(path)
    header = _header(path, about)
    networks = header.networks
    generator, _ = networks.pair(header.shape, len(header.classes), seed=0)
    try:
        generator.load_state_dict(tensors)
    except RuntimeError as error:
        raise InputError(
            f"{path}: the weights do not fit the networks it names, {catalog.name_of(networks)}: "
            f"{str(error).split(chr(10))[-1].strip()}"
        ) from None
    engine = Engine.choose(device, header.precision)
    return GAN(engine.place(generator).eval(), networks, header.shape, header.classes, engine, about)


def _header(path: Path, about: dict[str, Any]) -> Header:
    known = {field.name: about[field.name] for field in dataclasses.fields(Header) if field.name in about}
    try:
        if missing := [name for name in ("networks", "shape", "classes") if name not in known]:
            raise InputError(f"it lacks {', '.join(missing)}")
        return catalog.build(Header, known)
    except InputError as error:
        named = known.get("networks")
        name = named.get("name") if isinstance(named, dict) else named
        if isinstance(name, str) and name not in catalog.known(Networks):
            raise InputError(f"{path}: {error}; if they are a program's own, it has to import them first") from None
        raise InputError(f"{path}: its header is damaged: {error}") from None


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
    except (OSError, safetensors.SafetensorError) as error:
        raise InputError(f"{path} cannot be read as safetensors: {error}") from None
    try:
        about = json.loads(metadata.get("zerosum", "{}"))
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise InputError(f"{path} is not a generator written by zerosum")
    return about, tensors
