"""Memorisation: do samples lie nearer to the training images than held-out real images do?"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from zerosum.metrics import Estimate, Metric, MetricInputs, Reference, SampleSet, When
from zerosum.metrics.frechet import FrechetDistance
from zerosum.metrics.statistics import ConfidenceInterval, share_deviation

KAGGLE_EPSILON = 0.1
TINY = 1e-15  # keeps Kaggle's scorer from dividing by 0
SIGNIFICANT = 0.001
BLOCK = 1024


class Memorisation(Metric, name="memorisation"):
    """Distances from samples to training images, beside those of held-out real images (Meehan et al. 2020).

    `nearest-training` is the median distance from a sample to its nearest training image; Euclidean, between features,
    over the root mean square distance of training images from their mean. `nearer-than-real` is the share of pairs of a
    sample and a held-out image in which the sample is nearer to its nearest training image: 0.5 if nothing was
    memorised, or more where the samples keep to the middle of the data. Its interval and its test are those of Mann and
    Whitney. Where training mirrors images, mirror images are training images too.

    Samples made elsewhere may have been learned from any real image, so all are training images, mirrored as well, and
    beside the samples stand the distances of real images to the nearest other one.
    """

    figures: ClassVar[Mapping[str, str]] = {"nearest-training": "", "nearer-than-real": ""}
    reference: ClassVar[Reference | None] = "train"

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return two estimates; the second warns if the share is significantly above a half (p < 0.001, one-sided)."""
        from scipy.stats import mannwhitneyu

        training = _append(inputs.real.features, inputs.extract_mirrored())
        unit = float((training - training.mean(0)).square().sum(1).mean().sqrt()) or 1.0
        ours = find_nearest(inputs.fake.features, training)[0] / unit
        if inputs.others is inputs.real:
            theirs = find_nearest_other(training, len(inputs.real)) / unit
        else:
            theirs = find_nearest(inputs.others.features, training)[0] / unit
        rng = np.random.default_rng(inputs.seed)
        medians = [float(np.median(rng.choice(ours, len(ours)))) for _ in range(inputs.replicates)]
        distance = ConfidenceInterval.by_percentiles(float(np.median(ours)), medians)
        test = mannwhitneyu(theirs, ours, alternative="greater")
        share = float(test.statistic) / (len(theirs) * len(ours))
        deviation = share_deviation(share, len(ours), len(theirs))
        warning = ""
        if test.pvalue < SIGNIFICANT:
            warning = f"samples are nearer to training images than held-out images are (p = {test.pvalue:.1g})"
        return [
            Estimate.of(
                "nearest-training",
                distance,
                "near real data",
                real=float(np.median(theirs)),
                real_samples=len(theirs),
            ),
            Estimate.of(
                "nearer-than-real",
                ConfidenceInterval.by_normal(share, deviation).clip(0.0, 1.0),
                "near 0.5",
                real=0.5,
                real_samples=len(theirs),
                warning=warning,
            ),
        ]


class MiFID(Metric, name="mifid"):
    """The memorisation-informed FID of Kaggle's "Generative Dog Images" (Bai et al. 2021), as its scorer computes it.

    The Fréchet distance over d, d being the mean over the samples of the smallest 1 - |cosine| to a real image; but 1
    where that mean is 0.1 or more. All real images are both what is compared with and what may be memorised. (The
    class of torchmetrics takes the mean over the real images instead.) The interval is that of the Fréchet distance.
    It is called MiFID only in the 2,048 features of Inception.
    """

    figures: ClassVar[Mapping[str, str]] = {"mi-frechet-distance": "mifid", "cosine-distance": ""}
    reference: ClassVar[Reference | None] = "all"
    when: ClassVar[When] = "request"

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return two estimates: the score, and the mean cosine distance that decides on the penalty."""
        (frechet,) = FrechetDistance().measure(inputs)
        distance = cosine_distance(inputs.fake.features, inputs.real.features)
        penalty = (distance if distance < KAGGLE_EPSILON else 1.0) + TINY
        interval = ConfidenceInterval(*(each / penalty for each in (frechet.value, frechet.low, frechet.high)))
        name = "mifid" if inputs.features.is_pool3 else f"mi-{frechet.metric}"
        warning = f"memorised: {distance:.3f} is below {KAGGLE_EPSILON}" if penalty < 1 else ""
        if warning and not inputs.features.is_pool3:
            warning = f"{distance:.3f} is below {KAGGLE_EPSILON}, which says something in Inception's features only"
        return [
            Estimate.of(name, interval, "lower", warning=frechet.warning),
            Estimate.of(
                "cosine-distance", ConfidenceInterval.around(distance), f"above {KAGGLE_EPSILON}", warning=warning
            ),
        ]


def find_nearest(samples: Tensor, training: Tensor) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find the nearest of `training` [M, d] for each of `samples` [N, d]: Euclidean distances [N], indices [N]."""
    from sklearn.neighbors import NearestNeighbors

    distances, indices = NearestNeighbors(n_neighbors=1).fit(training.numpy()).kneighbors(samples.numpy())
    return np.asarray(distances[:, 0], np.float64), np.asarray(indices[:, 0], np.int64)


def find_nearest_other(rows: Tensor, count: int) -> NDArray[np.float64]:
    """Return the distances from the first `count` of `rows` [k * count, d] to the nearest of another image: [count].

    Rows whose number is the same modulo `count` are of one image, as it is or mirrored.
    """
    from sklearn.neighbors import NearestNeighbors

    of_one_image = len(rows) // count
    search = NearestNeighbors(n_neighbors=of_one_image + 1).fit(rows.numpy())
    distances, indices = search.kneighbors(rows[:count].numpy())
    is_other = indices % count != np.arange(count)[:, None]
    return np.asarray(distances[np.arange(count), is_other.argmax(1)], np.float64)


def cosine_distance(samples: Tensor, training: Tensor) -> float:
    """Average the smallest 1 - |cosine| to one of `training` [M, d] over `samples` [N, d]; zeros are left out."""
    ours, theirs = (F.normalize(rows[rows.abs().sum(1) > 0]) for rows in (samples, training))
    if len(ours) == 0 or len(theirs) == 0:
        return 1.0
    smallest = torch.cat([(1 - (block @ theirs.T).abs().amax(1)).clamp(min=0) for block in torch.split(ours, BLOCK)])
    return float(smallest.double().mean())


def find_closest(samples: SampleSet, training: SampleSet, mirrored: Tensor | None, count: int) -> tuple[Tensor, Tensor]:
    """Find the `count` samples that are nearest to a training image, nearest first; return them and those images.

    If the features `mirrored` of the training images' mirror images are given, these are training images too.
    """
    distances, indices = find_nearest(samples.features, _append(training.features, mirrored))
    order = torch.from_numpy(distances.argsort()[:count])
    chosen = torch.from_numpy(indices)[order]
    found = training.samples[chosen % len(training)]
    found[chosen >= len(training)] = found[chosen >= len(training)].flip(-1)
    return samples.samples[order], found


def _append(training: Tensor, mirrored: Tensor | None) -> Tensor:
    """Append the features of mirror images, if there are any, to those of the training images."""
    return training if mirrored is None else torch.cat([training, mirrored])
