"""`zerosum export`: a trained generator for programs that have no zerosum."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zerosum.export.deployed import Traced
    from zerosum.generator import TrainedGenerator


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, or a generator.safetensors.")],
    onnx: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.onnx", help="Write an ONNX file, checked in onnxruntime against PyTorch (the extra 'export')."
        ),
    ] = None,
    pt2: Annotated[
        Path | None, typer.Option(metavar="FILE.pt2", help="Write a file of torch.export, for PyTorch alone.")
    ] = None,
) -> None:
    """Write RUN's generator for other programs: latents (and the class's number) in, uint8 [N, C, H, W] out."""
    from zerosum.errors import InputError
    from zerosum.run_folder import check_generator

    check_generator(run.expanduser())
    files = {suffix: path for suffix, path in ((".onnx", onnx), (".pt2", pt2)) if path is not None}
    if not files:
        raise InputError("nothing to write: give --onnx FILE.onnx, --pt2 FILE.pt2, or both")
    for suffix, path in files.items():
        _check_free(path, suffix)
    from zerosum.atomic import write_atomically
    from zerosum.export import deployed
    from zerosum.generator import load

    if onnx is not None:
        from zerosum.export.onnx import check_installed

        check_installed()
    generator = load(run, "cpu")
    traced = deployed.trace(generator)
    converted = {suffix: _convert(suffix, traced, generator) for suffix in files}
    for suffix, (content, difference) in converted.items():
        write_atomically(files[suffix], content)
        typer.echo(f"{files[suffix]}: {len(content) / 1e6:,.2f} MB, {traced.describe()}")
        count = len(traced.expected)
        typer.echo(f"largest difference from PyTorch in {count} samples (seed 0): {difference:.3g} of 255")


def _check_free(path: Path, suffix: str) -> None:
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
