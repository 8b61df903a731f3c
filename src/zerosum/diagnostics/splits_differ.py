"""Splits that differ: the test images are of another kind than the training images."""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from zerosum.diagnostics import SHOWN, Diagnostic, Finding, Measure
from zerosum.diagnostics.comparisons import count_in_groups, measure_missed, tell_apart
from zerosum.diagnostics.evidence import Evidence, Unsaid

MOST_APART, MOST_MISSED, FACTOR, LEAST = 0.65, 0.1, 5.0, 100


class SplitsDiffer(Diagnostic, name="splits-differ"):
    """Compares real data of the two splits with each other, as if the test samples were generated."""

    any_suffices: ClassVar[bool] = True
    of_data: ClassVar[bool] = True
    looks_for: ClassVar[str] = "test data of another kind than the training data"
    citation: ClassVar[str] = "Lopez-Paz & Oquab 2017 (two-sample tests by classifiers); Richardson & Weiss 2018"
    caption: ClassVar[str] = "training images; test images"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure how often nearest neighbours are of one split, and which kinds of test data the others lack."""
        evaluation = evidence.need_evaluation()
        fewest = min(len(evaluation.train), len(evaluation.test))
        if fewest < LEAST:
            raise Unsaid(f"{fewest} samples in a split are too few to compare them: {LEAST} would do")
        train, test = evaluation.train.features.numpy(), evaluation.test.features.numpy()
        ours, theirs = count_in_groups(test, train, test)
        return (
            Measure.below(
                "real samples whose nearest neighbour is of their split",
                tell_apart(train, test),
                MOST_APART,
            ),
            Measure.below(
                f"share of test data in groups with less than 1/{FACTOR:g} of their share of training data",
                measure_missed(ours, theirs, FACTOR),
                MOST_MISSED,
            ),
        )

    def illustrate(self, evidence: Evidence) -> Sequence[Tensor]:
        """Show images of both splits, at random."""
        evaluation = evidence.need_evaluation()
        return evaluation.train.samples[:SHOWN], evaluation.test.samples[:SHOWN]

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that the splits are of two kinds."""
        return self.find(
            "warning",
            "The test data are of another kind than the training data: no generator can be near them, and scores are "
            "too large.",
            measures,
            "look at images of both splits (zerosum data), and divide one folder by content instead",
        )
