import pytest
import torch

from zerosum.data.distributions import DISTRIBUTIONS
from zerosum.data.readers import open_source


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_densities_integrate_to_one(name: str) -> None:
    """By importance sampling from uniform boxes around the modes, where all but 1e-6 of the mass lies."""
    density = DISTRIBUTIONS[name]()
    reach = 6 * density.sigma
    side = torch.linspace(-reach, reach, 241)
    cell = torch.cartesian_prod(*[side] * density.means.shape[1]).view(-1, density.means.shape[1])
    volume = (2 * reach / 240) ** density.means.shape[1]
    total = sum(density.log_density(mean + cell).double().exp().sum() * volume for mean in density.means)
    assert float(total) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_drawn_points_have_the_densitys_entropy(name: str) -> None:
    """Far apart modes: the mean of -log p is the Gaussian's entropy plus log K, within five standard errors."""
    density = DISTRIBUTIONS[name]()
    count, dimension = 20_000, density.means.shape[1]
    points = density.draw(count, torch.Generator().manual_seed(0))
    gaussian = dimension / 2 * torch.log(torch.tensor(2 * torch.pi * torch.e * density.sigma**2))
    expected = float(gaussian + torch.log(torch.tensor(float(len(density.means)))))
    assert float(-density.log_density(points).mean()) == pytest.approx(expected, abs=5 * (dimension / 2 / count) ** 0.5)


def test_a_toy_source_is_the_same_every_time_and_keeps_its_density() -> None:
    one, again = open_source("ring"), open_source("ring")
    assert one.fingerprint == again.fingerprint
    assert (len(one.train), len(one.test), one.shape) == (100_000, 10_000, (2,))
    assert one.density is not None
    assert not set(map(tuple, one.train.samples[:1_000].tolist())) & set(map(tuple, one.test.samples[:1_000].tolist()))
