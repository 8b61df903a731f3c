"""The generator as an ONNX file, which onnxruntime and others run without PyTorch (the extra `export`)."""

import importlib
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from zerosum import catalog
from zerosum.errors import InputError
from zerosum.export.deployed import Traced
from zerosum.export.pictures import SOFTWARE
from zerosum.generator import TrainedGenerator

OPSET = 20  # of 2023, which every onnxruntime from 1.17 on knows, in browsers too
NEEDED = "onnx", "onnxscript", "onnxruntime"


def check_installed() -> None:
    """Refuse to begin without the packages that write and check the file.

    Raises:
        InputError: one is missing.
    """
    for name in NEEDED:
        try:
            importlib.import_module(name)
        except ImportError:
            raise InputError(f"ONNX needs the package {name}: pip install 'zerosum[export]'") from None


def convert(traced: Traced, generator: TrainedGenerator) -> tuple[bytes, float]:
    """Convert to the content of an ONNX file, and run it; return also its largest difference from PyTorch, of 255.

    The metadata of the file have a key `zerosum`: JSON with the shape, the latents, the classes in their order, and
    the recipe.

    Raises:
        InputError: PyTorch cannot convert it, or onnxruntime makes other samples of the same latents.
    """
    try:
        with _silence():
            converted = torch.onnx.export(
                traced.program, verbose=False, opset_version=OPSET, output_names=["samples"], external_data=False
            )
    except Exception as error:  # what it raises is not documented
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(f"PyTorch cannot write this generator as ONNX: {reason}") from None
    assert converted is not None  # noqa: S101  # it is only by the older exporter
    model = converted.model_proto
    _name_batch(model)
    about = model.metadata_props.add()
    about.key, about.value = "zerosum", json.dumps(describe(generator))
    model.producer_name, _, model.producer_version = SOFTWARE.partition(" ")
    content: bytes = model.SerializeToString()
    return content, traced.compare(run(content, traced), "the ONNX file in onnxruntime")


def describe(generator: TrainedGenerator) -> dict[str, Any]:
    """Return what a program needs to know to draw latents and to show samples, JSON-able."""
    networks = generator.networks
    return {
        "software": SOFTWARE,
        "shape": generator.shape,
        "shown": generator.shown,
        "latent": networks.latent,
        "prior": networks.prior,
        "binary": networks.binary,
        "classes": generator.classes,
        "networks": catalog.encode(networks),
        "step": generator.metadata.get("step"),
        "recipe": generator.metadata.get("recipe"),
    }


def run(content: bytes, traced: Traced) -> torch.Tensor:
    """Run the file in onnxruntime: the first of the inputs alone, then the others; return all samples."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    parts = [
        session.run(["samples"], {name: tensor[part].numpy() for name, tensor in traced.inputs.items()})[0]
        for part in (slice(1), slice(1, None))
    ]
    return torch.cat([torch.from_numpy(part) for part in parts])


def _name_batch(model: Any) -> None:
    """Name the first dimension of inputs and outputs, which PyTorch calls by a number of its own."""
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"


@contextmanager
def _silence() -> Iterator[None]:
    """Keep PyTorch's exporter from warning of its own code and of packages that generators do not use."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
