"""Kept features: the same bits cold, warm, resumed and damaged, and no sample is seen twice by the network."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.conftest import images
from zerosum.data import Source
from zerosum.metrics.features import FeatureExtractor, Request
from zerosum.metrics.features import cache as kept
from zerosum.metrics.features.cache import FeatureCache, FeatureFile

SIDE = 4
SAMPLES = images((1, SIDE, SIDE), count=22).train.samples
KILLED = """
import os, signal
from tests.unit.metrics.test_feature_cache import SAMPLES, Counting
from zerosum.metrics.features import cache
cache.BLOCK = 5
def end(seen):
    if seen > 10:
        os.kill(os.getpid(), signal.SIGKILL)
cache.FeatureCache(Counting(before=end)).extract(SAMPLES)
"""


class Counting(FeatureExtractor):
    """Counts the samples that it sees, those of probes aside."""

    costly = True

    def __init__(self, scale: float = 1.0, name: str = "counting", before: Callable[[int], None] | None = None) -> None:
        self.name, self.seen = name, 0
        self._scale, self._before = scale, before

    @classmethod
    def open(cls, source: Source, request: Request) -> FeatureExtractor:
        raise NotImplementedError

    def __call__(self, samples: Tensor) -> Tensor:
        if not torch.equal(samples, kept.draw_probe((1, SIDE, SIDE))):
            self.seen += len(samples)
            if self._before is not None:
                self._before(self.seen)
        return samples.float().flatten(1).sin() * self._scale


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kept, "BLOCK", 5)
    return tmp_path / "cache" / "features"


def extract(extractor: Counting | None = None, samples: Tensor = SAMPLES, rows: Tensor | None = None) -> int:
    """Extract features that must be right, and return how many samples were seen for them."""
    extractor = extractor or Counting()
    expected = extractor(samples if rows is None else samples[rows])
    extractor.seen = 0
    found = FeatureCache(extractor).extract(samples, rows)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)
    return extractor.seen


def test_what_was_extracted_is_not_extracted_again(place: Path) -> None:
    assert [extract(), extract()] == [22, 0]
    assert [path.suffix for path in place.iterdir()] == [".bin"]


def test_kept_features_are_found_by_all_that_they_depend_on_and_by_nothing_else() -> None:
    other = SAMPLES.clone()
    other[21, 0, 3, 3] ^= 1
    rows = torch.arange(1, 22, 2)
    for extractor, samples, chosen in (
        (Counting(), SAMPLES, None),
        (Counting(scale=2), SAMPLES, None),
        (Counting(name="of another name"), SAMPLES, None),
        (Counting(), other, None),
        (Counting(), SAMPLES.flip(0), None),
        (Counting(), SAMPLES, rows),
    ):
        assert extract(extractor, samples, chosen) == (22 if chosen is None else 11)
    assert extract(Counting(), SAMPLES[rows]) == 0
    resized = Counting()
    resized.resizer = "another way"
    assert extract(resized) == 22


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_a_killed_extraction_goes_on_where_it_was(place: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=Path(__file__).parents[3], env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not list(place.glob("*.bin"))
    assert not FeatureCache(Counting()).holds(SAMPLES)
    assert [extract(), extract()] == [12, 0]
    assert len(list(place.iterdir())) == 1


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1), how=st.sampled_from(["flip", "cut", "add", "empty", "foreign"]), whole=st.booleans())
def test_nothing_damaged_is_trusted(place: Path, where: float, how: str, whole: bool) -> None:
    extract()
    (file,) = place.iterdir()
    content = bytearray(file.read_bytes())
    number = min(int(where * len(content)), len(content) - 1)
    if how == "flip":
        content[number] ^= 1
    elif how == "foreign":
        extract(Counting(scale=2))
        content = bytearray(next(path for path in place.iterdir() if path != file).read_bytes())
    else:
        content = {"cut": content[:number], "add": content + b"\0", "empty": bytearray()}[how]
    file.unlink()
    (file if whole else file.with_suffix(".partial")).write_bytes(content)
    assert extract() == 22 if whole else extract() <= 22
    assert extract() == 0
    for path in place.iterdir():
        path.unlink()


def test_another_process_at_the_same_features_spoils_nothing(place: Path) -> None:
    inner = list[int]()

    def interfere(seen: int) -> None:
        if seen == 10:
            inner.append(extract())

    outer = Counting()
    expected = outer(SAMPLES)
    outer.seen, outer._before = 0, interfere
    assert torch.equal(FeatureCache(outer).extract(SAMPLES), expected)
    assert inner == [22]
    assert extract() == 0
    assert len(list(place.iterdir())) == 1


def test_where_nothing_can_be_written_it_only_takes_time(
    place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as full:
        full.setattr(FeatureFile, "write", raise_full)
        assert [extract(), extract()] == [22, 22]
    assert not list(place.glob("*.bin"))
    (tmp_path / "file").touch()
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "file"))
    assert [extract(), extract()] == [22, 22]


def raise_full(*_: object) -> None:
    raise OSError("No space left on device")


def test_what_will_not_be_seen_again_is_not_kept(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extractor = Counting()
    assert torch.equal(FeatureCache(extractor).extract(SAMPLES, keep=False), extractor(SAMPLES))
    monkeypatch.setattr(Counting, "costly", False)
    assert torch.equal(FeatureCache(extractor).extract(SAMPLES), extractor(SAMPLES))
    assert not FeatureCache(extractor).holds(SAMPLES)
    assert not place.exists()


def test_unfinished_files_are_removed_after_a_day_but_for_the_own_one(place: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        FeatureCache(Counting(before=interrupt)).extract(SAMPLES)
    (mine,) = place.glob("*.partial")
    other, new = place / "other.partial", place / "new.partial"
    other.touch()
    new.touch()
    for path in (mine, other):
        os.utime(path, (0, 0))
    assert extract() == 17
    assert sorted(path.name for path in place.iterdir()) == sorted([mine.with_suffix(".bin").name, new.name])


def interrupt(seen: int) -> None:
    if seen > 5:
        raise KeyboardInterrupt


def test_progress_tells_how_many_are_done_from_where_it_goes_on() -> None:
    told = list[tuple[str, int, int]]()
    with pytest.raises(KeyboardInterrupt):
        FeatureCache(Counting(before=interrupt)).extract(SAMPLES)
    FeatureCache(Counting(), lambda *words: told.append(words)).extract(SAMPLES)
    assert told == [("features of 22 samples", done, 22) for done in (5, 10, 15, 20, 22)]
