"""The generators that ship with the package: there before any training, named, and never before a path."""

import hashlib
import json
import re
from pathlib import Path

import pytest

import zerosum as package
from tests.end_to_end.conftest import Command
from zerosum import places
from zerosum.data import Source
from zerosum.errors import InputError

NAMES = sorted(file.stem for file in places.SHIPPED.glob("*.safetensors"))


def test_they_are_small_and_described() -> None:
    assert NAMES == ["digits", "ring"]
    text = (places.SHIPPED / "README.md").read_text()
    for name in NAMES:
        content = (places.SHIPPED / f"{name}.safetensors").read_bytes()
        assert len(content) < 1_000_000
        assert hashlib.sha256(content).hexdigest() in text
        assert f"{package.load(places.SHIPPED / f'{name}.safetensors').metadata['step']:,} iterations" in text


def test_digits_look_like_digits(digits: Source) -> None:
    made = package.load("digits").sample(500, seed=0).float().flatten(1)
    real = digits.train.samples.float().flatten(1)
    nearest = (made[:, None] - real).norm(dim=2).amin(1).median()
    between = (digits.test.samples.float().flatten(1)[:, None] - real).norm(dim=2).amin(1).median()
    assert 0.5 * between < nearest < 1.5 * between  # neither copies nor noise
    assert (made.mean(0) - real.mean(0)).abs().max() < 32


def test_a_name_works_before_any_training(in_process: Command, trained: tuple[Path, str]) -> None:
    note = "no path has this name; this is the generator that ships with zerosum (shipped/README.md)"
    for name, what in (("digits", "picture of 8x8"), ("ring", "point in one plot")):
        code, out, err = in_process("sample", name, "--count", 1, "--out", f"{name}.png")
        assert (code, err) == (0, "")
        assert out.splitlines() == [f"{name}: {note}", f"1 {what} (seed 0): {name}.png"]
    (in_process.folder / "digits").symlink_to(trained[0])
    _, out, _ = in_process("sample", "digits", "--count", 1, "--out", "mine.png")
    assert note not in out
    assert package.load("digits").metadata["step"] == 60
    (in_process.folder / "ring").mkdir()
    assert "ring is not a run folder" in in_process.refused("sample", "ring", "--out", "ring.npy")


@pytest.mark.parametrize("name", ["runs/digits", "digits.safetensors", "README", "Digits/", "../digits"])
def test_other_words_are_no_names_of_theirs(name: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"no run and no generator at {Path(name)}: no such file or folder")):
        package.load(name)


def test_they_are_scored_by_name_against_the_built_in_data_they_were_trained_on(
    in_process: Command,
) -> None:
    quick = ("--count", 300, "--metric", "frechet-distance", "--json", "-", "--features")
    code, out, err = in_process("evaluate", "digits", *quick, "pixels")
    assert (code, json.loads(out)["reference"]) == (0, "test split of digits")
    note = "compared with digits, the built-in set that digits was trained on; --against chooses another"
    assert err.splitlines() == [f"digits: {places.SHIPS}", note]
    given = in_process("evaluate", "digits", *quick, "pixels", "--against", "builtin:digits")
    assert given == (0, out, f"digits: {places.SHIPS}\n")
    assert in_process("evaluate", "ring", *quick, "coordinates")[0] == 0
    assert in_process("evaluate", "digits", "--plan", "--metric", "frechet-distance", "--features", "pixels")[0] == 0
    assert "digits has samples of shape [1, 8, 8]" in in_process.refused("evaluate", "digits", "--against", "ring")
    assert "no run and no images at Digits" in in_process.refused("evaluate", "Digits")
    assert "--against DATA" in in_process.refused("evaluate", "digits", "--protocol", "clean-fid")
    assert "no run and no images at digits" in in_process.refused("evaluate", "digits", "--save-reference", "r.npz")
    (in_process.folder / "digits").mkdir()
    assert "the folder 'digits' is empty" in in_process.refused("evaluate", "digits", "--against", "builtin:digits")
