"""The generator as a .pt2 file of `torch.export`, which PyTorch runs without zerosum."""

import io
import json
import warnings

import torch

from zerosum.export.deployed import Traced
from zerosum.export.onnx import describe
from zerosum.generator import TrainedGenerator

ABOUT = "zerosum.json"


def convert(traced: Traced, generator: TrainedGenerator) -> tuple[bytes, float]:
    """Convert to the content of a .pt2 file, and run it; return also its largest difference from PyTorch, of 255.

    It has an extra file `zerosum.json` that says what `zerosum.export.onnx.describe` does.

    Raises:
        InputError: what is read back makes other samples of the same latents.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, about its own code
        torch.export.save(traced.program, buffer, extra_files={ABOUT: json.dumps(describe(generator))})
        buffer.seek(0)
        module = torch.export.load(buffer).module()
    with torch.no_grad():
        parts = [
            module(**{name: tensor[part] for name, tensor in traced.inputs.items()})
            for part in (slice(1), slice(1, None))
        ]
    return buffer.getvalue(), traced.compare(torch.cat(parts), "the .pt2 file")
