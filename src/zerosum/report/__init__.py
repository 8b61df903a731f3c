"""The report of a run: one HTML file that needs nothing else, made from the run folder alone."""

import base64
import io
import shlex
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zerosum import catalog
from zerosum.games import Game
from zerosum.record import Line, RunFolder, write_atomically

CONFUSION = ("real_as_real", "real_as_fake", "fake_as_real", "fake_as_fake")


def write(folder: RunFolder) -> None:
    """Write the run's `report.html`, also for a run that is not finished."""
    iterations, scores = folder.lines("iteration"), folder.lines("score")
    environment = Environment(
        loader=PackageLoader("zerosum.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    last = [score for score in scores if score["step"] == scores[-1]["step"]]
    about = folder.describe()
    probabilistic = catalog.lookup(Game, about["recipe"]["game"]["name"]).probabilistic
    page = environment.get_template("report.html.j2").render(
        name=folder.path.resolve().name,
        about=about,
        again=_command(folder, about),
        probabilistic=probabilistic,
        done=iterations[-1]["step"] if iterations else 0,
        seconds=iterations[-1]["seconds"] if iterations else 0,
        pictures=[(step, _inline(file.read_bytes())) for step, file in _pictures(folder)],
        closest=_inline(folder.closest.read_bytes()) if folder.closest.exists() else None,
        curves=_inline(_curves(iterations, scores, probabilistic=probabilistic)) if iterations else None,
        confusion={name: iterations[-1][name] for name in CONFUSION} if iterations else None,
        led=iterations[-1]["real_led"] if iterations else None,
        scored=last[0] if last else None,
        scores=_by_protocol(last),
        warnings=dict.fromkeys(score["warning"] for score in last if score["warning"]),
    )
    write_atomically(folder.report, page.encode())


def _pictures(folder: RunFolder) -> list[tuple[int, Path]]:
    """The grids of samples by their steps; what somebody else put beside them is none."""
    return sorted((int(file.stem), file) for file in folder.samples.glob("*.png") if file.stem.isdecimal())


def _by_protocol(scores: list[Line]) -> list[tuple[str, list[Line]]]:
    """The scores that were measured in the same way, in their order, after a sentence or two on how that was."""
    groups: dict[str, list[Line]] = {}
    for score in scores:
        resizer = "" if score["resizer"] == "none" else f"; resizer: {score['resizer']}"
        groups.setdefault(f"Measured in {score['features']}{resizer}. {score['comparable']}", []).append(score)
    return list(groups.items())


def _command(folder: RunFolder, about: Line) -> str:
    """What trains the same once more."""
    words = ["zerosum", "train", about["data"], "--recipe", folder.path.resolve()]
    for option in ("steps", "seed", "device"):
        words += [f"--{option}", about[option]]
    if about["recipe"]["threads"] is None:
        words += ["--set", f"threads={about['threads']}"]
    return shlex.join(map(str, words))


def _inline(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _curves(iterations: list[Line], scores: list[Line], *, probabilistic: bool) -> bytes:
    """Both losses, the discriminator's answers, and the Fréchet distance."""
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    grid: Any = figure.subplots(2, 2)
    steps = [line["step"] for line in iterations]

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
    pairs = {"real above fake": _column(iterations, "real_led")}
    shares = [grid[1, 0]]
    if probabilistic:
        shares.append(grid[0, 1])
        answers = {"D(x), real samples": _column(iterations, "d_real"), "D(G(z)), fakes": _column(iterations, "d_fake")}
        draw(grid[0, 1], "The discriminator's mean answer (1 = real)", answers)
        right = {kind: [_share(line, kind) for line in iterations] for kind in ("real", "fake")}
        draw(grid[1, 0], "Share of samples and of pairs it judges rightly", right | pairs)
    else:
        penalties = {"penalties": _column(iterations, "penalty")}
        draw(grid[0, 1], "What was added to the discriminator's loss", penalties)
        draw(grid[1, 0], "Share of pairs in which it puts the real sample above the generated one", pairs)
    for axes in shares:
        axes.axhline(0.5, color="0.6", linewidth=0.8, linestyle="--")
        axes.set_ylim(0, 1)
    _distances(grid[1, 1], [line for line in scores if line["metric"] == "frechet-distance"])
    for axes in grid[1]:
        axes.set_xlabel("iteration")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _column(lines: list[Line], name: str) -> list[float]:
    return [line[name] for line in lines]


def _share(line: Line, kind: str) -> float:
    right, wrong = line[f"{kind}_as_{kind}"], line[f"{kind}_as_{'fake' if kind == 'real' else 'real'}"]
    return float(right / (right + wrong))


def _distances(axes: Axes, scores: list[Line]) -> None:
    axes.set_title("Fréchet distance to the test split", loc="left", fontsize=10)
    for count in sorted({score["samples"] for score in scores}):
        some = [score for score in scores if score["samples"] == count]
        values = [score["value"] for score in some]
        bars = [[score["value"] - score["low"] for score in some], [score["high"] - score["value"] for score in some]]
        axes.errorbar(
            [score["step"] for score in some], values, bars, marker="o", capsize=3, label=f"{count:,} samples"
        )
    if scores:
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False, fontsize=8)
    axes.grid(alpha=0.3)
