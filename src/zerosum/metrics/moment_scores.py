"""Scores against statistics in a file: those metrics for which mean and covariance of real features suffice."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from torch import Tensor

from zerosum.errors import InputError
from zerosum.metrics import REPLICATES, Metric, MomentInputs, SampleSet, Score
from zerosum.metrics.features import FeatureExtractor
from zerosum.metrics.frechet import FrechetDistance
from zerosum.metrics.moments import Moments

EXACT = "The statistics are taken to be exact: the interval is of the generated samples only"


@dataclass(frozen=True, eq=False)
class MomentEvaluation:
    """Scores samples against the moments of real features.

    Attributes:
        moments: of the real features.
        features: the features that samples are compared in, as `Moments.check_features` has found right.
        name: of the statistics.
    """

    moments: Moments
    features: FeatureExtractor
    name: str

    def scores(self, samples: Tensor, seed: int, metrics: Iterable[Metric] | None = None) -> list[Score]:
        """Score generated `samples`, uint8 [N, C, H, W], by `metrics`; by the Fréchet distance if that is None.

        Raises:
            InputError: the features are not as many as those of the moments, or are not finite.
        """
        fake = SampleSet(samples, self.features(samples)).shuffle(seed)
        gaussian = self.moments.gaussian
        if fake.features.shape[1] != len(gaussian.mean):
            raise InputError(
                f"{self.name} holds statistics of {len(gaussian.mean):,} features, and {self.features.name} gives "
                f"{fake.features.shape[1]:,}: choose those that it was measured in, --features"
            )
        if not bool(fake.features.isfinite().all()):
            raise InputError("the features of the samples are not all finite: the generator has diverged")
        given = MomentInputs(fake, gaussian.mean, gaussian.covariance, self.features, seed, REPLICATES)
        chosen = [FrechetDistance()] if metrics is None else metrics
        return [
            Score(
                **asdict(estimate),
                features=self.features.name,
                resizer=self.features.resizer,
                samples=len(fake),
                reference=f"statistics {self.name}",
                reference_samples=self.moments.samples,
                seed=seed,
                comparable=self._advise(),
            )
            for metric in chosen
            for estimate in metric.measure_moments(given)
        ]

    def _advise(self) -> str:
        """Say what the scores may be compared with, and what they cannot see."""
        blind = f" {self.features.blind}." if self.features.blind else ""
        return f"Compare with {self.features.comparable}. {EXACT}.{blind}"
