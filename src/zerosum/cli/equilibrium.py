"""`zerosum equilibrium`: could either player do better alone?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._options import DataDir, DeviceOfRun

if TYPE_CHECKING:
    from rich.console import Console

    from zerosum.diagnostics.equilibrium import Equilibrium
    from zerosum.diagnostics.stability import Stability

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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    device: DeviceOfRun = None,
    data_dir: DataDir = None,
) -> None:
    """Is RUN at a Nash equilibrium? Train copies of each player against the other and measure what they gain.

    The sum of what both gain is the duality gap (Grnarova et al. 2019): 0 at an equilibrium.
    """
    import json
    from dataclasses import asdict, replace

    from zerosum.cli._console import plain
    from zerosum.diagnostics.contest import Contest, Protocol
    from zerosum.diagnostics.equilibrium import PROXIMITY, equilibrium
    from zerosum.diagnostics.stability import stability
    from zerosum.run import Run

    console = plain(stderr=as_json)
    with console.status("training copies of both players"):
        looked = Run.look(run, device=device)
        engine = replace(looked.engine, bfloat16=False)  # small differences are what is looked for
        recipe, protocol = looked.recipe, Protocol(steps, lr, perturbation)
        contest = Contest.over(
            looked.players, recipe.game, engine, looked.source.test, recipe.batch_size, protocol, seed
        )
        found = equilibrium(contest, PROXIMITY if proximal else None)
        local = stability(
            looked.players,
            recipe.game,
            engine,
            looked.source.train,
            recipe.batch_size,
            looked.step / looked.steps,
            seed,
        )
    if as_json:
        pairs = None if local is None else [[each.real, each.imag] for each in local.eigenvalues.tolist()]
        typer.echo(json.dumps({"step": looked.step, **asdict(found), "words": found.in_words, "eigenvalues": pairs}))
        return
    console.print(f"{run}, after {looked.step:,} of {looked.steps:,} iterations", soft_wrap=True)
    _show(found, local, console)


def _show(found: "Equilibrium", local: "Stability | None", console: "Console") -> None:
    """The table, and what it says."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table("", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("value", justify="right")
    table.add_column("95% interval", justify="right")
    rows = {
        f"payoff M(G, D); {found.solution:.3f} where D cannot tell": found.payoff,
        "raised by the best discriminator found": found.discriminator_gain,
        "lowered by the best generator found": found.generator_gain,
        "duality gap, the sum of both": found.gap,
        "proximal gap, if D may answer": found.proximal_gap,
    }
    for name, interval in rows.items():
        if interval is not None:
            table.add_row(name, f"{interval.value:.4f}", f"{interval.low:.4f} to {interval.high:.4f}")
    console.print(table)
    console.print(found.in_words)
    console.print(
        "M is minus half the discriminator's loss, V / 2 in the games of 2014. Intervals are those of the measurement; "
        "another --seed searches elsewhere.",
    )
    console.print(f"Measured on {found.samples:,} test samples that the copies did not learn from.")
    if local is None:
        return
    shown = ", ".join(f"{each.real:+.3g} {each.imag:+.3g}i" for each in local.moving[:SHOWN].tolist())
    still = len(local.eigenvalues) - len(local.moving)
    console.print(
        f"Eigenvalues of the game's Jacobian, largest real parts first: {shown}. Left out: {still} of "
        f"{len(local.eigenvalues)} that are 0, directions in which nothing changes."
    )
    meaning = "contracts" if local.contracts else "does not contract in every direction"
    console.print(
        f"So near here the game of small steps {meaning}; here the players' gradients have the length "
        f"{local.speed:.2g}, and 0 where they could stay."
    )
