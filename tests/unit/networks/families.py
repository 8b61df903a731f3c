"""Every family of networks, small."""

import pytest

from zerosum import catalog
from zerosum.networks import Networks
from zerosum.networks.resnet import ResNet

SMALL = {"dcgan": {"width": 8}, "compact": {"width": 4}, "resnet": {"width": 8}, "r3gan": {"width": 16}}
FAMILIES = [catalog.build(cls, SMALL.get(name, {})) for name, cls in catalog.choices(Networks).items()]
FAMILIES.append(ResNet(width=4, tapered=True))
every_family = pytest.mark.parametrize("networks", FAMILIES, ids=lambda networks: catalog.name_of(networks))
