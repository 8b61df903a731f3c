"""Stacks: three labelled gray images in the channels of one, so that the modes are many and known."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import torch

from zerosum import randomness
from zerosum.data import Progress, Reader, Source, Split, open_source
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError

NAME, PREFIX = "stacked-mnist", "stacked:"
CHANNELS, TRAIN, TEST = 3, 128_000, 26_000
MOST_BYTES = 4e9


class Stacked(Reader):
    """`stacked-mnist`: random MNIST digits in three channels (Srivastava et al. 2017); or `stacked:DATA`, of others.

    128,000 stacks of training images to train on, 26,000 of test images to test with (the numbers of Lin et al. 2018,
    who draw both from all digits), from a fixed seed. Stacks have no labels: generators of them are told no classes.
    They are made at once and lie in memory: 362 MB for MNIST.
    """

    summary: ClassVar[str] = f"stacks of three gray images ('{NAME}', or {PREFIX}DATA of labelled gray DATA)"

    def names(self) -> tuple[str, ...]:
        """The one that was published."""
        return (NAME,)

    def reads(self, data: str) -> bool:
        """By the name, unless something of that name lies in the current folder; or by the prefix."""
        return data.startswith(PREFIX) or (data == NAME and not Path(data).exists())

    def open(self, data: str, preparation: Preparation, progress: Progress | None) -> Source:
        """Open what is to be stacked, as gray images, and draw the stacks."""
        place = "mnist" if data == NAME else data.removeprefix(PREFIX)
        if not place:
            raise InputError(f"{data!r} names no data; write {PREFIX}DATA, e.g. {PREFIX}mnist")
        if preparation.channels == CHANNELS:  # they are the stacks', not those of what is stacked
            preparation = replace(preparation, channels=None)
        single = open_source(place, preparation, progress, noted=data == NAME)
        _check(single, data)
        train, test = (
            _drawn(split, count, step)
            for step, (split, count) in enumerate(((single.train, TRAIN), (single.test, TEST)))
        )
        return Source(f"stacked-{single.name}", train, test, files=single.files, stacked_from=single)


def _check(single: Source, data: str) -> None:
    """Refuse what cannot be stacked.

    Raises:
        InputError: the samples are no gray images, they have no labels, or their stacks would need too much memory.
    """
    fault = ""
    if not single.is_images:
        fault = "its samples are points, not images"
    elif single.shape[0] != 1:
        fault = f"its images have {single.shape[0]} channels, not one"
    elif single.train.labels is None:
        fault = "its images have no labels"
    if fault:
        raise InputError(
            f"{data} cannot be stacked: {fault}; name labelled gray images, e.g. {PREFIX}mnist or a folder like MNIST's"
        )
    size = (TRAIN + TEST) * CHANNELS * single.shape[1] * single.shape[2]
    if size > MOST_BYTES:
        raise InputError(
            f"{data}: stacks of {single.shape[1]}x{single.shape[2]} pixels would take {size / 1e9:.0f} GB of memory; "
            "use smaller images (--size 32 for image files)"
        )


def _drawn(split: Split, count: int, step: int) -> Split:
    """`count` stacks, uint8 [count, 3, H, W], of images that are drawn independently of each other."""
    generator = randomness.generator(0, step, "stacks")
    chosen = torch.randint(len(split), (count * CHANNELS,), generator=generator)
    return Split(split.samples.index_select(0, chosen).view(count, CHANNELS, *split.samples.shape[2:]))
