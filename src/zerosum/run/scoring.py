"""The scores of a run: while it trains, as far as its minutes allow, and at its end."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from zerosum import records
from zerosum.atomic import write_atomically
from zerosum.errors import InputError
from zerosum.export import pictures
from zerosum.metrics import score_named
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.frechet import FrechetDistance, distance_name
from zerosum.records import Record, ScoreRecord
from zerosum.run.sharing import sample_together

if TYPE_CHECKING:
    from zerosum.run.trainer import Trainer

INTERIM_SCORES = 4  # equal parts of a run; scores are measured after each
LAST = 4  # times as long as those before take the last scores, which have more figures, of more samples
UNKNOWN_SHARE = 0.1  # of the minutes, which scores are taken to need
PAIRS, PAIR_COLUMNS = 16, 4
SEED = 0
Observe = Callable[[Record], None]


class Scoring:
    """Scores a run by an evaluation, keeps its best generator, and looks for memorisation at its end."""

    def __init__(self, evaluation: Evaluation, parts: int = INTERIM_SCORES) -> None:
        """`evaluation`: of the data that the run has; `parts`: equal ones of the run, after each of which it scores."""
        self.evaluation, self.parts = evaluation, parts

    def expect_seconds(self, run: "Trainer") -> float:
        """Return how many seconds the scores that are still to come will take, as far as is known."""
        scoring = 0.0 if run.pace is None else run.pace.scoring
        if run.pace is not None and not scoring:  # nothing was measured yet
            return UNKNOWN_SHARE * run.pace.budget
        still = LAST + int((1 - run.step / run.steps) * self.parts)
        evaluation = self.evaluation
        images = evaluation.last - evaluation.interim + evaluation.pending
        return still * scoring + images * evaluation.seconds_per_image

    def score_meanwhile(self, run: "Trainer", observe: Observe) -> bool:
        """Score during the training, if that leaves the run's minutes to the training; return whether it did."""
        if run.pace is None:
            self._score(run, self.evaluation.interim, observe, training=True)
            return True
        if not run.pace.can_afford_scores(self.evaluation.interim if self.evaluation.features.slow else 0):
            return False
        with run.pace.score():
            self._score(run, self.evaluation.interim, observe, training=True)
        run.threads.begin(run.step, run.seconds + run.pace.scoring)
        return True

    def conclude(self, run: "Trainer", observe: Observe) -> None:
        """Measure the scores of the end, which stand beside those of real data, unless they are there."""
        known = records.read(run.folder, ScoreRecord)
        if not any(record.step == run.step and record.score.real is not None for record in known):
            self._score(run, self.evaluation.last, observe, training=False)
            run.save_checkpoint()  # with the length of the metrics, so that whoever resumes finds the scores

    def _score(self, run: "Trainer", count: int, observe: Observe, *, training: bool) -> None:
        """Measure, and keep the generator if it is the best so far; at the end, look for memorisation."""
        evaluation = self.evaluation
        samples = sample_together(run, count, SEED)
        try:
            learned_from = run.recipe.networks.features
            scores = evaluation.scores(samples, SEED, training=training, learned_from=learned_from)
        except InputError as error:  # what is to be compared is not finite
            raise run.diverged(str(error)) from None
        if run.source.is_images and not training:
            pairs = pictures.select_shown(evaluation.closest(samples, SEED, PAIRS), run.recipe.data.shown)
            about = f"generated images, each beside the training image nearest to it; {run.describe_samples(SEED)}"
            picture = pictures.encode(pictures.draw_samples(pairs, columns=2 * PAIR_COLUMNS), about)
            write_atomically(run.folder.closest, picture)
        for score in scores:
            run.record(ScoreRecord(run.step, score), observe)
        if count > evaluation.interim:  # the distance falls with the number of samples
            scores = evaluation.scores(samples, SEED, [FrechetDistance()], training=True, most=evaluation.interim)
        distance = score_named(scores, distance_name(evaluation.features)).value
        if run.best is None or distance < run.best[0]:
            run.best = (distance, run.step)
            run.generator().save(run.folder.best)


class NoScoring(Scoring):
    """Scores nothing."""

    def __init__(self) -> None:
        """Need no evaluation."""
        self.parts = INTERIM_SCORES

    def expect_seconds(self, run: "Trainer") -> float:
        """Return 0."""
        return 0.0

    def score_meanwhile(self, run: "Trainer", observe: Observe) -> bool:
        """Do nothing, and say so."""
        return False

    def conclude(self, run: "Trainer", observe: Observe) -> None:
        """Do nothing."""
