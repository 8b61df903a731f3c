"""`zerosum verify-resume`: see for yourself that a stopped run ends as one that was not."""

from typing import Annotated

import typer

from zerosum.cli._options import Changes, Data, DataDir, Device, RecipeName, Size


def verify_resume(
    data: Data,
    recipe: RecipeName = "auto",
    changes: Changes = None,
    size: Size = None,
    device: Device = "auto",
    steps: Annotated[int, typer.Option(min=2, max=100_000, help="Iterations of each of the two runs.")] = 20,
    data_dir: DataDir = None,
) -> None:
    """Train on DATA twice: at a stretch, and stopped at half and resumed by another process; compare every tensor.

    Both runs lie in a temporary folder, and nothing is scored. Exit code 1, and the first difference, if there is one.
    """
    import tempfile
    from pathlib import Path

    from zerosum import names

    names.check_training(data, changes or (), recipe)
    import torch

    from zerosum.cli._data import add_size, describe_recipe, open_data
    from zerosum.cli._progress import plain_console
    from zerosum.game.engine import Engine
    from zerosum.run.verification import verify

    console = plain_console()
    source, chosen = open_data(data, recipe, add_size(changes, size), device, console)
    engine = Engine.choose(device, chosen.precision, chosen.threads or torch.get_num_threads())
    engine.use_threads()
    console.print(
        f"{describe_recipe(chosen)} on {source.name}, on {engine.describe()}: {steps:,} iterations at a stretch, and "
        f"{steps // 2:,}, a stop, {steps - steps // 2:,} in another process",
        soft_wrap=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        verdict = verify(data, source, chosen, engine, steps, Path(folder))
    if verdict.difference:
        console.print(f"different: {verdict.difference}", soft_wrap=True)
        raise typer.Exit(1)
    console.print(
        f"identical, bit for bit: {verdict.tensors:,} tensors (both players, optimisers, moving average, what tricks "
        f"remember) and {verdict.lines:,} lines of metrics, but for their seconds",
        soft_wrap=True,
    )
