import pytest
import torch

from zerosum.game.engine import Engine
from zerosum.networks.compact import Compact


@pytest.mark.parametrize("condition", ["none", "projection", "auxiliary"])
def test_logits_are_of_full_precision(condition: str) -> None:
    """Those of bfloat16 are exact in 8 bits; of 64 different samples some would have the same."""
    networks = Compact(width=4, condition=condition)  # type: ignore[arg-type]
    _, discriminator = networks.build_pair((1, 8, 8), 3, seed=0)
    samples = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = None if condition == "none" else torch.zeros(64, dtype=torch.long)
    engine = Engine(torch.device("cpu"), bfloat16=True)
    logits = engine.predict(discriminator, samples, labels).logits
    assert not torch.equal(logits, logits.bfloat16().float())
