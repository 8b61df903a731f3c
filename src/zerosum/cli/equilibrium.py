"""`zerosum equilibrium`: could either player do better alone?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._options import DataDir, DataOfRun, DeviceOfRun

if TYPE_CHECKING:
    from rich.console import Console

    from zerosum.equilibrium.duality_gap import DualityGap
    from zerosum.equilibrium.stability import Stability

SHOWN = 5  # eigenvalues


def equilibrium(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")],
    steps: Annotated[int, typer.Option(min=1, help="Updates of each copy that looks for something better.")] = 300,
    lr: Annotated[float, typer.Option(min=1e-8, max=1, help="Their learning rate (Adam), which falls to 0.")] = 1e-3,
    perturbation: Annotated[
        float, typer.Option(min=0, max=10, help="Deviation of the noise on their parameters at the start.")
    ] = 0.01,
    proximal: Annotated[
        bool, typer.Option("--proximal", help="Also the gap if the discriminator may answer: takes six times as long.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same search.")] = 0,
    data: DataOfRun = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    device: DeviceOfRun = None,
    data_dir: DataDir = None,
) -> None:
    """Is RUN at a Nash equilibrium? Train copies of each player against the other and measure what they gain.

    The sum of what both gain is the duality gap (Grnarova et al. 2019): 0 at an equilibrium.

    It is noted in RUN, and 'zerosum diagnose' says if it rises.
    """
    import json
    from dataclasses import asdict, replace

    from zerosum.run_folder import RunFolder

    RunFolder.open(run)
    from zerosum import records
    from zerosum.cli._progress import plain_console
    from zerosum.equilibrium.duality_gap import PROXIMITY, measure_duality_gap
    from zerosum.equilibrium.stability import measure_stability
    from zerosum.equilibrium.zero_sum_game import Protocol, ZeroSumGame
    from zerosum.records import GapRecord, Search
    from zerosum.run import restoring

    console = plain_console(stderr=as_json)
    with console.status("training copies of both players"):
        trainer = restoring.look(run, data=data, device=device)
        engine = replace(trainer.players.engine, bfloat16=False)  # small differences are what is looked for
        players, recipe, source = replace(trainer.players, engine=engine), trainer.recipe, trainer.source
        game = ZeroSumGame.build(players, recipe, source.test, Protocol(steps, lr, perturbation), seed)
        gap = measure_duality_gap(game, PROXIMITY if proximal else None)
        stability = measure_stability(players, recipe, source.train, trainer.step / trainer.steps, seed)
    search = Search(updates=steps, rate=lr, perturbation=perturbation, seed=seed, samples=gap.samples)
    try:
        records.append(trainer.folder, GapRecord(step=trainer.step, gap=gap.gap, search=search))
    except OSError as error:
        console.print(f"not noted in the run: cannot write {error.filename}: {error.strerror}", soft_wrap=True)
    if as_json:
        pairs = None if stability is None else [[each.real, each.imag] for each in stability.eigenvalues.tolist()]
        typer.echo(json.dumps({"step": trainer.step, **asdict(gap), "words": gap.summary, "eigenvalues": pairs}))
        return
    console.print(f"{run}, after {trainer.step:,} of {trainer.steps:,} iterations", soft_wrap=True)
    _print_gap(gap, console)
    if stability is not None:
        _print_stability(stability, console)


def _print_gap(gap: "DualityGap", console: "Console") -> None:
    """Print the table, and what it says."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table("", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("value", justify="right")
    table.add_column("95% interval", justify="right")
    rows = {
        f"payoff M(G, D); {gap.solution:.3f} where D cannot tell": gap.payoff,
        "raised by the best discriminator found": gap.discriminator_gain,
        "lowered by the best generator found": gap.generator_gain,
        "duality gap, the sum of both": gap.gap,
        "proximal gap, if D may answer": gap.proximal_gap,
    }
    for name, interval in rows.items():
        if interval is not None:
            table.add_row(name, f"{interval.value:.4f}", f"{interval.low:.4f} to {interval.high:.4f}")
    console.print(table)
    console.print(gap.summary)
    console.print(
        "M is minus half the discriminator's loss, V / 2 in the games of 2014. Intervals are those of the measurement; "
        "another --seed searches elsewhere.",
    )
    console.print(f"Measured on {gap.samples:,} test samples that the copies did not learn from.")


def _print_stability(stability: "Stability", console: "Console") -> None:
    """Print the largest eigenvalues, and what they say."""
    nonzero = stability.nonzero_eigenvalues
    shown = ", ".join(f"{each.real:+.3g} {each.imag:+.3g}i" for each in nonzero[:SHOWN].tolist())
    console.print(
        f"Eigenvalues of the game's Jacobian, largest real parts first: {shown}. Left out: "
        f"{len(stability.eigenvalues) - len(nonzero)} of {len(stability.eigenvalues)} that are 0, directions in which "
        "nothing changes."
    )
    meaning = "contracts" if stability.contracts else "does not contract in every direction"
    console.print(
        f"So near here the game of small steps {meaning}; here the players' gradients have the length "
        f"{stability.speed:.2g}, and 0 where they could stay."
    )
