"""The Vendi score (Friedman & Dieng 2023): how many different samples there are, in effect."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from zerosum import randomness
from zerosum.metrics import Estimate, Metric, MetricInputs, When
from zerosum.metrics.statistics import ConfidenceInterval, deviation_of

ENOUGH = 10  # times as many samples as the score: then what is missing for few samples is about a twentieth
DRAWS = 4  # the share of the replicates that is drawn, as each needs eigenvalues


class Vendi(Metric, name="vendi"):
    """exp(-sum_i l_i log l_i), l_i being the eigenvalues of K / N (definition 3.1), K the cosines between features.

    1 if all samples are the same, at most the number of samples and of features. It knows no real samples: theirs
    stands beside it. The interval is by Student's t of the deviation of bootstrap replicates, whose own level is too
    low, as samples come twice in them.
    """

    figures: ClassVar[Mapping[str, str]] = {"vendi": ""}
    equal_sizes: ClassVar[bool] = True
    when: ClassVar[When] = "request"

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return one estimate; a warning says if the samples are few for it, and how many would do."""
        features = inputs.fake.features
        rng = randomness.rng(inputs.seed, 0, "vendi")
        replicates = [
            vendi_score(features[torch.randint(len(features), (len(features),), generator=rng)])
            for _ in range(inputs.replicates // DRAWS)
        ]
        value = vendi_score(features)
        deviation = float(deviation_of(np.array(replicates)))
        interval = ConfidenceInterval.by_student(value, deviation, len(replicates) - 1).clip(least=1.0)
        return [Estimate.of("vendi", interval, "near real data", warning=warn_if_few(len(features), value))]


def vendi_score(features: Tensor) -> float:
    """Compute the Vendi score of `features` [N, d] under the cosine kernel.

    X X^T / N and X^T X / N have the same eigenvalues but for zeros, so that the smaller of both is taken.
    """
    rows = F.normalize(features.double())
    matrix = rows.T @ rows if rows.shape[1] <= len(rows) else rows @ rows.T
    shares = torch.linalg.eigvalsh(matrix / len(rows)).clamp(min=0)
    return float(torch.exp(-torch.special.xlogy(shares, shares).sum()))


def warn_if_few(samples: int, value: float) -> str:
    """Return a warning if there are less than ten times as many samples as the score counts."""
    if samples >= ENOUGH * value:
        return ""
    return (
        f"{samples:,} samples are few to count {value:,.0f} different ones: the score grows with their number, "
        f"about {ENOUGH * value:,.0f} would do"
    )
