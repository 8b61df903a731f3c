"""Train one recipe once for each seed, one run after the other, so that the whole goes on after a stop."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from zerosum.data import Source
from zerosum.data.readers import make_absolute, open_source
from zerosum.data.recorded import open_recorded
from zerosum.errors import InputError
from zerosum.game.recipe import Recipe, from_json
from zerosum.run import checkpoint, restoring
from zerosum.run.length import is_finished
from zerosum.run.plan import RUNS, Plan
from zerosum.run.start import Start
from zerosum.run.trainer import Trainer
from zerosum.run_folder import RunFolder
from zerosum.seeds import SeedsFolder, Series


@dataclass(eq=False)
class SeriesTraining:
    """The runs of a series, of which each is begun or gone on with when its turn comes.

    Attributes:
        folder: where they lie.
        series: what they have in common.
        data: another place where the data lie now.
        device: another one than was asked for.
        source: the data, if they are open already.
    """

    folder: SeedsFolder
    series: Series
    data: str | None = None
    device: str | None = None
    source: Source | None = None

    def __post_init__(self) -> None:
        """Keep the number of PyTorch's threads as it was before the first run, which may change it."""
        self._threads = torch.get_num_threads()

    @classmethod
    def begin(
        cls, plan: Plan, count: int, data: str, source: Source, recipe: Recipe, start: Start | None
    ) -> "SeriesTraining":
        """Make the folder of a series of `count` seeds from `plan.seed` on; no run is begun.

        Raises:
            InputError: the folder cannot be used.
        """
        series = Series(
            data=make_absolute(data),
            fingerprint=source.fingerprint,
            seeds=tuple(range(plan.seed, plan.seed + count)),
            recipe=recipe.as_json(),
            device=plan.device,
            steps=plan.steps,
            minutes=plan.minutes,
            start=None if start is None else start.describe(),
        )
        path = (plan.out or RUNS / source.name).expanduser()
        folder = SeedsFolder.create(path, series, numbered=plan.out is None)
        return cls(folder, series, source=source)

    @classmethod
    def resume(cls, path: Path, data: str | None, device: str | None) -> "SeriesTraining":
        """Find the series at `path`.

        Raises:
            InputError: its `seeds.json` is damaged.
        """
        folder = SeedsFolder(path)
        return cls(folder, folder.read(), data, device)

    def left(self, *, diverged_too: bool) -> list[int]:
        """List the seeds whose runs are not finished, in order; with those that diverged, if they may go back.

        Raises:
            InputError: a run is damaged.
        """
        passed = () if diverged_too else self.folder.read().diverged
        return [seed for seed in self.series.seeds if seed not in passed and not self._is_finished(seed)]

    def _is_finished(self, seed: int) -> bool:
        run = self.folder.run(seed)
        return run.description.exists() and is_finished(run)

    def open(self, seed: int) -> Trainer:
        """Begin the run of `seed`, or restore it from its last checkpoint.

        Raises:
            InputError: its data, its device or the weights that it begins with are gone or changed, or another process
                is in it.
        """
        torch.set_num_threads(self._threads)
        run = self.folder.run(seed)
        if run.description.exists():
            if not _is_half_made(run):
                return restoring.resume(run.path, data=self.data, device=self.device)
            run.lock()
            run.discard()
        series, source = self.series, self._open_data()
        recipe = from_json(series.recipe)
        plan = Plan(steps=series.steps, minutes=series.minutes, seed=seed, device=self.device or series.device)
        return replace(plan, out=run.path).begin(self.data or series.data, source, recipe, self._open_start())

    def _open_data(self) -> Source:
        if self.source is None:
            preparation = from_json(self.series.recipe).data
            if self.data is not None:
                self.source = open_source(self.data, preparation)
            else:
                about = {"data": self.series.data}
                self.source = open_recorded(about, preparation, "say where they lie now, --data PLACE")
        if self.source.fingerprint != self.series.fingerprint:
            raise InputError(
                f"the data at {self.data or self.series.data} are not those that {self.folder.path} began with: its "
                "runs could not be compared with others on these"
            )
        return self.source

    def _open_start(self) -> Start | None:
        if self.series.start is None:
            return None
        start = Start.open(self.series.start["place"])
        if start.describe() != self.series.start:
            raise InputError(f"the weights at {start.place} are not those that {self.folder.path} began with")
        return start


def describe_seeds(seeds: Sequence[int]) -> str:
    """Name seeds in words: "seed 0", "seeds 0, 1 and 2"."""
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    return f"seeds {', '.join(map(str, seeds[:-1]))} and {seeds[-1]}"


def _is_half_made(run: RunFolder) -> bool:
    """Whether the process was killed that made the folder, before the first checkpoint was there."""
    began = run.metrics.exists() and run.metrics.stat().st_size > 0
    return not began and not checkpoint.steps(run.checkpoints)
