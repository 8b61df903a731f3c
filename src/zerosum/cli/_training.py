"""Show a run while it trains, and say at its end what came of it: what `train` and `resume` share."""

import shlex
import time

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from zerosum import records
from zerosum.cli import STARTED
from zerosum.cli._data import count_epochs, describe_recipe
from zerosum.cli._tables import show_scores
from zerosum.diagnostics import Diagnosis
from zerosum.export.scores import format_value
from zerosum.recipes import auto
from zerosum.records import FindingRecord, Record, ScoreRecord
from zerosum.run.api import finish
from zerosum.run.conduct import Conduct
from zerosum.run.logs import open_logs
from zerosum.run.probe import Timing
from zerosum.run.stopping import STOPPING, losing_terminal
from zerosum.run.trainer import Trainer

PLAIN_LINES = 20
REPLANNED = 0.2  # of the iterations: a plan that differs by more from the one told is told
TICK = 0.01  # seconds; some clocks do not resolve less


def announce(run: Trainer, imported: float, console: Console) -> None:
    """Say what is about to be trained, on what and where; `imported` is when the imports were done (monotonic)."""
    source, about = run.source, run.folder.describe()
    clock = f" (planned for {about['minutes']:g} minutes)" if "minutes" in about else ""
    epochs = count_epochs(run.recipe, run.steps, source)
    lines = [
        f"{source.name}: {len(source.train):,} samples of shape {list(source.shape)} to train on, "
        f"{len(source.test):,} kept for testing",
        f"recipe {describe_recipe(run.recipe)}: {run.steps:,} iterations{clock}, {epochs:.3g} epochs, on "
        f"{run.engine.describe()}, in {run.folder.path}",
        f"ready {time.monotonic() - STARTED:.1f} s after the start, of which imports {imported - STARTED:.1f} s",
    ]
    if run.team.size > 1:
        lines.insert(
            2, f"  each of {run.team.size} processes plays its share of {run.recipe.accumulate} parts of a minibatch"
        )
    if run.caution:
        lines.append(f"Warning: {run.caution}; the system may end it")
    lines[2:2] = [f"  {Timing(**each).describe()}" for each in about["probe"]]
    console.print("\n".join(lines), soft_wrap=True)


def train_and_show(trainer: Trainer, console: Console, conduct: Conduct) -> None:
    """Train to the end and say what came of it, or stop when asked to and say how it goes on."""
    stopped_by = train_with_bar(trainer, console, conduct)
    trainer.team.dismiss()
    path, typed = trainer.folder.path, shlex.quote(str(trainer.folder.path))
    if stopped_by:
        console.print(
            f"Stopped after {trainer.step:,} of {trainer.steps:,} iterations.\n"
            f"Go on with  zerosum resume {typed}\n"
            f"Or look     zerosum sample {typed} --count 64",
            soft_wrap=True,
        )
        raise typer.Exit(128 + stopped_by)
    console.print(f"\nFinished {trainer.steps:,} iterations in {path}", soft_wrap=True)
    if expected := auto.expect_of_iterations(trainer.recipe, trainer.steps):
        console.print(expected, soft_wrap=True)
    final = records.scores_at(records.read(trainer.folder, ScoreRecord), trainer.steps)
    show_scores({path.name: list(final.values())}, console)
    if diagnosis := Diagnosis.read(trainer.folder.diagnosis):
        console.print(f"Doctor     {diagnosis.verdict}", soft_wrap=True, markup=False)
    console.print(
        f"Look at    {trainer.folder.report}\n"
        f"Next       zerosum sample {typed} --count 64\n"
        f"           zerosum evaluate {typed}\n"
        f"           zerosum diagnose {typed}\n"
        f"From code  zerosum.load({str(path)!r}).sample(64, seed=0)",
        soft_wrap=True,
    )


def train_with_bar(trainer: Trainer, console: Console, conduct: Conduct) -> int:
    """Train to the end, or until asked to stop; return the number of the signal, or 0.

    Raises:
        RunFailed: losses or weights are no longer finite.
    """
    display = Display(trainer, console)
    preparing = console.status("learning the features that scores are measured in (once per data set)")
    logs = open_logs(trainer, conduct.log, display.say)
    for line in logs.describe():
        display.say(line)
    return finish(trainer, display.show, STOPPING, display, preparing, conduct, display.say, logs)


class Display:
    """A progress bar in a terminal, plain lines elsewhere."""

    def __init__(self, trainer: Trainer, console: Console) -> None:
        """Show nothing before it is entered."""
        self._trainer, self._console = trainer, console
        self._first = True
        self._next_plain = 0
        self._planned = trainer.steps
        self._progress = Progress(
            TextColumn("{task.fields[name]}", style="bold", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[state]}"),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> "Display":
        self._progress.start()
        self._task = self._progress.add_task(
            "",
            total=self._trainer.steps,
            completed=self._trainer.step,
            name=self._trainer.folder.path.name,
            rate="",
            state="",
        )
        self._start, self._from = time.monotonic(), self._trainer.step
        return self

    def __exit__(self, *failure: object) -> None:
        self._progress.stop()

    @losing_terminal()
    def show(self, record: Record) -> None:
        """Show a record of the metrics."""
        if isinstance(record, ScoreRecord):
            if record.score.metric == "frechet-distance":
                distance = format_value(record.score.value)
                self.say(f"step {record.step:,}: Fréchet distance {distance} at {record.score.samples:,} samples")
            return
        if isinstance(record, FindingRecord):
            gone = "" if record.began else "no longer so: "
            self.say(f"step {record.step:,}: {gone}{record.sentence} ({record.finding})")
            return
        if self._first:
            self._first = False
            self.say(f"first iteration {time.monotonic() - STARTED:.1f} s after the start")
        self._tell_plan()
        rate = f"{(record.step - self._from) / max(time.monotonic() - self._start, TICK):.1f}/s"
        answers = f"D(x) {record.d_real:.2f}  D(G(z)) {record.d_fake:.2f}"
        if not self._trainer.recipe.game.probabilistic:
            answers = f"D right about {record.pair_accuracy:.0%} of pairs"
        state = f"D loss {record.discriminator_loss:.3f}  G loss {record.generator_loss:.3f}  {answers}"
        self._progress.update(self._task, total=self._trainer.steps, completed=record.step, rate=rate, state=state)
        if not self._console.is_terminal and record.step >= self._next_plain:
            self._next_plain = record.step + max(1, self._trainer.steps // PLAIN_LINES)
            self.say(f"step {record.step:,} of {self._trainer.steps:,}  {rate}  {state}")

    def _tell_plan(self) -> None:
        """Say that there is time for another number of iterations than was told, if it is far from it."""
        steps, told = self._trainer.steps, self._planned
        if abs(steps - told) > REPLANNED * told:
            self._planned = steps
            speed = "slower" if steps < told else "faster"
            self.say(f"{steps:,} iterations in the time, not {told:,}: the machine is {speed} than it was")

    @losing_terminal()
    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._progress.console.print(text, soft_wrap=True)
