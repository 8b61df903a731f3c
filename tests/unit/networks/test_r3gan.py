import pytest
import torch
import torch.nn.functional as F

from zerosum.networks.r3gan import R3GAN, Residual, Resize


def test_r3gans_networks_have_the_published_size() -> None:
    """About 21 million weights each at width 768 on 32x32 images (their table of configurations)."""
    for player in R3GAN(width=768).build_pair((3, 32, 32), 0, seed=0):
        assert 19e6 < sum(parameter.numel() for parameter in player.parameters()) < 23e6


def test_fix_up_begins_with_the_identity() -> None:
    _, discriminator = R3GAN(width=16).build_pair((1, 8, 8), 0, seed=0)
    block = next(module for module in discriminator.modules() if isinstance(module, Residual))
    batch = torch.randn(2, 16, 8, 8)
    assert torch.equal(block(batch), batch)


@pytest.mark.parametrize("after", [(4, 4), (14, 13), (7, 5), (9, 20)])
def test_resizing_is_interpolation(after: tuple[int, int]) -> None:
    batch = torch.randn(2, 3, 9, 10, generator=torch.Generator().manual_seed(0))
    whole = F.interpolate(
        F.interpolate(batch, (after[0], 10), mode="bilinear", antialias=after[0] < 9),
        after,
        mode="bilinear",
        antialias=after[1] < 10,
    )
    torch.testing.assert_close(Resize(after)(batch), whole)
    assert Resize(after)(batch.bfloat16()).dtype == torch.bfloat16
