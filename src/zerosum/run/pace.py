"""Keep a run within its minutes: how many iterations there is time for, while the machine's speed changes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from zerosum.metrics.real_samples import MOST_SAMPLES

PLANS = 40  # parts of the time after which it is planned again
NOTABLE = 0.01  # of the iterations in all: a plan that differs by less stays
NEWEST = 0.4  # the weight of the latest part in the mean speed
INTERIM_SHARE, LAST_SHARE = 0.02, 0.3  # of the time, for scores during the training and for those at its end
SCORED_A_MINUTE, INTERIM_A_MINUTE = 250, 100  # images, where their features are slow
LEAST_SCORED = 1_000  # of them, at the end


@dataclass
class Pace:
    """How fast a run is of late, and how long it may take.

    Attributes:
        budget: seconds of training that the run may take in all, its last scores among them.
        step: the iteration from which on the speed is measured.
        seconds: of training when it was reached.
        aside: seconds since then that went into scores.
        scoring: seconds that the latest scores took; 0 until some were measured.
        each: seconds that an iteration takes, a mean in which the past fades; 0 until it is measured.
    """

    budget: float
    step: int = 0
    seconds: float = 0.0
    aside: float = 0.0
    scoring: float = 0.0
    each: float = 0.0

    @property
    def most_scored(self) -> int:
        """How many images of a kind scores may look at where their features are slow: 250 for each minute.

        An image takes some 9 ms of a core, and there are generated, held-out and training ones, so that scores take
        about a tenth of the time. It does not follow the machine's speed: a resumed run scores as it did.
        """
        return min(max(LEAST_SCORED, round(self.budget / 60 * SCORED_A_MINUTE)), MOST_SAMPLES)

    @contextmanager
    def score(self) -> Iterator[None]:
        """Note how long the block takes, which measures scores."""
        began = time.monotonic()
        yield
        self.scoring = time.monotonic() - began
        self.aside += self.scoring

    def can_afford_scores(self, slow: int) -> bool:
        """Whether scores during the training take at most some 2% of the time each.

        That is known once some were measured; before that, it follows from how many images with `slow` features they
        look at.
        """
        return self.scoring <= INTERIM_SHARE * self.budget and slow <= INTERIM_A_MINUTE * self.budget / 60

    def is_due(self, step: int, seconds: float) -> bool:
        """Whether enough time has passed since the last plan to make another."""
        return step > self.step and seconds - self.seconds >= self.budget / PLANS

    def plan(self, step: int, seconds: float, steps: int, scores: float) -> int:
        """Return how many iterations in all there is time for, `steps` if it is about as many, and measure anew.

        Args:
            step: the iterations done.
            seconds: of training so far.
            steps: how many the run has, as planned before.
            scores: seconds that scores will still take; at most 30% of the time is kept for them.
        """
        latest = max(seconds - self.seconds - self.aside, 1e-9) / (step - self.step)
        self.each = NEWEST * latest + (1 - NEWEST) * (self.each or latest)
        self.step, self.seconds, self.aside = step, seconds, 0.0
        kept = min(scores, LAST_SHARE * self.budget)
        left = max(1, round((self.budget - seconds - kept) / self.each))
        return steps if abs(step + left - steps) <= NOTABLE * steps else step + left
