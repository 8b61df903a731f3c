from itertools import pairwise

import pytest
import torch

from zerosum import catalog
from zerosum.networks import Networks
from zerosum.networks.compact import Compact
from zerosum.networks.dcgan import DCGAN, list_sizes


@pytest.mark.parametrize("networks", [Compact(), DCGAN()], ids=catalog.name_of)
def test_channels_stop_doubling_where_images_are_large(networks: Networks) -> None:
    """Else each doubling of the image's sides would make four times the weights."""
    with torch.device("meta"):
        small, large = (networks.build_pair((3, side, side), 0, seed=0)[1] for side in (64, 256))
    counts = [sum(each.numel() for each in player.parameters()) for player in (small, large)]
    assert 1 < counts[1] / counts[0] < 5


def test_levels_end_between_four_and_seven_pixels() -> None:
    for side in range(8, 300):
        sizes = list_sizes((side, 2 * side))
        assert 4 <= min(sizes[-1]) <= 7
        assert all((b[0], b[1]) == (-(-a[0] // 2), -(-a[1] // 2)) for a, b in pairwise(sizes))
