"""Which device is meant by a name."""

import pytest
import torch

from zerosum.errors import InputError
from zerosum.game.engine import Engine


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """As if there were two, of which only the second multiplies bfloat16; which were asked."""
    asked: list[int | None] = []

    class Device:
        def __init__(self, device: torch.device) -> None:
            asked.append(device.index)

        def __enter__(self) -> None: ...

        def __exit__(self, *failure: object) -> None: ...

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "device", Device)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: asked[-1] == 1)
    return asked


@pytest.mark.parametrize(("name", "index"), [("cuda", None), ("cuda:0", 0), ("cuda:1", 1), ("auto", None)])
def test_a_gpu_can_be_told_from_another(name: str, index: int | None, two_gpus: list[int | None]) -> None:
    engine = Engine.choose(name)
    assert (engine.device.type, engine.device.index) == ("cuda", index)
    assert engine.bfloat16 == (index == 1)
    assert two_gpus == [index]


@pytest.mark.parametrize("name", ["cuda:2", "cuda:", "cuda:x", "cuda:-1", "cuda:01", "cpu:0", "tpu", ""])
@pytest.mark.usefixtures("two_gpus")
def test_what_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(InputError) as caught:
        Engine.choose(name)
    assert str(caught.value).startswith(f"device {name!r} is not available here; choose auto or one of: cpu, cuda,")
    assert "cuda:0, cuda:1" in str(caught.value)
    assert "\n" not in str(caught.value)
