"""Read a pack of another machine, on loopback, against the same pack on this one.

Usage: python benchmarks/remote.py [IMAGES [SIZE]], by default 4,000 images of 64 x 64 pixels. Makes a pack of noise,
serves it by Starlette in a process of its own, and measures the time from opening to the first minibatch, with nothing
mirrored, and minibatches with a mirror that is complete: opened so, or opened with holes that were filled since.
"""

import contextlib
import multiprocessing
import os
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from protocol import write

from zerosum.data import Split
from zerosum.data.packs import blocks, pack
from zerosum.data.packs.rows import MirroredRows
from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_source

IMAGES, SIZE, BATCH, COLD, ROUNDS, CHUNK = 4_000, 64, 64, 10, 25, 200
PROTOCOL = (
    "a pack of noise on loopback, served by Starlette in a process of its own, so without the latency of a network; "
    f"minibatches of {BATCH} as float32; cold: {COLD} times from opening to the first minibatch, the cache emptied "
    f"before, in turn with the pack here; warm: {ROUNDS} rounds of {CHUNK} minibatches each, in turn, as the ratio of "
    "the two times: the least, the median, the largest"
)


def make_pack(place: Path, images: int, size: int) -> None:
    """Write a pack of noise, one image in five for testing."""
    place.mkdir(parents=True)
    draw, shape = np.random.default_rng(0), (3, size, size)
    with (place / pack.IMAGES).open("wb") as file:
        for _ in range(images):
            file.write(draw.bytes(3 * size * size))
    (place / pack.FILES).write_bytes(b"")
    (place / pack.BLOCKS).write_bytes(blocks.digest_blocks(place / pack.IMAGES))
    digests = {name: blocks.digest((place / name).read_bytes()).hex() for name in (pack.FILES, pack.BLOCKS)}
    test = images // 5
    about = pack.PackDescription(
        shape, images - test, test, (), "noise", None, (), Preparation(size=(size, size)), digests
    )
    (place / pack.DESCRIPTION).write_bytes(about.as_json())


def serve(folder: Path, port: int) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    files = Starlette(routes=[Mount("/", StaticFiles(directory=folder))])
    uvicorn.run(files, host="127.0.0.1", port=port, log_level="error")


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(folder, port), daemon=True)
    server.start()
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.join()


def time_first_batch(data: str) -> float:
    """Return the seconds from opening `data` to the first minibatch, with nothing mirrored."""
    shutil.rmtree(Path(os.environ["ZEROSUM_CACHE"]), ignore_errors=True)
    began = time.perf_counter()
    open_source(data).train.minibatch(BATCH, 0, 0)
    return time.perf_counter() - began


def time_batches(split: Split, first: int) -> float:
    began = time.perf_counter()
    for number in range(first, first + CHUNK):
        split.minibatch(BATCH, number, 0)
    return time.perf_counter() - began


def compare(split: Split, local: Split) -> dict[str, object]:
    """Time minibatches of both splits in turn."""
    times = [(time_batches(split, first), time_batches(local, first)) for first in range(0, ROUNDS * CHUNK, CHUNK)]
    speeds = [statistics.median(CHUNK / each[side] for each in times) for side in (0, 1)]
    ratios = spread([there / here for there, here in times])
    return {"seconds over those of the pack here": ratios, "minibatches/s": round(speeds[0]), "here": round(speeds[1])}


def spread(values: list[float]) -> list[float]:
    """Return the least, the median and the largest."""
    return [round(value, 4) for value in (min(values), statistics.median(values), max(values))]


def main(images: int = IMAGES, size: int = SIZE) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ZEROSUM_CACHE"] = str(Path(folder, "cache"))
        here = Path(folder, "www", "noise")
        make_pack(here, images, size)
        with serving(here.parent) as root:
            there, local = f"{root}/noise", open_source(here).train
            cold = [(time_first_batch(there), time_first_batch(str(here))) for _ in range(COLD)]
            filled = open_source(there).train
            began = time.perf_counter()
            filled.samples.sum()
            whole = time.perf_counter() - began
            complete = open_source(there)
            complete.test.samples.sum()
            complete = open_source(there)
            assert isinstance(filled.samples, MirroredRows)
            assert not isinstance(complete.train.samples, MirroredRows)
            figures = {
                "images": f"{images:,} of {size}x{size}, {images * 3 * size * size / 1e6:.0f} MB",
                "seconds to the first minibatch": spread([each for each, _ in cold]),
                "the same of the pack here": spread([each for _, each in cold]),
                "seconds to mirror the training images": round(whole, 2),
                "warm, opened complete": compare(complete.train, local),
                "warm, opened with holes": compare(filled, local),
            }
    write("remote", PROTOCOL, figures)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
