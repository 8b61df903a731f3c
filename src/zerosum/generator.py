"""The trained generator: what a user loads, samples from and saves."""

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
from zerosum.atomic import write_atomically
from zerosum.data import to_uint8
from zerosum.errors import InputError, did_you_mean
from zerosum.game.engine import Engine
from zerosum.networks import Networks
from zerosum.places import check_generator, fetch, find_shipped, hub_name
from zerosum.run_folder import RunFolder, enclosing_run
from zerosum.strangers import name_kind
from zerosum.types import Precision, Size

CHUNK = 64
FORMAT = "zerosum generator 1"


def _check_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) not in (1, 3):
        raise ValueError("it must be of 1 or 3 numbers")
    return shape


@pydantic.dataclasses.dataclass(frozen=True)
class Header:
    """What the file says of a saved generator, enough to build its network again."""

    networks: Annotated[Networks, catalog.Choice(Networks)]
    shape: Annotated[tuple[Size, ...], pydantic.AfterValidator(_check_shape)]
    classes: dict[str, Annotated[int, Field(ge=0, strict=True)]]
    precision: Precision = "float32"


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
        for chunk, samples in enumerate(self._map_latents(n, seed, label, truncation, self.generate)):
            yield samples[: n - chunk * CHUNK]

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
        return self._map_latents(n, seed, label, truncation, lambda latents: latents)

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
        n: int,
        seed: int,
        label: str | int | None,
        truncation: float | None,
        function: Callable[[Tensor], Tensor],
    ) -> Iterator[Tensor]:
        """Apply `function` to the latents chunk by chunk, each in a random scope that is left before the yield."""
        self.check_request(label, truncation)
        weights = self._class_weights(label)
        for chunk in range((n + CHUNK - 1) // CHUNK):
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


def lerp(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Interpolate linearly from each row of `start` [n, d] to that of `end`, both included: [n, steps, d]."""
    share = torch.linspace(0, 1, steps, device=start.device)[:, None]
    return start[:, None] + (end - start)[:, None] * share


def slerp(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Interpolate by equal angles about the origin, with the length changing evenly (White 2016, section 2.1).

    In many dimensions nearly all of a normal distribution lies on a shell that a straight line cuts short.
    """
    lengths = start.norm(dim=1, keepdim=True), end.norm(dim=1, keepdim=True)
    angle = ((start / lengths[0]) * (end / lengths[1])).sum(1).clamp(-1 + 1e-6, 1 - 1e-6).acos()[:, None, None]
    share = torch.linspace(0, 1, steps, device=start.device)[:, None]
    directions = ((1 - share) * angle).sin() * (start / lengths[0])[:, None]
    directions = (directions + (share * angle).sin() * (end / lengths[1])[:, None]) / angle.sin()
    points: Tensor = directions * lerp(*lengths, steps)
    return points


def load(path: str | Path, device: str = "auto") -> TrainedGenerator:
    """Load a generator from a run folder, a `generator.safetensors`, or `hub:OWNER/NAME` (the extra `hub`).

    Where no path has that name, `digits` and `ring` are the generators that ship with zerosum (`shipped/README.md`).
    Loading cannot run code from the file.

    Raises:
        InputError: there is no generator, it is damaged, or zerosum did not write it.
    """
    path = Path(path).expanduser()
    check_generator(path)
    if name := hub_name(path):
        path = fetch(name)
    path = find_shipped(path) or path
    if path.is_dir():
        folder = RunFolder.open(path)
        path = folder.generator
        if not path.exists():
            best = f"; its best one so far is {folder.best}" if folder.best.exists() else ""
            resume = f"'zerosum resume {shlex.quote(str(folder.path))}'"
            raise InputError(f"{folder.path} has no generator yet: finish it with {resume}{best}")
    metadata, tensors = read_generator(path)
    header = _parse_header(path, metadata)
    networks = header.networks
    if problem := _compare_weights(header, tensors):
        raise InputError(
            f"{path}: the weights do not fit the networks it names, {catalog.name_of(networks)}: {problem}"
        )
    network = networks.build_to_load(header.shape, len(header.classes))
    network.load_state_dict(tensors)
    engine = Engine.choose(device, header.precision)
    return TrainedGenerator(engine.place(network).eval(), networks, header.shape, header.classes, engine, metadata)


def _compare_weights(header: Header, tensors: dict[str, Tensor]) -> str:
    """Say in what the `tensors` differ from those of the generator that the header describes; empty if in nothing.

    No memory is taken for weights, however many the header claims.
    """
    with torch.device("meta"):
        expected = header.networks.build_to_load(header.shape, len(header.classes)).state_dict()
    for name in expected.keys() | tensors.keys():
        if name not in tensors or name not in expected:
            return f"{name} is {'missing' if name not in tensors else 'not one of theirs'}"
    for name, tensor in tensors.items():
        wanted = expected[name]
        if (tensor.shape, tensor.dtype) != (wanted.shape, wanted.dtype):
            found, wanted_shape = list(tensor.shape), list(wanted.shape)
            return f"{name} is {tensor.dtype} of {found} and not {wanted.dtype} of {wanted_shape}"
    return ""


def _parse_header(path: Path, metadata: dict[str, Any]) -> Header:
    """Build the networks and the rest that `metadata`, from the file at `path`, describes."""
    known = {field.name: metadata[field.name] for field in dataclasses.fields(Header) if field.name in metadata}
    try:
        if missing := [name for name in ("networks", "shape", "classes") if name not in known]:
            raise InputError(f"it lacks {', '.join(missing)}")
        header = catalog.build(Header, known)
        if header.networks.conditional != bool(header.classes):
            raise InputError(f"networks.condition={header.networks.condition} with {len(header.classes)} classes")
        return header
    except InputError as error:
        named = known.get("networks")
        name = named.get("name") if isinstance(named, dict) else named
        if isinstance(name, str) and name not in catalog.known(Networks):
            raise InputError(f"{path}: {error}; if they are a program's own, it has to import them first") from None
        raise InputError(f"{path}: its header is damaged: {error}") from None


def read_generator(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read the metadata and the tensors of a generator's file.

    Raises:
        InputError: there is none, it is damaged, or it is something else; the message says what to give instead.
    """
    if not path.exists():
        raise InputError(f"no run and no generator at {path}: no such file or folder")
    if kind := name_kind(path):
        raise InputError(f"{path} is {kind}: give {_instead(path)}")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
    except (OSError, safetensors.SafetensorError) as error:
        raise InputError(f"{path} cannot be read as safetensors: {error}; {_explain_unread(path)}") from None
    try:
        metadata = json.loads(header.get("zerosum", "{}"))
    except (ValueError, RecursionError):
        metadata = None
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise InputError(f"{path} is not a generator written by zerosum: give {_instead(path)}")
    return metadata, tensors


def _explain_unread(path: Path) -> str:
    """Say what to give instead of `path`: a damaged one if it is a run's generator, else something else altogether."""
    if enclosing_run(path) is None or path.suffix != ".safetensors":
        return f"give {_instead(path)}"
    others = sorted(each for each in path.parent.glob("*.safetensors") if each != path)
    return f"it is damaged{f', and beside it lies {others[0]}' if others else ''}"


def _instead(path: Path) -> str:
    """Say what to give instead of the file at `path`, which is no generator."""
    run = enclosing_run(path)
    return "a run's folder or its generator.safetensors" if run is None else f"the run that it lies in, {run}"
