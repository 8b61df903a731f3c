"""`zerosum export`: a trained generator for programs that have no zerosum."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zerosum.export.deployed import Traced
    from zerosum.export.pages import Runtime
    from zerosum.generator import TrainedGenerator


def export(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run's folder, a generator.safetensors, hub:OWNER/NAME, or one that ships: digits, ring.",
        ),
    ],
    onnx: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.onnx", help="Write an ONNX file, checked in onnxruntime against PyTorch (the extra 'export')."
        ),
    ] = None,
    pt2: Annotated[
        Path | None, typer.Option(metavar="FILE.pt2", help="Write a file of torch.export, for PyTorch alone.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write a static web page that draws samples in the visitor's browser (the extra 'export', and files "
            "of the npm package onnxruntime-web).",
        ),
    ] = None,
    runtime: Annotated[
        Path | None,
        typer.Option(
            metavar="PLACE",
            help="For --page: a folder with onnxruntime-web, or the .tgz of 'npm pack onnxruntime-web'; default: "
            "node_modules here.",
        ),
    ] = None,
    hub: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write what a repository of the Hugging Face hub has: weights, ONNX, model card, an app for a Space "
            "(the extra 'export'); 'zerosum push' uploads it.",
        ),
    ] = None,
) -> None:
    """Write RUN's generator for other programs: latents (and the class's number) in, uint8 [N, C, H, W] out."""
    from zerosum.cli import _generators

    _generators.check(run)
    files = {suffix: path for suffix, path in ((".onnx", onnx), (".pt2", pt2)) if path is not None}
    _check(files, page, runtime, hub)
    from zerosum.export import deployed, pages
    from zerosum.generator.loading import load

    beside = None if page is None else pages.read_runtime(runtime)
    generator = load(run, "cpu")
    if page is not None:
        pages.check_destination(page, generator.shape)
    traced = deployed.trace(generator)
    _write_files(files, traced, generator)
    if page is not None and beside is not None:
        _write_page(page, traced, generator, run, beside)
    if hub is not None:
        _write_hub(hub, traced, generator, run)


def _check(files: dict[str, Path], page: Path | None, runtime: Path | None, hub: Path | None) -> None:
    """Refuse what cannot be written, before any work is done.

    Raises:
        InputError: nothing was asked for, something is there already, or a package is missing.
    """
    from zerosum.errors import InputError
    from zerosum.export.folders import check_free
    from zerosum.export.onnx import check_installed

    if not files and page is None and hub is None:
        raise InputError("nothing to write: give --onnx FILE.onnx, --pt2 FILE.pt2, --page FOLDER or --hub FOLDER")
    for suffix, path in files.items():
        _check_file(path, suffix)
    if runtime is not None and page is None:
        raise InputError("--runtime is for --page, which was not given")
    for folder, option in ((page, "--page"), (hub, "--hub")):
        if folder is not None:
            check_free(folder, option)
    if ".onnx" in files or page is not None or hub is not None:
        check_installed()


def _write_files(files: dict[str, Path], traced: "Traced", generator: "TrainedGenerator") -> None:
    """Write the .onnx and .pt2 files when all are made."""
    from zerosum.atomic import write_atomically

    converted = {suffix: _convert(suffix, traced, generator) for suffix in files}
    for suffix, (content, difference) in converted.items():
        write_atomically(files[suffix], content)
        typer.echo(f"{files[suffix]}: {len(content) / 1e6:,.2f} MB, {traced.describe()}")
        _report(traced, difference)


def _write_page(page: Path, traced: "Traced", generator: "TrainedGenerator", run: Path, beside: "Runtime") -> None:
    from zerosum.export import pages
    from zerosum.export.samples import name_origin

    difference = pages.write(traced, generator, page, name_origin(run), beside)
    size = sum(file.stat().st_size for file in page.rglob("*") if file.is_file())
    typer.echo(f"{page}: a page of {size / 1e6:,.2f} MB with onnxruntime-web {beside.version}")
    _report(traced, difference)
    typer.echo(f"To look at it: python3 -m http.server -d {shlex.quote(str(page))}, then open http://localhost:8000")


def _write_hub(folder: Path, traced: "Traced", generator: "TrainedGenerator", run: Path) -> None:
    from zerosum.export import hub
    from zerosum.export.samples import name_origin

    difference = hub.write(traced, generator, run, folder, name_origin(run))
    typer.echo(f"{folder}: {', '.join(sorted(file.name for file in folder.iterdir()))}")
    _report(traced, difference)
    typer.echo(f"Look for FILL IN in {folder / 'README.md'}: it is what zerosum cannot know, such as the licence")


def _report(traced: "Traced", difference: float) -> None:
    """Say how far an exported generator is from PyTorch."""
    count = len(traced.expected)
    typer.echo(f"largest difference from PyTorch in {count} samples (seed 0): {difference:.3g} of 255")


def _check_file(path: Path, suffix: str) -> None:
    """Refuse a file that cannot be written, before any work is done.

    Raises:
        InputError: its extension is not `suffix`, its parent is no folder, or something is there already.
    """
    from zerosum.errors import InputError

    if path.suffix != suffix:
        raise InputError(f"--{suffix[1:]} {path}: the file's name must end in {suffix}")
    if not path.parent.is_dir():
        raise InputError(f"cannot write to {path}: {path.parent} is not a folder")
    if path.exists():
        raise InputError(f"{path} exists already: choose another --{suffix[1:]}, or remove it")


def _convert(suffix: str, traced: "Traced", generator: "TrainedGenerator") -> tuple[bytes, float]:
    from zerosum.export import onnx, pt2

    return onnx.convert(traced, generator) if suffix == ".onnx" else pt2.convert(traced, generator)
