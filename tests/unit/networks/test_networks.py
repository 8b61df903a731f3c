from dataclasses import replace

import pytest
import torch
from scipy import stats

from tests.unit.networks.families import FAMILIES, every_family
from zerosum import catalog, randomness
from zerosum.errors import InputError
from zerosum.networks import Networks
from zerosum.networks.dcgan import DCGAN
from zerosum.networks.mlp import MLP, PaperMLP
from zerosum.networks.r3gan import R3GAN

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 9, 13), (4, 48, 64), (2, 31, 8), (13, 16, 16), (3, 64, 64)]


@every_family
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_pair_fits_any_image_shape(networks: Networks, shape: tuple[int, ...]) -> None:
    generator, discriminator = networks.build_pair(shape, 0, seed=0)
    with randomness.scope(0, 0, "test"):
        samples = generator(networks.sample_latents(5, None, None, 0))
    assert samples.shape == (5, *shape)
    assert samples.abs().max() <= 1 or isinstance(networks, R3GAN)  # which has no tanh, as published
    assert discriminator(samples).shape == (5,)


@every_family
@pytest.mark.parametrize("shape", [(3, 256, 256), (1, 200, 256)], ids=str)
def test_large_images_are_served_too(networks: Networks, shape: tuple[int, ...]) -> None:
    with torch.device("meta"):
        generator, discriminator = networks.build_pair(shape, 0, seed=0)
        samples = generator(torch.randn(2, networks.latent))
        assert samples.shape == (2, *shape)
        assert discriminator(samples).shape == (2,)


@every_family
def test_the_initial_weights_are_a_function_of_the_seed(networks: Networks) -> None:
    torch.manual_seed(1)
    one = networks.build_pair((1, 8, 8), 0, seed=3)
    torch.manual_seed(2)
    same, other = networks.build_pair((1, 8, 8), 0, seed=3), networks.build_pair((1, 8, 8), 0, seed=4)
    for player in range(2):
        assert all(map(torch.equal, one[player].state_dict().values(), same[player].state_dict().values()))
        assert not all(map(torch.equal, one[player].state_dict().values(), other[player].state_dict().values()))


@every_family
def test_a_training_pass_changes_no_buffer(networks: Networks) -> None:
    """Else the forward pass of one player's update would change the other player."""
    for player, argument in zip(
        networks.build_pair((1, 8, 8), 0, 0), (torch.randn(6, networks.latent), torch.rand(6, 1, 8, 8)), strict=True
    ):
        before = {name: tensor.clone() for name, tensor in player.state_dict().items()}
        player(argument)
        assert all(torch.equal(before[name], tensor) for name, tensor in player.state_dict().items())


@pytest.mark.parametrize("networks", [family for family in FAMILIES if not isinstance(family, MLP)])
@pytest.mark.parametrize("shape", [(2,), (1, 7, 8), (1, 8)], ids=str)
def test_impossible_shapes_are_refused_with_the_shape(networks: Networks, shape: tuple[int, ...]) -> None:
    with pytest.raises(
        InputError, match=rf"{catalog.name_of(networks)} needs images .* {list(shape)}".replace("[", r"\[")
    ):
        networks.build_pair(shape, 0, 0)


def test_the_priors_have_unit_variance_and_the_right_bounds() -> None:
    with randomness.scope(0, 0, "test"):
        uniform, normal = (family.sample_latents(20_000, None, None, 0) for family in (PaperMLP(), DCGAN()))
    for latents in (uniform, normal):
        assert latents.mean().item() == pytest.approx(0, abs=5 / 2e6**0.5)
        assert latents.var().item() == pytest.approx(1, abs=5 * 2**0.5 / 2e6**0.5)
    assert 1.73 < uniform.abs().max() <= 3**0.5 + 1e-6
    assert normal.abs().max() > 4


@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_binary_latents_are_fair_coins_and_the_others_as_they_were(prior: str) -> None:
    plain = replace(MLP(latent=5), prior=prior)
    with randomness.scope(0, 0, "test"):
        usual = plain.sample_latents(20_000, None, None, 0)
    with randomness.scope(0, 0, "test"):
        latents = replace(plain, binary=3).sample_latents(20_000, None, None, 0)
    assert torch.equal(latents[:, :2], usual[:, :2])
    coins = latents[:, 2:]
    assert torch.equal(coins, usual[:, 2:].sign())
    assert coins.mean(0).abs().max() < 5 / 20_000**0.5
    words = (coins > 0).long() @ torch.tensor([4, 2, 1])
    assert (words.bincount() / 20_000 - 1 / 8).abs().max() < 5 * (7 / 64 / 20_000) ** 0.5


def test_more_binary_latents_than_latents_are_refused() -> None:
    assert replace(MLP(latent=5), binary=5).build_pair((2,), 0, seed=0)
    with pytest.raises(InputError, match=r"networks.binary=6 is more than networks.latent=5"):
        replace(MLP(latent=5), binary=6).build_pair((2,), 0, seed=0)


def test_truncated_normal_latents_are_drawn_again_within_the_limit() -> None:
    """By the law of rejection; what lies within keeps its value, and so the samples stay comparable."""
    networks = MLP(latent=40, binary=10)
    with randomness.scope(0, 0, "test"):
        usual = networks.sample_latents(2_000, None, None, 0)
    with randomness.scope(0, 0, "test"):
        latents = networks.sample_latents(2_000, None, None, 0, truncation=0.7)
    assert torch.equal(latents[:, 30:], usual[:, 30:])  # the binary ones
    usual, latents = usual[:, :30], latents[:, :30]
    assert latents.abs().max() <= 0.7
    assert torch.equal(latents[usual.abs() <= 0.7], usual[usual.abs() <= 0.7])
    law = stats.truncnorm(-0.7, 0.7)
    again = latents[usual.abs() > 0.7]
    assert stats.kstest(again.numpy(), law.cdf).pvalue > 1e-3
    assert stats.kstest(latents.flatten().numpy(), law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("truncation", [1e-12, 1e-3, 8.0, 1e6])
def test_extreme_truncations_are_finite(truncation: float) -> None:
    with randomness.scope(0, 0, "test"):
        latents = DCGAN().sample_latents(1_000, None, None, 0, truncation)
    assert latents.isfinite().all()
    assert latents.abs().max() <= truncation


def test_truncated_uniform_latents_are_scaled_and_binary_ones_stay() -> None:
    networks = MLP(latent=4, binary=2, prior="uniform")
    with randomness.scope(0, 0, "test"):
        usual = networks.sample_latents(100, None, None, 0)
    with randomness.scope(0, 0, "test"):
        latents = networks.sample_latents(100, None, None, 0, truncation=0.25)
    assert torch.equal(latents, usual * torch.tensor([0.25, 0.25, 1, 1]))
    assert networks.describe_truncation(0.25) == "uniform latents are multiplied by 0.25, binary ones stay"


def test_truncation_needs_latents_that_can_be_truncated() -> None:
    with pytest.raises(InputError, match="all of the generator's latents are -1 or 1"):
        MLP(latent=3, binary=3).check_truncation(0.5)
