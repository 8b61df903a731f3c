"""Read packs that `zerosum pack` made."""

from dataclasses import fields
from pathlib import Path
from typing import ClassVar

from zerosum.data import Progress, Source
from zerosum.data.packs.pack import is_pack, map_pack
from zerosum.data.preparation import Preparation
from zerosum.data.readers import Reader
from zerosum.errors import InputError

FREE = frozenset({"flip", "shown", "largest", "split"})  # what a pack's pixels do not depend on


class Pack(Reader, name="pack"):
    """A folder that `zerosum pack` made: images already decoded, resized and divided."""

    summary: ClassVar[str] = "packs (folders made by zerosum pack)"

    def reads(self, data: str) -> bool:
        """Recognise the folder by its files."""
        return is_pack(Path(data).expanduser())

    def open(self, data: str, preparation: Preparation, progress: Progress | None) -> Source:
        """Map the pack into memory.

        Raises:
            InputError: it is damaged, or of images prepared in another way than is asked for.
        """
        path = Path(data).expanduser()
        source = map_pack(path, path.resolve().name)
        refuse_others(data, source, preparation)
        return source


def refuse_others(place: str, pack: Source, asked: Preparation) -> None:
    """Refuse an option that asks for other pixels than those of the pack; one that says nothing asks for nothing.

    Raises:
        InputError: see there; the message calls the pack `place`.
    """
    made = {field.name: getattr(pack.prepared, field.name) for field in fields(Preparation)}
    made["channels"] = pack.shape[0]  # also where nobody said how many
    for name in (each for each in made if each not in FREE):
        wanted, there = getattr(asked, name), made[name]
        if wanted not in (there, getattr(Preparation(), name)):
            words = [_write_size(each) if name == "size" else each for each in (wanted, there)]
            raise InputError(
                f"data.{name}={words[0]}: the images of the pack {place} were made with {words[1]}; make another one "
                f"by zerosum pack IMAGES --set data.{name}={words[0]} --out FOLDER"
            )


def _write_size(size: tuple[int, int] | str | None) -> str:
    """Write a size as it is typed."""
    return "x".join(map(str, size)) if isinstance(size, tuple) else str(size)
