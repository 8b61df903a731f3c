"""Forecasts from a pilot: how wide the interval of a score of more samples would be, and how far its value is biased.

Half the width of an interval falls as 1 / sqrt(number of samples), and the bias of the Fréchet distance as 1 / number
(Chong & Forsyth 2020, section 3). Metrics say which of the two laws hold for them; a property test measures it.
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from torch import Tensor

from zerosum.data import Source
from zerosum.metrics import REPLICATES, Estimate, Metric, MetricInputs, SampleSet
from zerosum.metrics.features import FeatureExtractor

MOST = 200_000  # samples that are thought of, as many as `--count` takes
APART = 2**0.5  # half widths by which two values of equal intervals must differ to be told apart


@dataclass(frozen=True, eq=False)
class Pilot:
    """Features of a few samples, float32 [n, D] each.

    Attributes:
        fake: generated ones.
        real: real ones.
        others: further real ones, of which the floor is measured.
        source: where the real ones are from.
        features: their extractor.
        seed: of every choice.
    """

    fake: Tensor
    real: Tensor
    others: Tensor
    source: Source
    features: FeatureExtractor
    seed: int

    def __len__(self) -> int:
        """Return the number of samples of each kind."""
        return len(self.fake)

    def measure(self, metric: Metric, fake: Tensor, real: Tensor, replicates: int = 0) -> list[Estimate]:
        """Measure some of the features against others."""
        made, kept, others = (SampleSet(each, each) for each in (fake, real, self.others))
        return metric.measure(
            MetricInputs(made, kept, others, self.source, self.features, self.seed, replicates, lambda: None)
        )


@dataclass(frozen=True)
class Forecast:
    """What is expected of a figure, from a pilot.

    Attributes:
        estimate: of the pilot, with `real`, the floor.
        slope: of the value in 1 / number of samples; 0 where that law does not hold.
        metric: whose figure it is.
        pilot: how many samples of each kind it had.
        reals: how many real samples there will be.
    """

    estimate: Estimate
    slope: float
    metric: Metric
    pilot: int
    reals: int

    @property
    def gap(self) -> float:
        """How far the value of the pilot is from that of as many real samples, whose bias is about the same."""
        return abs(self.estimate.value - (self.estimate.real or 0.0))

    @property
    def is_clear(self) -> bool:
        """Whether the pilot tells the samples from real ones already."""
        return self._tells(self.estimate.half_width)

    def half_width(self, samples: int) -> float:
        """Half the width of the interval of so many samples: at most, of distances between sets that are alike."""
        share = self.metric.weigh(self.pilot, self.pilot) / self.metric.weigh(samples, self.reals)
        return self.estimate.half_width * math.sqrt(share)

    def bias(self, samples: int) -> float:
        """How far the value of so many samples lies above that of infinitely many."""
        return self.slope / self.metric.weigh(samples, self.reals)

    def value(self, samples: int) -> float:
        """The value of so many samples."""
        return self.estimate.value - self.slope / self.metric.weigh(self.pilot, self.pilot) + self.bias(samples)

    def find_narrow(self, share: float) -> int | None:
        """Find from how many samples on half the width is at most `share` of the value; None if `MOST` are too few."""
        return _find_least(lambda samples: self.half_width(samples) <= share * abs(self.value(samples)))

    def find_apart(self) -> int | None:
        """Find from how many samples on they are told from real ones, by the pilot's gap; None if `MOST` do not."""
        return _find_least(lambda samples: self._tells(self.half_width(samples)))

    def _tells(self, half_width: float) -> bool:
        return half_width * APART < self.gap


def forecast(pilot: Pilot, metrics: Iterable[Metric], reals: int) -> tuple[list[Forecast], float]:
    """Measure `metrics`, all of which keep the law of widths, on the pilot; return forecasts and the seconds it took.

    Args:
        pilot: at least four samples of each kind.
        metrics: what to measure.
        reals: how many real samples there will be.
    """
    found, began = list[Forecast](), time.monotonic()
    for metric in metrics:
        measured = pilot.measure(metric, pilot.fake, pilot.real, REPLICATES)
        floor = pilot.measure(metric, pilot.others, pilot.real)
        slopes = _fit_slopes(pilot, metric, measured, floor)
        for estimate, real, slope in zip(measured, floor, slopes, strict=True):
            found.append(Forecast(estimate.beside(real.value, len(pilot)), slope, metric, len(pilot), reals))
    return found, time.monotonic() - began


def _fit_slopes(pilot: Pilot, metric: Metric, whole: Sequence[Estimate], floor: Sequence[Estimate]) -> list[float]:
    """Fit value = limit + slope / n through the pilot and the mean of its two halves; 0 where that is no law.

    Where there are hardly more samples than features the law does not hold yet. By how much a slope is off then is
    known of the floor, whose limit is 0, and is taken to be the same of the samples.
    """
    if not metric.biased:
        return [0.0] * len(whole)
    found = zip(
        _fit_halves(pilot, metric, pilot.fake, whole),
        _fit_halves(pilot, metric, pilot.others, floor),
        floor,
        strict=True,
    )
    right = metric.weigh(len(pilot), len(pilot))
    return [max(0.0, slope * (real.value * right / known if known > 0 else 1.0)) for slope, known, real in found]


def _fit_halves(pilot: Pilot, metric: Metric, fake: Tensor, whole: Sequence[Estimate]) -> list[float]:
    """Return the slope of each value of `whole` in 1 / n, by what the halves of `fake` have."""
    half = len(pilot) // 2
    ends = slice(None, half), slice(half, 2 * half)
    parts = [pilot.measure(metric, fake[part], pilot.real[part]) for part in ends]
    steps = 1 / metric.weigh(half, half) - 1 / metric.weigh(len(pilot), len(pilot))
    return [
        (sum(each.value for each in halves) / len(halves) - estimate.value) / steps
        for estimate, *halves in zip(whole, *parts, strict=True)
    ]


def _find_least(holds: Callable[[int], bool]) -> int | None:
    """Find by bisection the least number of samples from which on `holds` is true; None if it is not for `MOST`."""
    if not holds(MOST):
        return None
    low, high = 1, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
