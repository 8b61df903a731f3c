"""Files and folders of another kind than was asked for: one line that says what they are and what to give instead."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

import zerosum
from tests.end_to_end.conftest import Command
from zerosum.errors import InputError
from zerosum.run_folder import FORMAT

NEVER = "is a pickle, and pickles are never read: loading one can run any program"
GENERATOR = "give a run's folder or its generator.safetensors"


class Bomb:
    """Says on the disk that it was unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("exploded"),)  # type: ignore[return-value]


@pytest.fixture
def here(in_process: Command) -> Path:
    """A folder with files of many kinds, and a folder of two runs without generators."""
    folder = in_process.folder
    for name in ("g.pkl", "g.ckpt", "g.safetensors"):
        (folder / name).write_bytes(pickle.dumps(Bomb()))
    torch.save({"a": torch.zeros(2)}, folder / "g.pt")
    (folder / "g.onnx").write_bytes(b"\x08\x07")
    Image.new("RGB", (8, 8)).save(folder / "g.png")
    np.save(folder / "g.npy", np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8))
    about = {"format": FORMAT, "data": "digits", "fingerprint": "", "seed": 0, "steps": 1, "device": "cpu"}
    about |= {"precision": "float32", "threads": 1, "recipe": zerosum.recipe("compact").as_json()}
    for name in "ab":
        (folder / "runs" / name / "checkpoints").mkdir(parents=True)
        (folder / "runs" / name / "run.json").write_text(json.dumps(about))
        safetensors.torch.save_file({"x": torch.zeros(1)}, folder / "runs" / name / "checkpoints" / "1.safetensors")
    return folder


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        *(((*command, name), NEVER) for command in (["sample"], ["evaluate"], ["submit"], ["interpolate"], ["data"])
          for name in ("g.pkl", "g.ckpt", "g.pt")),
        (("sample", "g.safetensors"), f"g.safetensors {NEVER}: {GENERATOR}"),
        (("evaluate", "g.safetensors"), f"g.safetensors {NEVER}: {GENERATOR}"),
        (("train", "digits", "--from", "g.pkl"), f"g.pkl {NEVER}: {GENERATOR}"),
        (("resume", "g.pkl"), f"g.pkl is not a run folder: it {NEVER}"),
        (("equilibrium", "g.onnx"), "g.onnx is not a run folder: it is an ONNX model"),
        (("sample", "g.onnx"), f"g.onnx is an ONNX model: {GENERATOR}"),
        (("evaluate", "g.onnx"), "g.onnx is an ONNX model: give a run's folder, a generator.safetensors, or the"),
        (("sample", "g.png"), f"g.png is a picture: {GENERATOR}"),
        (("sample", "g.npy"), f"g.npy is an array: {GENERATOR}"),
        (("train", "digits", "--from", "g.png"), f"g.png is a picture: {GENERATOR}"),
        (("sample", "runs"), "runs is not a run folder: it holds runs, runs/a, runs/b: name one of them"),
        (("resume", "runs"), "runs is not a run folder: it holds runs, runs/a, runs/b: name one of them"),
        (("train", "digits", "--from", "runs"), "it holds runs, runs/a, runs/b: name one of them"),
        (("train", "digits", "--recipe", "runs"), "no recipe at runs: it holds runs, runs/a, runs/b: name one of them"),
        (("train", "digits", "--recipe", "g.safetensors"), "no recipe at g.safetensors: give a run's folder, a .json"),
        (("evaluate", "runs"), "runs holds runs, runs/a, runs/b: name those to evaluate"),
        (("sample", "runs/a/checkpoints"), "is not a run folder: give the run that it lies in, runs/a"),
        (("sample", "runs/a/checkpoints/1.safetensors"), "not a generator written by zerosum: give the run"),
        (("sample", "runs/a/run.json"), "give the run that it lies in, runs/a"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_what_is_no_run_is_named(here: Path, in_process: Command, arguments: tuple[str, ...], said: str) -> None:
    assert said in in_process.refused(*arguments)
    assert not (here / "exploded").exists()


def test_a_program_is_told_the_same(here: Path) -> None:
    for name in ("g.pkl", "g.pt", "g.safetensors"):
        with pytest.raises(InputError, match=f"{name} {NEVER}"):
            zerosum.load(name)
    assert not (here / "exploded").exists()
