from dataclasses import replace

import torch

from tests.unit.networks.families import every_family
from zerosum.networks import Networks
from zerosum.networks.minibatch import MinibatchDiscrimination, MinibatchStandardDeviation


def test_the_minibatch_features_by_their_formulas() -> None:
    features = torch.randn(5, 12, dtype=torch.float64)
    widened = MinibatchStandardDeviation()(features)
    assert torch.equal(widened[:, :12], features)
    torch.testing.assert_close(widened[:, 12], features.std(0, correction=0).mean().expand(5), rtol=1e-6, atol=0)
    layer = MinibatchDiscrimination(12, kernels=3, dimensions=2).double()
    places = layer.project(features).view(5, 3, 2)
    for i in range(5):
        for b in range(3):
            near = [(-(places[i, b] - places[j, b]).abs().sum()).exp() for j in range(5) if j != i]
            torch.testing.assert_close(layer(features)[i, 12 + b], torch.stack(near).sum() / 4)


def test_minibatch_features_notice_a_collapsed_batch() -> None:
    features = torch.randn(1, 12)
    assert MinibatchStandardDeviation()(features.expand(6, 12))[0, 12] < 1e-3
    torch.testing.assert_close(MinibatchDiscrimination(12)(features.expand(6, 12))[:, 12:], torch.ones(6, 16))


def test_discrimination_in_bfloat16_is_as_fine_as_what_it_sees() -> None:
    """A sample's nearness to itself is taken off a sum that would hide the others in eight bits."""
    layer, features = MinibatchDiscrimination(6, kernels=2, dimensions=3), torch.randn(5, 6)
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        places = layer.project(features).double().view(5, 2, 3)
        seen = layer(features)[:, 6:].double()
    near = (-(places[:, None] - places[None]).abs().sum(3)).exp()
    expected = (near.sum(1) - 1) / 4
    torch.testing.assert_close(seen, expected, rtol=1e-4, atol=1e-6)


@every_family
def test_a_packed_discriminator_sees_neighbours_together(networks: Networks) -> None:
    _, discriminator = replace(networks, packing=3).build_pair((2, 9, 12), 0, seed=0)
    discriminator.eval()
    samples = torch.randn(12, 2, 9, 12)
    other = samples.clone()
    other[4] = 0
    changed = discriminator(samples) != discriminator(other)
    assert changed.tolist() == [False, True, False, False]
