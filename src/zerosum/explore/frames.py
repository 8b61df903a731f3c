"""Arrays and what is said of them as one message of bytes.

Four bytes have the length of the header (little-endian); the header is JSON with `arrays`, a list of name, type
(`float32` or `uint8`) and shape; then follow the arrays in that order. Header and arrays begin at multiples of four.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

ALIGNMENT = 4
KINDS = {"float32": "<f4", "uint8": "u1"}


def pack(about: Mapping[str, Any], arrays: Mapping[str, Tensor]) -> bytes:
    """Join a JSON-able header and CPU tensors, float32 or uint8, to a message; in the header, NaN becomes null."""
    listed, parts = [], []
    for name, tensor in arrays.items():
        kind = str(tensor.dtype).removeprefix("torch.")
        content = np.ascontiguousarray(tensor.detach().numpy()).astype(KINDS[kind], copy=False).tobytes()
        listed.append({"name": name, "type": kind, "shape": list(tensor.shape)})
        parts.append(_pad(content, b"\0"))
    header = _pad(json.dumps({**clean(about), "arrays": listed}, allow_nan=False).encode(), b" ")
    return b"".join([len(header).to_bytes(ALIGNMENT, "little"), header, *parts])


def clean(value: Any) -> Any:
    """Return a JSON-able `value` with null for numbers that are not finite, which JSON has not."""
    if isinstance(value, Mapping):
        return {key: clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [clean(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _pad(content: bytes, with_byte: bytes) -> bytes:
    return content + with_byte * (-len(content) % ALIGNMENT)
