"""The range of the values in deep files and arrays, and how they become bytes: one range for the whole data set.

Whole numbers from 0 on are read as bits: 0 to the smallest 2^k - 1 that holds the largest, but at least 0..255.
Fractions are read as one of the ranges in which images are usually saved, [0, 1], [-1, 1] or [0, 255], if they reach a
quarter of it and leave it by less than half a gray level. All else, as the signed numbers of computed tomography, goes
from the smallest value to the largest. Where two of these are plausible, neither is taken: `Undecided` names both.
"""

import functools
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Range = tuple[float, float]
UNIT, SIGNED, BYTES = (0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)
USUAL = (UNIT, SIGNED, BYTES)  # for images; any other range is of one data set
REACHED = 0.25  # the share of a known range that values must reach to be taken for values of that range
HALF_A_LEVEL = 0.5 / 255  # of the range: what rounding to bytes hides
FAINT = 64  # bytes that are all below this are a quarter of the range: ids of a label map rather than grays
NEARLY_ALL, FEWER_BITS = 0.999, 2  # values of which a few need that many bits more may be damaged pixels, or stars
MOST_BITS = 64
LARGEST = 2.0**32
OVERSHOOT = 64  # how far filters may have driven bytes out of their range
BLOCK = 1 << 22  # values that are measured at a time


class Undecided(Exception):
    """Values that may be read in two ways; the text names both and the field that says which."""


@dataclass(frozen=True)
class Extent:
    """What there is among the values of one file or array, or of many.

    Attributes:
        low: the smallest.
        high: the largest.
        whole: whether all are whole numbers.
        count: how many there are.
        some: how many are not 0.
        small: how many of those lie in [-1, 1].
        bits: how many take k bits before the point, for k = 0, 1 ... MOST_BITS.
    """

    low: float
    high: float
    whole: bool
    count: int
    some: int
    small: int
    bits: tuple[int, ...]

    def __or__(self, other: "Extent") -> "Extent":
        """Join the extents of two sets of values."""
        return Extent(
            min(self.low, other.low),
            max(self.high, other.high),
            self.whole and other.whole,
            self.count + other.count,
            self.some + other.some,
            self.small + other.small,
            tuple(map(sum, zip(self.bits, other.bits, strict=True))),
        )

    def bits_of(self, share: float) -> int:
        """Return the number of bits that suffice for this share of the values."""
        sums = itertools.accumulate(self.bits)
        return next(bits for bits, count in enumerate(sums) if count >= share * self.count)


def measure(values: NDArray[Any]) -> Extent:
    """Measure finite numbers of any shape, at least one."""
    flat = values.reshape(-1)
    return functools.reduce(Extent.__or__, map(_measure_block, _split(flat)))


def _split(flat: NDArray[Any]) -> Iterable[NDArray[Any]]:
    return (flat[start : start + BLOCK] for start in range(0, len(flat), BLOCK))


def _measure_block(values: NDArray[Any]) -> Extent:
    some = int(np.count_nonzero(values))
    inside = np.logical_and(values >= -1, values <= 1) if values.dtype.kind != "b" else np.ones_like(values)
    whole = values.dtype.kind != "f" or bool((values == np.rint(values)).all())
    small = int(np.count_nonzero(inside)) - (len(values) - some)
    bits = np.bincount(np.frexp(values.astype(np.float64))[1].clip(0, MOST_BITS), minlength=MOST_BITS + 1)
    return Extent(float(values.min()), float(values.max()), whole, len(values), some, small, tuple(bits.tolist()))


def choose_range(extent: Extent) -> Range:
    """Choose the range that becomes black to white.

    Raises:
        Undecided: two ranges are plausible, or none, as there are values that must be marks of missing ones.
    """
    if max(-extent.low, extent.high) > LARGEST:
        raise Undecided(
            f"its values, {write_range((extent.low, extent.high))}, have marks of missing ones among them, it seems: "
            "say which become black and white, --set data.range=LOW..HIGH"
        )
    return _choose_for_whole(extent) if extent.whole else _choose_for_fractions(extent)


def _choose_for_whole(extent: Extent) -> Range:
    low, high = extent.low, extent.high
    if low < 0:
        return (low, high)
    if high <= 1:
        return UNIT
    if high < FAINT:
        raise _undecided(extent, (0.0, high), "ids or few grays", BYTES, "nearly black images")
    bits, enough = (_hold(extent.bits_of(share)) for share in (1, NEARLY_ALL))
    if bits != enough and extent.bits_of(1) - extent.bits_of(NEARLY_ALL) >= FEWER_BITS:
        raise _undecided(extent, enough, "999 in 1,000 lie in it", bits, "all do, and most are dark")
    return bits


def _hold(bits: int) -> Range:
    """Return the range of whole numbers of so many bits, of at least 8."""
    return (0.0, float(2 ** max(8, bits) - 1))


def _choose_for_fractions(extent: Extent) -> Range:
    low, high, own = extent.low, extent.high, (min(0.0, extent.low), extent.high)
    if _lies_in(extent, UNIT):
        if high >= REACHED:
            return UNIT
        raise _undecided(extent, own, "their own range", UNIT, "nearly black images")
    if _lies_in(extent, SIGNED):
        if low <= -REACHED:
            return SIGNED
        raise _undecided(extent, UNIT, "a few below 0", SIGNED, "all rather bright")
    if low >= -2 and high <= 2:
        known = SIGNED if low <= -REACHED else UNIT
        raise _undecided(extent, known, "what lies outside is clipped", own, "their own range")
    if _lies_in(extent, BYTES):
        if extent.small > extent.some / 2:
            raise _undecided(extent, UNIT, "few are larger than 1 and clipped", BYTES, "nearly black images")
        if high < FAINT:
            raise _undecided(extent, own, "their own range", BYTES, "nearly black images")
        return BYTES
    if low >= -OVERSHOOT and REACHED * 255 <= high <= 255 + OVERSHOOT:
        raise _undecided(extent, BYTES, "what lies outside is clipped", own, "their own range")
    return (low, high)


def _lies_in(extent: Extent, known: Range) -> bool:
    slack = HALF_A_LEVEL * (known[1] - known[0])
    return known[0] - slack <= extent.low and extent.high <= known[1] + slack


def _undecided(extent: Extent, one: Range, why: str, other: Range, why_not: str) -> Undecided:
    kind = "whole numbers" if extent.whole else "fractions"
    return Undecided(
        f"its values, {kind} {write_range((extent.low, extent.high))}, may be of {write_range(one)} ({why}) or of "
        f"{write_range(other)} ({why_not}): say which becomes black..white, --set data.range={write_range(one)} or "
        f"--set data.range={write_range(other)}, or save bytes of 0..255"
    )


def write_range(values: Range, digits: int = 6) -> str:
    """Write a range as `data.range` takes it, fractions with so many digits."""
    return "..".join(
        f"{end:.0f}" if end == round(end) and abs(end) <= LARGEST else f"{end:.{digits}g}" for end in values
    )


def count_outside(values: NDArray[Any], known: Range) -> int:
    """Count the values outside the range."""
    flat = values.reshape(-1)
    return sum(int(np.count_nonzero((part < known[0]) | (part > known[1]))) for part in _split(flat))


def scale(values: NDArray[Any], known: Range) -> NDArray[np.uint8]:
    """Convert numbers to bytes: the ends of the range to 0 and 255, what lies outside to the nearer end."""
    low, high = known
    flat, scaled = values.reshape(-1), np.empty(values.size, np.uint8)
    for start in range(0, len(flat), BLOCK):
        block = (flat[start : start + BLOCK].astype(np.float64) - low) * (255 / ((high - low) or 1))
        scaled[start : start + BLOCK] = block.clip(0, 255).round()
    return scaled.reshape(values.shape)


def describe(known: Range, extent: Extent, outside: int, what: str, *, given: bool) -> str:
    """Say in a sentence how `what` was read."""
    clipped = f", {outside:,} of {extent.count:,} of them outside and clipped" if outside else ""
    who = "as data.range says" if given else "data.range=LOW..HIGH overrules"
    found = write_range((extent.low, extent.high), digits=10)
    return f"values {write_range(known)} of {what} become black..white (found: {found}{clipped}); {who}"
