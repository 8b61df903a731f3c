"""Messages read back equal."""

import math

import numpy as np
import torch

from tests.unit.explore.messages import unpack
from zerosum.explore.frames import pack


def test_a_message_reads_back_equal() -> None:
    arrays = {
        "odd": torch.arange(7, dtype=torch.uint8),
        "points": torch.randn(3, 2).T,
        "none": torch.zeros(0, 2),
        "last": torch.tensor(5.0),
    }
    message = pack({"said": "ä <b>", "lost": math.nan, "deep": {"list": [1, math.inf]}}, arrays)
    about, found = unpack(message)
    assert about == {"said": "ä <b>", "lost": None, "deep": {"list": [1, None]}}
    assert list(found) == list(arrays)
    assert all(np.array_equal(found[name], each.numpy()) for name, each in arrays.items())
    assert len(message) % 4 == 0
