"""`zerosum theory`, as a reader of the paper would type it."""

from pathlib import Path

import pytest
from PIL import Image

from tests.end_to_end.conftest import Command, Zerosum
from zerosum.demonstrations import Demonstration
from zerosum.demonstrations.cross_entropy import CrossEntropy
from zerosum.demonstrations.dirac import METHODS, Dirac
from zerosum.demonstrations.equilibrium import Equilibrium
from zerosum.demonstrations.figure_1 import Figure1
from zerosum.demonstrations.optimal_discriminator import OptimalDiscriminator
from zerosum.demonstrations.saturation import Saturation

QUICK: dict[str, Demonstration] = {
    "cross-entropy": CrossEntropy(),
    "dirac": Dirac(METHODS[:2]),
    "equilibrium": Equilibrium(steps=10, batch_size=16),
    "figure-1": Figure1(steps=6, pause=3, discriminator_alone=8, generator_alone=8),
    "optimal-discriminator": OptimalDiscriminator(updates=5),
    "saturation": Saturation(steps=6, head_start=2),
}
MOVING = {"dirac", "equilibrium", "figure-1"}


def whole(path: Path, kind: str) -> int:
    """Read every frame of a picture and return how many there are."""
    with Image.open(path) as picture:
        assert picture.format == kind
        frames = getattr(picture, "n_frames", 1)
        for number in range(frames):
            picture.seek(number)
            picture.load()
        return int(frames)


@pytest.mark.parametrize("name", QUICK)
def test_each_writes_its_pictures(name: str, in_process: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use small settings, so that it is quick."""
    quick, show = QUICK[name], type(QUICK[name]).show
    monkeypatch.setattr(type(quick), "show", lambda _, seed: show(quick, seed))
    code, out, err = in_process("theory", name, "--out", "pictures", "--seed", 1)
    assert (code, err) == (0, "")
    written = {f"{name}.png", *([f"{name}.gif"] if name in MOVING else [])}
    folder = in_process.folder / "pictures"
    assert {path.name for path in folder.iterdir()} == written
    assert whole(folder / f"{name}.png", "PNG") == 1
    assert name not in MOVING or whole(folder / f"{name}.gif", "GIF") > 5
    assert f"pictures/{name}.png" in out


def test_the_installed_command_shows_one(installed: Zerosum, tmp_path: Path) -> None:
    done = installed("theory", "cross-entropy")
    assert (done.returncode, done.stderr) == (0, "")
    for text in ("6.966", "2.725", "25%", "2.0000", "Goodfellow et al. 2014"):
        assert text in done.stdout
    assert done.stdout.endswith("\ncross-entropy.png\n")
    assert whole(tmp_path / "cross-entropy.png", "PNG") == 1


def test_a_second_time_the_same_is_written_over_the_first(in_process: Command) -> None:
    first = in_process("theory", "cross-entropy")
    picture = (in_process.folder / "cross-entropy.png").read_bytes()
    assert in_process("theory", "cross-entropy") == first
    assert (in_process.folder / "cross-entropy.png").read_bytes() == picture
    assert [path.name for path in in_process.folder.iterdir()] == ["cross-entropy.png"]


def test_without_a_name_there_is_a_list(in_process: Command) -> None:
    code, out, _ = in_process("theory")
    assert code == 0
    assert all(name in out for name in QUICK)
    assert list(in_process.folder.iterdir()) == []


def test_a_wrong_name_is_corrected(in_process: Command) -> None:
    assert in_process.refused("theory", "figure1") == (
        "error: unknown demonstration 'figure1': did you mean 'figure-1'?\n"
    )


@pytest.mark.parametrize("out", ["taken", "taken/inside"])
def test_a_destination_that_is_a_file_is_refused_before_the_work(out: str, in_process: Command) -> None:
    (in_process.folder / "taken").touch()
    assert in_process.refused("theory", "dirac", "--out", out).startswith(f"error: cannot write to {out}: ")


def test_a_destination_that_looks_like_a_picture_is_refused(in_process: Command) -> None:
    message = in_process.refused("theory", "dirac", "--out", "there/x.png")
    assert message == "error: --out names the folder for the pictures, not a picture: there instead of there/x.png\n"


def test_a_picture_s_place_that_is_a_folder_is_refused(in_process: Command) -> None:
    (in_process.folder / "cross-entropy.png").mkdir()
    assert in_process.refused("theory", "cross-entropy").startswith("error: cannot write to cross-entropy.png: ")
