"""`zerosum evaluate`: scores of a trained generator, with their protocol."""

import json
from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")],
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=2, help="Generated samples; default: 5,000 to 10,000.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the samples and the bootstrap.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines instead of a table.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
) -> None:
    """Score RUN's generator against data that it never saw."""
    from rich.console import Console

    from zerosum import gan, recipes
    from zerosum.cli._tables import scores_table
    from zerosum.data import open_source
    from zerosum.metrics import Evaluation, sample_count
    from zerosum.record import RunFolder

    folder = RunFolder.open(run)
    generator = gan.load(run, device)
    about = folder.describe()
    source = open_source(about["data"], recipes.from_json(about["recipe"]).data)
    scores = Evaluation.of(source).scores(generator.sample(count or sample_count(source), seed), seed)
    lines = [score.line() for score in scores]
    if as_json:
        typer.echo("\n".join(json.dumps(line) for line in lines))
    else:
        Console().print(scores_table(lines))
