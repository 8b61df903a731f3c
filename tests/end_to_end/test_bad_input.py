"""Wrong calls and wrong input: one line, exit 2, nothing left behind."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch

from zerosum.cli import main


def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run the command in this process, to import torch only once; return its exit code and its error output."""
    monkeypatch.setattr("sys.argv", ["zerosum", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0), capsys.readouterr().err


RECIPES = {
    "twice": '{"name": "x", "steps": 1, "steps": 2}',
    "deep": "[" * 100_000,
    "rate": '{"name": "x", "discriminator_optimizer": {"name": "adam", "lr": -1}}',
    "infinite": '{"name": "x", "regularizers": [{"name": "r1", "gamma": Infinity}]}',
    "name": '{"name": "evil\\u001b[31m"}',
    "nameless": '{"steps": 3}',
    "field": '{"name": "x", "tricks": [{"name": "replay", "nope": 1}]}',
    "family": '{"name": "x", "networks": {"name": "dcgn"}}',
    "listless": '{"name": "x", "tricks": "replay"}',
    "copied": '{"format": 2, "fingerprint": "", "recipe": {"name": "x"}}',
}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["train"], "Missing argument 'DATA'; see 'zerosum train --help'"),
        (["trian", "digits"], "No such command 'trian'"),
        (["train", "digits", "--stps", "3"], "No such option: --stps"),
        (["train", "digits", "--steps", "0"], "Invalid value for '--steps'"),
        (["train", "digits", "--steps", "x"], "Invalid value for '--steps'"),
        (["train", "digits", "--steps", "3", "--minutes", "1"], "steps and minutes both say how long to train"),
        (["train", "nowhere"], "no data at 'nowhere': no such file or folder"),
        (["train", "digits", "--recipe", "dcgn"], "unknown recipe 'dcgn': did you mean 'dcgan'?"),
        (["train", "digits", "--set", "game=hinje"], "unknown game 'hinje'"),
        (["train", "digits", "--set", "lr=1"], "recipe has no field 'lr'"),
        (["train", "digits", "--device", "tpu"], "unknown device 'tpu': choose auto, cpu, cuda"),
        (["train", "digits", "--out", "file/run"], "cannot write to file/run: Not a directory"),
        (["train", "digits", "--out", "file"], "file exists already"),
        (["train", "digits", "--out", "/dev/null/run"], "cannot write to /dev/null/run: Not a directory"),
        (["train", "points.npy", "--recipe", "dcgan"], "dcgan needs images of at least 8x8 pixels, not samples"),
        (["data", "tiny.npy"], "compact needs images of at least 8x8 pixels, not samples of shape [1, 4, 4]"),
        (["train", "tiny.npy"], "compact needs images of at least 8x8 pixels"),
        (["train", "tiny.npy", "--recipe", "compact-conditional"], "compact needs images"),
        (["train", "plain.npy", "--recipe", "compact-conditional"], "condition=projection needs labels, and the data"),
        (["resume", "nowhere"], "no run at nowhere: no such folder"),
        (["resume", "."], ". is not a run folder: it has no run.json"),
        (["equilibrium", "nowhere"], "no run at nowhere: no such folder"),
        (["equilibrium", "."], ". is not a run folder: it has no run.json"),
        (["equilibrium", "nowhere", "--steps", "0"], "Invalid value for '--steps'"),
        (["sample", "nowhere"], "no run and no generator at nowhere: no such file or folder"),
        (["sample", "file"], "file cannot be read as safetensors"),
        (["evaluate", "nowhere"], "no run and no images at nowhere"),
        (["evaluate", "file", "--against", "digits"], "cannot tell what 'file' is"),
        (["data", "mnist", "--data-dir", "nowhere"], "Invalid value for '--data-dir': nowhere is not a folder"),
        (["evaluate", "plain.npy"], "say which real data to compare with: --against DATA"),
        (["evaluate", "plain.npy", "--against", "nowhere"], "no data at 'nowhere'"),
        (["evaluate", "tiny.npy", "--against", "digits"], "samples of shape [1, 4, 4], digits of shape [1, 8, 8]"),
        (["evaluate", "points.npy", "--against", "digits"], "samples of shape [2], digits of shape [1, 8, 8]"),
        (["evaluate", "plain.npy", "--against", "digits", "--count", "200"], "has 100 samples, not the 200 that were"),
        (["evaluate", "plain.npy", "--against", "digits", "--metric", "fad"], "unknown metric 'fad'"),
        (["evaluate", "plain.npy", "--against", "digits", "--metric", "modes"], "the modes of digits are not known"),
        (
            ["evaluate", "plain.npy", "--against", "digits", "--reference", "valid"],
            "choose one of: auto, test, train, all",
        ),
        (["evaluate", "plain.npy", "--against", "digits", "--features", "vgg"], "unknown features 'vgg'"),
        (["evaluate", "plain.npy", "--against", "digits", "--features", "coordinates"], "digits holds images"),
        (
            ["evaluate", "plain.npy", "--against", "digits", "--features", "inception"],
            "the weights of Inception are no",
        ),
        (
            ["evaluate", "plain.npy", "--against", "digits", "--features", "inception", "--weights", "file"],
            "file is not pt_inception-2015-12-05-6726825d.pth: its SHA-256 begins with 2cf24dba",
        ),
        (["evaluate", "plain.npy", "--against", "digits", "--pairs", "a/b.png"], "cannot write to a/b.png"),
        (
            ["evaluate", "plain.npy", "--against", "digits", "--report", "page.png"],
            "page.png: its name must end in .html",
        ),
        (["submit", "nowhere"], "no run and no generator at nowhere: no such file or folder"),
        (["submit", "nowhere", "--count", "0"], "Invalid value for '--count'"),
        (["submit", "file", "--out", "a.png"], "cannot write a submission as a.png: use a .zip"),
        (["submit", "file", "--out", "file/a.zip"], "cannot write to file/a.zip: file is not a folder"),
        (["data", "file"], "cannot tell what 'file' is; zerosum reads"),
        (["recipes", "nothing"], "unknown recipe 'nothing'"),
        (["recipes", "nothing.json"], "the recipe nothing.json cannot be read: No such file"),
        (["cite", "nothing"], "unknown recipe 'nothing'"),
        (["interpolate", "nowhere"], "no run and no generator at nowhere: no such file or folder"),
        (["interpolate", "nowhere", "--steps", "1"], "Invalid value for '--steps'"),
        (["train", "plain.npy", "--recipe", "acgan"], "condition=auxiliary needs labels, and the data have none"),
        (["train", "ring", "--set", "networks.binary=99"], "networks.binary=99 is more than networks.latent=12"),
        (["train", "ring", "--set", "networks.frequencies=-1"], "networks.frequencies: it must be greater"),
        (["train", "ring", "--set", "networks.frequencies=200"], "networks.frequencies: it must be less than or equal"),
        (
            ["train", "ring", "--set", "generator_optimizer.lr=inf"],
            "generator_optimizer.lr: it must be a finite number, but it was inf",
        ),
        (["train", "ring", "--set", "regularizers.0.gamma=-1"], "regularizers.0.gamma: it must be greater than or"),
        (["train", "ring", "--set", "threads=100000"], "threads: it must be less than or equal to 1024"),
        (["train", "ring", "--set", "batch_size=2000000000"], "batch_size: it must be less than or equal to 65536"),
        (["train", "ring", "--set", "batch_size=true"], "batch_size: it must be a whole number"),
        (["train", "ring", "--set", "networks.name=mlp"], "to choose another one, --set networks=mlp"),
        (["train", "ring", "--minutes", "inf"], "Invalid value for '--minutes'"),
        (["train", "ring", "--size", "32"], "data.size=32 is about image files, and ring has none"),
        (["train", "ring", "--set", "data.flip=true"], "data.flip=true is about images, and ring has points"),
        (["train", "digits", "--set", " data.crop=fit"], "data.crop=fit is about image files, and digits has none"),
        (["train", "digits", "--set", "data.range=0..9"], "data.range=0..9 is about arrays of images, and digits has"),
        (["data", "ring", "--set", "data.range=0..9"], "data.range=0..9 is about images, and ring has points"),
        (["train", "digits", "--set", 'data={"flip": true}'], "--set data: set its fields one at a time, e.g. --set"),
        (
            ["train", "digits", "--minutes", "nan"],
            "Invalid value for '--minutes': it must be a number less than or equal to 1000000",
        ),
        (["evaluate", "plain.npy", "--against", "digits", "--size", "abc"], "size: a size is 8 to 4096 pixels, as"),
        (
            ["evaluate", "points.npy", "--against", "ring", "--pairs", "p.png"],
            "--pairs is for images, and ring has po",
        ),
        (
            ["evaluate", "points.npy", "--against", "ring", "--report", "p.html"],
            "--report is for images, and ring has po",
        ),
        (
            ["train", "stanford-dogs"],
            "get images.tar from http://vision.stanford.edu/aditya86/ImageNetDogs/ and unp",
        ),
        (["train", "digits", "--size", "7"], "data.size: a size is 8 to 4096 pixels, as 64, or"),
        (["train", "ring", "--recipe", "twice.json"], "twice.json: the field 'steps' is there twice"),
        (["train", "ring", "--recipe", "deep.json"], "deep.json is not JSON: "),
        (
            ["train", "ring", "--recipe", "rate.json"],
            "rate.json: discriminator_optimizer.lr: it must be greater than 0",
        ),
        (["train", "ring", "--recipe", "infinite.json"], "infinite.json: regularizers.0.gamma: it must be a finite"),
        (["train", "ring", "--recipe", "name.json"], "name.json: name: it must be of printable characters"),
        (["train", "ring", "--recipe", "nameless.json"], "nameless.json: name: it is missing"),
        (
            ["train", "ring", "--recipe", "field.json"],
            "field.json: tricks.0: replay has no field 'nope': choose one of",
        ),
        (["train", "ring", "--recipe", "family.json"], "family.json: networks: unknown network 'dcgn': did you mean"),
        (["train", "ring", "--recipe", "listless.json"], """tricks: it must be a list, as ["replay"], but it was"""),
        (
            ["train", "ring", "--recipe", "copied.json"],
            "copied.json: it is a run's run.json: name the run's folder, or keep",
        ),
        (["train", "ring", "--recipe", "nowhere.yaml"], "no recipe at nowhere.yaml: give a run's folder, a .json file"),
        (
            ["train", "ring", "--set", "tricks.0.nope=1"],
            """tricks has no part '0', but none; the whole list: --set 'tr""",
        ),
        (
            ["train", "ring", "--set", "networks.foo.bar=1"],
            "--set networks.foo.bar: compact has no field 'foo': choose",
        ),
        (["data", "huge.npz"], "huge.npz: a label is 1000000000000, of 100 samples: number the classes 0, 1, 2 ..."),
        (["data", "negative.npz"], "labels must be whole numbers from 0 on, and one is -3"),
        (["data", "same.npy"], "same.npy: all 100 samples are the same: there is nothing to learn from one"),
        (["data", "digits", "--sheet", "a.jpg"], "cannot write a picture to a.jpg: its name must end in .png"),
        (["sample", "nowhere", "--count", "1000000000"], "Invalid value for '--count'"),
        (
            ["evaluate", "plain.npy", "--against", "digits", "--metric", "FID"],
            "FID is the Fréchet distance in",
        ),
        (["train", "digits", "--set", "networks.packing=5"], "networks.packing=5 and batch_size=16 do not go together"),
        (
            ["train", "digits", "--recipe", "acgan", "--set", "networks.packing=2"],
            "packing=2 and networks.condition=aux",
        ),
        (
            ["train", "digits", "--recipe", "sngan", "--set", 'tricks=["noisy-labels"]'],
            "the game hinge has no labels to change",
        ),
        (["train", "ring", "--set", 'tricks=["diff-augment"]'], "it is for images, and ring has points"),
        (
            ["train", "digits", "--set", 'tricks=["difaugment"]'],
            "unknown trick 'difaugment': did you mean 'diff-a",
        ),
    ],
)
def test_one_line_and_exit_2(
    arguments: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("hello")
    np.save("points.npy", np.random.default_rng(0).normal(size=(100, 2)))
    np.save("tiny.npy", np.random.default_rng(0).integers(0, 256, (100, 4, 4), dtype=np.uint8))
    np.save("plain.npy", np.random.default_rng(0).integers(0, 256, (100, 8, 8), dtype=np.uint8))
    np.save("same.npy", np.zeros((100, 2)))
    images = np.load("plain.npy")
    np.savez("huge.npz", images=images, labels=np.full(100, 10**12))
    np.savez("negative.npz", images=images, labels=np.arange(100) - 3)
    for name, text in RECIPES.items():
        Path(f"{name}.json").write_text(text)
    before = sorted(tmp_path.rglob("*"))
    code, error = call(monkeypatch, capsys, *arguments)
    assert (code, error.count("\n")) == (2, 1), error
    assert error.startswith("error: ")
    assert expected in error
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    code, error = call(monkeypatch, capsys, "train", "digits", "--out", str(tmp_path / "locked" / "run"))
    assert (code, error.count("\n")) == (2, 1)
    assert "Permission denied" in error


def test_a_run_that_diverges_fails_with_exit_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["train", "digits", "--recipe", "paper-mnist", "--steps", "40", "--out", "r", "--set", "batch_size=8"]
    rates = ["--set", "generator_optimizer.lr=1e30", "--set", "discriminator_optimizer.lr=1e30"]
    code, error = call(monkeypatch, capsys, *arguments, *rates)
    assert (code, error.count("\n")) == (1, 1)
    assert "the game diverged before step" in error


def test_a_game_that_diverges_between_two_lines_leaves_only_checkpoints_from_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("zerosum.run.trainer.CHECKPOINT_SECONDS", 0.0)
    arguments = ["train", "digits", "--recipe", "paper-mnist", "--steps", "50000", "--out", "r"]
    rates = [
        "--set",
        "batch_size=8",
        "--set",
        "generator_optimizer.lr=1e30",
        "--set",
        "discriminator_optimizer.lr=1e30",
    ]
    code, error = call(monkeypatch, capsys, *arguments, *rates)
    assert (code, error.count("\n")) == (1, 1)
    assert (
        "is nan; it began in the generator's layer 2 (Linear). The last checkpoint in r/checkpoints is from before"
        in error
    )
    left = list((tmp_path / "r" / "checkpoints").glob("*.safetensors"))
    assert left
    weights = [tensor for file in left for tensor in safetensors.torch.load_file(file).values()]
    assert all(bool(tensor.isfinite().all()) for tensor in weights)


QUICKLY = {
    "train nowhere": "no data at 'nowhere': no such file or folder",
    "train digit": "did you mean 'digits'?",
    "train builtin:digit": "no built-in set 'digit': did you mean 'digits'?",
    "train digits --recipe dcgn": "unknown recipe 'dcgn': did you mean 'dcgan'?",
    "train digits --set lr=1": "--set lr: recipe has no field 'lr'",
    "train digits --set data.labls=none": "--set data.labls: preparation has no field 'labls': did you mean 'labels'?",
    "train digits --out full": "full exists already",
    "train digits --stps 3": "No such option: --stps",
    "data nowhere": "no data at 'nowhere'",
    "data digits --set batch=1": "recipe has no field 'batch': did you mean 'batch_size'?",
    "evaluate nowhere": "no run and no images at nowhere",
    "evaluate full --against nowhere": "no data at 'nowhere'",
    "sample nowhere": "no run and no generator at nowhere",
    "sample full": "full is not a run folder: it has no run.json",
    "interpolate nowhere": "no run and no generator at nowhere",
    "submit nowhere": "no run and no generator at nowhere",
    "resume nowhere": "no run at nowhere",
    "equilibrium full": "full is not a run folder",
    "theory --out pictures": "--out pictures is for the pictures of one demonstration: name it",
    "theory satiation": "unknown demonstration 'satiation': did you mean 'saturation'?",
    "recipes dcgn": "unknown recipe 'dcgn'",
    "cite dcgn": "unknown recipe 'dcgn'",
}


def test_wrong_words_are_refused_without_importing_what_takes_seconds(tmp_path: Path) -> None:
    """All in one process, which imports more with each; importing torch or numpy would fail it."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    code = (
        "import sys\nfrom zerosum.cli import main\n"
        f"for words in {list(QUICKLY)!r}:\n"
        "    sys.argv = ['zerosum', *words.split()]\n"
        "    try:\n        main()\n"
        "    except SystemExit as ended:\n        assert ended.code == 2, words\n"
        "    heavy = {'torch', 'numpy', 'PIL', 'sklearn', 'matplotlib'} & set(sys.modules)\n"
        "    assert not heavy, (words, heavy)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for line, expected in zip(done.stderr.splitlines(), QUICKLY.values(), strict=True):
        assert line.startswith("error: ")
        assert expected in line
