"""Runs with a planted fault, and healthy ones: what the doctor is calibrated and counted on.

Thresholds were chosen by the cases of `CALIBRATION`, and counted on those of `COUNT`: other data sets, other seeds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.uint8]]
Change = tuple[str, ...]


@dataclass(frozen=True)
class Fault:
    """One kind of planted fault.

    Attributes:
        name: what is planted.
        expected: the findings of which one has to be there, chosen before anything was counted.
        changes: of the recipe.
        spoil: what is done to the images and labels, if anything is.
        pace: how many iterations, over those of a healthy run.
        points: whether it is planted in points too.
        images: whether it is planted in images.
    """

    name: str
    expected: tuple[str, ...]
    changes: Change = ()
    spoil: Callable[[Arrays], Arrays] = lambda arrays: arrays
    pace: float = 1.0
    points: bool = False
    images: bool = True


def keep_few(arrays: Arrays) -> Arrays:
    """Keep 100 training images."""
    return arrays | {name: arrays[name][:100] for name in ("train_images", "train_labels")}


def repeat(arrays: Arrays) -> Arrays:
    """Have a fifth of the training images five times each."""
    fifth = len(arrays["train_images"]) // 5
    return arrays | {name: np.concatenate([arrays[name][:fifth]] * 5) for name in ("train_images", "train_labels")}


def lose_classes(arrays: Arrays) -> Arrays:
    """Leave the first three classes out of the training images, and all labels."""
    kept = arrays["train_labels"] > 2
    return {"train_images": arrays["train_images"][kept], "test_images": arrays["test_images"]}


def shuffle_labels(arrays: Arrays) -> Arrays:
    """Give the training images each other's labels."""
    return arrays | {"train_labels": np.random.default_rng(0).permutation(arrays["train_labels"])}


def invert_test(arrays: Arrays) -> Arrays:
    """Invert the test images."""
    return arrays | {"test_images": 255 - arrays["test_images"]}


def darken(arrays: Arrays) -> Arrays:
    """Store values of [0, 8] as bytes, which nothing stretches."""
    images = {name: (arrays[name] // 32).astype(np.uint8) for name in ("train_images", "test_images")}
    return arrays | images


def blank(arrays: Arrays) -> Arrays:
    """Make every eighth training image one gray."""
    images = arrays["train_images"].copy()
    images[::8] = 128
    return arrays | {"train_images": images}


FAULTS = (
    Fault(
        "saturating loss, strong D",
        ("discriminator-won", "divergence"),
        ("game=minimax", "discriminator_steps=5", "regularizers=[]"),
        pace=0.5,
        points=True,
    ),
    Fault("rates x 30", ("rate-too-high", "divergence", "collapse"), ("rates*30",), points=True),
    Fault("rates / 50", ("rate-too-low", "too-short"), ("rates*0.02",), points=True),
    Fault("k = 20", ("discriminator-won", "memorising-discriminator"), ("discriminator_steps=20",), pace=0.25),
    Fault(
        "no constraint on a critic",
        ("divergence", "discriminator-won", "oscillation"),
        ("game=wasserstein", "regularizers=[]"),
        points=True,
    ),
    Fault("no noise", ("collapse",), ("networks.latent=1", "networks.binary=1"), points=True),
    Fault("100 images", ("few-images", "memorising-discriminator"), spoil=keep_few),
    Fault("duplicated data", ("duplicates",), spoil=repeat),
    Fault("three classes missing", ("splits-differ", "rare-class"), spoil=lose_classes),
    Fault("shuffled labels", ("meaningless-labels",), ("networks.condition=projection",), spoil=shuffle_labels),
    Fault("mixed batches", ("mixed-batches",), ("networks.mixed_batches=true",)),
    Fault("inverted test images", ("splits-differ",), spoil=invert_test),
    Fault("batch of 2", ("batch-size",), ("batch_size=2",), points=True),
    Fault("batch of half the data", ("batch-size",), ("batch_size=half",), pace=0.05),
    Fault("too short", ("too-short",), pace=0.05, points=True),
    Fault("weak D", ("blind-discriminator", "rate-too-low"), ("d_rate*0.002",), points=True),
    Fault("dark images", ("narrow-range",), ("data.range=0..255",), spoil=darken),
    Fault("blank images", ("constant-images",), spoil=blank),
    Fault(
        "bare game on many modes",
        ("missing-modes", "collapse", "discriminator-won"),
        ("recipe=toy-vanilla",),
        points=True,
        images=False,
    ),
)


@dataclass(frozen=True)
class Base:
    """Healthy training on one data set.

    Attributes:
        data: its name; of images, that of an array.
        recipe: by which it is trained.
        changes: of the recipe.
        steps: for how long.
        count: images to train on, and to test with; all if that is 0.
        healthy: whether such runs cover their data. Those on photos do not, as was seen afterwards: as short and as
            narrow as they have to be here, they cover .05 to .30 of the test images (real ones .97).
    """

    data: str
    recipe: str
    changes: Change
    steps: int
    count: tuple[int, int] = (0, 0)
    healthy: bool = True

    @property
    def is_points(self) -> bool:
        """Whether samples are points."""
        return self.data in ("ring", "grid", "gaussian")


TOY = ("networks.width=64",)
NARROW = ("networks.width=8",)
COMPACT = (*NARROW, "regularizers=[]", "batch_size=32")  # as the recipe was when runs were played
RING, GRID = Base("ring", "toy", TOY, 2_000), Base("grid", "points", TOY, 2_000)
DIGITS = Base("digits", "compact", COMPACT, 2_000)
MNIST = Base("mnist", "compact", COMPACT, 1_500, (8_000, 2_000))
MNIST_OTHERS = Base("mnist-others", "compact", COMPACT, 1_500, (8_000, 2_000))
CIFAR = Base("cifar10", "compact", COMPACT, 2_000, healthy=False)
CIFAR_PHOTOS = Base("cifar10", "photos", NARROW, 300, healthy=False)
PETS = Base("pets", "compact", COMPACT, 1_000, healthy=False)


@dataclass(frozen=True)
class Case:
    """One run: a base, with a fault or without, and a seed."""

    base: Base
    seed: int
    fault: Fault | None = None
    set: str = "calibration"

    @property
    def key(self) -> str:
        """A name for its folder."""
        words = "healthy" if self.fault is None else self.fault.name
        return "-".join(
            f"{self.set} {self.base.data} {self.base.recipe} {words} {self.seed}".replace("/", "by").split()
        )


def plan(name: str, seed: int, healthy: dict[Base, int], faulty: tuple[Base, ...]) -> list[Case]:
    """Plan as many healthy runs of each base as are asked for, and one of each fault on each base that it fits."""
    cases = [Case(base, seed + number, None, name) for base, count in healthy.items() for number in range(count)]
    for fault in FAULTS:
        fitting = [base for base in faulty if (fault.points if base.is_points else fault.images)]
        cases += [Case(base, seed, fault, name) for base in fitting]
    return cases


CALIBRATION = plan("calibration", 0, {RING: 6, DIGITS: 6, MNIST: 2}, (RING, DIGITS))
COUNT = plan(
    "count",
    100,
    {RING: 14, GRID: 16, DIGITS: 18, MNIST_OTHERS: 14, CIFAR: 8, CIFAR_PHOTOS: 4, PETS: 2},
    (GRID, MNIST_OTHERS, DIGITS),
)


def load(base: Base, shared: Path) -> Arrays:
    """Load the images and labels of a base: arrays [N, H, W] or [N, H, W, 3] and [N]."""
    if base.data == "digits":
        from sklearn.datasets import load_digits

        found = load_digits()
        images, labels = np.round(found.images * 255 / 16).astype(np.uint8), found.target
        return _divide(images, labels, 1_400)
    if base.data == "cifar10":
        return {
            name: values.astype(np.uint8)
            for name, values in np.load(shared / "cifar10" / "cifar10-lossless-5000.npz").items()
        }
    if base.data == "pets":
        found = np.load(shared / "pets" / "pets64-oxford.npz", allow_pickle=False)
        return _divide(found["images"][:, ::2, ::2], found["species"].astype(np.uint8), 1_560)
    from zerosum.data.readers import open_source

    source = open_source(str(shared / "mnist"))
    labels = source.train.labels
    assert labels is not None
    rows = slice(0, sum(base.count)) if base.data == "mnist" else slice(-sum(base.count), None)
    return _divide(source.train.samples[rows, 0].numpy(), labels[rows].numpy(), base.count[0])


def _divide(images: NDArray[Any], labels: NDArray[Any], count: int) -> Arrays:
    order = np.random.default_rng(1).permutation(len(images))
    images, labels = images[order], labels[order]
    return {
        "train_images": images[:count],
        "train_labels": labels[:count],
        "test_images": images[count:],
        "test_labels": labels[count:],
    }


def prepare(case: Case, shared: Path, folder: Path) -> str:
    """Return the data of a case as `train` takes them; arrays are written to `folder` first."""
    if case.base.is_points:
        return case.base.data
    name = case.base.data if case.fault is None else case.key
    path = folder / f"{name}.npz"
    if not path.exists():
        arrays = load(case.base, shared)
        np.savez(path, **(arrays if case.fault is None else case.fault.spoil(arrays)))
    return str(path)


def resolve(case: Case) -> tuple[str, list[str], int]:
    """Return the recipe's name, its changes and the number of iterations of a case."""
    from zerosum import recipes
    from zerosum.game.recipe import change

    name, changes = case.base.recipe, list(case.base.changes)
    steps = case.base.steps if case.fault is None else round(case.base.steps * case.fault.pace)
    for each in () if case.fault is None else case.fault.changes:
        if each.startswith("recipe="):
            name = each.removeprefix("recipe=")
            continue
        recipe = recipes.find(name)
        rates = {
            "generator_optimizer": recipe.generator_optimizer,
            "discriminator_optimizer": recipe.discriminator_optimizer,
        }
        if "rate" in each and "*" in each:
            which, _, factor = each.partition("*")
            chosen = rates if which == "rates" else {"discriminator_optimizer": rates["discriminator_optimizer"]}
            changes += [f"{field}.lr={config.lr * float(factor):g}" for field, config in chosen.items()]
        elif each == "batch_size=half":
            changes.append("batch_size=1024" if case.base.data != "digits" else "batch_size=704")
        else:
            changes.append(each)
    recipe = recipes.find(name)
    for each in changes:
        recipe = change(recipe, each)
    return name, changes, max(steps, 20)
