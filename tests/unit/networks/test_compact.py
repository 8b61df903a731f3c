import pytest
import torch

from zerosum.networks.compact import DepthToSpace, SpaceToDepth


@pytest.mark.parametrize("size", [(8, 8), (9, 8), (8, 11), (13, 9)])
def test_folding_undoes_unfolding(size: tuple[int, int]) -> None:
    batch = torch.randn(2, 3, *size)
    assert torch.equal(DepthToSpace(size)(SpaceToDepth()(batch)), batch)
