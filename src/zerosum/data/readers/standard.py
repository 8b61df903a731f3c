"""Open standard data sets by name; they are downloaded at the first use, verified, and kept.

If a program may not fetch a set's files, or they are image files, an error says which file to put where; once it is
there, the name opens it.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from zerosum.data import Progress, Source, Split
from zerosum.data.preparation import Preparation
from zerosum.data.readers import Reader, idx, open_source
from zerosum.data.readers.array import to_samples
from zerosum.data.readers.binaries import Parts, read_cifar10, read_stl10
from zerosum.data.readers.download import File, data_folder, fetch
from zerosum.errors import InputError


@dataclass(frozen=True)
class StandardSet(ABC):
    """A data set with a name.

    Attributes:
        name: what users type.
        licence: the terms of use, as far as its authors state them.
        citation: the work that its authors ask to be cited.
    """

    name: str
    licence: str
    citation: str

    @property
    def terms(self) -> str:
        """Licence and citation, as they are shown to the user."""
        return f"licence: {self.licence}; please cite {self.citation}"

    @abstractmethod
    def open(self, preparation: Preparation, progress: Progress | None) -> Source:
        """Read the set; prepare image files by `preparation`.

        Raises:
            InputError: its files are missing and cannot be downloaded, or have another content.
        """


@dataclass(frozen=True)
class Online(StandardSet):
    """A set that can be downloaded.

    Attributes:
        files: the files to download.
        read: makes the splits from the paths of `files`, in the same order.
    """

    files: tuple[File, ...]
    read: Callable[..., Parts]

    def open(self, preparation: Preparation, progress: Progress | None) -> Source:
        """Show the terms, download what is missing, and read the files."""
        return Source(self.name, *self.read(*fetch(self.name, self.files, self.terms, progress)))


@dataclass(frozen=True)
class ByHand(StandardSet):
    """A set of image files that users fetch themselves.

    Attributes:
        page: the web page that has it.
        file: the name of the archive there.
        folder: the folder in the archive.
    """

    page: str
    file: str
    folder: str

    def open(self, preparation: Preparation, progress: Progress | None) -> Source:
        """Open the archive, or the folder from it, by the reader for such; keep the set's name."""
        root, readable = data_folder(), self.file.endswith(".zip")
        names = (self.folder, self.file) if readable else (self.folder,)
        for place in (parent / name for parent in (root / self.name, root) for name in names):
            if place.exists():
                return dataclasses.replace(open_source(str(place), preparation, progress), name=self.name)
        raise InputError(
            f"{self.name} has to be fetched by hand: get {self.file} from {self.page} and unpack it so that there is "
            f"{root / self.name / self.folder}{', or put it beside' if readable else ''} ({self.terms})"
        )


def read_idx(*files: Path, names: tuple[str, ...]) -> Parts:
    """Read four idx files in MNIST's order: images and labels to train on, then those to test with."""

    def split(pixels: Path, labels: Path) -> Split:
        samples = to_samples([idx.read(pixels)], [str(pixels)], Preparation()).samples[0]
        return Split(samples, torch.from_numpy(idx.read(labels).astype(np.int64)))

    return split(*files[:2]), split(*files[2:]), names


def list_idx_files(bases: tuple[str, ...], known: tuple[tuple[int, str], ...]) -> tuple[File, ...]:
    """List MNIST's four files, with the `known` sizes and digests, at each of the URLs `bases`."""
    names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    return tuple(
        File(f"{name}.gz", size, sha256, tuple(f"{base}{name}.gz" for base in bases))
        for name, (size, sha256) in zip(names, known, strict=True)
    )


MNIST = Online(
    name="mnist",
    licence="CC BY-SA 3.0, Yann LeCun and Corinna Cortes",
    citation="LeCun, Bottou, Bengio & Haffner 1998, Gradient-based learning applied to document recognition",
    files=list_idx_files(
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
        (
            (9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            (28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            (1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            (4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        ),
    ),
    read=partial(read_idx, names=tuple("0123456789")),
)

FASHION_MNIST = Online(
    name="fashion-mnist",
    licence="MIT, Zalando SE",
    citation="Xiao, Rasul & Vollgraf 2017, Fashion-MNIST (arXiv:1708.07747)",
    files=list_idx_files(
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        (
            (26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            (29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            (4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            (5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ),
    ),
    read=partial(
        read_idx,
        names=(
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
    ),
)

KMNIST = Online(
    name="kmnist",
    licence="CC BY-SA 4.0, CODH's KMNIST Dataset, from Kuzushiji Dataset of NIJL and others (doi:10.20676/00000341)",
    citation="Clanuwat et al. 2018, Deep learning for classical Japanese literature (arXiv:1812.01718)",
    files=list_idx_files(
        ("https://codh.rois.ac.jp/kmnist/dataset/kmnist/", "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"),
        (
            (18_165_135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
            (29_497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
            (3_041_136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
            (5_120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
        ),
    ),
    read=partial(read_idx, names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")),
)

CIFAR_10 = Online(
    name="cifar10",
    licence="none stated, the authors ask to be cited",
    citation="Krizhevsky 2009, Learning multiple layers of features from tiny images",
    files=(
        File(
            "cifar-10-binary.tar.gz",
            170_052_171,
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            (
                "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                "https://cave.cs.toronto.edu/kriz/cifar-10-binary.tar.gz",
                "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz",
            ),
        ),
    ),
    read=read_cifar10,
)

STL_10 = Online(
    name="stl10",
    licence="none stated, the authors ask to be cited, and the images are ImageNet's",
    citation="Coates, Lee & Ng 2011, An analysis of single-layer networks in unsupervised feature learning",
    files=(
        File(
            "stl10_binary.tar.gz",
            2_640_397_119,
            "f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866",
            (
                "https://cs.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
                "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
            ),
        ),
    ),
    read=read_stl10,
)

CELEBA = ByHand(
    name="celeba",
    licence="non-commercial research only, no redistribution",
    citation="Liu, Luo, Wang & Tang 2015, Deep learning face attributes in the wild",
    page="http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    file="img_align_celeba.zip",
    folder="img_align_celeba",
)

STANFORD_DOGS = ByHand(
    name="stanford-dogs",
    licence="none stated, and the images are ImageNet's",
    citation="Khosla, Jayadevaprakash, Yao & Fei-Fei 2011, Novel dataset for fine-grained image categorization",
    page="http://vision.stanford.edu/aditya86/ImageNetDogs/",
    file="images.tar",
    folder="Images",
)

STANDARD_SETS: dict[str, StandardSet] = {
    each.name: each for each in (MNIST, FASHION_MNIST, KMNIST, CIFAR_10, STL_10, CELEBA, STANFORD_DOGS)
}


class Standard(Reader, name="standard"):
    """A standard set by its name."""

    summary: ClassVar[str] = "standard sets by name: " + ", ".join(f"'{name}'" for name in STANDARD_SETS)
    names: ClassVar[tuple[str, ...]] = (
        "mnist",
        "fashion-mnist",
        "kmnist",
        "cifar10",
        "stl10",
        "celeba",
        "stanford-dogs",
    )

    def reads(self, data: str) -> bool:
        """Recognise the name."""
        return data in STANDARD_SETS

    def open(self, data: str, preparation: Preparation, progress: Progress | None) -> Source:
        """Download the set first if it is not there; see `Online` and `ByHand`."""
        return STANDARD_SETS[data].open(preparation, progress)
