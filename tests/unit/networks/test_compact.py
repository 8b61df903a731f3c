import pytest
import torch
from torch import nn

from zerosum.networks.compact import Compact, DepthToSpace, SpaceToDepth


@pytest.mark.parametrize("size", [(8, 8), (9, 8), (8, 11), (13, 9)])
def test_folding_undoes_unfolding(size: tuple[int, int]) -> None:
    batch = torch.randn(2, 3, *size)
    assert torch.equal(DepthToSpace(size)(SpaceToDepth()(batch)), batch)


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 15, 22), (3, 64, 64)])
def test_where_pixels_are_repeated_each_block_begins_as_one_colour(shape: tuple[int, int, int]) -> None:
    repeated, _ = Compact(width=4, upsampling="nearest").build_pair(shape, 0, seed=0)
    transposed, _ = Compact(width=4).build_pair(shape, 0, seed=0)
    assert not any(isinstance(layer, nn.ConvTranspose2d) for layer in repeated.modules())
    for generator, alike in ((repeated, True), (transposed, False)):
        samples = generator(torch.randn(5, 64))
        assert samples.shape == (5, *shape)
        height, width = (side // 2 * 2 for side in shape[1:])
        blocks = samples[:, :, :height, :width].unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).transpose(3, 4).flatten(4)
        assert bool((blocks == blocks[..., :1]).all()) == alike


def test_the_paper_of_repeated_pixels_is_named() -> None:
    assert "Odena et al. 2016" in Compact(upsampling="nearest").papers
    assert "Odena et al. 2016" not in Compact().papers
