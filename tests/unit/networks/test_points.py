import math
from dataclasses import replace

import pytest
import torch

from zerosum.networks.mlp import MLP
from zerosum.networks.points import FourierFeatures


def test_waves_by_their_formula() -> None:
    points = torch.tensor([[0.3, -1.7], [2.0, 0.0]])
    seen = FourierFeatures(2)(points)
    half = math.pi / 2
    for row, coordinates in zip(seen.tolist(), points.tolist(), strict=True):
        waves = [
            wave(k * half * x) / k ** (1 / 3) for x in coordinates for wave in (math.sin, math.cos) for k in (1, 2)
        ]
        assert sorted(row) == pytest.approx(sorted([*coordinates, *waves]), abs=1e-6)


@pytest.mark.parametrize("more", [{}, {"packing": 2}, {"condition": "concatenation"}, {"frequencies": 3}], ids=str)
def test_points_of_any_scale_are_the_same_to_the_players(more: dict[str, object]) -> None:
    networks = replace(MLP(width=16), **more)
    classes = 3 if networks.conditional else 0
    points, labels = (
        torch.randn(500, 2) * torch.tensor([3.0, 0.01]) + torch.tensor([100.0, -2.0]),
        torch.arange(500) % 3,
    )
    told = (labels,) if networks.conditional else ()
    latents = torch.randn(8, 64 + classes)
    answers = []
    for data in (points, (points - points.mean(0)) / points.std(0)):
        generator, discriminator = networks.build_pair((2,), classes, seed=0)
        networks.fit_to_data(generator, discriminator, data)
        made = generator(latents)
        answers.append((discriminator(data, *told), (made - data.mean(0)) / data.std(0)))
    for one, other in zip(*answers, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


def test_a_coordinate_that_never_changes_is_left_as_it_is() -> None:
    networks, points = MLP(), torch.tensor([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]])
    generator, discriminator = networks.build_pair((2,), 0, seed=0)
    networks.fit_to_data(generator, discriminator, points)
    assert discriminator(points).isfinite().all()
