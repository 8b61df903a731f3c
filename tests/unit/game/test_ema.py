"""The generator's moving average: by its formula, and calibrated in the same way each time."""

import torch
from torch import Tensor, nn

from tests.conftest import images
from zerosum.game.ema import EMA
from zerosum.networks.compact import Compact
from zerosum.networks.mlp import MLP


def test_the_average_forgets_its_start_and_follows_the_formula() -> None:
    generator = nn.Linear(2, 2)
    ema = EMA(generator, decay=0.9)
    expected = generator.weight.detach().clone()
    for update in range(1, 200):
        with torch.no_grad():
            generator.weight.add_(0.1)
        ema.update(update)
        weight = min(0.9, (1 + update) / (10 + update))
        expected = weight * expected + (1 - weight) * generator.weight.detach()
    torch.testing.assert_close(ema.network.weight, expected)
    assert not any(parameter.requires_grad for parameter in ema.network.parameters())


def test_what_a_foreign_layer_keeps_beside_its_parameters_is_the_live_networks() -> None:
    generator = nn.Sequential(nn.Linear(MLP().latent, 3), nn.BatchNorm1d(3))
    ema = EMA(generator, decay=0.9)
    for update in range(1, 5):
        generator(torch.randn(16, MLP().latent))
        ema.update(update)
    layer = ema.calibrated(MLP(), [], torch.device("cpu"))[1]
    assert torch.equal(layer.running_mean, generator[1].running_mean)
    assert int(layer.num_batches_tracked) == 4


def test_the_calibrated_average_is_repeatable() -> None:
    source = images((1, 8, 8))
    networks = Compact(width=4)
    generator, _ = networks.build_pair(source.shape, 0, 0)
    ema, latents = EMA(generator, 0.5), torch.randn(4, networks.latent)
    one = ema.calibrated(networks, [], torch.device("cpu"))(latents)
    again = ema.calibrated(networks, [], torch.device("cpu"))(latents)
    assert torch.equal(one, again)
    torch.testing.assert_close(one[:2], ema.calibrated(networks, [], torch.device("cpu"))(latents[:2]))


def test_the_statistics_are_measured_on_classes_as_often_as_they_are() -> None:
    """The networks of 100 classes, of which the last is half of the data."""
    networks, counts = Compact(width=4, condition="concatenation"), [1] * 99 + [99]
    generator, _ = networks.build_pair((1, 8, 8), 100, 0)
    seen: list[Tensor] = []
    ema = EMA(generator, 0.0)
    ema.network.register_forward_pre_hook(lambda module, given: seen.append(given[0][:, networks.latent :]))
    ema.calibrated(networks, counts, torch.device("cpu"))
    found = torch.cat(seen).argmax(1).bincount(minlength=100)
    assert found.count_nonzero() > 90
    assert 0.4 < float(found[99] / found.sum()) < 0.6
