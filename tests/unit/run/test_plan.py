"""What a plan takes over from the data it opens, so that a resumed run reads them in the same way."""

from pathlib import Path

import numpy as np
import pytest

from zerosum.data.readers import open_source
from zerosum.run.plan import open_for_recipe


@pytest.mark.parametrize("suffix", ["npy", "idx"])
def test_the_recipe_keeps_the_range_of_arrays(suffix: str, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 21, (60, 8, 8), np.uint8)
    file = tmp_path / f"a.{suffix}"
    if suffix == "npy":
        np.save(file, pixels)
    else:
        file.write_bytes(b"\0\0\x08\x03" + np.array(pixels.shape, ">u4").tobytes() + pixels.tobytes())
    source, recipe = open_for_recipe(str(file), "auto", ["data.range=0..20"])
    assert recipe.data.range == (0, 20)
    assert set(source.train.samples.unique().tolist()) == {round(value * 255 / 20) for value in range(21)}
    assert open_source(str(file), recipe.data).fingerprint == source.fingerprint
