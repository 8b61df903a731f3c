"""zerosum trains generative adversarial networks and tells the truth about them.

import zerosum

gan = zerosum.load("runs/digits")
images = gan.sample(64, seed=0)  # uint8 [64, C, H, W]
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zerosum.data import open_source
    from zerosum.gan import GAN, load

__all__ = ["GAN", "load", "open_source"]

_HOME = {"GAN": "zerosum.gan", "load": "zerosum.gan", "open_source": "zerosum.data"}


def __getattr__(name: str) -> object:
    """Import what is asked for only then: torch takes seconds, and the command line's help needs none of it."""
    if name not in _HOME:
        raise AttributeError(f"module 'zerosum' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
