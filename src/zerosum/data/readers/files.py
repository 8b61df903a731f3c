"""What readers of image files share: their images are packed, decoded once into one memory-mapped array."""

from abc import abstractmethod
from pathlib import Path

from zerosum.data import Progress, Source
from zerosum.data.packs.cache import make_pack, open_pack
from zerosum.data.packs.collection import Collection
from zerosum.data.preparation import Preparation
from zerosum.data.readers import Reader, find_reader
from zerosum.errors import InputError


class ImageFiles(Reader):
    """Base class of readers of image files."""

    @abstractmethod
    def name(self, data: str) -> str:
        """Return a short name for `data`, used e.g. in a run folder's name."""

    @abstractmethod
    def find(self, data: str, preparation: Preparation) -> Collection:
        """List the images of `data`.

        Raises:
            InputError: it cannot be read, or has none.
        """

    def open(self, data: str, preparation: Preparation, progress: Progress | None) -> Source:
        """Pack the images, unless they were packed before."""
        return open_pack(self.find(data, preparation), self.name(data), data, preparation, progress)

    def pack(self, data: str, place: Path, preparation: Preparation, progress: Progress | None = None) -> Source:
        """Pack the images in the new folder `place`.

        Raises:
            InputError: the images cannot be used, or the folder cannot be written.
        """
        return make_pack(place, self.find(data, preparation), data, preparation, progress)


def find_files(data: str) -> tuple[ImageFiles, str]:
    """Find the reader for what the user typed, and what to open by it, if it holds image files.

    Raises:
        InputError: nothing lies there, or no image files.
    """
    reader, name = find_reader(data)
    if not isinstance(reader, ImageFiles):
        raise InputError(f"{data} needs no packing: it is of the kind '{reader.summary}'; image files do")
    return reader, name
