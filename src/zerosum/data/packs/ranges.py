"""Find the one range of the values in all files of a pack that become black to white."""

from collections.abc import Iterator
from functools import partial, reduce
from typing import NamedTuple

from zerosum.data.packs.collection import Item
from zerosum.data.packs.decode import read_values
from zerosum.data.packs.headers import BYTE_MODES, Header, Unreadable
from zerosum.data.packs.workers import Workers
from zerosum.data.preparation import Preparation
from zerosum.data.values import BYTES, FAINT, Extent, Range, Undecided, choose_range, count_outside, describe, measure
from zerosum.errors import InputError

LOSSY = ("JPEG", "WEBP", "AVIF", "JPEG2000")  # formats in which nobody stores ids
BITS = {"F": "32-bit fractions", "I": "32-bit numbers", "L": "8-bit files", "P": "the palettes of 8-bit files"}

Headers = list[tuple[Header, Item]]


class Values(NamedTuple):
    """How the values of gray files are read.

    Attributes:
        range: what becomes black to white; None where files of one channel are bytes of 0..255.
        note: what was found and chosen, in a sentence; empty if there was nothing to choose.
    """

    range: Range | None = None
    note: str = ""


def find_values(headers: Headers, preparation: Preparation, workers: Workers, where: str) -> Values:
    """Find the range of all gray files that are no bytes, or the one that was asked for.

    Only such files are decoded for it; and of 8-bit files that may hold ids, as many as it takes to find a bright one.

    Raises:
        InputError: two ranges are plausible, or one is asked for where no file is gray.
    """
    _refuse_lost_bits([(header, item) for header, item in headers if header.halved], where)
    deep = [(header, item) for header, item in headers if header.deep]
    gray = deep or [(header, item) for header, item in headers if header.mode in BYTE_MODES]
    if preparation.range is not None and not gray:
        raise InputError(f"{where}: data.range is about gray values, and its files are in colour")
    given = preparation.range
    if not deep and given is None:
        if not preparation.split:  # what a bad generator made may be faint
            return Values()
        return _look_for_ids([(header, item) for header, item in gray if header.kind not in LOSSY], where)
    found = _measure_all(gray, given, workers)
    if not found:
        return Values(given)
    extent = reduce(Extent.__or__, (each for each, _ in found))
    known = given or _choose(extent, where)
    outside = sum(number for _, number in found)
    if given is None and (extent.low < known[0] or extent.high > known[1]):
        outside = sum(number for _, number in _measure_all(gray, known, workers))
    what = _name_files(gray)
    return Values(known, describe(known, extent, outside, what, given=given is not None))


def _look_for_ids(gray: Headers, where: str) -> Values:
    """Refuse 8-bit files of which none has a bright pixel, unless all are black and white (0 and 1).

    Raises:
        InputError: their values may be ids or dark grays.
    """
    extent: Extent | None = None
    for found in _measure_in_turn(gray):
        extent = found if extent is None else extent | found
        if extent.high >= FAINT:
            return Values()
    if extent is None:
        return Values()
    known = _choose(extent, where)
    if known == BYTES or extent.high == 0:
        return Values()
    return Values(known, describe(known, extent, 0, _name_files(gray), given=False))


def _refuse_lost_bits(halved: Headers, where: str) -> None:
    """Refuse files of several channels of 16 bits if no value needs the upper ones, which alone are decoded.

    Raises:
        InputError: all are nearly black.
    """
    highest = 0.0
    for found in _measure_in_turn(halved):
        highest = max(highest, found.high)
        if highest >= FAINT:
            return
    if halved:
        raise InputError(
            f"{where}: {len(halved):,} files of several 16-bit channels have values below "
            f"{256 * (highest + 1):.0f} of 65535, and only the upper 8 bits of such files are read: save them with 8 "
            "bits, or as a .npy array, whose range is found"
        )


def _measure_in_turn(gray: Headers) -> Iterator[Extent]:
    for _, item in gray:
        found = _measure(item, None)
        if found is not None:
            yield found[0]


def _measure_all(gray: Headers, known: Range | None, workers: Workers) -> list[tuple[Extent, int]]:
    """Measure the values of all files that can be decoded."""
    measured = workers.map(partial(_measure, known=known), [item for _, item in gray])
    return [each for each in measured if each is not None]


def _measure(item: Item, known: Range | None) -> tuple[Extent, int] | None:
    """Measure a file's values, and count those outside of a range; None for one that will be counted as broken."""
    try:
        values = read_values(item.read(), item.page)
    except (Unreadable, OSError):
        return None
    return measure(values), 0 if known is None else count_outside(values, known)


def _choose(extent: Extent, where: str) -> Range:
    try:
        return choose_range(extent)
    except Undecided as error:
        raise InputError(f"{where}: {error}") from None


def _name_files(gray: Headers) -> str:
    kinds = {BITS.get(header.mode, "16-bit files") for header, _ in gray}
    return " and ".join(sorted(kinds))
