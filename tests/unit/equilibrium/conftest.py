"""A device that the CPU plays."""

import pytest
from torch import Tensor


@pytest.fixture
def device_without_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on MPS: only what was brought to the CPU can be turned into float64."""
    cpu, double, brought = Tensor.cpu, Tensor.double, list[Tensor]()

    def bring(tensor: Tensor) -> Tensor:
        brought.append(cpu(tensor))
        return brought[-1]

    def turn(tensor: Tensor) -> Tensor:
        if not any(tensor is each for each in brought):
            raise TypeError("the device has no float64")
        return double(tensor)

    monkeypatch.setattr(Tensor, "cpu", bring)
    monkeypatch.setattr(Tensor, "double", turn)
