"""Read the 1,797 handwritten digits of 8x8 pixels that ship with scikit-learn: real data without a download."""

from typing import ClassVar

import torch

from zerosum.data import Progress, Source, split_by_content
from zerosum.data.preparation import Preparation
from zerosum.data.readers import Reader


class Digits(Reader, name="digits"):
    """`digits` (Alpaydin & Kaynak 1998, the test part of the UCI optical recognition set; 17 gray levels)."""

    summary: ClassVar[str] = "the built-in set 'digits'"
    names: ClassVar[tuple[str, ...]] = ("digits",)

    def reads(self, data: str) -> bool:
        """Recognise the name."""
        return data == "digits"

    def open(self, data: str, preparation: Preparation, progress: Progress | None) -> Source:
        """Load the digits and stretch their gray levels from 0..16 to 0..255."""
        from sklearn.datasets import load_digits

        digits = load_digits()
        samples = torch.from_numpy(digits.images).mul(255 / 16).round().to(torch.uint8).unsqueeze(1)
        train, test = split_by_content(samples, torch.from_numpy(digits.target).long())
        return Source("digits", train, test, tuple(str(name) for name in digits.target_names))
