import pytest
import torch
from torch import nn

from tests.conftest import images
from zerosum.errors import InputError
from zerosum.networks.dropout import Dropout
from zerosum.networks.mlp import MLP, Maxout, PaperMLP


def test_the_paper_networks_refuse_points_and_the_plain_ones_serve_them() -> None:
    with pytest.raises(InputError, match="paper-mlp needs images"):
        PaperMLP().build_pair((2,), 0, 0)
    generator, discriminator = MLP().build_pair((2,), 0, 0)
    assert discriminator(generator(torch.randn(3, 64))).shape == (3,)


def test_the_papers_layers_have_the_released_sizes() -> None:
    generator, discriminator = PaperMLP().build_pair((1, 28, 28), 0, 0)
    sizes = [
        [tuple(layer.weight.shape) for layer in player.modules() if isinstance(layer, nn.Linear)]
        for player in (generator, discriminator)
    ]
    assert sizes == [[(1200, 100), (1200, 1200), (784, 1200)], [(1200, 784), (1200, 240), (1, 240)]]
    shares = [layer.share for layer in discriminator.modules() if isinstance(layer, Dropout)]
    assert shares == pytest.approx([0.2, 0.5, 0.5])
    bounds = [max(float(p.detach().abs().max()) for p in player.parameters()) for player in (generator, discriminator)]
    assert bounds == pytest.approx([0.05, 0.005], rel=1e-3)


def test_maxout_takes_the_largest_piece() -> None:
    layer = Maxout(3, 4, pieces=5, keep=1.0)
    batch = torch.randn(7, 3)
    all_pieces = layer.linear(batch)
    expected = torch.stack([all_pieces[:, 5 * unit : 5 * unit + 5].max(1).values for unit in range(4)], 1)
    assert torch.equal(layer(batch), expected)


def test_the_average_image_is_found_without_a_wider_copy_of_the_data() -> None:
    networks, samples = PaperMLP(generator_units=4), images((1, 28, 28), count=3_000).train.samples
    players = networks.build_pair((1, 28, 28), 0, seed=0)
    with torch.profiler.profile(profile_memory=True) as profile:
        networks.fit_to_data(*players, samples)
    assert max(event.cpu_memory_usage for event in profile.events()) < samples.nbytes
    shown = torch.sigmoid(players[0].get_submodule("4").bias.detach().double())
    torch.testing.assert_close(shown, samples.double().mean(0).flatten() / 255, rtol=1e-6, atol=0)


def test_the_papers_generator_starts_at_the_average_image() -> None:
    samples = torch.randint(0, 256, (50, 1, 8, 8), dtype=torch.uint8)
    samples[:, 0, 0, 0], samples[:, 0, 0, 1] = 0, 255
    networks = PaperMLP()
    generator, discriminator = networks.build_pair((1, 8, 8), 0, seed=0)
    networks.fit_to_data(generator, discriminator, samples)
    start = (generator(torch.zeros(1, 100))[0] + 1) / 2  # at z = 0 only the biases speak
    torch.testing.assert_close(start, samples.float().mean(0) / 255, rtol=1e-4, atol=1e-6)
