"""What all tests share: a cache folder and threads of their own, small sources, and the real data where present."""

import os
import signal
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from zerosum.data import Source, Split
from zerosum.data.readers import open_source

settings.register_profile("zerosum", deadline=None)  # no test asserts a time
settings.load_profile("zerosum")

if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup, runs rightly ignore a terminal that is closed

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that subprocesses inherit, so that no test reads or writes the user's."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["ZEROSUM_CACHE"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def digits() -> Source:
    """The built-in digits."""
    return open_source("digits")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data sets, where it lies beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"no real data sets at {SHARED}")
    return SHARED


def images(shape: tuple[int, int, int], count: int = 64, classes: int = 0) -> Source:
    """Random pixels of any shape as a source."""
    draw = torch.Generator().manual_seed(0)

    def split(size: int) -> Split:
        pixels = torch.randint(0, 256, (size, *shape), generator=draw, dtype=torch.uint8)
        return Split(pixels, torch.arange(size) % classes if classes else None)

    return Source("noise", split(count), split(count // 2), tuple(str(label) for label in range(classes)))


def points(dimension: int, count: int = 512) -> Source:
    """Normal points as a source."""
    draw = torch.Generator().manual_seed(0)
    train, test = torch.randn(2, count, dimension, generator=draw)
    return Source("normal", Split(train), Split(test))
