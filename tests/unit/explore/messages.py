"""Reads messages as the page does."""

import json
import math
from typing import Any

import numpy as np

from zerosum.explore.frames import ALIGNMENT, KINDS


def unpack(message: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the arrays (of NumPy) of a message."""
    start = ALIGNMENT + int.from_bytes(message[:ALIGNMENT], "little")
    about = json.loads(message[ALIGNMENT:start])
    arrays = {}
    for each in about.pop("arrays"):
        count, kind = math.prod(each["shape"]), np.dtype(KINDS[each["type"]])
        arrays[each["name"]] = np.frombuffer(message, kind, count, start).reshape(each["shape"])
        start += -(-count * kind.itemsize // ALIGNMENT) * ALIGNMENT
    return about, arrays
