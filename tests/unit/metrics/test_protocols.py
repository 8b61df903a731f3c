"""Protocols of other programs: the pixels that the network sees, derived again, and the figures that follow."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import linalg

import zerosum
from tests.unit.metrics.sets import normal, seen
from zerosum import catalog
from zerosum.data.values import SIGNED
from zerosum.errors import InputError
from zerosum.metrics.features.inception import Inception, read_weights
from zerosum.metrics.frechet import frechet_distance
from zerosum.metrics.kernel import KernelDistance
from zerosum.metrics.protocols import SIDE, Protocol
from zerosum.metrics.protocols.clean_fid import CleanFid
from zerosum.metrics.protocols.kaggle_dogs import KaggleDogs
from zerosum.metrics.protocols.pytorch_fid import PytorchFid
from zerosum.metrics.protocols.torch_fidelity import TorchFidelity

SIZES = [(32, 32), (64, 40), (350, 310)]


def pictures(height: int, width: int, count: int = 2) -> torch.Tensor:
    rng = torch.Generator().manual_seed(height)
    return torch.randint(0, 256, (count, 3, height, width), dtype=torch.uint8, generator=rng)


def line(stored: int, middle: bool) -> NDArray[np.float64]:
    """Return the weights [299, stored] of interpolation between pixels, which lie in their middles or upper left."""
    weights = np.zeros((SIDE, stored))
    for place in range(SIDE):
        where = (place + 0.5) * stored / SIDE - 0.5 if middle else place * stored / SIDE
        where = min(max(where, 0.0), stored - 1.0)
        first = int(where)
        weights[place, first] += 1 - (where - first)
        weights[place, min(first + 1, stored - 1)] += where - first
    return weights


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize(("protocol", "middle"), [(PytorchFid, True), (TorchFidelity, False), (KaggleDogs, False)])
def test_bilinear_protocols_interpolate_between_the_pixels_that_they_should(
    protocol: type[Protocol], middle: bool, height: int, width: int
) -> None:
    images = pictures(height, width)
    down, across = line(height, middle), line(width, middle)
    large = np.einsum("yh,nchw,xw->ncyx", down, images.double().numpy(), across, optimize=True)
    expected = large / 127.5 - 1 if middle else (large - 128) / 128
    found = protocol().prepare(images)
    assert found.dtype == torch.float32
    rounding = 2 * 2 * 2.0**-15  # of places up to 350 in float32, times the steepest slope, on two axes
    assert np.abs(found.numpy() - expected).max() < rounding


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_clean_fid_resizes_each_channel_by_pillow_in_fractions(height: int, width: int) -> None:
    """A checkerboard overshoots under the bicubic filter: what is beyond 0..255 is clipped, nothing is rounded."""
    image = pictures(height, width, 1)
    image[0, 0] = (torch.arange(height)[:, None] // 4 + torch.arange(width) // 4) % 2 * 255
    found = CleanFid().prepare(image)[0] * 128 + 128
    for channel in range(3):
        values = image[0, channel].numpy().astype(np.float32)
        expected = np.asarray(Image.fromarray(values, mode=None).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
        assert np.abs(found[channel].numpy() - expected.clip(0, 255)).max() < 1e-4
    assert float(found.min()) == 0
    assert float(found.max()) == 255
    assert float((found - found.round()).abs().max()) > 0.1


def test_every_protocol_gives_the_network_what_it_takes_in_any_size() -> None:
    for name, cls in catalog.choices(Protocol).items():
        protocol = cls()
        for height, width in SIZES:
            found = protocol.prepare(pictures(height, width))
            assert found.shape == (2, 3, SIDE, SIDE), name
            assert SIGNED[0] - 1e-6 <= float(found.min()) < float(found.max()) <= SIGNED[1] + 1e-6, name
        assert set(protocol.metrics) <= set(catalog.choices(zerosum.metrics.Metric))


def test_the_distance_is_that_of_a_matrix_square_root() -> None:
    """Equal features by SciPy's root, as pytorch-fid and clean-fid have it."""
    fake, real = normal(400, 12, 1) @ normal(12, 12, 9), normal(300, 12, 2, shift=0.3)
    (mean_1, covariance_1), (mean_2, covariance_2) = (
        (rows.double().numpy().mean(0), np.cov(rows.double().numpy(), rowvar=False)) for rows in (fake, real)
    )
    root = np.trace(linalg.sqrtm(covariance_1 @ covariance_2).real)
    expected = ((mean_1 - mean_2) ** 2).sum() + np.trace(covariance_1) + np.trace(covariance_2) - 2 * root
    assert frechet_distance(fake, real) == pytest.approx(expected, rel=1e-6)


def test_clean_fids_kernel_distance_takes_all_samples_where_there_are_few() -> None:
    inputs = seen(normal(60, 8, 1), normal(50, 8, 2, shift=0.2))
    inputs.features.protocol = CleanFid()
    (found,) = KernelDistance().measure(inputs)
    x, y = inputs.fake.features[:50].double().numpy(), inputs.real.features.double().numpy()
    assert "50 samples are few for subsets of 1,000" in found.warning
    values = []
    for seed in range(200):  # clean-fid's own lines, over random subsets of all 50
        x = inputs.fake.features.double().numpy()[np.random.default_rng(seed).choice(60, 50, replace=False)]
        within = (x @ x.T / 8 + 1) ** 3 + (y @ y.T / 8 + 1) ** 3
        values.append(((within.sum() - np.trace(within)) / 49 - ((x @ y.T / 8 + 1) ** 3).sum() * 2 / 50) / 50)
    assert found.value == pytest.approx(np.mean(values), abs=3 * np.std(values) / 10)


@pytest.fixture
def weights(shared: Path) -> Path:
    file = shared.parent / "weights" / "inception-2015-12-05-folded-to-mixed7a-fp32.npz"
    if not file.exists():
        pytest.skip(f"no weights of Inception at {file}")
    return file


def test_protocols_differ_in_the_network_and_ours_is_pytorch_fids(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zerosum.metrics.features.inception.BATCH", 3)
    loaded, images = read_weights(weights), pictures(40, 40, 3)
    own, theirs, clean = (
        Inception(loaded, 64, torch.device("cpu"), protocol) for protocol in (None, PytorchFid(), CleanFid())
    )
    assert torch.allclose(own(images), theirs(images), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(own(images), clean(images), rtol=1e-2, atol=1e-2)
    assert "clean-fid" in clean.resizer
    assert "clean-fid 0.1.35" in clean.comparable


def test_images_go_to_the_network_from_their_own_size(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zerosum.metrics.features.inception.BATCH", 8)
    for name, side in (("reals", 32), ("fakes", 48)):
        (tmp_path / name).mkdir()
        for number, image in enumerate(pictures(side, side, 8)):
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(tmp_path / name / f"{number}.png")
    asked = {"features": "inception:64", "weights": weights, "protocol": "torch-fidelity"}
    result = zerosum.evaluate(tmp_path / "fakes", tmp_path / "reals", metrics=["frechet-distance"], **asked)
    ((score,),) = result.scores.values()
    extractor = Inception(read_weights(weights), 64, torch.device("cpu"), TorchFidelity())
    expected = frechet_distance(extractor(pictures(48, 48, 8)), extractor(pictures(32, 32, 8)))
    assert score.value == pytest.approx(expected, rel=1e-6)
    assert score.resizer == TorchFidelity.resizer
    assert (score.samples, score.reference_samples) == (8, 8)
    scorer = zerosum.Scorer(**asked)
    scorer.update(real=pictures(32, 32, 8), fake=pictures(32, 32, 8).flip(3))
    table = scorer.compute()
    assert list(table) == ["frechet-distance", "kernel-distance", "precision", "recall", "density", "coverage"]
    assert table["coverage"].resizer == TorchFidelity.resizer
    zerosum.save_reference(tmp_path / "reals", tmp_path / "ref.npz", **asked)
    with pytest.raises(InputError, match="measured in other features"):
        zerosum.evaluate(tmp_path / "reals", tmp_path / "ref.npz", **{**asked, "protocol": "clean-fid"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"protocol": "cleanfid"}, "unknown protocol 'cleanfid': did you mean 'clean-fid'"),
        ({"protocol": "clean-fid", "features": "pixels"}, "sees images through Inception: leave out --features pixels"),
        ({"protocol": "pytorch-fid", "metrics": ["variety"]}, "measures frechet-distance, not variety"),
        ({"protocol": "pytorch-fid", "reference": "test"}, "compares with all images: leave out --reference test"),
        ({"protocol": "pytorch-fid", "pairs": 3}, "shows no images"),
    ],
)
def test_what_a_program_does_not_do_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        zerosum.evaluate(pictures(16, 16), "digits", **options)
