"""Scores in somebody else's training loop: batches come one by one, and `compute` scores what has come."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from numpy.typing import NDArray
from torch import Tensor, distributed

from zerosum import catalog
from zerosum.data import Source, Split
from zerosum.data.values import Range
from zerosum.errors import InputError
from zerosum.evaluation.options import EvaluationOptions
from zerosum.evaluation.pixels import PixelReader
from zerosum.evaluation.protocols import check_protocol
from zerosum.evaluation.refusals import find_metric
from zerosum.evaluation.statistics import check_for_statistics, choose_features, stand_in
from zerosum.game.engine import Engine
from zerosum.metrics import Metric, Score, score_named
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import FeatureExtractor, Request, open_features
from zerosum.metrics.features.given import GivenFeatures
from zerosum.metrics.moment_scores import MomentEvaluation
from zerosum.metrics.moments import Moments, read_moments
from zerosum.types import Shape

WAITING = 128  # images that are kept until their features are extracted together
Kind = Literal["real", "fake"]
Images = Tensor | NDArray[Any]


@dataclass(frozen=True)
class ScoreTable(Mapping[str, Score]):
    """Scores by the names of their figures, e.g. `table["frechet-distance"].value`."""

    scores: tuple[Score, ...]

    def __getitem__(self, name: str) -> Score:
        """Return the score of the figure `name`.

        Raises:
            KeyError: there is none.
        """
        if name not in (score.metric for score in self.scores):
            raise KeyError(name)
        return score_named(self.scores, name)

    def __iter__(self) -> Iterator[str]:
        return (score.metric for score in self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    def to_dict(self) -> dict[str, float]:
        """Return the values by their names, as loggers take them."""
        return {score.metric: score.value for score in self.scores}

    def to_records(self) -> list[dict[str, Any]]:
        """Return a plain mapping of all fields for each score: `pandas.DataFrame(table.to_records())`."""
        return [score.as_json() for score in self.scores]


@dataclass
class _Seen:
    """What came of one kind: images that wait, and the features of the others."""

    reader: PixelReader
    shape: Shape | None = None
    waiting: list[Tensor] = field(default_factory=list)
    features: list[Tensor] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(map(len, (*self.waiting, *self.features)))


class Scorer:
    """Scores batches of generated images against batches of real ones, in torchmetrics' manner.

    Features are kept on the CPU, float32, 4 N D bytes; images are not. So metrics that look at the images themselves
    cannot be measured here. The order of the images and of the batches does not matter, and under `torch.distributed`
    `compute`, which all processes call, gathers the features of all: on CPUs it returns what one process would, bit for
    bit, if it has as many threads.

        scorer = zerosum.Scorer()
        for photos in loader:
            scorer.update(real=photos, fake=generator(len(photos)))
        print(scorer.compute()["frechet-distance"].interval)
    """

    def __init__(
        self,
        against: str | Path | None = None,
        *,
        range: Range | None = None,  # noqa: A002  # the word that users know
        **options: Any,
    ) -> None:
        """Choose what to measure.

        Args:
            against: a file of statistics, as `evaluate` takes it; else real images come by `update`.
            range: the values of fractions that become black and white, (0, 1), (-1, 1) or (0, 255); else guessed for
                real and for generated images from the first batch of each, said in the protocol, and refused where two
                readings are possible.
            options: of `EvaluationOptions`: metrics, features, weights, download, protocol, seed and device.

        Raises:
            InputError: something does not exist, cannot be used, or has no meaning here.
        """
        asked = self._asked = catalog.build(EvaluationOptions, options)
        for name, value in (
            ("count", asked.count),
            ("size", asked.size),
            ("pairs", asked.pairs),
            ("examples", asked.examples),
            ("by_class", asked.by_class),
        ):
            if value:
                raise InputError(f"{name} has no meaning for a Scorer: it scores the images that come, as they are")
        if asked.truncation is not None or asked.reference != "auto":
            raise InputError("truncation and reference have no meaning for a Scorer: it scores the images that come")
        self._protocol = asked.find_protocol()
        if self._protocol is not None:
            check_protocol(self._protocol, asked)
        self._measures = [find_metric(name) for name in asked.metrics] or None
        for metric in self._measures or ():
            if metric.measured_in:
                raise InputError(
                    f"{catalog.name_of(metric)} looks at the {metric.measured_in}, and a Scorer keeps features only: "
                    "use zerosum.evaluate"
                )
        self._path = None if against is None else Path(against).expanduser()
        self._moments: Moments | None = None
        if self._path is not None:
            self._moments = read_moments(self._path)
            check_for_statistics(self._path, asked, self._measures or [])
        self._range = range
        self._extractor: FeatureExtractor | None = None
        self._seen: dict[Kind, _Seen] = {}
        self.reset()

    def reset(self, *, real: bool = True) -> None:
        """Forget the generated images that came, and the real ones unless `real` is False."""
        self._seen["fake"] = _Seen(PixelReader("generated images", self._range))
        if real or "real" not in self._seen:
            self._seen["real"] = _Seen(PixelReader("real images", self._range))

    def update(self, *, real: Images | None = None, fake: Images | None = None) -> None:
        """Take note of a batch of real or of generated images, or of both.

        Args:
            real: bytes, or fractions in [0, 1], [-1, 1] or [0, 255]: a tensor [N, C, H, W] on any device, or an array,
                which may also be [N, H, W, C]; C is 1 or 3.
            fake: the same.

        Raises:
            InputError: the shape differs from the one before, or the images cannot be read.
        """
        if real is None and fake is None:
            raise InputError("update takes real=IMAGES, fake=IMAGES, or both")
        if real is not None and self._path is not None:
            raise InputError(f"real images have no place here: {self._path} holds the statistics of the real ones")
        batches: dict[Kind, Images | None] = {"real": real, "fake": fake}
        for kind, images in batches.items():
            if images is not None:
                self._take(kind, images)

    def compute(self) -> ScoreTable:
        """Score all generated images that have come; under `torch.distributed`, to all processes.

        Raises:
            InputError: there are fewer than two of a kind, or the features of the processes do not fit together.
        """
        fake, real = self._gather("fake"), None if self._moments is not None else self._gather("real")
        if self._extractor is None:
            raise InputError("no images have come to this process: update(real=..., fake=...) comes before compute()")
        if self._moments is not None:
            evaluation = MomentEvaluation(self._moments, GivenFeatures(self._extractor), str(self._path))
            scores = evaluation.scores(fake, self._asked.seed, self._measures)
        else:
            assert real is not None  # noqa: S101  # gathered above
            source = Source("the real images", Split(real), Split(real[:0]))
            whole = Evaluation(source, GivenFeatures(self._extractor), "all", made_elsewhere=True)
            scores = whole.scores(fake, self._asked.seed, self._measures or self._possible(source))
        return ScoreTable(tuple(self._note(score) for score in scores))

    def _take(self, kind: Kind, images: Images) -> None:
        """Keep the images, or the features of all that wait once they are many."""
        seen = self._seen[kind]
        pixels = seen.reader.read(images)
        shapes = {each.shape for each in self._seen.values() if each.shape is not None}
        if shapes and shapes != {tuple(pixels.shape[1:])}:
            raise InputError(
                f"images of shape {list(pixels.shape[1:])} came after some of {list(next(iter(shapes)))}: bring real "
                "and generated ones to one size and to the same channels first"
            )
        seen.shape = tuple(pixels.shape[1:])
        seen.waiting.append(pixels)
        if sum(map(len, seen.waiting)) >= WAITING:
            self._extract(seen)

    def _extract(self, seen: _Seen) -> None:
        if not seen.waiting:
            return
        pixels = torch.cat(seen.waiting)
        if self._extractor is None:
            self._extractor = self._open(pixels)
        features = self._extractor(pixels)
        if not bool(features.isfinite().all()):
            raise InputError("the features of the images are not all finite")
        seen.features.append(features)
        seen.waiting.clear()

    def _open(self, pixels: Tensor) -> FeatureExtractor:
        """Open the features for images like these."""
        asked, source = self._asked, stand_in(pixels, "the images")
        default = "inception" if asked.protocol else ""
        network = default if asked.features == "auto" else asked.features
        if self._moments is not None and self._path is not None:
            network = choose_features(self._moments, asked, self._path)
        device = Engine.choose(asked.device).device
        extractor = open_features(source, Request(network, asked.weights, asked.download, device, None, self._protocol))
        if self._moments is not None:
            self._moments.check_features(extractor, str(self._path))
        return extractor

    def _gather(self, kind: Kind) -> Tensor:
        """Return the features of all images of a kind, [N, D], from all processes."""
        seen = self._seen[kind]
        self._extract(seen)
        own = torch.cat(seen.features) if seen.features else torch.zeros(0, 0)
        seen.features = [own] if len(own) else []
        _check_ranges(seen.reader, kind)
        features = gather_rows(own)
        if len(features) < 2:
            word = "generated" if kind == "fake" else "real"
            raise InputError(f"{len(features)} {word} images have come: at least 2 are needed")
        return features

    def _possible(self, source: Source) -> list[Metric]:
        """List the metrics that are measured unless others are asked for, and need no more than features."""
        known = [cls() for cls in catalog.choices(Metric).values()]
        assert self._extractor is not None  # noqa: S101  # features were extracted
        return [
            each
            for each in sorted(known, key=lambda each: each.when != "training")
            if self._is_usual(each) and not each.measured_in and not each.refusal(source, self._extractor)
        ]

    def _is_usual(self, metric: Metric) -> bool:
        """Return whether it is measured unless others are asked for: by the protocol's program, or by zerosum."""
        if self._protocol is not None:
            return catalog.name_of(metric) in self._protocol.metrics
        return metric.when != "request"

    def _note(self, score: Score) -> Score:
        """Add to the protocol how fractions were read."""
        notes = [note for note in (seen.reader.note for seen in self._seen.values()) if note]
        said = "".join(f" {note[0].upper()}{note[1:]}." for note in notes)
        return replace(score, comparable=score.comparable + said)


def gather_rows(rows: Tensor) -> Tensor:
    """Return the rows of all processes, [sum of n, D], in their order, given those of this one, [n, D]; each its n."""
    if not (distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1):
        return rows
    sizes = _gather_numbers(rows.shape)
    width, most = max(int(size[1]) for size in sizes), max(int(size[0]) for size in sizes)
    padded = torch.zeros(most, width)
    padded[: len(rows), : rows.shape[1]] = rows
    everyone = _gather_equal(padded)
    return torch.cat([part[: int(size[0])] for part, size in zip(everyone, sizes, strict=True)]).cpu()


def _check_ranges(reader: PixelReader, kind: Kind) -> None:
    """Refuse to go on where processes have guessed other ranges for the same kind of images."""
    if not (distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1):
        return
    used = reader.range if reader.note else None
    found = {tuple(each.tolist()) for each in _gather_numbers(used or (0.0, 0.0))} - {(0.0, 0.0)}
    if len(found) > 1:
        ranges = " and ".join(str(each) for each in sorted(found))
        raise InputError(f"processes guessed other ranges for {kind} images, {ranges}: say Scorer(range=...)")


def _gather_numbers(numbers: Sequence[float]) -> list[Tensor]:
    return _gather_equal(torch.tensor([float(each) for each in numbers], dtype=torch.float64))


def _gather_equal(tensor: Tensor) -> list[Tensor]:
    """Return the tensors of all processes, which have one shape, on the CPU."""
    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    sent = tensor.to(device)
    everyone = [torch.empty_like(sent) for _ in range(distributed.get_world_size())]
    distributed.all_gather(everyone, sent)
    return [each.cpu() for each in everyone]
