"""Measure how well the protocols agree with the programs they stand for, and by how much they differ from each other.

Programs whose files can be imported without torchvision give their own functions; name the folder into which their
packages were unpacked: `pip download --no-deps clean-fid torch-fidelity pytorch-fid`, then
`python benchmarks/agreement.py FOLDER`. Writes benchmarks/results/agreement.json.
"""

import argparse
import ast
import contextlib
import importlib.util
import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg
import torch
from PIL import Image
from protocol import write

import zerosum
from zerosum import catalog
from zerosum.metrics.frechet import frechet_distance
from zerosum.metrics.protocols import SIDE, Protocol

SHARED = Path(__file__).parents[2] / "shared"
CATS, WEIGHTS = SHARED / "data/cats/cats96.zip", SHARED / "weights/inception-2015-12-05-folded-to-mixed7a-fp32.npz"
COUNT, SIZES = 200, ((96, 96), (32, 32), (400, 310))
SEEN_ALIKE = "kaggle-dogs"  # its pixels are those of torch-fidelity
PROTOCOL = (
    f"pixels: the largest difference of what goes into the network (range 2) for 4 images of noise; distance: relative "
    f"difference for equal features of 64 columns; sets: the Fréchet distance in Inception's 192 features of {COUNT} "
    "photos of cats against as many others, each set prepared by Pillow"
)


def main() -> None:
    """Measure both and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", type=Path, help="the folder of the unpacked packages")
    packages = parser.parse_args().packages
    figures = {
        "pixels": compare_pixels(packages),
        "distance": compare_distances(packages),
        "sets": compare_sets(),
        "count": COUNT,
    }
    write("agreement", PROTOCOL, figures)


def load(file: Path) -> Any:
    """Import a module from its file, without its package."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def their_functions(packages: Path) -> dict[str, Callable[[torch.Tensor], torch.Tensor]]:
    """Return what each program does to a batch, by its own functions."""
    clean = load(packages / "cleanfid/resize.py").build_resizer("clean")
    fidelity = load(packages / "torch_fidelity/interpolate_compat_tensorflow.py")

    def by_clean_fid(images: torch.Tensor) -> torch.Tensor:
        resized = [clean(image.permute(1, 2, 0).numpy()) for image in images]
        return (torch.from_numpy(np.stack(resized)).permute(0, 3, 1, 2) - 128) / 128

    def by_torch_fidelity(images: torch.Tensor) -> torch.Tensor:
        resize = fidelity.interpolate_bilinear_2d_like_tensorflow1x
        return (resize(images.float(), size=(SIDE, SIDE), align_corners=False) - 128) / 128

    def by_pytorch_fid(images: torch.Tensor) -> torch.Tensor:
        """Written down again from its source: it imports torchvision."""
        large = torch.nn.functional.interpolate(
            images.float() / 255, size=(SIDE, SIDE), mode="bilinear", align_corners=False
        )
        return 2 * large - 1

    return {
        "clean-fid": by_clean_fid,
        "torch-fidelity": by_torch_fidelity,
        "kaggle-dogs": by_torch_fidelity,
        "pytorch-fid": by_pytorch_fid,
    }


def compare_pixels(packages: Path) -> dict[str, Any]:
    """Return the largest difference of what goes into the network, by protocol and size; the whole range is 2."""
    found: dict[str, Any] = {}
    for name, theirs in their_functions(packages).items():
        ours = catalog.lookup(Protocol, name)().prepare
        for height, width in SIZES:
            images = torch.randint(
                0, 256, (4, 3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
            )
            found.setdefault(name, {})[f"{height}x{width}"] = float((ours(images) - theirs(images)).abs().max())
    return found


def compare_distances(packages: Path) -> dict[str, float]:
    """Return the relative difference of the Fréchet distance of equal features, by the function of each program."""
    rng = torch.Generator().manual_seed(0)
    mixed = torch.randn(64, 64, generator=rng)
    one, other = torch.randn(2_000, 64, generator=rng) @ mixed, torch.randn(1_500, 64, generator=rng) + 0.5
    ours, found = frechet_distance(one, other), {}
    moments = [(rows.double().numpy().mean(0), np.cov(rows.double().numpy(), rowvar=False)) for rows in (one, other)]
    for name, file, function in (
        ("pytorch-fid", "pytorch_fid/fid_score.py", "calculate_frechet_distance"),
        ("clean-fid", "cleanfid/fid.py", "frechet_distance"),
        ("torch-fidelity", "torch_fidelity/metric_fid.py", "fid_statistics_to_metric"),
    ):
        theirs = take_function(packages / file, function)
        with contextlib.redirect_stdout(io.StringIO()):
            if name == "torch-fidelity":
                stats = [{"mu": mean, "sigma": covariance} for mean, covariance in moments]
                value = theirs(*stats, False)["frechet_inception_distance"]
            else:
                value = theirs(*moments[0], *moments[1])
        found[name] = abs(float(value) / ours - 1)
    return found


def take_function(file: Path, name: str) -> Callable[..., Any]:
    """Take one function of pure NumPy out of a module whose imports are not here."""
    tree = ast.parse(file.read_text())
    body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]

    class OldLinalg:
        """SciPy's, with the argument that newer versions have dropped."""

        @staticmethod
        def sqrtm(matrix: Any, disp: bool = True) -> Any:
            return (scipy.linalg.sqrtm(matrix), None) if not disp else scipy.linalg.sqrtm(matrix)

    names: dict[str, Any] = {
        "np": np,
        "linalg": OldLinalg,
        "vprint": lambda *_: None,
        "KEY_METRIC_FID": "frechet_inception_distance",
    }
    exec(compile(ast.Module(body, []), str(file), "exec"), names)  # noqa: S102  # a function that we have read
    return names[name]  # type: ignore[no-any-return]


def compare_sets() -> dict[str, Any]:
    """Score degraded cats against others by each protocol, in 192 features of Inception, at three sizes of photos."""
    names = sorted(name for name in zipfile.ZipFile(CATS).namelist() if name.endswith(".jpg"))
    found: dict[str, Any] = {}
    with zipfile.ZipFile(CATS) as archive, tempfile.TemporaryDirectory() as place:
        photos = [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names[: 2 * COUNT]]
        for label, reals, fakes in list_sets(photos):
            folder = Path(place) / label.replace(" ", "-").replace(":", "")
            for kind, pictures in (("reals", reals), ("fakes", fakes)):
                (folder / kind).mkdir(parents=True)
                for number, picture in enumerate(pictures):
                    picture.save(folder / kind / f"{number}.png")
            found[label] = score(folder)
    return found


def list_sets(photos: list[Image.Image]) -> list[tuple[str, list[Image.Image], list[Image.Image]]]:
    """List the two sets of each comparison."""
    first, second = photos[:COUNT], photos[COUNT:]
    small = [[each.resize((32, 32), Image.Resampling.LANCZOS) for each in part] for part in (first, second)]
    large = [[each.resize((400, 400), Image.Resampling.LANCZOS) for each in part] for part in (first, second)]
    rough = [each.resize((32, 32), Image.Resampling.NEAREST) for each in second]
    return [
        ("32: shrunk without antialiasing", small[0], rough),
        ("400: other photos", *large),
    ]


def score(folder: Path) -> dict[str, Any]:
    """Score the fakes against the reals by each protocol."""
    found = {}
    for name in [each for each in catalog.choices(Protocol) if each != SEEN_ALIKE]:
        asked = {"metrics": ["frechet-distance"], "features": "inception:192", "weights": WEIGHTS}
        result = zerosum.evaluate(folder / "fakes", folder / "reals", protocol=name, **asked)
        ((first, *_),) = result.scores.values()
        found[name] = {"value": first.value, "low": first.low, "high": first.high, "real": first.real}
    return found


if __name__ == "__main__":
    main()
