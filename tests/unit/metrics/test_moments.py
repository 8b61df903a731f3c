"""Statistics in files: those of other programs and our own are read, and whatever is none of them is refused."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.unit.metrics.sets import normal
from zerosum.errors import InputError
from zerosum.metrics.features.random_convolutions import RandomConvolutions
from zerosum.metrics.frechet import distance_between, fit_gaussian, frechet_distance
from zerosum.metrics.moment_scores import MomentEvaluation
from zerosum.metrics.moments import Moments, Origin, holds_moments, read_moments

FEATURES = normal(300, 6, 1)
MU, SIGMA = FEATURES.numpy().mean(0), np.cov(FEATURES.numpy(), rowvar=False)


def with_negative_variance() -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(SIGMA)
    return np.asarray(vectors @ np.diag([-0.1, *values[1:]]) @ vectors.T)


@pytest.mark.parametrize("name", ["theirs.npz", "stat.pt", "features.pt"])
def test_statistics_of_other_programs_give_the_distance_that_the_features_give(tmp_path: Path, name: str) -> None:
    path, fake = tmp_path / name, normal(200, 6, 2, scale=1.3)
    if name == "theirs.npz":
        np.savez_compressed(path, mu=MU, sigma=SIGMA)
    else:
        torch.save({"mu": MU, "sigma": SIGMA} if name == "stat.pt" else FEATURES, path)
    assert holds_moments(path)
    moments = read_moments(path)
    found = distance_between(moments.gaussian, fit_gaussian(fake))
    assert found == pytest.approx(frechet_distance(fake, FEATURES), rel=1e-6)
    assert moments.samples == (300 if name == "features.pt" else 0)


class Harmful:
    """Would run code when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return Path.touch, (Path("/nowhere/harmed"),)  # type: ignore[return-value]


def npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def pt(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npz", npz(mu=MU), "it lacks 'sigma'"),
        (
            "a.npz",
            npz(mu=MU[:5], sigma=SIGMA),
            r"a mean \[d\] and a covariance \[d, d\] of fractions, not \[5\]",
        ),
        ("a.npz", npz(mu=MU, sigma=SIGMA.astype(int)), "of int64"),
        ("a.npz", npz(mu=np.where(MU[2] == MU, np.nan, MU), sigma=SIGMA), "1 values of 'mu' are NaN or infinite"),
        ("a.npz", npz(mu=MU, sigma=SIGMA * np.inf), "36 values of 'sigma' are NaN or infinite"),
        ("a.npz", npz(mu=MU, sigma=SIGMA + np.triu(np.ones((6, 6)), 1)), "'sigma' is not symmetric"),
        ("a.npz", npz(mu=MU, sigma=with_negative_variance()), r"negative variance \(-0.1\)"),
        ("a.npz", npz(mu=MU, sigma=np.array([Harmful()])), "cannot be read as an .npz of numbers"),
        ("a.npz", npz(mu=MU, sigma=SIGMA, about="{}", probe=MU), "does not say in which features"),
        ("a.npz", npz(mu=MU, sigma=SIGMA, about="{", probe=MU), "does not say in which features"),
        ("a.npz", b"PK\x03\x04 broken", "cannot be read as an .npz"),
        ("a.pt", pt(Harmful()), "is no file of torch-fidelity's cache, or holds more than numbers"),
        ("a.pt", pt([1, 2]), "holds no statistics of torch-fidelity"),
        ("a.pt", pt({"mean": MU}), r"it lacks 'mu' \(it has mean\)"),
        ("a.pt", b"nothing", "is no file of torch-fidelity's cache"),
    ],
)
def test_what_are_no_statistics_is_refused_in_one_line(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as refused:
        read_moments(tmp_path / name)
    assert "\n" not in str(refused.value)


def test_samples_are_not_taken_for_statistics(tmp_path: Path) -> None:
    np.savez(tmp_path / "images.npz", images=np.zeros((4, 8, 8), np.uint8))
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 broken")
    assert not holds_moments(tmp_path / "images.npz")
    assert not holds_moments(tmp_path / "broken.npz")
    assert not holds_moments(tmp_path / "nowhere.npz")


def measure(samples: torch.Tensor, extractor: RandomConvolutions) -> Moments:
    shape = tuple(samples.shape[1:])
    origin = Origin("random-convolutions", extractor.name, "none", shape, len(samples), None, "noise")
    return Moments.of(samples, extractor, origin)


def test_our_statistics_come_back_equal_and_other_programs_can_read_them(tmp_path: Path) -> None:
    samples = torch.randint(0, 256, (40, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    written = measure(samples, RandomConvolutions((3, 16, 16), torch.device("cpu")))
    written.write(tmp_path / "ref.npz")
    again = read_moments(tmp_path / "ref.npz")
    assert again.origin == written.origin
    assert again.samples == 40
    assert torch.equal(again.gaussian.mean, written.gaussian.mean)
    assert torch.equal(again.gaussian.covariance, written.gaussian.covariance)
    with np.load(tmp_path / "ref.npz") as theirs:  # without pickles, as pytorch-fid reads it
        assert theirs["mu"].shape == (256,)
        assert theirs["sigma"].shape == (256, 256)
    with zipfile.ZipFile(tmp_path / "ref.npz") as archive:
        assert archive.testzip() is None


def test_features_of_other_weights_are_refused_though_their_name_is_the_same() -> None:
    samples = torch.randint(0, 256, (20, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    extractor = RandomConvolutions((3, 16, 16), torch.device("cpu"))
    moments = measure(samples, extractor)
    assert MomentEvaluation(moments, extractor, "ref.npz").scores(samples, 0)[0].value == pytest.approx(0, abs=1e-6)
    moments.check_features(extractor, "ref.npz")
    first = next(iter(extractor._network.parameters()))
    first.data[0] *= 1.01
    with pytest.raises(InputError, match=r"ref\.npz was measured in other features"):
        moments.check_features(extractor, "ref.npz")
