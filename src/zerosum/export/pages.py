"""The generator as a static page: it runs in the visitor's browser, and the page asks no other server for anything.

The page's own files lie in `web/`; it needs three files of the npm package onnxruntime-web beside them.
"""

import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from zerosum.data import MODES
from zerosum.errors import InputError
from zerosum.export import onnx
from zerosum.export.deployed import Traced
from zerosum.export.folders import check_free, write_folder
from zerosum.generator import TrainedGenerator

OWN = "index.html", "colours.css", "page.css", "page.js"
PACKAGE = "onnxruntime-web"
RUNTIME = "ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"
LARGEST = 100_000_000  # bytes of a runtime's file
GET = f"run 'npm install {PACKAGE}' here, or 'npm pack {PACKAGE}' and give the .tgz that it leaves by --runtime"


@dataclass(frozen=True)
class Runtime:
    """The files of onnxruntime-web that a page needs, by name, and their version."""

    files: dict[str, bytes]
    version: str


def check_destination(path: Path, shape: tuple[int, ...] | None = None) -> None:
    """Refuse a folder that cannot take the page, or samples of `shape` that it cannot show, before any work.

    Raises:
        InputError: its parent is no folder, something is there already, or the samples are no images.
    """
    check_free(path, "--page")
    if shape is not None and len(shape) != 3:
        raise InputError(f"a page shows images, and these samples are points of {shape[0]} numbers: use --onnx")


def read_runtime(place: Path | None) -> Runtime:
    """Read the runtime from a folder that holds or is the package onnxruntime-web, or from the .tgz of `npm pack`.

    None is the folder node_modules here.

    Raises:
        InputError: it is not there, or incomplete; the message has the command that gets it.
    """
    if place is not None and place.is_file():
        return _read_archive(place)
    if place is not None and not place.exists():
        raise InputError(f"--runtime {place}: no such file or folder; {GET}")
    start = place or Path("node_modules")
    for folder in (start, start / PACKAGE, start / "node_modules" / PACKAGE):
        if (folder / "package.json").is_file() and (folder / "dist" / RUNTIME[0]).is_file():
            return _read_folder(folder)
    raise InputError(f"a page needs the files of {PACKAGE}, which are not in {start}: {GET}")


def _read_folder(folder: Path) -> Runtime:
    return _read(str(folder), lambda name: (folder / name).read_bytes())


def _read_archive(path: Path) -> Runtime:
    try:
        with tarfile.open(path, "r:gz") as archive:

            def read(name: str) -> bytes:
                member = archive.getmember(f"package/{name}")
                content = archive.extractfile(member) if member.isfile() and member.size <= LARGEST else None
                if content is None:
                    raise KeyError(name)
                return content.read()

            return _read(str(path), read)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise InputError(f"--runtime {path} cannot be read as a .tgz: {error}; {GET}") from None


def _read(place: str, read: Callable[[str], bytes]) -> Runtime:
    """Read the runtime's files by `read`, which maps the path of a file in the package to its content."""
    try:
        about = json.loads(read("package.json"))
        name, version = str(about["name"]), str(about["version"])
        runtime = Runtime({each: read(f"dist/{each}") for each in RUNTIME}, version)
    except (KeyError, ValueError, TypeError, FileNotFoundError):
        raise InputError(f"{place} lacks files of {PACKAGE}: {', '.join(RUNTIME)}; {GET}") from None
    if name != PACKAGE:
        raise InputError(f"{place} is the package {name!r}, not {PACKAGE}: {GET}")
    return runtime


def write(traced: Traced, generator: TrainedGenerator, path: Path, name: str, runtime: Runtime) -> float:
    """Write the page to the folder `path`, all or nothing; `name` is its title.

    Return the largest difference of the ONNX file from PyTorch, of 255.

    Raises:
        InputError: the generator cannot be converted, or the folder cannot be written.
    """
    check_destination(path, generator.shape)
    model, difference = onnx.convert(traced, generator)
    noise = traced.inputs.get("noise")
    channels = generator.shape[0]
    about = {
        **onnx.describe(generator),
        "name": name,
        "runtime": runtime.version,
        "noise": 0 if noise is None else noise.shape[1],
        "channels": generator.shown or list(range(channels if channels in MODES else 3)),
    }
    content = {own: (files("zerosum.export") / "web" / own).read_bytes() for own in OWN}
    content |= {"about.json": json.dumps(about, indent=1).encode(), "generator.onnx": model}
    content |= {f"runtime/{each}": found for each, found in runtime.files.items()}
    write_folder(path, content)
    return difference
