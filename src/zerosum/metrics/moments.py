"""Mean and covariance of real features, kept in a file: all that the Fréchet distance needs of real data.

Read are the files of pytorch-fid and of clean-fid (.npz with `mu` and `sigma`), torch-fidelity's cache (.pt with these
two, or with the features themselves) and our own, which also say what they were measured in. Of a pickle, as .pt files
are, PyTorch builds tensors and arrays of numbers only, and refuses the rest.
"""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum import catalog
from zerosum.atomic import replacing
from zerosum.data import Progress
from zerosum.errors import InputError
from zerosum.metrics.features import FeatureExtractor
from zerosum.metrics.features.cache import FeatureCache, draw_probe
from zerosum.metrics.frechet import Gaussian, fit_gaussian
from zerosum.types import Shape

MEAN, COVARIANCE, ABOUT, PROBE, COUNT = "mu", "sigma", "about", "probe", "count"
FIDELITY = (".pt",)
ALIKE = 1e-3  # relative deviation by which machines may differ in features
REBUILD = cast(Callable[..., Any], np.zeros(0).__reduce__()[0])  # what pickled arrays name, in two spellings
ARRAYS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    np.ndarray,
    np.dtype,
    np.dtypes.Float32DType,
    np.dtypes.Float64DType,
    (REBUILD, "numpy.core.multiarray._reconstruct"),
    (REBUILD, "numpy._core.multiarray._reconstruct"),
]
ROUNDING = 1e-5  # of the largest value: what float32 leaves of a symmetric, positive semidefinite matrix


@dataclass(frozen=True)
class Origin:
    """What moments were measured in.

    Attributes:
        features: what `--features` takes to choose them again, e.g. `inception:768`.
        name: the features' name.
        resizer: how images were brought to the size that the network takes.
        shape: of a sample, (C, H, W) or (d,).
        samples: their number.
        range: the values that became black and white; None if they were bytes.
        data: the name of the samples.
    """

    features: str
    name: str
    resizer: str
    shape: Shape
    samples: int
    range: tuple[float, float] | None
    data: str


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and covariance of features.

    Attributes:
        gaussian: mean and covariance, the latter unbiased, symmetric and positive semidefinite.
        samples: how many samples they are of; 0 if that is not known.
        origin: what they were measured in; None if the file does not say it.
        probe: the features of a few fixed images, float32 [n, d]: features that differ in these are others.
    """

    gaussian: Gaussian
    samples: int = 0
    origin: Origin | None = None
    probe: Tensor | None = None

    @classmethod
    def of(
        cls, samples: Tensor, extractor: FeatureExtractor, origin: Origin, progress: Progress | None = None
    ) -> "Moments":
        """Measure the moments of `samples`, uint8 [N, C, H, W]; N >= 2; tell `progress` how far their features are.

        Raises:
            InputError: their features are not finite.
        """
        features = FeatureCache(extractor, progress).extract(samples)
        if not bool(features.isfinite().all()):
            raise InputError(f"the features of {origin.data} are not all finite numbers")
        return cls(fit_gaussian(features), len(samples), origin, extractor(draw_probe(origin.shape)))

    def check_features(self, extractor: FeatureExtractor, where: str) -> None:
        """Refuse an `extractor` whose features are others than those of the moments in the file `where`.

        Raises:
            InputError: see there.
        """
        if self.origin is None or self.probe is None:
            return
        if (extractor.name, extractor.resizer) == (self.origin.name, self.origin.resizer):
            found = extractor(draw_probe(self.origin.shape))
            if found.shape == self.probe.shape and torch.allclose(found, self.probe, ALIKE, ALIKE):
                return
        raise InputError(
            f"{where} was measured in other features ({self.origin.name}; resizer: {self.origin.resizer}) than these "
            f"({extractor.name}; resizer: {extractor.resizer}): use --features {self.origin.features} with the weights "
            "and the --protocol of then, or save the statistics again"
        )

    def write(self, path: Path) -> None:
        """Write them as .npz, without pickles; pytorch-fid and clean-fid read `mu` and `sigma` from it.

        Raises:
            InputError: nothing can be written there.
        """
        arrays: dict[str, NDArray[Any]] = {
            MEAN: self.gaussian.mean.numpy(),
            COVARIANCE: self.gaussian.covariance.numpy(),
        }
        if self.origin is not None and self.probe is not None:
            arrays |= {ABOUT: np.array(json.dumps(asdict(self.origin))), PROBE: self.probe.numpy()}
        try:
            with replacing(path) as file:
                np.savez_compressed(file, allow_pickle=False, **arrays)
        except OSError as error:
            raise InputError(f"cannot write to {path}: {error.strerror or error}") from None


def holds_moments(path: Path) -> bool:
    """Tell by its name and its list of contents whether the file at `path` is one of statistics, not of samples."""
    if path.suffix.lower() in FIDELITY:
        return path.is_file()
    if path.suffix.lower() != ".npz" or not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return {f"{MEAN}.npy", f"{COVARIANCE}.npy"} & set(archive.namelist()) != set()
    except (OSError, zipfile.BadZipFile):
        return False


def read_moments(path: Path) -> Moments:
    """Read statistics from a file.

    Raises:
        InputError: it is no such file, is damaged, or holds what no features have: other shapes, NaN, a covariance that
            is not symmetric or has negative variances.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"the statistics {path} cannot be read: {error.strerror or error}") from None
    arrays = _read_fidelity(content, path) if path.suffix.lower() in FIDELITY else _read_npz(content, path)
    for name in (MEAN, COVARIANCE):
        if name not in arrays:
            raise InputError(f"{path} holds no statistics: it lacks {name!r} (it has {', '.join(sorted(arrays))})")
    gaussian = _check(arrays[MEAN], arrays[COVARIANCE], path)
    if ABOUT not in arrays:
        return Moments(gaussian, int(arrays.get(COUNT, np.array(0))))
    try:
        origin = catalog.build(Origin, json.loads(str(arrays[ABOUT])))
        probe = torch.from_numpy(arrays[PROBE])
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} does not say in which features it was measured: save the statistics again") from None
    return Moments(gaussian, origin.samples, origin, probe)


def _read_npz(content: bytes, path: Path) -> Mapping[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files if name in (MEAN, COVARIANCE, ABOUT, PROBE)}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise InputError(f"{path} cannot be read as an .npz of numbers: {error}") from None


def _read_fidelity(content: bytes, path: Path) -> Mapping[str, NDArray[Any]]:
    """Read a file of torch-fidelity's cache: statistics, or features, [N, d]. Only arrays and tensors are built."""
    try:
        with torch.serialization.safe_globals(ARRAYS):
            found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # PyTorch's reader raises almost anything for a damaged file
        line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} is no file of torch-fidelity's cache, or holds more than numbers: {line}") from None
    if isinstance(found, Tensor) and found.ndim == 2 and len(found) >= 2:
        mean, covariance, _ = fit_gaussian(found)
        return {MEAN: mean.numpy(), COVARIANCE: covariance.numpy(), COUNT: np.array(len(found))}
    if not isinstance(found, dict):
        raise InputError(f"{path} holds no statistics of torch-fidelity ('mu' and 'sigma') and no features [N, d]")
    return {str(name): np.asarray(value) for name, value in found.items()}


def _check(mean: NDArray[Any], covariance: NDArray[Any], path: Path) -> Gaussian:
    """Return the moments in float64, if features can have them."""
    fits = mean.ndim == 1 and covariance.shape == (len(mean), len(mean)) and len(mean) > 0
    if not fits or mean.dtype.kind != "f" or covariance.dtype.kind != "f":
        raise InputError(
            f"{path}: 'mu' and 'sigma' must be a mean [d] and a covariance [d, d] of fractions, not "
            f"{list(mean.shape)} of {mean.dtype} and {list(covariance.shape)} of {covariance.dtype}"
        )
    for name, values in ((MEAN, mean), (COVARIANCE, covariance)):
        if broken := int((~np.isfinite(values)).sum()):
            raise InputError(f"{path}: {broken:,} values of {name!r} are NaN or infinite: compute it again")
    matrix = torch.from_numpy(covariance.astype(np.float64))
    slack = ROUNDING * float(matrix.abs().max())
    if float((matrix - matrix.T).abs().max()) > slack:
        raise InputError(f"{path}: 'sigma' is not symmetric, so it is no covariance")
    matrix = (matrix + matrix.T) / 2
    if (least := float(torch.linalg.eigvalsh(matrix)[0])) < -slack:
        raise InputError(f"{path}: 'sigma' has a negative variance ({least:.3g}), so it is no covariance")
    return Gaussian(torch.from_numpy(mean.astype(np.float64)), matrix)
