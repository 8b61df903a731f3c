"""`zerosum export`: files that run without zerosum, and refusals before any work."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

import zerosum as package
from tests.end_to_end.conftest import Command, Zerosum


def test_a_run_becomes_files_for_other_programs(trained: tuple[Path, str], zerosum: Zerosum, tmp_path: Path) -> None:
    done = zerosum("export", trained[0], "--onnx", "g.onnx", "--pt2", "g.pt2")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    what = "MB, latents float32 [N, 64] -> samples uint8 [N, 1, 8, 8]"
    assert [line.endswith(what) for line in lines] == [True, False, True, False]
    assert [line.startswith("largest difference from PyTorch in 65 samples (seed 0): ") for line in lines[1::2]] == [
        1,
        1,
    ]
    generator = package.load(trained[0])
    latents = next(generator.sample_latents(9, seed=5))[:9]
    session = onnxruntime.InferenceSession(tmp_path / "g.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"latents": latents.numpy()})
    expected = generator.sample(9, seed=5)
    assert np.abs(found.astype(int) - expected.numpy().astype(int)).max() <= 1
    about = json.loads(session.get_modelmeta().custom_metadata_map["zerosum"])
    assert (about["shape"], about["step"]) == ([1, 8, 8], 60)
    program = torch.export.load(tmp_path / "g.pt2")
    assert (program.module()(latents=latents).int() - expected.int()).abs().max() <= 1


def test_refusals_come_first(trained: tuple[Path, str], in_process: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerosum.generator.loading.load", lambda *_: pytest.fail("was loaded"))
    (in_process.folder / "here.onnx").touch()
    for arguments, words in {
        (): "nothing to write: give --onnx",
        ("--onnx", "g.zip"): "--onnx g.zip: the file's name must end in .onnx",
        ("--pt2", "g.onnx"): "--pt2 g.onnx: the file's name must end in .pt2",
        ("--onnx", "no/g.onnx"): "cannot write to no/g.onnx: no is not a folder",
        ("--onnx", "here.onnx"): "here.onnx exists already: choose another --onnx, or remove it",
    }.items():
        assert words in in_process.refused("export", trained[0], *arguments)
    assert "no run and no generator at nowhere" in in_process.refused("export", "nowhere", "--onnx", "g.onnx")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    wanted = "ONNX needs the package onnxscript: pip install 'zerosum[export]'"
    assert wanted in in_process.refused("export", trained[0], "--onnx", "g.onnx")
