"""The runs that are compared: where they lie, what they scored, and why some of them cannot be compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zerosum import records
from zerosum.errors import InputError
from zerosum.metrics import Score
from zerosum.records import IterationRecord, ScoreRecord, scores_at
from zerosum.run_description import Line
from zerosum.run_folder import RunFolder, lengths
from zerosum.seeds import SeedsFolder, is_seeds_folder

# In `key`: a name and a summary change no bit, the length is compared by itself, and threads change the rounding only.
IDLE = ("name", "summary", "steps", "threads")
PROTOCOL = {  # of a score, in words
    "features": "features",
    "resizer": "resizer",
    "samples": "samples",
    "reference": "reference",
    "reference_samples": "real samples",
    "seed": "sampling seed",
}


@dataclass(frozen=True, eq=False)
class Run:
    """A run with its metrics.

    Attributes:
        path: its folder.
        about: its `run.json`.
        series: the folder of the seeds that it is one of; None if it is none.
        scores: all that were measured, in order.
        clock: iterations, [2, L] with the seconds of training that they took.
    """

    path: Path
    about: Line
    series: Path | None
    scores: list[ScoreRecord]
    clock: np.ndarray

    @classmethod
    def read(cls, path: Path, series: Path | None = None) -> "Run":
        """Read the run in the folder at `path`.

        Raises:
            InputError: it is no run, or damaged.
        """
        folder = RunFolder.open(path)
        iterations = records.read(folder, IterationRecord)
        clock = np.array([(each.step, each.seconds) for each in iterations]).reshape(-1, 2).T
        return cls(path, folder.describe(), series, records.read(folder, ScoreRecord), clock)

    @property
    def steps(self) -> int:
        """How many iterations it has in all."""
        return int(self.about["steps"])

    @property
    def minutes(self) -> float | None:
        """The minutes that it was planned for, if it was."""
        return self.about.get("minutes")

    @property
    def seed(self) -> int:
        """Its seed."""
        return int(self.about["seed"])

    @property
    def seconds(self) -> float:
        """Of training."""
        return float(self.clock[1, -1]) if self.clock.size else 0.0

    @property
    def final(self) -> dict[str, Score]:
        """The scores at its end, by metric, in order; none if it is not finished."""
        return scores_at(self.scores, self.steps)

    @property
    def key(self) -> dict[str, Any]:
        """What it was trained by, as JSON: its recipe without what changes no result, and what it began with."""
        recipe = {name: value for name, value in self.about["recipe"].items() if name not in IDLE}
        start = self.about.get("start")
        stretches = lengths(self.about)
        return {
            **recipe,
            **({} if start is None else {"from": f"{start['place']} ({start['sha256'][:8]})"}),
            **({"trained in stretches": stretches} if len(stretches) > 1 and self.minutes is None else {}),
        }


def find_runs(places: Sequence[Path]) -> tuple[list[Run], list[str]]:
    """Find the runs at `places`, each a run's folder or that of several seeds; and say which seeds have no run.

    Raises:
        InputError: a place is neither, or damaged.
    """
    found, missing, seen = list[Run](), list[str](), set[Path]()
    for path, series in _expand(places):
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        if series is not None and not RunFolder(path).description.exists():
            missing.append(f"{path}: not begun")
        else:
            found.append(Run.read(path, series))
    return found, missing


def _expand(places: Sequence[Path]) -> Iterator[tuple[Path, Path | None]]:
    for place in places:
        if is_seeds_folder(place):
            folder = SeedsFolder(place)
            yield from ((folder.run(seed).path, place) for seed in folder.read().seeds)
        else:
            yield place, None


def find_diverged(runs: Sequence[Run]) -> list[Path]:
    """List those of `runs` that diverged, as the folder of their seeds says."""
    folders = {run.series for run in runs if run.series is not None}
    diverged = {folder: SeedsFolder(folder).read().diverged for folder in folders}
    return [run.path for run in runs if run.series is not None and run.seed in diverged[run.series]]


def select(runs: Sequence[Run]) -> tuple[list[Run], list[str]]:
    """Divide the runs into those that can be compared with the first finished one, and a line on each other.

    Raises:
        InputError: none is finished.
    """
    problems = {run.path: _why_unfinished(run) for run in runs}
    first = next((run for run in runs if not problems[run.path]), None)
    if first is None:
        raise InputError("; ".join(f"{path}: {why}" for path, why in problems.items()) or "there are no runs")
    kept = list[Run]()
    for run in runs:
        problems[run.path] = problems[run.path] or why_not(run, first) or _why_again(run, kept)
        if not problems[run.path]:
            kept.append(run)
    return kept, [f"{path}: {why}" for path, why in problems.items() if why]


def _why_unfinished(run: Run) -> str:
    if run.final:
        return ""
    done = int(run.clock[0, -1]) if run.clock.size else 0
    return f"not finished, {done:,} of {run.steps:,} iterations (zerosum resume {run.path})"


def why_not(run: Run, first: Run) -> str:
    """Say why the scores of `run` say nothing beside those of `first`; empty if they do."""
    if run.about["fingerprint"] != first.about["fingerprint"]:
        return f"trained on other data ({run.about['data']}) than {first.path} ({first.about['data']})"
    if run.steps != first.steps and (run.minutes is None or run.minutes != first.minutes):
        return f"{run.steps:,} iterations, and {first.path} has {first.steps:,}"
    shared = [name for name in run.final if name in first.final]
    if not shared:
        return f"none of the scores of {first.path}"
    for name in shared:
        for field, words in PROTOCOL.items():
            mine, theirs = getattr(run.final[name], field), getattr(first.final[name], field)
            if mine != theirs:
                return f"{name} with other {words} ({mine}) than in {first.path} ({theirs})"
    return ""


def _why_again(run: Run, kept: Sequence[Run]) -> str:
    """Say that a run is another one's repetition: no new draw, so that it would make the spread look smaller."""
    for other in kept:
        if run.seed == other.seed and run.key == other.key:
            return f"the recipe and the seed of {other.path} once more, no further draw"
    return ""
