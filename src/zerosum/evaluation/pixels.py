"""Batches of images from somebody else's program, as bytes: which layout, and which values are black and white."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum.data.values import BYTES, SIGNED, UNIT, Extent, Range, Undecided, choose_range, measure, scale, write_range
from zerosum.errors import InputError

KNOWN = (UNIT, SIGNED, BYTES)
CHANNELS = (1, 3)
SLACK = 0.5 / 255  # of the range: what rounding hides


class PixelReader:
    """Turns batches of images of one kind into bytes.

    Attributes:
        range: the values that become black and white; None as long as only bytes came.
    """

    def __init__(self, what: str, known: Range | None = None) -> None:
        """Read images that are called `what` in messages; of fractions `known` become black and white, or are guessed.

        Raises:
            InputError: `known` is none of the usual ranges.
        """
        if known is not None and tuple(known) not in KNOWN:
            ranges = ", ".join(map(str, KNOWN))
            raise InputError(f"range={known!r}: the ranges of images are {ranges}")
        self._what, self._given = what, known is not None
        self.range: Range | None = None if known is None else (float(known[0]), float(known[1]))
        self._used = False

    @property
    def note(self) -> str:
        """What was done to fractions, a sentence without its full stop; empty if only bytes came."""
        if not self._used or self.range is None:
            return ""
        how = "as was said" if self._given else "guessed from their values"
        return f"{self._what} were fractions of {write_range(self.range)}, {how}, and rounded to bytes"

    def read(self, images: Tensor | NDArray[np.generic]) -> Tensor:
        """Return uint8 [N, C, H, W] on the CPU.

        Args:
            images: bytes, or fractions in [0, 1], [-1, 1] or [0, 255]: a tensor [N, C, H, W], or an array of that
                layout or [N, H, W, C]; C is 1 or 3.

        Raises:
            InputError: another shape or type, values that are not finite, or two plausible readings.
        """
        tensor = images.detach().cpu() if isinstance(images, Tensor) else self._lead_channels(np.asarray(images))
        if tensor.ndim != 4 or tensor.shape[1] not in CHANNELS or 0 in tensor.shape:
            raise InputError(
                f"{self._what} have the shape {list(tensor.shape)}: [N, C, H, W] is wanted, with 1 or 3 channels"
            )
        if tensor.dtype == torch.uint8:
            return tensor.contiguous()
        if not tensor.is_floating_point():
            raise InputError(f"{self._what} are of {tensor.dtype}: bytes (uint8) or fractions are wanted")
        values = tensor.float().numpy()
        if broken := int((~np.isfinite(values)).sum()):
            raise InputError(f"{self._what}: {broken:,} values are NaN or infinite")
        self._used = True
        return torch.from_numpy(scale(values, self._settle(measure(values))))

    def _lead_channels(self, array: NDArray[np.generic]) -> Tensor:
        """Bring the channels of an array to the front, if it is plain where they are."""
        if array.ndim == 4:
            first, last = array.shape[1] in CHANNELS, array.shape[3] in CHANNELS
            if first and last:
                raise InputError(
                    f"{self._what} have the shape {list(array.shape)}, in which the channels may come first or last: "
                    "give a tensor [N, C, H, W]"
                )
            if last:
                array = array.transpose(0, 3, 1, 2)
        return torch.from_numpy(np.ascontiguousarray(array))

    def _settle(self, extent: Extent) -> Range:
        """Return the range, guessed from the first batch of fractions; refuse a batch that does not fit into it."""
        if self.range is None:
            self.range = self._guess(extent)
        low, high = self.range
        slack = SLACK * (high - low)
        if extent.low < low - slack or extent.high > high + slack:
            found, known = write_range((extent.low, extent.high)), write_range(self.range)
            why = "as was said" if self._given else "as it was guessed from the first of them"
            raise InputError(f"{self._what} have values {found}, outside {known}, {why}: say Scorer(range=(LOW, HIGH))")
        return self.range

    def _guess(self, extent: Extent) -> Range:
        """Guess the range.

        Raises:
            InputError: there are two plausible readings, or none that is usual.
        """
        found, reason = write_range((extent.low, extent.high)), "they fit no range that images have"
        try:
            guess = choose_range(extent)
        except Undecided:
            guess, reason = None, "two readings are possible"
        if extent.low == extent.high:
            guess, reason = None, "one value tells nothing"
        if guess not in KNOWN:
            raise InputError(
                f"{self._what} have values {found}, and {reason}: say which become black and white, "
                "Scorer(range=(0, 1)), (-1, 1) or (0, 255)"
            )
        return guess
