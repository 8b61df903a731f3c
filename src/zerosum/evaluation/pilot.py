"""Plan an evaluation: score a few samples, and say how sure a score of more would be and how long it would take."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zerosum import catalog, randomness
from zerosum.errors import InputError
from zerosum.evaluation.candidate import Candidate, Reporter
from zerosum.evaluation.evaluate import Things, open_candidates, open_sides
from zerosum.evaluation.options import EvaluationOptions
from zerosum.evaluation.refusals import find_metric
from zerosum.generator import TrainedGenerator
from zerosum.metrics import Metric
from zerosum.metrics.evaluation import SPLITS, Evaluation
from zerosum.metrics.features.given import GivenFeatures
from zerosum.metrics.moments import holds_moments
from zerosum.metrics.pilot import Forecast, Pilot, forecast
from zerosum.names import check_plan

PILOT, LEAST = 500, 100  # samples of each kind: by themselves; of which halves can be measured
COUNTS = (1_000, 2_000, 5_000, 10_000, 50_000)  # of samples, for which scores are forecast
NARROW = 0.05  # half the width of an interval, as a share of the value


@dataclass(frozen=True)
class Plan:
    """What more samples would bring.

    Attributes:
        name: of what would be scored.
        pilot: how many samples of each kind were looked at: generated, real, and real ones for the floor.
        forecasts: one for each figure.
        features: in which; `dimension`, how many they are.
        against: the real samples, in words; `reals`, their number.
        available: how many generated samples there are; None if any number can be made.
        real_work: of how many real samples features are needed.
        seconds_per_sample: that features take.
        pilot_seconds: that the metrics took.
    """

    name: str
    pilot: int
    forecasts: Sequence[Forecast]
    features: str
    dimension: int
    against: str
    reals: int
    available: int | None
    real_work: int
    seconds_per_sample: float
    pilot_seconds: float

    def seconds(self, samples: int) -> float:
        """Estimate how long scoring so many samples takes: all features, and metrics in proportion to the samples."""
        return self.seconds_per_sample * (samples + self.real_work) + self.pilot_seconds * samples / self.pilot

    @property
    def counts(self) -> tuple[int, ...]:
        """For which numbers of samples there are forecasts, that of the pilot first."""
        return self.pilot, *(each for each in COUNTS if each > self.pilot)

    @property
    def warning(self) -> str:
        """A reason not to trust the biases; empty if there is none."""
        if self.pilot > self.dimension or not any(each.metric.biased for each in self.forecasts):
            return ""
        return (
            f"the pilot has no more samples than the {self.dimension:,} features, where the bias is not yet "
            f"proportional to 1/N: --count {2 * self.dimension:,} would do"
        )

    def to_records(self) -> list[dict[str, Any]]:
        """Return a JSON-able mapping for each figure and number of samples, as `evaluate --plan --json` writes them.

        `value` and `bias` are None where they are not forecast; `narrow_from` and `apart_from` if no number suffices.
        """
        return [self._describe(each, samples) for each in self.forecasts for samples in self.counts]

    def _describe(self, each: Forecast, samples: int) -> dict[str, Any]:
        return {
            "of": self.name,
            "metric": each.estimate.metric,
            "samples": samples,
            "value": each.value(samples) if each.metric.biased else None,
            "bias": each.bias(samples) if each.metric.biased else None,
            "half_width": each.half_width(samples),
            "seconds": self.seconds(samples),
            "narrow_from": each.find_narrow(NARROW),
            "apart_from": each.find_apart(),
            "is_clear": each.is_clear,
            "pilot": self.pilot,
            "pilot_value": each.estimate.value,
            "pilot_half_width": each.estimate.half_width,
            "pilot_real": each.estimate.real,
            "features": self.features,
            "against": self.against,
            "reals": self.reals,
            "available": self.available,
            "warning": self.warning,
        }


def plan_evaluation(
    what: Things, against: str | Path | None = None, *, reporter: Reporter | None = None, **options: Any
) -> Plan:
    """Forecast from a pilot what `evaluate` with more samples would say.

    Args:
        what: one thing, as `evaluate` takes it.
        against: the real data; else those of the run.
        reporter: is told what happens.
        options: of `EvaluationOptions` metrics, features, weights, download, reference, size, seed, truncation and
            device; `count` is the number of samples of the pilot, else 500.

    Raises:
        InputError: something does not exist, cannot be used or forecast, or there are fewer than 100 samples of a kind.
    """
    reporter, asked = reporter or Reporter(), catalog.build(EvaluationOptions, options)
    place = None if against is None else str(against)
    _check(what, place, asked)
    candidates, evaluation = open_sides(open_candidates(what, place, asked, reporter), place, asked, reporter)
    candidate, metrics = candidates[0], _choose_metrics(asked, evaluation)
    count = _count(candidate, evaluation, asked)
    with reporter.phase(f"scoring {count:,} of each for a pilot"):
        pilot, seconds = _extract(candidate, evaluation, count, asked.seed)
        forecasts, metric_seconds = forecast(pilot, metrics, evaluation.sizes[evaluation.reference])
    return Plan(
        name=candidate.name,
        pilot=count,
        forecasts=forecasts,
        features=evaluation.features.name,
        dimension=pilot.fake.shape[1],
        against=f"{SPLITS[evaluation.reference]} of {evaluation.source.name}",
        reals=evaluation.sizes[evaluation.reference],
        available=_find_available(candidate),
        real_work=evaluation.sizes["all"] if asked.metrics else evaluation.real_work,
        seconds_per_sample=seconds / (3 * count),
        pilot_seconds=metric_seconds,
    )


def _check(what: Things, place: str | None, asked: EvaluationOptions) -> None:
    """Refuse what cannot be planned, before anything is read.

    Raises:
        InputError: see there.
    """
    if not isinstance(what, str | Path | TrainedGenerator | Tensor) and len(what) != 1:
        raise InputError("--plan is for one thing at a time")
    others = ("--protocol", asked.protocol), ("--by-class", asked.by_class)
    for option in (*asked.showing, *(name for name, value in others if value)):
        raise InputError(f"--plan forecasts scores, it measures none: leave out {option}")
    if place is not None and holds_moments(Path(place).expanduser()):
        raise InputError(f"--plan needs the real images, and {place} holds their statistics")
    check_plan(asked.metrics)


def _choose_metrics(asked: EvaluationOptions, evaluation: Evaluation) -> list[Metric]:
    """Return the metrics that are asked for, else all that are measured anyway and keep the law.

    Raises:
        InputError: one of the former has no meaning here.
    """
    if not asked.metrics:
        return [metric for metric in evaluation.applicable(training=False) if metric.shrinks]
    chosen = [find_metric(name) for name in asked.metrics]
    for metric in chosen:
        if refusal := metric.refusal(evaluation.source, evaluation.features):
            raise InputError(f"{catalog.name_of(metric)} cannot be measured here: {refusal}")
    return chosen


def _find_available(candidate: Candidate) -> int | None:
    return len(candidate.content) if isinstance(candidate.content, Tensor) else None


def _count(candidate: Candidate, evaluation: Evaluation, asked: EvaluationOptions) -> int:
    """Return how many samples of each kind the pilot has: those asked for or 500, or as many as there are.

    Raises:
        InputError: there are fewer than `LEAST`, or fewer than were asked for.
    """
    sizes, there = evaluation.sizes, _find_available(candidate)
    reals = sizes["all"] // 2 if evaluation.reference == "all" else min(sizes["test"], sizes["train"])
    most = reals if there is None else min(reals, there)
    if most < LEAST or (asked.count is not None and not LEAST <= asked.count <= most):
        generated = "any number of" if there is None else f"{there:,}"
        raise InputError(
            f"--plan: a pilot needs {asked.count or LEAST:,} samples and as many real ones for each side, at least "
            f"{LEAST}; {candidate.name} has {generated} samples, and {evaluation.source.name} {reals:,} for each side"
        )
    return min(asked.count or PILOT, most)


def _extract(candidate: Candidate, evaluation: Evaluation, count: int, seed: int) -> tuple[Pilot, float]:
    """Extract the features of `count` samples of each kind; return them with the seconds that took."""
    source, features = evaluation.source, evaluation.features
    reals, others = _draw_reals(evaluation, count, seed)
    samples = candidate.samples(count, source, features, seed)
    began = time.monotonic()
    fake, real, further = (evaluation.extract(each) for each in (samples, reals, others))
    seconds = time.monotonic() - began
    return Pilot(fake, real, further, source, GivenFeatures(features), seed), seconds


def _draw_reals(evaluation: Evaluation, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw `count` real samples of the reference, and as many others for the floor."""
    source, rng = evaluation.source, randomness.rng(seed, 0, "pilot")
    if evaluation.reference == "all":
        drawn = torch.randperm(len(source.train) + len(source.test), generator=rng)[: 2 * count]
        reals = _select_of_both(source.train.samples, source.test.samples, drawn)
        return reals[:count], reals[count:]
    splits = [source.test.samples, source.train.samples]
    test, train = (each.index_select(0, torch.randperm(len(each), generator=rng)[:count]) for each in splits)
    return (test, train) if evaluation.reference == "test" else (train, test)


def _select_of_both(first: Tensor, second: Tensor, places: Tensor) -> Tensor:
    """Select rows at `places` of two tensors that are thought of as one after the other, without joining them."""
    late = places >= len(first)
    chosen = first.new_empty((len(places), *first.shape[1:]))
    chosen[~late] = first.index_select(0, places[~late])
    chosen[late] = second.index_select(0, places[late] - len(first))
    return chosen
