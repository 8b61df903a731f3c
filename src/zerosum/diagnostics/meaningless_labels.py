"""Meaningless labels: samples that look alike have labels that do not."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from zerosum.diagnostics import SHOWN, Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence, Unsaid, flatten

NEIGHBOURS, LEAST, MOST_TIMES, LOOKED_AT = 5, 200, 1.5, 3_000
CLASSES_SHOWN = 6


class MeaninglessLabels(Diagnostic, name="meaningless-labels"):
    """Compares the label of each training sample with those of its nearest neighbours, in pixels or coordinates."""

    of_data: ClassVar[bool] = True
    looks_for: ClassVar[str] = "labels that mean nothing"
    citation: ClassVar[str] = "our own; the neighbours' vote is that of Cover & Hart 1967"
    caption: ClassVar[str] = "training images of one label each"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure how often neighbours share a label, over how often two samples at random do."""
        source = evidence.need_source()
        labels = source.train.labels
        if source.classes < 2 or labels is None:
            raise Unsaid("it needs labels")
        if len(labels) < LEAST:
            raise Unsaid(f"{len(labels)} labelled samples are too few: {LEAST} would do")
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))[:LOOKED_AT]
        rows, known = flatten(source.train.samples[order]).numpy(), labels[order].numpy()
        times = share_of_neighbours(rows, known) / float(
            (np.bincount(known) / len(known)) @ (np.bincount(known) / len(known))
        )
        words = "neighbours with the same label, over pairs at random"
        return (Measure.above(words, times, MOST_TIMES),)

    def illustrate(self, evidence: Evidence) -> Sequence[Tensor]:
        """Show training images of the first labels, a row for each."""
        train = evidence.need_source().train
        labels = torch.zeros(0) if train.labels is None else train.labels
        places = [(labels == label).nonzero()[:SHOWN, 0] for label in range(CLASSES_SHOWN)]
        return [train.samples[each] for each in places if len(each)]

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that neighbours have no more labels in common than others."""
        told = evidence.recipe is not None and evidence.recipe.networks.conditional
        return self.find(
            "warning" if told else "note",
            "The labels seem to mean nothing: samples that look alike share them no more often than any others.",
            measures,
            "look whether labels and images are in the same order; until then, train without labels",
            evidence.command("networks.condition=none") if told else "",
        )


def share_of_neighbours(
    rows: "np.ndarray[tuple[int, int], np.dtype[np.float32]]", labels: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> float:
    """Return how often one of the nearest neighbours of a row [N, d] has its label [N]; copies of it do not count."""
    from sklearn.neighbors import NearestNeighbors

    distances, neighbours = NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(rows).kneighbors(rows)
    others = (neighbours != np.arange(len(rows))[:, None]) & (distances > 0)
    same = labels[neighbours] == labels[:, None]
    return float(same[others].mean()) if others.any() else 1.0
