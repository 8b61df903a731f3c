"""Say of a word, before PyTorch is imported, that it cannot be explored; of data to train on, that they are such."""

import shlex
from itertools import chain, islice
from pathlib import Path

from zerosum.declared import data_names
from zerosum.errors import InputError
from zerosum.names import BUILT_IN
from zerosum.places import check_generator, find_shipped
from zerosum.run_folder import enclosing_run, list_runs
from zerosum.strangers import name_kind

TOYS = "ring", "grid", "gaussian"
PICTURE, ARRAY, ARCHIVE = "a picture", "an array", "a .zip archive"  # as `strangers` names them
GLANCE = 200  # files of a folder


def check_subject(what: str) -> None:
    """Refuse what is no toy, run or generator, as far as names and first bytes tell; the hub is not asked.

    Raises:
        InputError: see there.
    """
    place = Path(what).expanduser()
    if kind := _kind_of_data(what, place):
        raise InputError(
            f"{what} is {kind}, data to train on: 'zerosum train {shlex.quote(what)}'. What can be explored is a run, "
            f"a generator, or a toy: {', '.join(TOYS)}"
        )
    if what not in TOYS or place.exists():
        check_generator(place)


def _kind_of_data(what: str, place: Path) -> str:
    """Say which kind of data is meant; empty if it may be something else."""
    if not place.exists():
        is_set = what.removeprefix(BUILT_IN) in data_names() and what not in TOYS and find_shipped(place) is None
        return "a data set" if is_set else ""
    if place.is_dir():
        is_run = (place / "run.json").exists() or bool(list_runs(place)) or enclosing_run(place) is not None
        return "" if is_run or not _holds_pictures(place) else "a folder of images"
    kind = name_kind(place)
    return kind if kind in (ARRAY, ARCHIVE) else ""


def _holds_pictures(folder: Path) -> bool:
    """Whether there is a picture in a folder, or one level below, as far as a glance tells."""
    files = islice(chain(folder.glob("*"), folder.glob("*/*")), GLANCE)
    return any(name_kind(file) == PICTURE for file in files)
