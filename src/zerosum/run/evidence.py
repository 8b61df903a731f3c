"""Gather what diagnostics look at: from a run in memory, or from a run's folder as far as it can be read."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from zerosum import recipes, records
from zerosum.diagnostics.evidence import Again, Evidence, curves_of
from zerosum.diagnostics.examination import COUNT, Examination, examine
from zerosum.errors import InputError
from zerosum.evaluation.candidate import Candidate, Reporter, match_shape
from zerosum.evaluation.real_data import open_real_data
from zerosum.foreign import TrainingLog, read_log
from zerosum.generator import TrainedGenerator
from zerosum.metrics import Score
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request
from zerosum.records import GapRecord, IterationRecord, ScoreRecord
from zerosum.run import restoring
from zerosum.run.trainer import Trainer
from zerosum.run_folder import RunFolder

SAMPLES, MOST_SAMPLES, SAMPLING_SEED = 1_000, 5_000, 0
LIVE_COUNT = 128


def gather(run: Trainer, evaluation: Evaluation) -> Evidence:
    """Gather all that is known of the run: its players as they are, and samples of its averaged generator."""
    return Evidence(
        step=run.step,
        steps=run.steps,
        curves=curves_of(records.read(run.folder, IterationRecord)),
        scores=records.read(run.folder, ScoreRecord),
        recipe=run.recipe,
        source=run.source,
        evaluation=evaluation,
        samples=run.generator().sample(SAMPLES, SAMPLING_SEED),
        examination=_examine(run, COUNT, began="start" not in run.folder.describe()),
        again=_again(run.folder),
        gaps=records.read(run.folder, GapRecord),
    )


def gather_live(run: Trainer) -> Evidence:
    """Gather what can be looked at many times: the curves, and a few batches of both players."""
    return Evidence(
        step=run.step,
        steps=run.steps,
        curves=curves_of(records.read(run.folder, IterationRecord)),
        recipe=run.recipe,
        source=run.source,
        examination=_examine(run, LIVE_COUNT, began=False),
        again=_again(run.folder),
    )


def gather_from(path: Path, data: str | None, device: str | None) -> tuple[Evidence, tuple[str, ...]]:
    """Gather what is known of the run in that folder; return it, and why that is not all, if it is not, in a line.

    Raises:
        InputError: it is no run, or its description or metrics are damaged.
    """
    folder = RunFolder.open(path)
    about = folder.describe()
    try:
        run = restoring.look(path, data=data, device=device)
    except InputError as error:
        iterations, recipe = records.read(folder, IterationRecord), recipes.of_run(folder)
        evidence = Evidence(
            step=iterations[-1].step if iterations else 0,
            steps=about["steps"],
            curves=curves_of(iterations),
            scores=records.read(folder, ScoreRecord),
            recipe=recipe,
            again=_again(folder),
            gaps=records.read(folder, GapRecord),
        )
        return evidence, (f"only its log could be looked at: {error}",)
    return gather(run, Evaluation.of(run.source, Request(device=run.engine.device))), ()


def gather_foreign(log: Path | None, samples: str | None, against: str | None) -> tuple[Evidence, tuple[str, ...]]:
    """Gather what the log of another program says, and the samples that it made, beside the real data.

    Return it, and what was guessed or cannot be said, a line each.

    Raises:
        InputError: there is neither, one cannot be read, or samples have no real data of their shape beside them.
    """
    if log is None and samples is None:
        raise InputError("say what to look at: a run's folder, --log FILE, or --samples IMAGES --against DATA")
    if (samples is None) != (against is None):
        raise InputError("--samples IMAGES and --against DATA go together: samples are compared with real data")
    read = None if log is None else read_log(log)
    evidence = Evidence(0, 0) if read is None else _gather_log(read)
    notes = () if read is None else (f"{read.path}: {read.kind}, {len(read):,} points", *read.notes)
    if samples is None:
        return evidence, notes
    candidate = Candidate.open(samples, None, "cpu", Reporter())
    source = open_real_data([candidate], against, None, None, Reporter())
    (candidate,) = match_shape([candidate], source.shape, source.name)
    content = candidate.content
    made = content.sample(SAMPLES, SAMPLING_SEED) if isinstance(content, TrainedGenerator) else content[:MOST_SAMPLES]
    evaluation = Evaluation.of(source, made_elsewhere=True)
    return replace(evidence, source=source, evaluation=evaluation, samples=made), (*notes, *candidate.notes)


def _gather_log(log: TrainingLog) -> Evidence:
    """Turn a log into curves, and its FIDs, which have no intervals, into scores."""
    last = int(log.steps[-1])
    scores = [
        ScoreRecord(int(step), _score("fid", float(value)))
        for step, value in zip(log.steps, log.columns.get("fid", ()), strict=False)
        if np.isfinite(value)
    ]
    return Evidence(last, last, {"step": log.steps.astype(np.float64), **log.columns}, scores)


def _score(metric: str, value: float) -> Score:
    return Score(
        metric=metric,
        value=value,
        low=value,
        high=value,
        better="lower",
        features="unknown",
        resizer="unknown",
        samples=0,
        reference="unknown",
        reference_samples=0,
        seed=0,
        comparable="",
    )


def _examine(run: Trainer, count: int, *, began: bool) -> Examination:
    done = run.step / run.steps
    return examine(run.players, run.recipe, run.source, run.seed, done, count=count, began=began)


def _again(folder: RunFolder) -> Again:
    about = folder.describe()
    minutes = about.get("minutes")
    length = ("--steps", str(about["steps"])) if minutes is None else ("--minutes", f"{minutes:g}")
    return Again(about["data"], str(folder.path), length)
