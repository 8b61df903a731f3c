"""Differentiable augmentations: what they do to pixels, and that gradients of gradients pass through them."""

import pytest
import torch
from torch import Tensor

from zerosum import randomness
from zerosum.game.augment import AUGMENTATIONS, colour, cutout, translation

every_augmentation = pytest.mark.parametrize("name", AUGMENTATIONS)


def augmented(name: str, images: Tensor, seed: int = 0) -> Tensor:
    with randomness.scope(seed, 0, "test"):
        return AUGMENTATIONS[name](images)


@every_augmentation
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 13), (4, 32, 16)], ids=str)
def test_shape_is_kept_and_every_image_is_treated_by_itself(name: str, shape: tuple[int, ...]) -> None:
    images = torch.rand(40, *shape) * 2 - 1
    result = augmented(name, images)
    assert result.shape == images.shape
    assert torch.equal(result, augmented(name, images))
    assert not torch.equal(result, augmented(name, images, seed=1))
    changed = images.clone()
    changed[1:] = 0
    torch.testing.assert_close(augmented(name, changed)[0], result[0])
    copies = augmented(name, images[:1].expand(40, *shape))
    assert len({copy.numpy().tobytes() for copy in copies}) > 8  # an 8x8 image can be shifted in 9 ways


@every_augmentation
def test_gradients_and_their_gradients_are_right(name: str) -> None:
    images = torch.randn(2, 2, 8, 9, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: augmented(name, x), images)
    assert torch.autograd.gradgradcheck(lambda x: augmented(name, x).square(), images)


def test_translation_moves_whole_pixels_by_an_eighth_at_most() -> None:
    images = torch.zeros(500, 1, 16, 32)
    images[:, :, 8, 16] = 1
    with randomness.scope(0, 0, "test"):
        _, _, rows, columns = translation(images).nonzero(as_tuple=True)
    assert len(rows) == 500
    assert set((rows - 8).tolist()) == set(range(-2, 3))
    assert set((columns - 16).tolist()) == set(range(-4, 5))


def test_cutout_clears_half_of_each_side_unless_at_the_border() -> None:
    with randomness.scope(0, 0, "test"):
        holes = (cutout(torch.ones(300, 2, 16, 10)) == 0).sum((1, 2, 3))
    assert holes.max() == 2 * 8 * 5
    assert holes.min() >= 2 * 4 * 2


def test_colour_keeps_to_its_ranges() -> None:
    images = torch.rand(1, 3, 8, 8).expand(400, 3, 8, 8) - 0.5
    with randomness.scope(0, 0, "test"):
        result = colour(images)
    shifts = result.mean((1, 2, 3)) - images.mean((1, 2, 3))
    assert -0.5 <= shifts.min() < -0.45
    assert 0.45 < shifts.max() <= 0.5
    contrasts = (result.mean(1) - result.mean((1, 2, 3))[:, None, None]).flatten(1).std(1) / images.mean(1)[0].std()
    assert 0.5 - 1e-4 <= contrasts.min() < 0.55
    assert 1.45 < contrasts.max() <= 1.5 + 1e-4
