"""`zerosum evaluate`: scores of generated samples, whoever made them, with their protocol."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._options import DataDir, Device

if TYPE_CHECKING:
    from rich.console import Console

    from zerosum.metrics.evaluation import Evaluation
    from zerosum.record import Line


def evaluate(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN|IMAGES...",
            help="A run's folder, a generator.safetensors, or images made elsewhere: a folder, .zip, .npz or .npy. "
            "Several are compared.",
        ),
    ],
    against: Annotated[
        str | None, typer.Option(metavar="DATA", help="The real data; default: what the first run was trained on.")
    ] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option("--metric", help="Measure only this, e.g. frechet-distance or mifid; repeatable."),
    ] = None,
    features: Annotated[
        str,
        typer.Option(
            help="auto (the best that are here), classifier, stacked-classifier, random-convolutions, pixels, "
            "inception (or inception:64, :192, :768), dinov2."
        ),
    ] = "auto",
    weights: Annotated[Path | None, typer.Option(help="A file with the weights of Inception, or DINOv2's folder.")] = (
        None
    ),
    download: Annotated[bool, typer.Option("--download", help="Fetch such weights if they are not here.")] = False,
    reference: Annotated[
        str, typer.Option(help="Compare with the test split, the train split (as most papers do), or all.")
    ] = "test",
    count: Annotated[
        int | None,
        typer.Option("--count", "-n", min=2, max=200_000, help="Samples of each; default: 5,000 to 10,000, or all."),
    ] = None,
    size: Annotated[
        str | None, typer.Option(help="Resize images made elsewhere: 64, or height x width; default: as they are.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the samples and of every choice a metric makes.")] = 1,
    pairs: Annotated[
        Path | None, typer.Option(help="Write the samples nearest to training images, beside those, to this .png.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines instead of a table.")] = False,
    device: Device = "auto",
    data_dir: DataDir = None,
) -> None:
    """Score generated samples against real data that their generator never saw."""
    import json

    from rich.text import Text

    from zerosum import samples as files
    from zerosum.cli._console import plain
    from zerosum.cli._judged import Judged, evaluation_for, metric_named, source_for
    from zerosum.cli._progress import shown
    from zerosum.errors import InputError

    _check(what, reference, pairs)
    chosen = [metric_named(name) for name in metrics or ()]
    console = plain(stderr=as_json)
    judged = [Judged.open(each, size, device, console) for each in what]
    with shown("opening the real data", console) as progress:
        source = source_for(judged, against, progress)
    if pairs is not None and not source.is_images:
        raise InputError(f"--pairs is for images, and {source.name} has points")
    judged = [each.fitted(source.shape) for each in judged]
    with shown("preparing the features", console) as progress:
        evaluation = evaluation_for(
            judged, source, features, weights, reference, device, download=download, progress=progress
        )
    found = {}
    for each in judged:
        with console.status(Text(f"scoring {each.name}")):
            samples = each.samples(count, evaluation.source, seed)
            found[each.name] = [score.line() for score in evaluation.scores(samples, seed, chosen or None)]
    if pairs is not None:  # then there is one thing only
        files.save(evaluation.closest(samples, seed, 16), pairs, columns=8)
    if as_json:
        typer.echo("\n".join(json.dumps({"of": name, **line}) for name, lines in found.items() for line in lines))
    else:
        _show(found, evaluation, pairs, console)


def _show(found: "dict[str, list[Line]]", evaluation: "Evaluation", pairs: Path | None, console: "Console") -> None:
    """As a table, and what to do for better ones."""
    from zerosum.cli._tables import show_scores

    show_scores(found, console)
    used = {line["features"] for lines in found.values() for line in lines}
    if evaluation.features.better and evaluation.features.name in used:
        console.print(evaluation.features.better + ".")
    if pairs is not None:
        console.print(f"Nearest to training images: {pairs}", soft_wrap=True)


def _check(what: list[str], reference: str, pairs: Path | None) -> None:
    """Refuse what does not go together before anything is read."""
    from zerosum import samples
    from zerosum.errors import InputError
    from zerosum.metrics.evaluation import SPLITS

    if reference not in SPLITS:
        raise InputError(f"--reference {reference!r}: choose one of: {', '.join(SPLITS)}")
    if len(set(what)) < len(what):
        raise InputError("the same name is given twice")
    if pairs is not None:
        if len(what) > 1:
            raise InputError("--pairs is for one thing at a time")
        samples.check_picture(pairs)
