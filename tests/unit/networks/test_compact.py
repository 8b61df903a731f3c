import pytest
import torch
from torch import nn

from zerosum.networks.compact import Compact, DepthToSpace, Smooth, SpaceToDepth


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


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 15, 22)])
def test_the_filter_takes_away_what_alternates_and_keeps_what_does_not(shape: tuple[int, int, int]) -> None:
    rows, columns = torch.meshgrid(torch.arange(shape[1]), torch.arange(shape[2]), indexing="ij")
    for alternating in (rows, columns, rows + columns):
        pattern = ((-1.0) ** alternating).expand(2, *shape)
        assert float(Smooth()(pattern)[:, :, 1:-1, 1:-1].abs().max()) == 0
    plain = torch.full((2, *shape), 0.25)
    assert torch.equal(Smooth()(plain), plain)
    ramp = (rows + 2.0 * columns).expand(2, *shape)
    torch.testing.assert_close(Smooth()(ramp)[:, :, 1:-1, 1:-1], ramp[:, :, 1:-1, 1:-1])


def test_smooth_generators_filter_before_the_last_step() -> None:
    generator, _ = Compact(width=4, upsampling="smooth").build_pair((3, 17, 16), 0, seed=0)
    assert [type(layer) for layer in list(generator.modules())[-3:]] == [DepthToSpace, Smooth, nn.Tanh]
    assert generator(torch.randn(2, 64)).shape == (2, 3, 17, 16)


def test_the_paper_of_repeated_pixels_is_named() -> None:
    assert "Odena et al. 2016" in Compact(upsampling="nearest").papers
    assert "Karras et al. 2019, appendix C" in Compact(upsampling="smooth").papers
    assert "Odena et al. 2016" not in Compact().papers
