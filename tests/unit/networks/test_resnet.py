import torch

from zerosum.networks.resnet import Down, ResNet, Up


def test_tapered_residual_networks_have_the_papers_channels() -> None:
    with torch.device("meta"):
        pair = ResNet(width=64, tapered=True).build_pair((3, 64, 64), 0, 0)
    channels = [[block.shortcut.out_channels for block in player if isinstance(block, Up | Down)] for player in pair]
    assert channels == [[512, 256, 128, 64], [64, 128, 256, 512, 1024]]
