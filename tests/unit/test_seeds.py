"""The folder of a series: what is written reads back equal, and what is damaged or taken is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from zerosum.errors import InputError
from zerosum.seeds import SeedsFolder, Series, is_seeds_folder

SERIES = Series("ring", "f" * 32, (3, 4), {"name": "toy"}, minutes=0.5)


def test_a_series_reads_back_equal_with_what_diverged(tmp_path: Path) -> None:
    folder = SeedsFolder.create(tmp_path / "a" / "b", SERIES)
    assert is_seeds_folder(folder.path)
    assert folder.read() == SERIES
    folder.note_diverged(4, "a loss is nan")
    folder.note_diverged(3, "a loss is inf")
    folder.note_diverged(4, "")
    assert folder.read() == replace(SERIES, diverged={3: "a loss is inf"})
    assert folder.run(3).path == folder.path / "seed-3"


def test_a_folder_that_nobody_named_is_the_first_free_one(tmp_path: Path) -> None:
    paths = [SeedsFolder.create(tmp_path / "ring", SERIES, numbered=True).path.name for _ in range(3)]
    assert paths == ["ring", "ring-2", "ring-3"]


def test_a_folder_that_holds_something_is_refused_with_the_way_on(tmp_path: Path) -> None:
    SeedsFolder.create(tmp_path / "ring", SERIES)
    with pytest.raises(InputError, match=r"ring exists already: continue it with 'zerosum resume \S+ring' or choose"):
        SeedsFolder.create(tmp_path / "ring", SERIES)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 2}, "format 2, and this version"),
        ({"seeds": []}, "seeds"),
        ({"seeds": [-1]}, "seeds"),
        ({"more": 1}, "no field 'more'"),
        ({"minutes": "long"}, "minutes"),
    ],
)
def test_damage_is_named(changes: dict[str, object], words: str, tmp_path: Path) -> None:
    folder = SeedsFolder.create(tmp_path / "ring", SERIES)
    folder.description.write_text(json.dumps({**json.loads(folder.description.read_text()), **changes}))
    with pytest.raises(InputError, match=f"seeds.json is damaged: .*{words}"):
        folder.read()


@pytest.mark.parametrize("content", ["", "[]", "nothing", "[" * 100_000])
def test_what_is_no_json_object_is_damaged(content: str, tmp_path: Path) -> None:
    folder = SeedsFolder.create(tmp_path / "ring", SERIES)
    folder.description.write_text(content)
    with pytest.raises(InputError, match=r"seeds\.json is damaged"):
        folder.read()
