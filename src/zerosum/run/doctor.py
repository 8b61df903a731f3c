"""The doctor: looks at a run while it trains, notes when a fault begins and ends, and says at its end what it found."""

import time
from collections.abc import Callable

from zerosum import records
from zerosum.atomic import write_atomically
from zerosum.diagnostics import Diagnosis, diagnose, illustrate
from zerosum.diagnostics.evidence import Evidence
from zerosum.export import pictures
from zerosum.metrics.evaluation import Evaluation
from zerosum.records import FindingRecord, Record, ScoreRecord
from zerosum.run.evidence import gather, gather_live
from zerosum.run.trainer import Trainer
from zerosum.types import StopWhen

LOOKS = 20  # in a run, at most
MOST_TIME, BEGIN = 0.03, 10.0  # the share of the training that looking may take; seconds before the first look
PATIENCE = 5  # scores without a better one, after which a run has converged
CONVERGED_PARTS = 20  # of a run that may end where it has converged; scores are measured after each


class Doctor:
    """Looks at a run.

    Attributes:
        reason: why the run was ended before its time, in words; empty if it was not.
    """

    def __init__(self, run: Trainer, observe: Callable[[Record], None], stop_when: StopWhen = "never") -> None:
        """`observe` is called with each record, and with what the doctor finds; `stop_when` the run shall end."""
        self._run, self._observe, self._stop_when = run, observe, stop_when
        latest = {each.finding: each for each in records.read(run.folder, FindingRecord)}
        self._open = {name: each for name, each in latest.items() if each.began}
        self._next, self._spent, self._took = run.step + run.steps // LOOKS, 0.0, 0.0
        self.reason = ""

    def observe(self, record: Record) -> None:
        """Take in a record of the run, and look at the run if that is due and there is time for it."""
        self._observe(record)
        if isinstance(record, ScoreRecord) and self._stop_when == "converged":
            self._end_if_converged(record)
        elif record.step >= self._next and self._has_time():
            self._next = record.step + max(1, self._run.steps // LOOKS)
            self._look()

    def _has_time(self) -> bool:
        """Whether one more look keeps all of them within their share of the training."""
        seconds = self._run.seconds
        return seconds >= BEGIN and self._spent + self._took <= MOST_TIME * seconds

    def _look(self) -> None:
        began = time.monotonic()
        found = {each.name: each for each in diagnose(gather_live(self._run), live=True).serious}
        self._took = time.monotonic() - began
        self._spent += self._took
        for name, before in list(self._open.items()):
            if name not in found:
                del self._open[name]
                self._note(name, before.severity, before.sentence, began=False)
        persists = "collapse" in self._open and "collapse" in found
        for name, finding in found.items():
            if name not in self._open:
                self._open[name] = self._note(name, finding.severity, finding.sentence, began=True)
        if persists and self._stop_when == "collapsed":
            self._end(found["collapse"].sentence)

    def _note(self, name: str, severity: str, sentence: str, *, began: bool) -> FindingRecord:
        record = FindingRecord(step=self._run.step, finding=name, severity=severity, began=began, sentence=sentence)
        self._run.record(record, self._observe)
        return record

    def _end_if_converged(self, record: ScoreRecord) -> None:
        """End the run if the Fréchet distance has not fallen for some scores."""
        if record.score.metric != "frechet-distance" or self._run.step == self._run.steps:
            return
        distances = [
            each for each in records.read(self._run.folder, ScoreRecord) if each.score.metric == record.score.metric
        ]
        best = min(range(len(distances)), key=lambda place: distances[place].score.value)
        if len(distances) - 1 - best >= PATIENCE:
            step = distances[best].step
            self._end(
                f"The training has converged: the best generator is that of step {step:,}, {PATIENCE} scores ago."
            )

    def _end(self, reason: str) -> None:
        if not self.reason:
            self.reason = reason
            self._run.end_here(reason)

    def conclude(self, evaluation: Evaluation) -> None:
        """Look at all that can be looked at, and write it to the run's folder, with pictures."""
        evidence = gather(self._run, evaluation)
        diagnosis = diagnose(evidence)
        write_atomically(self._run.folder.diagnosis, diagnosis.to_bytes())
        self._run.folder.replace_findings(draw_findings(diagnosis, evidence))


def draw_findings(diagnosis: Diagnosis, evidence: Evidence) -> dict[str, bytes]:
    """Draw what shows the findings, where images do: PNGs by the findings' names."""
    shown = None if evidence.recipe is None else evidence.recipe.data.shown
    return {
        name: pictures.encode(pictures.draw_rows([pictures.select_shown(row, shown) for row in rows]), name)
        for name, rows in illustrate(diagnosis, evidence).items()
    }
