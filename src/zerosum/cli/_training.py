"""What `train` and `resume` share: the display while a run is training, and the words at its end."""

import shlex
import signal
import time
from contextlib import closing

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from zerosum.cli import STARTED
from zerosum.cli._tables import figure, show_scores
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request
from zerosum.record import Line
from zerosum.run import Run
from zerosum.stopping import Stopping

PLAIN_LINES = 20
TICK = 0.01  # of some systems' clocks: what is faster takes no time by them


def finish(run: Run, console: Console) -> None:
    """Train `run` to its end and say what came of it, or stop it when asked to and say how it goes on."""
    from zerosum import report  # with Matplotlib: half a second that no training has to wait for

    with closing(run.folder):
        with console.status("learning the features that scores are measured in (once per data set)"):
            evaluation = Evaluation.of(run.source, Request(device=run.engine.device))
        with Stopping(signal.SIGINT, signal.SIGTERM) as stopping, Display(run, console) as display:
            finished = run.train(evaluation, display.line, stopping.asked)
        report.write(run.folder)
    path, typed = run.folder.path, shlex.quote(str(run.folder.path))
    if not finished:
        console.print(
            f"Stopped after {run.step:,} of {run.steps:,} iterations.\n"
            f"Go on with  zerosum resume {typed}\n"
            f"Or look     zerosum sample {typed} --count 64",
            soft_wrap=True,
        )
        raise typer.Exit(128 + stopping.signal)
    console.print(f"\nFinished {run.steps:,} iterations in {path}", soft_wrap=True)
    show_scores({path.name: [line for line in run.folder.lines("score") if line["step"] == run.steps]}, console)
    console.print(
        f"Look at    {run.folder.report}\n"
        f"Next       zerosum sample {typed} --count 64\n"
        f"           zerosum evaluate {typed}\n"
        f"From code  zerosum.load({str(path)!r}).sample(64, seed=0)",
        soft_wrap=True,
    )


class Display:
    """A progress bar in a terminal, plain lines elsewhere."""

    def __init__(self, run: Run, console: Console) -> None:
        """Nothing is shown before it is entered."""
        self._run, self._console = run, console
        self._first = True
        self._next_plain = 0
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
            "", total=self._run.steps, completed=self._run.step, name=self._run.folder.path.name, rate="", state=""
        )
        self._start, self._from = time.monotonic(), self._run.step
        return self

    def __exit__(self, *failure: object) -> None:
        self._progress.stop()

    def line(self, line: Line) -> None:
        """Show a line of the metrics."""
        if line["kind"] == "score":
            if line["metric"] == "frechet-distance":
                distance = figure(line["value"])
                self._say(f"step {line['step']:,}: Fréchet distance {distance} at {line['samples']:,} samples")
            return
        if self._first:
            self._first = False
            self._say(f"first iteration {time.monotonic() - STARTED:.1f} s after the start")
        rate = f"{(line['step'] - self._from) / max(time.monotonic() - self._start, TICK):.1f}/s"
        answers = f"D(x) {line['d_real']:.2f}  D(G(z)) {line['d_fake']:.2f}"
        if not self._run.recipe.game.probabilistic:
            answers = f"D right about {line['real_led']:.0%} of pairs"
        state = f"D loss {line['discriminator_loss']:.3f}  G loss {line['generator_loss']:.3f}  {answers}"
        self._progress.update(self._task, completed=line["step"], rate=rate, state=state)
        if not self._console.is_terminal and line["step"] >= self._next_plain:
            self._next_plain = line["step"] + max(1, self._run.steps // PLAIN_LINES)
            self._say(f"step {line['step']:,} of {self._run.steps:,}  {rate}  {state}")

    def _say(self, text: str) -> None:
        self._progress.console.print(text, soft_wrap=True)
