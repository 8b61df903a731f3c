"""`zerosum invert` as it is typed."""

import re

import numpy as np
import pytest
from PIL import Image

from tests.end_to_end.conftest import Command
from tests.unit.export.untrained import small, untrained
from zerosum.explore import inversion


def test_a_picture_and_its_latent(in_process: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inversion, "STEPS", 60)
    generator = untrained(small("compact", condition="projection"), 1, 8, 8)
    generator.save(in_process.folder / "g.safetensors")
    sample = generator.sample(1, seed=3, label="c")[0, 0].numpy()
    Image.fromarray(sample).resize((64, 64), Image.Resampling.NEAREST).save(in_process.folder / "large.png")
    code, out, err = in_process("invert", "g.safetensors", "large.png", "--label", "c", "--latents", "z.npy")
    assert (code, err) == (0, "")
    assert "large.png at 8 x 8 pixels" in out
    figures = re.search(r"Error +([\d.]+) of 255, .* ([\d.]+) for the best of 512 samples drawn at random", out)
    assert figures
    assert float(figures[1]) < float(figures[2])
    lengths = re.search(r"Latent +[\d.]+ times the length .*; 19 of 20 drawn ones have ([\d.]+) to ([\d.]+)", out)
    assert lengths
    assert float(lengths[1]) < 1 < float(lengths[2])
    assert "written to z.npy" in out
    latent = np.load(in_process.folder / "z.npy")
    assert latent.shape == (1, 11)
    assert latent[0, 8:].tolist() == [0, 0, 1]
    with Image.open(in_process.folder / "large-inverted.png") as picture:
        assert picture.width > 1.8 * picture.height
    code, _, err = in_process("invert", "g.safetensors", "large.png")  # its own picture is replaced
    assert (code, err) == (0, "")


def test_wrong_calls_are_a_line(in_process: Command) -> None:
    untrained(small("compact"), 1, 8, 8).save(in_process.folder / "g.safetensors")
    untrained(small("mlp"), 2).save(in_process.folder / "points.safetensors")
    Image.new("L", (8, 8)).save(in_process.folder / "p.png")
    (in_process.folder / "text.png").write_text("no picture")
    (in_process.folder / "folder.png").mkdir()
    for arguments, words in {
        ("nowhere", "p.png"): "no run and no generator at nowhere",
        ("g.safetensors", "q.png"): "no picture at q.png: no such file",
        ("g.safetensors", "folder.png"): "no picture at folder.png: it is a folder",
        ("g.safetensors", "text.png"): "text.png cannot be used as a picture: ",
        ("g.safetensors", "g.safetensors"): "g.safetensors cannot be used as a picture: ",
        ("points.safetensors", "p.png"): "cannot be compared with samples of shape [2]",
        ("g.safetensors", "p.png", "--label", "a"): "the generator was trained without labels",
        ("g.safetensors", "p.png", "--out", "p.png"): "p.png exists already",
        ("g.safetensors", "p.png", "--out", "x.jpg"): "its name must end in .png",
        (
            "g.safetensors",
            "p.png",
            "--latents",
            "x.png",
        ): "cannot write a latent to x.png: its name must end in .npy",
    }.items():
        assert words in in_process.refused("invert", *arguments)


@pytest.mark.parametrize("out", ["own.png", "sub/../own.png", "link.png"])
def test_the_picture_itself_is_never_replaced(in_process: Command, out: str) -> None:
    generator = untrained(small("compact"), 1, 8, 8)
    generator.save(in_process.folder / "g.safetensors")
    assert in_process("sample", "g.safetensors", "--count", "1", "--out", "own.png")[0] == 0
    (in_process.folder / "sub").mkdir()
    (in_process.folder / "link.png").symlink_to("own.png")
    before = (in_process.folder / "own.png").read_bytes()
    words = f"{out} is the picture that is looked for: choose another --out"
    assert words in in_process.refused("invert", "g.safetensors", "own.png", "--out", out)
    assert (in_process.folder / "own.png").read_bytes() == before
