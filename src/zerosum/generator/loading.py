"""Load a generator that was saved: read its file, check every part of it, and build its network again."""

import dataclasses
import json
import shlex
from pathlib import Path
from typing import Annotated, Any

import pydantic
import safetensors
import torch
from pydantic import Field
from torch import Tensor

from zerosum import catalog
from zerosum.errors import InputError
from zerosum.game.engine import Engine
from zerosum.generator import FORMAT, TrainedGenerator
from zerosum.networks import Networks
from zerosum.places import check_generator, fetch, find_shipped, hub_name
from zerosum.run_folder import RunFolder, enclosing_run
from zerosum.strangers import name_kind
from zerosum.types import Precision, Size


def _check_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) not in (1, 3):
        raise ValueError("it must be of 1 or 3 numbers")
    return shape


@pydantic.dataclasses.dataclass(frozen=True)
class Header:
    """What the file says of a saved generator, enough to build its network again."""

    networks: Annotated[Networks, catalog.Choice(Networks)]
    shape: Annotated[tuple[Size, ...], pydantic.AfterValidator(_check_shape)]
    classes: dict[str, Annotated[int, Field(ge=0, strict=True)]]
    precision: Precision = "float32"


def load(path: str | Path, device: str = "auto") -> TrainedGenerator:
    """Load a generator from a run folder, a `generator.safetensors`, or `hub:OWNER/NAME` (the extra `hub`).

    Where no path has that name, `digits` and `ring` are the generators that ship with zerosum (`shipped/README.md`).
    Loading cannot run code from the file.

    Raises:
        InputError: there is no generator, it is damaged, or zerosum did not write it.
    """
    path = Path(path).expanduser()
    check_generator(path)
    if name := hub_name(path):
        path = fetch(name)
    path = find_shipped(path) or path
    if path.is_dir():
        folder = RunFolder.open(path)
        path = folder.generator
        if not path.exists():
            best = f"; its best one so far is {folder.best}" if folder.best.exists() else ""
            resume = f"'zerosum resume {shlex.quote(str(folder.path))}'"
            raise InputError(f"{folder.path} has no generator yet: finish it with {resume}{best}")
    metadata, tensors = read_generator(path)
    header = _parse_header(path, metadata)
    networks = header.networks
    if problem := _compare_weights(header, tensors):
        raise InputError(
            f"{path}: the weights do not fit the networks it names, {catalog.name_of(networks)}: {problem}"
        )
    network = networks.build_to_load(header.shape, len(header.classes))
    network.load_state_dict(tensors)
    engine = Engine.choose(device, header.precision)
    return TrainedGenerator(engine.place(network).eval(), networks, header.shape, header.classes, engine, metadata)


def _compare_weights(header: Header, tensors: dict[str, Tensor]) -> str:
    """Say in what the `tensors` differ from those of the generator that the header describes; empty if in nothing.

    No memory is taken for weights, however many the header claims.
    """
    with torch.device("meta"):
        expected = header.networks.build_to_load(header.shape, len(header.classes)).state_dict()
    for name in expected.keys() | tensors.keys():
        if name not in tensors or name not in expected:
            return f"{name} is {'missing' if name not in tensors else 'not one of theirs'}"
    for name, tensor in tensors.items():
        wanted = expected[name]
        if (tensor.shape, tensor.dtype) != (wanted.shape, wanted.dtype):
            found, wanted_shape = list(tensor.shape), list(wanted.shape)
            return f"{name} is {tensor.dtype} of {found} and not {wanted.dtype} of {wanted_shape}"
    return ""


def _parse_header(path: Path, metadata: dict[str, Any]) -> Header:
    """Build the networks and the rest that `metadata`, from the file at `path`, describes."""
    known = {field.name: metadata[field.name] for field in dataclasses.fields(Header) if field.name in metadata}
    try:
        if missing := [name for name in ("networks", "shape", "classes") if name not in known]:
            raise InputError(f"it lacks {', '.join(missing)}")
        header = catalog.build(Header, known)
        if header.networks.conditional != bool(header.classes):
            raise InputError(f"networks.condition={header.networks.condition} with {len(header.classes)} classes")
        return header
    except InputError as error:
        named = known.get("networks")
        name = named.get("name") if isinstance(named, dict) else named
        if isinstance(name, str) and name not in catalog.known(Networks):
            raise InputError(f"{path}: {error}; if they are a program's own, it has to import them first") from None
        raise InputError(f"{path}: its header is damaged: {error}") from None


def read_generator(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read the metadata and the tensors of a generator's file.

    Raises:
        InputError: there is none, it is damaged, or it is something else; the message says what to give instead.
    """
    if not path.exists():
        raise InputError(f"no run and no generator at {path}: no such file or folder")
    if kind := name_kind(path):
        raise InputError(f"{path} is {kind}: give {_instead(path)}")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
    except (OSError, safetensors.SafetensorError) as error:
        raise InputError(f"{path} cannot be read as safetensors: {error}; {_explain_unread(path)}") from None
    try:
        metadata = json.loads(header.get("zerosum", "{}"))
    except (ValueError, RecursionError):
        metadata = None
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise InputError(f"{path} is not a generator written by zerosum: give {_instead(path)}")
    return metadata, tensors


def _explain_unread(path: Path) -> str:
    """Say what to give instead of `path`: a damaged one if it is a run's generator, else something else altogether."""
    if enclosing_run(path) is None or path.suffix != ".safetensors":
        return f"give {_instead(path)}"
    others = sorted(each for each in path.parent.glob("*.safetensors") if each != path)
    return f"it is damaged{f', and beside it lies {others[0]}' if others else ''}"


def _instead(path: Path) -> str:
    """Say what to give instead of the file at `path`, which is no generator."""
    run = enclosing_run(path)
    return "a run's folder or its generator.safetensors" if run is None else f"the run that it lies in, {run}"
