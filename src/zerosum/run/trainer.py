"""The trainer: plays a recipe on data, and measures, records, averages, saves and stops."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from zerosum import records
from zerosum.atomic import write_atomically
from zerosum.data import Source
from zerosum.errors import InputError
from zerosum.export import pictures
from zerosum.game.algorithm import Iteration, play
from zerosum.game.distributed import ALONE, Team
from zerosum.game.ema import EMA
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe
from zerosum.generator import TrainedGenerator
from zerosum.records import Record
from zerosum.run import checkpoint
from zerosum.run.checkpoint import Progress
from zerosum.run.divergence import WATCHED, Diverged, explain, find_layer, find_loss, find_weight
from zerosum.run.environment import list_versions
from zerosum.run.length import Lengths, is_due, prolong, stretches
from zerosum.run.pace import Pace
from zerosum.run.scoring import Scoring
from zerosum.run.sharing import Helper
from zerosum.run.start import Start
from zerosum.run.threads import Threads
from zerosum.run.window import LogWindow
from zerosum.run_folder import RunFolder, lengths

LINES, PICTURES = 250, 10
CHECKPOINT_SECONDS = 60.0
PICTURE_SAMPLES, PICTURE_POINTS, PICTURE_SEED = 64, 2_000, 0


@dataclass(eq=False)
class Trainer:
    """A training in progress, in its folder.

    Attributes:
        lengths: how many iterations it has, from which one on: (step, iterations in all).
        step: iterations done, of `steps`.
        seconds: of training so far.
        best: the smallest Fréchet distance so far, and the step it was measured at.
        window: the iterations since the last line of the metrics.
        skipped_checkpoints: what is wrong with checkpoints newer than the one that was restored.
        caution: what the run may need more of than there is, in a line; empty if nothing.
        elsewhere: in what it goes on that bits depend on and is other than before, in a line; empty if in nothing.
        prolonged: what it means that the run was made longer, in a line; empty if it was not, just now.
        pace: what keeps it within its minutes; None if it has a number of iterations.
        threads: how many CPU threads it takes; their number may change while it has minutes.
        team: the processes that play it; the first one of them has all else to do.
        halved_from: the iteration from which on both learning rates are halved; None if they are not.
    """

    folder: RunFolder
    recipe: Recipe
    source: Source
    engine: Engine
    seed: int
    lengths: Lengths
    players: Players
    ema: EMA
    step: int = 0
    seconds: float = 0.0
    best: tuple[float, int] | None = None
    window: LogWindow = field(default_factory=LogWindow)
    skipped_checkpoints: tuple[str, ...] = ()
    caution: str = ""
    elsewhere: str = ""
    prolonged: str = ""
    pace: Pace | None = None
    threads: Threads = field(default_factory=lambda: Threads([(0, torch.get_num_threads())]))
    team: Team = ALONE
    halved_from: int | None = None
    _began: float = field(default_factory=time.monotonic)
    _latest: TrainedGenerator | None = None

    @property
    def steps(self) -> int:
        """How many iterations the run has in all."""
        return self.lengths[-1][1]

    @classmethod
    def create(
        cls,
        path: Path,
        recipe: Recipe,
        source: Source,
        description: dict[str, Any],
        *,
        numbered: bool = False,
        start: Start | None = None,
        team: Team = ALONE,
    ) -> "Trainer":
        """Begin a run in `path`, or if `numbered` in the first of `path`, `path-2`, `path-3` ... that is free.

        Nothing is written before everything else is known to fit. `description` comes from `describe`. The weights are
        those of `start`, or drawn.

        Raises:
            InputError: the recipe cannot serve the data, or the folder cannot be used.
        """
        trainer = cls.build(RunFolder(path), recipe, source, description, team)
        if start is not None:
            start.put(trainer.players, trainer.ema)
            description["start"] = start.describe()
        trainer.folder = RunFolder.create(path, description, numbered=numbered)
        try:
            trainer.save_picture()
            trainer.save_checkpoint()
        except BaseException:
            trainer.folder.discard()
            raise
        trainer.lead()
        return trainer

    def put(self, state: checkpoint.Checkpoint) -> Progress:
        """Bring the game to the `state` of a checkpoint; return what the checkpoint says of the run.

        Raises:
            InputError: the checkpoint is damaged, or of other networks.
        """
        checkpoint.restore(state, self.players, self.ema)
        progress = state.read_progress(self.folder.checkpoints)
        self.step, self.seconds, self.best = state.step, progress.seconds, progress.best
        self.skipped_checkpoints = state.skipped
        self.window = LogWindow.from_tensors(state.window, self.engine.device)
        return progress

    def return_to_checkpoint(self) -> Progress:
        """Bring the game back to its newest intact checkpoint, and nothing in its folder."""
        return self.put(checkpoint.load_latest(self.folder.checkpoints))

    def roll_back(self) -> None:
        """Go back to the newest checkpoint, in the folder too, and halve both learning rates from there on.

        `run.json` notes the iteration, so that whoever resumes from before plays the same.
        """
        progress = self.return_to_checkpoint()
        self.folder.rewind(progress.metrics_bytes)
        self.halved_from = self.step
        self.folder.note(halved_from=self.step)
        self._began = time.monotonic()

    @classmethod
    def build(cls, folder: RunFolder, recipe: Recipe, source: Source, about: dict[str, Any], team: Team) -> "Trainer":
        """Make the trainer that `about`, the content of `run.json`, describes, before its first step."""
        if recipe.accumulate % team.size:
            raise InputError(
                f"minibatches in {recipe.accumulate} parts (accumulate) cannot be shared by {team.size} processes: "
                "take a number of processes that divides it"
            )
        engine = Engine.choose(about["device"], about["precision"], about["threads"])
        engine.use_threads()
        players = Players.build(recipe, source, engine, about["seed"], team)
        ema = EMA(players.generator.network, recipe.ema_decay)
        minutes = about.get("minutes")
        pace = None if minutes is None else Pace(60 * minutes)
        threads = Threads.of(about, recipe)
        return cls(
            folder,
            recipe,
            source,
            engine,
            about["seed"],
            lengths(about),
            players,
            ema,
            pace=pace,
            threads=threads,
            team=team,
            halved_from=about.get("halved_from"),
        )

    def lead(self) -> None:
        """Tell the other processes which run it is; they restore it from its folder, and `follow`."""
        self.team.tell(str(self.folder.path.resolve()), self.lengths, list_versions())

    def follow(self) -> None:
        """Play along in another process than the first one, which decides when to stop, and help it to score."""
        helper = Helper(self)
        helper.help()  # until the first process trains
        for _ in self._play():
            stopping, steps = helper.help()
            if steps != self.steps:
                self.lengths = prolong(self.lengths, self.step, steps)
            if stopping:
                break
        helper.help()  # until it has done all else

    def train(self, scoring: Scoring, observe: Callable[[Record], None], stop: Callable[[], bool]) -> bool:
        """Play to the end, or until `stop()` after an iteration; save state and generator in both cases.

        `observe` is called with each record that goes into the metrics. True if the run is finished.

        Raises:
            Diverged: the losses or the weights are no longer finite.
        """
        self.team.tell()  # that the training begins
        self.folder.generator.unlink(missing_ok=True)  # of an earlier stop
        began = saved = time.monotonic()
        before = self.seconds
        if self.pace is not None:
            self.pace = Pace(self.pace.budget - (began - self._began), self.step, before)  # preparing took that long
        self.threads.begin(self.step, before)
        for iteration, steps in self._play():
            self.seconds = before + time.monotonic() - began
            last = self.step == steps
            self._take(iteration)
            if is_due(self.lengths, self.step, LINES) or last or self.step == 1:
                self._log(observe)
            if is_due(self.lengths, self.step, PICTURES) or last:
                self.save_picture()
            scores_due = is_due(self.lengths, self.step, scoring.parts) and not last
            if scores_due and scoring.score_meanwhile(self, observe):
                saved = -math.inf
            self._keep_pace(scoring)
            if last and steps != self.steps:  # of a run that was made longer, and lost the checkpoints since
                scoring.conclude(self, observe)
            stopping = stop()
            self.team.tell(stopping, self.steps)
            if stopping or last or time.monotonic() - saved > CHECKPOINT_SECONDS:
                self.save_checkpoint()
                saved = time.monotonic()
            if stopping:
                break
        self.generator().save(self.folder.generator)
        if self.step < self.steps:
            return False
        scoring.conclude(self, observe)
        return True

    def _play(self) -> Iterator[tuple[Iteration, int]]:
        """Play and average the rest; each iteration comes with how many there are, which schedules follow."""
        while self.step < self.steps:
            planned, players = self.lengths, self.players
            begin, end, steps = next(stretches(planned, self.step))
            if self.halved_from is not None and begin < self.halved_from:
                end = min(end, self.halved_from)
            elif self.halved_from is not None:
                players = players.halve_rates()
            iterations = play(players, self.recipe, self.source.train, steps=steps, seed=self.seed, start=begin)
            for iteration in islice(iterations, end - begin):
                self.step = iteration.step + 1
                self.ema.update(self.step)
                yield iteration, steps
                if self.lengths is not planned:
                    break

    def _take(self, iteration: Iteration) -> None:
        """Add what an iteration measured to the window; look at the losses at times."""
        self.window.iterations.append(iteration)
        if self.step % WATCHED == 0:
            self._look_at_losses()

    def _look_at_losses(self) -> None:
        """Refuse to go on if one of the latest losses, which nobody looked at yet, is not finite."""
        if find_loss(self.window.iterations[-WATCHED:]):
            raise self.diverged()

    def _keep_pace(self, scoring: Scoring) -> None:
        """Follow the machine, which may be faster or slower than it was; what is decided is noted in `run.json`."""
        self._plan_again(scoring)
        if self.threads.follow(self.step, self.seconds, free=self.pace is not None and self.team.size == 1):
            self.folder.note(threads_at=self.threads.changes)

    def _plan_again(self, scoring: Scoring) -> None:
        """Change the number of iterations, if the run has minutes and the machine is no longer as fast as it was.

        What follows the share of the training that is done follows that of the new number. It is noted in `run.json`,
        so that whoever resumes from before plays the same.
        """
        recorded = self.step < self.lengths[-1][0]  # of a run that lost the checkpoints since, and is played again
        done = recorded or self.step == self.steps
        if self.pace is None or done or not self.pace.is_due(self.step, self.seconds):
            return
        steps = self.pace.plan(self.step, self.seconds, self.steps, scoring.expect_seconds(self))
        if steps != self.steps:
            self.lengths = prolong(self.lengths, self.step, steps)
            self.folder.note_lengths(self.lengths)

    def generator(self) -> TrainedGenerator:
        """Return the averaged generator as it stands; it is made once for each step."""
        if self._latest is None or self._latest.metadata["step"] != self.step:
            self._latest = self._average()
        return self._latest

    def _average(self) -> TrainedGenerator:
        about = {
            "recipe": self.recipe.as_json(),
            "data": self.source.name,
            "step": self.step,
            "precision": self.engine.precision,
        }
        networks, classes = self.players.networks, {}
        if networks.conditional and self.source.train.labels is not None:
            counts = self.source.train.labels.bincount(minlength=self.source.classes).tolist()
            classes = dict(zip(self.source.class_names, counts, strict=True))
        network = self.ema.calibrated(networks, list(classes.values()), self.engine.device)
        return TrainedGenerator(network, networks, self.source.shape, classes, self.engine, about)

    def _log(self, observe: Callable[[Record], None]) -> None:
        self._look_at_losses()
        self.record(self.window.summarize(self.step, self.seconds), observe)

    def end_here(self, reason: str) -> None:
        """Let the iteration that is being played be the last one; `run.json` notes the reason."""
        self.lengths = prolong(self.lengths, self.step, self.step)
        self.folder.note_lengths(self.lengths)
        self.folder.note(ended=reason)
        self.save_picture()

    def record(self, record: Record, observe: Callable[[Record], None]) -> None:
        """Add a record to the metrics, and show it to `observe`."""
        records.append(self.folder, record)
        observe(record)

    def diverged(self, why: str = "") -> Diverged:
        """Explain what is no longer finite, since when, and in which layer of which player it began.

        `why` says what was found, if it is no loss. The players are afterwards those of another iteration.
        """
        bad = find_loss(self.window.iterations)
        step, what = (self.step - 1, why) if bad is None else (bad.step, bad.what)
        found = f"the game diverged before step {self.step}: {what}"
        saved = checkpoint.steps(self.folder.checkpoints)
        if saved and self.team.size == 1 and (layer := self._find_layer(step)):
            found += f"; it began in {layer}"
        return explain(found, self.folder, saved[-1] if saved else None, self.halved_from)

    def _find_layer(self, step: int) -> str:
        """Play once more from the newest checkpoint to iteration `step`, and say where numbers cease to be finite.

        It is empty if they do not: the same run has the same bits on CPUs, and not on every GPU.
        """
        self.return_to_checkpoint()
        return find_layer(self.players, self._play(), step - self.step) if step >= self.step else ""

    def save_picture(self) -> None:
        """Draw the same latents as in every picture of the run.

        Raises:
            Diverged: a sample is not finite.
        """
        count = PICTURE_SAMPLES if self.source.is_images else PICTURE_POINTS
        real = None if self.source.is_images else self.source.test.samples[:count]
        samples = self.generator().sample(count, PICTURE_SEED)
        if not bool(samples.isfinite().all()):
            raise self.diverged("a sample is not finite")
        shown = pictures.select_shown(samples, self.recipe.data.shown)
        picture = pictures.encode(pictures.draw_samples(shown, real), self.describe_samples(PICTURE_SEED))
        write_atomically(self.folder.samples / f"{self.step:06d}.png", picture)

    def describe_samples(self, seed: int) -> str:
        """Return what a picture's metadata say of its samples, which were drawn with `seed`."""
        return f"run {self.folder.path.resolve().name}; step {self.step}; seed {seed}"

    def save_checkpoint(self) -> None:
        """Write the state.

        Raises:
            Diverged: a weight is not finite.
        """
        if weight := find_weight(self.players):
            raise self.diverged(weight)
        progress = Progress(self.folder.metrics.stat().st_size, round(self.seconds, 3), self.best)
        checkpoint.save(
            self.folder.checkpoints, self.step, self.players, self.ema, asdict(progress), self.window.tensors()
        )
