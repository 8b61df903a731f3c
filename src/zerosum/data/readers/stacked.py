"""Stack three labelled gray images as the channels of one, which gives many and known modes."""

from dataclasses import replace
from typing import ClassVar

import torch

from zerosum import randomness
from zerosum.data import Progress, Source, Split
from zerosum.data.preparation import Preparation
from zerosum.data.readers import Reader, open_source
from zerosum.errors import InputError

NAME, PREFIX = "stacked-mnist", "stacked:"
CHANNELS, TRAIN, TEST = 3, 128_000, 26_000
MOST_BYTES = 4e9


class Stacked(Reader, name="stacked"):
    """`stacked-mnist`: random MNIST digits in three channels (Srivastava et al. 2017); or `stacked:DATA`, of others.

    128,000 stacks of training images to train on, 26,000 of test images to test with (the numbers of Lin et al. 2018,
    who draw both from all digits), from a fixed seed. Stacks have no labels, so no network can be conditional. All are
    made at once and kept in memory: 362 MB for MNIST.
    """

    summary: ClassVar[str] = f"stacks of three gray images ('{NAME}', or {PREFIX}DATA of labelled gray DATA)"
    names: ClassVar[tuple[str, ...]] = ("stacked-mnist",)
    prefix: ClassVar[str] = PREFIX

    def reads(self, data: str) -> bool:
        """Recognise the name and the prefix."""
        return data == NAME or data.startswith(PREFIX)

    def open(self, data: str, preparation: Preparation, progress: Progress | None) -> Source:
        """Open the data to stack, as gray images, and draw the stacks."""
        place = "mnist" if data == NAME else data.removeprefix(PREFIX)
        if not place:
            raise InputError(f"{data!r} names no data; write {PREFIX}DATA, e.g. {PREFIX}mnist")
        if preparation.channels == CHANNELS:  # the channels of the stacks, not of the images
            preparation = replace(preparation, channels=None)
        single = open_source(place, preparation, progress, recorded=data == NAME)
        _check(single, data)
        train, test = (
            _draw(split, count, step)
            for step, (split, count) in enumerate(((single.train, TRAIN), (single.test, TEST)))
        )
        return Source(
            f"stacked-{single.name}",
            train,
            test,
            files=single.files,
            prepared=single.prepared,
            stacked_from=single,
            notes=single.notes,
            heeded=single.heeded,
        )


def _check(single: Source, data: str) -> None:
    """Refuse data that cannot be stacked.

    Raises:
        InputError: the samples are not gray images, have no labels, or their stacks would need too much memory.
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


def _draw(split: Split, count: int, step: int) -> Split:
    """Draw `count` stacks, uint8 [count, 3, H, W], of independently drawn images."""
    rng = randomness.rng(0, step, "stacks")
    chosen = torch.randint(len(split), (count * CHANNELS,), generator=rng)
    return Split(split.samples.index_select(0, chosen).view(count, CHANNELS, *split.samples.shape[2:]))
