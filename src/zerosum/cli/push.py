"""`zerosum push`: a trained generator to the Hugging Face hub."""

from pathlib import Path
from typing import Annotated

import typer


def push(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, or a generator.safetensors.")],
    repository: Annotated[
        str, typer.Argument(metavar="OWNER/NAME", help="The repository; it is made if there is none.")
    ],
    private: Annotated[bool, typer.Option("--private", help="If it is made: only its owner can see it.")] = False,
) -> None:
    """Upload RUN's generator to the Hugging Face hub: what 'zerosum export --hub' writes (extras 'export', 'hub').

    Log in before with 'hf auth login', or set HF_TOKEN. Then zerosum.load("hub:OWNER/NAME") loads it.
    """
    from zerosum.cli import _generators
    from zerosum.places import check_repository, import_hub

    _generators.check(run)
    check_repository(repository)
    import_hub()
    import tempfile

    from zerosum.export import deployed, hub
    from zerosum.export.onnx import check_installed
    from zerosum.generator.loading import load

    check_installed()
    generator = load(run, "cpu")
    traced = deployed.trace(generator)
    with tempfile.TemporaryDirectory() as folder:
        hub.write(traced, generator, run, Path(folder) / "repository", repository)
        address = hub.push(Path(folder) / "repository", repository, private=private)
    typer.echo(f"{run} is at {address}")
    typer.echo("Look for FILL IN in its README.md: it is what zerosum cannot know, such as the licence")
    typer.echo(f"From code  zerosum.load('hub:{repository}').sample(64, seed=0)")
