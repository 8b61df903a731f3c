"""Gather what diagnostics look at: from a run in memory, or from a run's folder as far as it can be read."""

from pathlib import Path

from zerosum import recipes, records
from zerosum.diagnostics.evidence import Again, Evidence, curves_of
from zerosum.diagnostics.examination import COUNT, Examination, examine
from zerosum.errors import InputError
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request
from zerosum.records import IterationRecord, ScoreRecord
from zerosum.run.trainer import Trainer
from zerosum.run_folder import RunFolder

SAMPLES, SAMPLING_SEED = 1_000, 0
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


def gather_from(path: Path, data: str | None, device: str | None) -> tuple[Evidence, str]:
    """Gather what is known of the run in that folder; return it, and why that is not all, in a line.

    Raises:
        InputError: it is no run, or its description or metrics are damaged.
    """
    folder = RunFolder.open(path)
    about = folder.describe()
    try:
        run = Trainer.look(path, data=data, device=device)
    except InputError as error:
        iterations, recipe = records.read(folder, IterationRecord), recipes.of_run(folder)
        evidence = Evidence(
            step=iterations[-1].step if iterations else 0,
            steps=about["steps"],
            curves=curves_of(iterations),
            scores=records.read(folder, ScoreRecord),
            recipe=recipe,
            again=_again(folder),
        )
        return evidence, f"only its log could be looked at: {error}"
    return gather(run, Evaluation.of(run.source, Request(device=run.engine.device))), ""


def _examine(run: Trainer, count: int, *, began: bool) -> Examination:
    done = run.step / run.steps
    return examine(run.players, run.recipe, run.source, run.seed, done, count=count, began=began)


def _again(folder: RunFolder) -> Again:
    return Again(folder.describe()["data"], str(folder.path))
