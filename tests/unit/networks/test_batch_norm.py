import torch
from torch import nn

from zerosum.networks.batch_norm import BatchNorm, calibrate


def test_calibration_measures_what_a_training_pass_normalises_with() -> None:
    layer = BatchNorm(3)
    batch = torch.randn(500, 3, 4, 4) * 5 + 2
    calibrate(nn.Sequential(layer), [batch])
    assert not layer.training
    with torch.no_grad():
        evaluated = layer(batch)
        trained = layer.train()(batch)
    torch.testing.assert_close(evaluated, trained, rtol=1e-3, atol=1e-3)
