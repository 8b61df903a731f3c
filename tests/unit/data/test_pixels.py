import torch
from hypothesis import given
from hypothesis import strategies as st

from zerosum.data import to_float, to_uint8


def test_there_and_back_is_the_identity() -> None:
    pixels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(to_float(pixels)), pixels)


def test_the_range_ends_where_it_should() -> None:
    assert to_float(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]
    assert to_float(torch.tensor([0], dtype=torch.uint8)).dtype == torch.float32


@given(st.floats(-3, 3, width=32))
def test_any_float_becomes_the_nearest_pixel(value: float) -> None:
    pixel = int(to_uint8(torch.tensor([value])))
    clipped = min(max(value, -1.0), 1.0)
    assert abs(pixel - (clipped + 1) * 127.5) <= 0.5 + 1e-4
