"""Files that zerosum reads, each with a whole example and what opens it: shared by the tests and the benchmark."""

import gzip
import json
import random
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import zerosum
from tests.photos import fill
from zerosum import recipes, records
from zerosum.data import cache_folder
from zerosum.data.readers import open_source
from zerosum.errors import ZerosumError
from zerosum.game.recipe import change
from zerosum.generator.loading import load
from zerosum.metrics.statistics import ConfidenceInterval
from zerosum.records import GapRecord, IterationRecord, ScoreRecord, Search
from zerosum.run import checkpoint, restoring
from zerosum.run_folder import RunFolder

ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 2**31, 10**30, 0.5, -0.0, 1e308, float("nan"), float("inf")),
    *("", "x", "../../etc/passwd", "\x1b[31m", "<script>", "x" * 2_000, [], {}, [[]], {"a": 1}, [0] * 2_000),
)
DEEP = "[" * 3_000 + "]" * 3_000
HEADER = 8  # bytes that say how long the header of a safetensors file is


def change_bytes(content: bytes, draw: random.Random) -> bytes:
    """Change, cut out or insert bytes in up to six places, in heads as often as in bodies."""
    changed = bytearray(content)
    for _ in range(draw.randint(1, 6)):
        place = draw.randrange(min(len(changed), 100) + 1) if draw.random() < 0.5 else draw.randrange(len(changed) + 1)
        kind = draw.choice(("change", "cut", "insert"))
        if kind == "change":
            changed[place : place + 1] = bytes([draw.choice((0, 1, 127, 128, 255, draw.randrange(256)))])
        elif kind == "cut":
            del changed[place : place + draw.choice((1, 4, len(content) // 2))]
        else:
            changed[place:place] = draw.randbytes(draw.randint(1, 8))
    return bytes(changed)


def change_json(content: bytes, draw: random.Random) -> bytes:
    """Put something odd in the place of a value, take a field away, or add one."""
    whole = json.loads(content)
    if draw.random() < 0.02:
        return DEEP.encode()
    node: Any = whole
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            break
        key = draw.choice(keys)
        if isinstance(node[key], dict | list) and node[key] and draw.random() < 0.8:
            node = node[key]
            continue
        if draw.random() < 0.15:
            del node[key]
        else:
            node[key] = draw.choice(ODD)
        break
    return json.dumps(whole).encode()


def change_lines(content: bytes, draw: random.Random) -> bytes:
    """Change one of the JSON lines, or the bytes of all."""
    lines = content.splitlines()
    number = draw.randrange(len(lines))
    lines[number] = change_json(lines[number], draw)
    return b"\n".join(lines) + b"\n"


def change_header(content: bytes, draw: random.Random) -> bytes:
    """Change the JSON header of a safetensors file, or zerosum's own in it."""
    (length,) = struct.unpack("<Q", content[:HEADER])
    header, body = json.loads(content[HEADER : HEADER + length]), content[HEADER + length :]
    if draw.random() < 0.7:
        ours = json.loads(header["__metadata__"]["zerosum"])
        header["__metadata__"]["zerosum"] = change_json(json.dumps(ours).encode(), draw).decode()
        text = json.dumps(header).encode()
    else:
        text = change_json(json.dumps(header).encode(), draw)
    return struct.pack("<Q", len(text)) + text + body


def change_inside(content: bytes, draw: random.Random) -> bytes:
    """Change what is compressed."""
    return gzip.compress(change_bytes(gzip.decompress(content), draw), mtime=0)


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes:
        name: of the kind.
        file: the whole example.
        open: reads what the file belongs to; it may raise a ZerosumError and nothing else.
        structured: a change that knows the format, beside the one of bytes.
    """

    name: str
    file: Path
    open: Callable[[], object]
    structured: Callable[[bytes, random.Random], bytes] | None = None

    def change(self, content: bytes, draw: random.Random) -> bytes:
        """Change the example in one way or the other."""
        return (self.structured if self.structured and draw.random() < 0.6 else change_bytes)(content, draw)


def _write_idx(folder: Path) -> Path:
    images = np.random.default_rng(0).integers(0, 256, (24, 8, 8), np.uint8)
    labels = np.arange(24, dtype=np.uint8) % 3
    folder.mkdir()
    for split in ("train", "t10k"):
        head = struct.pack(">IIII", 0x803, 24, 8, 8)
        (folder / f"{split}-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + images.tobytes(), mtime=0))
        head = struct.pack(">II", 0x801, 24)
        (folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(head + labels.tobytes(), mtime=0))
    return folder


def _look(run: Path) -> None:
    folder = RunFolder.open(run)
    folder.describe()
    recipes.of_run(folder)
    restoring.look(run)


def _find_pack(photos: Path) -> Path:
    before = set((cache_folder() / "packs").glob("*/pack.json"))
    open_source(str(photos))
    (made,) = set((cache_folder() / "packs").glob("*/pack.json")) - before
    return made.parent


def make_formats(folder: Path) -> list[Format]:
    """Write an example of each format into `folder`, whose cache must be empty."""
    run, photos = folder / "run", fill(folder / "photos")
    small = replace(change(recipes.find("compact"), "networks.width=4"), batch_size=8)
    zerosum.train("digits", small, steps=2, out=run)
    for step in (1, 2):
        search = Search(updates=20, rate=1e-3, perturbation=0.01, seed=0, samples=256)
        records.append(RunFolder(run), GapRecord(step=step, gap=ConfidenceInterval.around(0.1, 0.01), search=search))
    kept = folder / "kept"
    shutil.copytree(run / "checkpoints", kept)
    recipe = folder / "own.json"
    recipe.write_text(json.dumps(small.as_json()))
    pack = _find_pack(photos)
    idx, images = _write_idx(folder / "idx"), np.random.default_rng(1).integers(0, 256, (24, 8, 8, 3), np.uint8)
    np.save(folder / "images.npy", images)
    np.savez(folder / "images.npz", images=images, labels=np.arange(24) % 3)
    table = folder / "table"
    fill(table)
    names = sorted(each.name for each in table.iterdir())
    labels = {"labels": [[name, number % 2] for number, name in enumerate(names)]}
    (table / "dataset.json").write_text(json.dumps(labels))

    def read_metrics() -> None:
        for kind in (IterationRecord, ScoreRecord):
            records.read(RunFolder.open(run), kind)

    def read_gaps() -> None:
        records.read(RunFolder.open(run), GapRecord)

    def read_array(name: str) -> Callable[[], object]:
        return lambda: open_source(str(folder / name))

    newest = max(kept.glob("*.json"))
    generator = run / "generator.safetensors"
    return [
        Format("generator.safetensors", generator, lambda: load(generator).sample(2), change_header),
        Format("run.json", run / "run.json", lambda: _look(run), change_json),
        Format("metrics.jsonl", run / "metrics.jsonl", read_metrics, change_lines),
        Format("equilibrium.jsonl", run / "equilibrium.jsonl", read_gaps, change_lines),
        Format("checkpoint, its JSON", newest, lambda: checkpoint.load_latest(kept), change_json),
        Format("checkpoint", newest.with_suffix(".safetensors"), lambda: checkpoint.load_latest(kept)),
        Format("recipe", recipe, lambda: recipes.find(str(recipe)), change_json),
        Format("pack.json", pack / "pack.json", lambda: open_source(str(photos)).fingerprint, change_json),
        Format("pack, its pixels", pack / "images.bin", lambda: open_source(str(photos)).fingerprint),
        Format("pack, its files", pack / "files.jsonl", lambda: open_source(str(photos)).fingerprint, change_lines),
        Format("idx", idx / "train-images-idx3-ubyte.gz", lambda: open_source(str(idx)), change_inside),
        Format("idx, labels", idx / "train-labels-idx1-ubyte.gz", lambda: open_source(str(idx)), change_inside),
        Format("npy", folder / "images.npy", read_array("images.npy")),
        Format("npz", folder / "images.npz", read_array("images.npz")),
        Format("labels", table / "dataset.json", lambda: open_source(str(table)), change_json),
    ]


def find_surprise(each: Format, seed: int) -> str:
    """Change the file, open it, put the whole one back; return what came of it that is not documented."""
    whole, draw = each.file.read_bytes(), random.Random(seed)  # noqa: S311
    each.file.write_bytes(each.change(whole, draw))
    try:
        each.open()
    except ZerosumError as error:
        return "" if str(error) and "\n" not in str(error) else f"{seed}: more than a line"
    except Exception as error:  # that is what is looked for
        return f"{seed}: {type(error).__name__}: {error}"[:200]
    finally:
        each.file.write_bytes(whole)
    return ""
