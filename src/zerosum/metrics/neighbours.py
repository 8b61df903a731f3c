"""Precision, recall, density and coverage: the overlap of two sets of features, by nearest neighbours."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from zerosum.metrics import Estimate, Metric, MetricInputs
from zerosum.metrics.statistics import ConfidenceInterval, bootstrap_means

NEIGHBOURS, LEAST = 5, 50
FOOLED, MISSED, NARROW = 0.5, 0.3, 0.05  # a precision above the first, at a coverage or a recall below the others


class Neighbours(Metric, name="neighbours"):
    """Improved precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020), k = 5.

    Under a protocol k is that of its program.

    A set's manifold is the union of balls around its samples that reach to their k-th neighbour within the set.
    Precision: the share of fakes inside the real manifold. Recall: the share of reals inside the fake one. Density: how
    many real balls hold a fake, over k. Coverage: the share of real balls that hold a fake. Intervals are bootstrap
    percentiles over the samples averaged, the manifolds being held fixed.

    A few outliers among the real samples have balls that reach far, and samples in the middle of the data lie in them
    whatever they look like: mush has a precision near 1. A warning says so where little is covered or recalled.
    """

    figures: ClassVar[Mapping[str, str]] = {"precision": "", "recall": "", "density": "", "coverage": ""}
    equal_sizes: ClassVar[bool] = True
    shrinks: ClassVar[bool] = True

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return four estimates."""
        rng, found = np.random.default_rng(inputs.seed), []
        protocol = inputs.features.protocol
        k = NEIGHBOURS if protocol is None else protocol.neighbours
        parts = overlap(inputs.fake.features.numpy(), inputs.real.features.numpy(), k)
        precision, recall, coverage = (float(parts[name].mean()) for name in ("precision", "recall", "coverage"))
        warning, count = "", min(len(inputs.fake), len(inputs.real))
        few = f"{count:,} samples of each kind are too few for neighbours: {LEAST} would do" if count < LEAST else ""
        if precision > FOOLED and (coverage < MISSED or recall < NARROW):
            warning = (
                "precision and density say little here: samples in the middle of the data, as mush is, have both "
                f"without being near real ones (coverage {coverage:.2f}, recall {recall:.2f})"
            )
        for name, values in parts.items():
            interval = ConfidenceInterval.by_percentiles(
                float(values.mean()), bootstrap_means(values, rng, inputs.replicates)
            )
            doubted = few or (warning if name in ("precision", "density") else "")
            found.append(Estimate.of(name, interval, "higher", warning=doubted))
        return found


def overlap(fake: NDArray[np.float32], real: NDArray[np.float32], k: int) -> dict[str, NDArray[np.float64]]:
    """Compute each sample's part: of precision and density by fake [N], of recall and coverage by real [M].

    Their means are the metrics.
    """
    from sklearn.metrics import pairwise_distances_chunked

    fake_radii, real_radii = find_radii(fake, k), find_radii(real, k)
    precision, density = [], []
    recall, nearest = np.zeros(len(real), bool), np.full(len(real), np.inf)
    first = 0
    for distances in pairwise_distances_chunked(fake, real, working_memory=64):
        inside = distances < real_radii
        precision.append(inside.any(axis=1))
        density.append(inside.sum(axis=1) / k)
        recall |= (distances < fake_radii[first : first + len(distances), None]).any(axis=0)
        nearest = np.minimum(nearest, distances.min(axis=0))
        first += len(distances)
    return {
        "precision": np.concatenate(precision).astype(np.float64),
        "recall": recall.astype(np.float64),
        "density": np.concatenate(density),
        "coverage": (nearest < real_radii).astype(np.float64),
    }


def find_radii(features: NDArray[np.float32], k: int) -> NDArray[np.float64]:
    """Compute each sample's distance to its k-th neighbour, itself not counted."""
    from sklearn.neighbors import NearestNeighbors

    k = min(k, len(features) - 1)
    distances, _ = NearestNeighbors(n_neighbors=k).fit(features).kneighbors()
    return np.asarray(distances[:, -1], dtype=np.float64)
