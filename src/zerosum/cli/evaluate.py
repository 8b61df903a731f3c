"""`zerosum evaluate`: scores of generated samples, whoever made them, with their protocol."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._options import DataDir, Device, Truncation
from zerosum.errors import InputError

PAIRS, PAIR_COLUMNS = 16, 8
EXAMPLES = 32  # of each kind

What = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN|IMAGES...",
        help="A run's folder, a generator.safetensors or one that ships (digits, ring), or images made elsewhere: a "
        "folder, .zip, .npz or .npy. Several are compared.",
    ),
]
Against = Annotated[
    str | None,
    typer.Option(
        metavar="DATA",
        help="The real data, or their statistics: an .npz of --save-reference, pytorch-fid or clean-fid, a .pt of "
        "torch-fidelity's cache; default: what the first run was trained on.",
    ),
]
SaveReference = Annotated[
    Path | None,
    typer.Option(metavar="FILE.npz", help="Score nothing: write the statistics of these real images, for --against."),
]
Metrics = Annotated[
    list[str] | None,
    typer.Option("--metric", help="Measure only this, e.g. frechet-distance or mifid; repeatable."),
]
Features = Annotated[
    str,
    typer.Option(
        help="auto (the best that are here), efficientnet, classifier, stacked-classifier, random-convolutions, "
        "pixels, inception (or inception:64, :192, :768), dinov2."
    ),
]
Protocol = Annotated[
    str,
    typer.Option(
        metavar="PROGRAM",
        help="Bring images to Inception as pytorch-fid, clean-fid, torch-fidelity or kaggle-dogs does, and measure "
        "what it measures.",
    ),
]
Reference = Annotated[
    str,
    typer.Option(
        help="Compare with the test split, the train split (as most papers do), or all; auto: test, and all for "
        "images made elsewhere."
    ),
]
Weights = Annotated[Path | None, typer.Option(help="A file with the weights of Inception, or DINOv2's folder.")]
Download = Annotated[bool, typer.Option("--download", help="Fetch such weights if they are not here.")]
ByClass = Annotated[
    bool,
    typer.Option(
        "--by-class",
        help="Score each class by itself too, where samples and real data have classes: a row for each, and intra-FID.",
    ),
]
Count = Annotated[
    int | None,
    typer.Option("--count", "-n", min=2, max=200_000, help="Samples of each; default: 2,500 to 10,000, or all."),
]
Size = Annotated[
    str | None,
    typer.Option(
        help="Resize images made elsewhere and the real ones: 64, or height x width; default: as the former are."
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Of the samples and of every choice a metric makes.")]
PlanOption = Annotated[
    bool,
    typer.Option(
        "--plan",
        help="Score nothing: forecast from a pilot of 500 samples (or --count) how wide intervals would be with more, "
        "and how long that takes.",
    ),
]
Pairs = Annotated[
    Path | None, typer.Option(help="Write the samples nearest to training images, beside those, to this .png.")
]
Report = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.html",
        help="Write a page of the scores and the images to look at: what the samples lack, what is least like real "
        "images, what is most.",
    ),
]
FailIf = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CONDITION",
        help="End with exit code 1 if a figure is so: 'frechet-distance>12', with < <= > or >=; repeatable.",
    ),
]
Json = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="Write the scores, or the plan, as JSON lines; '-' prints them instead of tables."
    ),
]
JUnit = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the scores as JUnit's XML.")]
MarkdownOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the scores as Markdown, for a pull request.")
]


def evaluate(
    what: What,
    against: Against = None,
    save_reference: SaveReference = None,
    metrics: Metrics = None,
    features: Features = "auto",
    protocol: Protocol = "",
    weights: Weights = None,
    download: Download = False,
    reference: Reference = "auto",
    by_class: ByClass = False,
    plan: PlanOption = False,
    count: Count = None,
    size: Size = None,
    seed: Seed = 1,
    truncation: Truncation = None,
    pairs: Pairs = None,
    report: Report = None,
    fail_if: FailIf = None,
    json: Json = None,
    junit: JUnit = None,
    markdown: MarkdownOption = None,
    device: Device = "auto",
    data_dir: DataDir = None,
) -> None:
    """Score generated samples against real data that their generator never saw."""
    if plan:
        _refuse_outputs(save_reference=save_reference, fail_if=fail_if, junit=junit, markdown=markdown)
    _check_words(what, against, metrics or (), features, protocol, fail_if or (), by_class=by_class, plan=plan)
    from zerosum.cli._evaluation import ConsoleReporter, Outputs, show_reference, show_result
    from zerosum.cli._progress import plain_console
    from zerosum.evaluation.evaluate import evaluate as score
    from zerosum.evaluation.evaluate import save_reference as save
    from zerosum.export import samples

    if pairs is not None:
        samples.check_picture(pairs)
    outputs = Outputs.check(json, junit, markdown, report, fail_if or (), metrics or (), by_class=by_class)
    console = plain_console(stderr=outputs.to_terminal)
    reporter = ConsoleReporter(console)
    options = {
        "metrics": metrics or (),
        "features": features,
        "protocol": protocol,
        "weights": weights,
        "download": download,
        "reference": reference,
        "by_class": by_class,
        "count": count,
        "size": size,
        "seed": seed,
        "truncation": truncation,
        "pairs": 0 if pairs is None else PAIRS,
        "examples": 0 if report is None else EXAMPLES,
        "device": device,
    }
    if save_reference is not None:
        show_reference(save(what, save_reference, against, reporter=reporter, **options), save_reference, console)
        return
    if plan:
        from zerosum.cli._plan import tell_plan
        from zerosum.evaluation.pilot import plan_evaluation

        tell_plan(plan_evaluation(what, against, reporter=reporter, **options), outputs, console)
        return
    result = score(what, against, reporter=reporter, **options)
    if pairs is not None and result.pairs is not None:
        samples.save(result.pairs, pairs, columns=PAIR_COLUMNS)
    if not outputs.to_terminal:
        show_result(result, console, pairs, report)
    outputs.write(result)


def _check_words(
    what: Sequence[str],
    against: str | None,
    metrics: Sequence[str],
    features: str,
    protocol: str,
    conditions: Sequence[str],
    *,
    by_class: bool,
    plan: bool,
) -> None:
    """Refuse words that mean nothing, before PyTorch is imported.

    Raises:
        InputError: one of them does.
    """
    from zerosum import names
    from zerosum.places import find_shipped

    names.check_scores(metrics, features)
    for condition in conditions:
        names.check_condition(condition, metrics, by_class=by_class)
    names.check_protocol(protocol)
    if plan:
        names.check_plan(metrics)
    names.check_pictures(each for each in what if find_shipped(Path(each)) is None)
    if against is not None:
        names.check_data(against)


def _refuse_outputs(**options: object) -> None:
    """Refuse options that need scores where only a plan is made.

    Raises:
        InputError: one of them is given.
    """
    for name, value in options.items():
        if value:
            raise InputError(f"--plan forecasts scores, it measures none: leave out --{name.replace('_', '-')}")
