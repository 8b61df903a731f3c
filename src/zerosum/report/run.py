"""The report of a run, made from its folder alone."""

import io
import shlex
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zerosum import catalog, records
from zerosum.atomic import write_atomically
from zerosum.diagnostics import Diagnosis, Diagnostic
from zerosum.game.losses import Game
from zerosum.metrics import list_warnings
from zerosum.records import FindingRecord, IterationRecord, ScoreRecord
from zerosum.report import group_by_protocol, inline, render
from zerosum.run_description import Line
from zerosum.run_folder import RunFolder, lengths

CONFUSION = ("real_as_real", "real_as_fake", "fake_as_real", "fake_as_fake")


def write(folder: RunFolder) -> None:
    """Write the run's `report.html`, also for a run that is not finished."""
    iterations, scores = records.read(folder, IterationRecord), records.read(folder, ScoreRecord)
    last = list(records.scores_at(scores, scores[-1].step).values()) if scores else []
    about = folder.describe()
    moments = records.read(folder, FindingRecord)
    probabilistic = catalog.lookup(Game, about["recipe"]["game"]["name"]).probabilistic
    page = render(
        "run.html.j2",
        name=folder.path.resolve().name,
        about=about,
        again=_commands(folder, about),
        by_the_clock=_command(folder, about, "--minutes", about.get("minutes")),
        rolling_back=f"{_command(folder, about, *_length(about))} --on-nonfinite rollback",
        probabilistic=probabilistic,
        diagnosis=Diagnosis.read(folder.diagnosis),
        findings=_show_findings(folder),
        moments=moments,
        done=iterations[-1].step if iterations else 0,
        seconds=iterations[-1].seconds if iterations else 0,
        pictures=[(step, inline(file.read_bytes())) for step, file in folder.pictures()],
        closest=inline(folder.closest.read_bytes()) if folder.closest.exists() else None,
        curves=inline(_curves(iterations, scores, moments, probabilistic=probabilistic)) if iterations else None,
        confusion={name: getattr(iterations[-1], name) for name in CONFUSION} if iterations else None,
        pair_accuracy=iterations[-1].pair_accuracy if iterations else None,
        scored_step=scores[-1].step if scores else None,
        sampling_seed=last[0].seed if last else None,
        scores=group_by_protocol(last),
        warnings=list_warnings(last),
    )
    write_atomically(folder.report, page)


def _show_findings(folder: RunFolder) -> dict[str, tuple[str, str]]:
    """Return the pictures of findings, to be put into the page, and what they show, by the findings' names."""
    kinds = catalog.choices(Diagnostic)
    files = [file for file in sorted(folder.findings.glob("*.png")) if file.stem in kinds]
    return {file.stem: (inline(file.read_bytes()), kinds[file.stem].caption) for file in files}


def _commands(folder: RunFolder, about: Line) -> str:
    """Return the commands that train the same once more, a line each.

    Empty if its length was changed before an end, or on the way the number of its threads or the learning rates.
    """
    (_, steps), *later = lengths(about)
    if len(about.get("threads_at", ())) > 1 or "halved_from" in about:
        return ""
    if not later:
        return _command(folder, about, "--steps", steps)
    again = f"{folder.path.resolve()}-again"
    commands = [f"{_command(folder, about, '--steps', steps)} --out {shlex.quote(again)}"]
    for step, total in later:
        if step != steps:
            return ""
        commands.append(shlex.join(["zerosum", "resume", again, "--steps", str(total)]))
        steps = total
    return "\n".join(commands)


def _length(about: Line) -> tuple[str, object]:
    """Return the option that gives the run's length, and its value."""
    return ("--minutes", about["minutes"]) if about.get("minutes") else ("--steps", about["steps"])


def _command(folder: RunFolder, about: Line, option: str, length: object) -> str:
    """Return the command that trains by the run's recipe, for a length that `option` gives."""
    words = ["zerosum", "train", about["data"], "--recipe", folder.path.resolve(), option, length]
    if "start" in about:
        words += ["--from", about["start"]["place"]]
    for name in ("seed", "device"):
        words += [f"--{name}", about[name]]
    for name in ("threads", "precision"):  # bits depend on both; a run by the clock measures them again
        if option == "--steps" and about["recipe"][name] in (None, "auto"):
            words += ["--set", f"{name}={about[name]}"]
    return shlex.join(map(str, words))


def _curves(
    iterations: list[IterationRecord], scores: list[ScoreRecord], moments: list[FindingRecord], *, probabilistic: bool
) -> bytes:
    """Plot both losses, the discriminator's answers, and the Fréchet distance, with the findings' moments: a PNG."""
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    grid: Any = figure.subplots(2, 2)
    steps = [record.step for record in iterations]

    def draw(axes: Axes, title: str, curves: dict[str, list[float]]) -> None:
        for label, values in curves.items():
            axes.plot(steps, values, label=label, linewidth=1)
        axes.set_title(title, loc="left", fontsize=10)
        axes.legend(frameon=False, fontsize=8)
        axes.grid(alpha=0.3)

    draw(
        grid[0, 0],
        "Losses",
        {
            "discriminator": _column(iterations, "discriminator_loss"),
            "generator": _column(iterations, "generator_loss"),
        },
    )
    pairs = {"real above fake": _column(iterations, "pair_accuracy")}
    shares = [grid[1, 0]]
    if probabilistic:
        shares.append(grid[0, 1])
        answers = {"D(x), real samples": _column(iterations, "d_real"), "D(G(z)), fakes": _column(iterations, "d_fake")}
        draw(grid[0, 1], "The discriminator's mean answer (1 = real)", answers)
        right = {kind: [_accuracy(record, kind) for record in iterations] for kind in ("real", "fake")}
        draw(grid[1, 0], "Share of samples and of pairs it classifies rightly", right | pairs)
    else:
        penalties = {"penalties": _column(iterations, "penalty")}
        draw(grid[0, 1], "What was added to the discriminator's loss", penalties)
        draw(grid[1, 0], "Share of pairs in which it puts the real sample above the generated one", pairs)
    for axes in shares:
        axes.axhline(0.5, color="0.6", linewidth=0.8, linestyle="--")
        axes.set_ylim(0, 1)
    _plot_distances(grid[1, 1], [record for record in scores if record.score.metric == "frechet-distance"])
    for axes in grid.flat:
        for moment in moments:
            axes.axvline(moment.step, color="tab:red" if moment.began else "tab:green", linewidth=0.8, linestyle=":")
    for axes in grid[1]:
        axes.set_xlabel("iteration")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _column(iterations: list[IterationRecord], name: str) -> list[float]:
    return [getattr(record, name) for record in iterations]


def _accuracy(record: IterationRecord, kind: str) -> float:
    """Return the share of the samples of that kind, `real` or `fake`, that D took for what they are."""
    right = getattr(record, f"{kind}_as_{kind}")
    wrong = getattr(record, f"{kind}_as_{'fake' if kind == 'real' else 'real'}")
    return float(right / (right + wrong))


def _plot_distances(axes: Axes, scores: list[ScoreRecord]) -> None:
    axes.set_title("Fréchet distance to the test split", loc="left", fontsize=10)
    for count in sorted({record.score.samples for record in scores}):
        some = [record for record in scores if record.score.samples == count]
        values = [record.score.value for record in some]
        bars = [
            [record.score.value - record.score.low for record in some],
            [record.score.high - record.score.value for record in some],
        ]
        axes.errorbar([record.step for record in some], values, bars, marker="o", capsize=3, label=f"{count:,} samples")
    if scores:
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False, fontsize=8)
    axes.grid(alpha=0.3)
