"""`zerosum pack`: decode the images once, into one folder that any run can train on."""

from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._options import Data, Preparing, Size


def pack(
    data: Data,
    out: Annotated[Path, typer.Option(help="The new folder for the pack.")],
    changes: Preparing = None,
    size: Size = None,
) -> None:
    """Decode, resize and divide DATA's images once, and keep them in a folder to train on, here or elsewhere.

    'train' does the same in the cache folder. Ended by Ctrl-C or a crash, the same command goes on where it was.
    """
    from zerosum import names

    names.check_training(data, changes or ())
    import shlex
    import time

    from zerosum.cli._data import add_size, tell_files
    from zerosum.cli._progress import plain_console, show_progress
    from zerosum.data.readers.files import find_files
    from zerosum.run.plan import read_preparation

    preparation = read_preparation(add_size(changes, size))
    reader, name = find_files(data)
    console, began = plain_console(), time.monotonic()
    with show_progress("packing", console) as progress:
        source = reader.pack(name, out.expanduser(), preparation, progress)
    tell_files(source, console)
    count, seconds = len(source.train) + len(source.test), time.monotonic() - began
    shape, size_in_mb = " x ".join(map(str, source.shape)), count * source.train.samples[0].numel() / 1e6
    console.print(
        f"{out}: {count:,} images, {shape}, {size_in_mb:,.1f} MB, in {seconds:,.1f} s ({count / seconds:,.0f} images a "
        f"second); 'zerosum train {shlex.quote(str(out))}' trains on them",
        soft_wrap=True,
    )
