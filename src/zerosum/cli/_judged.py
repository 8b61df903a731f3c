"""What `evaluate` judges: a generator's samples, or images that something else made; and what it judges by."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from zerosum import catalog, gan, recipes, samples
from zerosum.cli._data import tell_files
from zerosum.cli._progress import shown
from zerosum.data import Progress, Source, absolute, open_source
from zerosum.data.preparation import Preparation
from zerosum.engine import Engine
from zerosum.errors import InputError, did_you_mean
from zerosum.gan import GAN
from zerosum.metrics import Metric, Reference
from zerosum.metrics.evaluation import Evaluation, sample_count
from zerosum.metrics.features import Request, inception
from zerosum.record import Line, RunFolder

LEAST = 2
SMALLEST_SIDE = 8  # to which photos are brought
ELSEWHERE = {
    "fid": "the Fréchet distance in Inception's features: --metric frechet-distance --features inception",
    "kid": "the kernel distance in Inception's features: --metric kernel-distance --features inception",
    "is": "the Inception score: --metric inception-score --features inception",
    "precision": "measured with recall, density and coverage: --metric neighbours",
    "recall": "measured with precision, density and coverage: --metric neighbours",
}


@dataclass(frozen=True, eq=False)
class Judged:
    """One thing to be judged.

    Attributes:
        name: as the user typed it.
        made: a generator, or samples that are there already.
        run: what `run.json` says, of a run or a generator in its folder.
    """

    name: str
    made: GAN | Tensor
    run: Line | None = None

    @classmethod
    def open(cls, name: str, size: str | None, device: str, console: Console) -> "Judged":
        """What the user named: a run, a generator, or images.

        Raises:
            InputError: it is none of them, or cannot be used.
        """
        path = Path(name).expanduser()
        if (path / "run.json").exists():
            loaded, run = gan.load(path, device), RunFolder.open(path).describe()
            if loaded.about["step"] < run["steps"]:
                console.print(f"{name}: after {loaded.about['step']:,} of {run['steps']:,} iterations", soft_wrap=True)
            return cls(name, loaded, run)
        if path.suffix == ".safetensors":
            return cls(name, gan.load(path, device), _run_of(path))
        if not path.exists():
            raise InputError(f"no run and no images at {name}: no such file or folder")
        with shown(f"opening {name}", console) as progress:
            source = samples.load(name, size, progress)
        made = torch.cat([source.train.samples, source.test.samples])
        if len(made) < LEAST:
            raise InputError(f"{name} holds {len(made)} sample: at least {LEAST} are needed for a score")
        if source.files is not None and len(made) < source.files.read_bytes().count(b"\n"):
            tell_files(source, console)
        return cls(name, made)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""
        return tuple(self.made.shape[1:]) if isinstance(self.made, Tensor) else self.made.shape

    def samples(self, count: int | None, source: Source, seed: int) -> Tensor:
        """`count` samples: generated, or a random part of those that are there.

        Raises:
            InputError: there are fewer.
        """
        if not isinstance(self.made, Tensor):
            return self.made.sample(count or sample_count(source), seed)
        if count is None:
            return self.made
        if count > len(self.made):
            raise InputError(f"{self.name} has {len(self.made):,} samples, not the {count:,} that were asked for")
        rows = np.ascontiguousarray(self.made.numpy()).reshape(len(self.made), -1)
        drawn = [hashlib.blake2b(b"%d " % seed + row.tobytes()).digest() for row in rows]  # whatever the order
        return self.made[sorted(range(len(drawn)), key=drawn.__getitem__)[:count]]

    def fitted(self, shape: tuple[int, ...]) -> "Judged":
        """Gray images as colour ones, or colour ones without colour as gray ones, where data of `shape` ask for it."""
        if isinstance(self.made, Tensor) and len(shape) == len(self.shape) == 3:
            colour = self.made.expand(-1, 3, -1, -1) if self.shape[0] == 1 else self.made
            if shape[0] == 3:
                return replace(self, made=colour)
            if shape[0] == 1 and self.shape[0] == 3 and bool((self.made == self.made[:, :1]).all()):
                return replace(self, made=self.made[:, :1])
        return self


def _run_of(generator: Path) -> Line | None:
    """What is known of the run in whose folder that file lies, if it lies in one."""
    try:
        return RunFolder.open(generator.parent).describe()
    except InputError:
        return None


def evaluation_for(
    judged: Sequence[Judged],
    source: Source,
    features: str,
    weights: Path | None,
    reference: str,
    device: str,
    *,
    download: bool,
    progress: Progress | None = None,
) -> Evaluation:
    """By what they are judged.

    Raises:
        InputError: they are of other shapes than the data, or the features cannot be had.
    """
    for each in judged:
        if each.shape != source.shape:
            raise InputError(
                f"{each.name} has samples of shape {list(each.shape)}, {source.name} of shape {list(source.shape)}: "
                "they cannot be compared"
            )
    wanted = "" if features == "auto" else features
    colour = source.is_images and source.shape[0] == 3
    present = inception.present() and source.stacked_from is None  # whose modes only their own classifier tells
    if features == "auto" and colour and (weights is not None or download or present):
        wanted = "inception"
    request = Request(wanted, weights, download, Engine.choose(device).device, progress)
    chosen: Reference = "test" if reference == "test" else "train" if reference == "train" else "all"
    return Evaluation.of(source, request, chosen)


def source_for(judged: Sequence[Judged], against: str | None, progress: Progress | None) -> Source:
    """The real data: those named, images prepared as those judged are, else those of the first run.

    Raises:
        InputError: nothing says which data, or they cannot be used.
    """
    if against is None:
        run = next((each.run for each in judged if each.run is not None), None)
        if run is None:
            raise InputError("say which real data to compare with: --against DATA")
        source = open_source(run["data"], recipes.from_json(run["recipe"]).data, progress, noted=True)
        if source.fingerprint != run["fingerprint"]:
            raise InputError(
                f"the data at {run['data']} have changed since the run began, and its test samples may be others: say "
                "which real data to compare with: --against DATA"
            )
        return source
    same = (each.run for each in judged if each.run is not None and each.run["data"] == absolute(against))
    run = next(same, None)
    if run is not None:
        return open_source(against, recipes.from_json(run["recipe"]).data, progress)
    shape = judged[0].shape
    if len(shape) != 3 or min(shape[1:]) < SMALLEST_SIDE:
        return open_source(against, progress=progress)
    channels = shape[0] if shape[0] in (1, 3) else None
    values = {"size": (shape[1], shape[2]), "channels": channels}
    return open_source(against, catalog.build(Preparation, values), progress)


def metric_named(name: str) -> Metric:
    """The metric whose name or whose class's name this is.

    Raises:
        InputError: there is none.
    """
    known = catalog.choices(Metric)
    for called, cls in known.items():
        if name.lower() in (called, called.replace("-", "")):
            return cls()
    if name.lower() in ELSEWHERE:
        raise InputError(f"{name} is {ELSEWHERE[name.lower()]}")
    raise InputError(f"there is no metric {name!r} ({did_you_mean(name, known)})")
