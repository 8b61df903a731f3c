"""`train --from`: begin with the weights of another run."""

import hashlib
import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

import zerosum
from tests.end_to_end.conftest import Command
from zerosum.game.recipe import change
from zerosum.records import IterationRecord, Record

RECIPE = change(replace(zerosum.recipe("toy"), batch_size=16), "networks.width=16")
CATS = 5  # iterations of the run to start from


def run_json(run: str) -> dict[str, Any]:
    return dict(json.loads(Path(run, "run.json").read_text()))


def checkpoint(run: str, step: int) -> dict[str, Tensor]:
    return safetensors.torch.load_file(f"{run}/checkpoints/{step:06d}.safetensors")


def part(state: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.partition("/")[2]: tensor for key, tensor in state.items() if key.startswith(f"{name}/")}


def learned(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Leave out what is measured on the data."""
    return {name: tensor for name, tensor in state.items() if not name.endswith(("mean", "deviation"))}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with points in two files, `cats.npy` and `dogs.npy`, and a run on the first of them, `cats`."""
    folder, draw = tmp_path_factory.mktemp("trained"), np.random.default_rng(0)
    for name in ("cats", "dogs"):
        np.save(folder / f"{name}.npy", draw.normal(size=(200, 2)).astype("f4"))
    zerosum.train(folder / "cats.npy", RECIPE, steps=CATS, out=folder / "cats")
    return folder


@pytest.fixture
def here(trained: Path, in_process: Command, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder to work in, where all checkpoints are kept."""
    monkeypatch.setattr("zerosum.run.checkpoint.KEEP", 99)
    shutil.copytree(trained, in_process.folder, dirs_exist_ok=True)
    return in_process.folder


def test_both_players_begin_as_the_run_left_them(here: Path, in_process: Command) -> None:
    code, out, err = in_process("train", "dogs.npy", "--from", "cats", "--steps", 2, "--out", "dogs")
    assert (code, err) == (0, "")
    said = f"weights from {here}/cats after {CATS} iterations: both players and the average; optimisers and schedules"
    assert f"{said} begin anew; the recipe is its own (--recipe names another)\n" in out
    trained, begun = checkpoint("cats", CATS), checkpoint("dogs", 0)
    for name in ("generator", "discriminator", "ema"):
        assert equal(learned(part(begun, name)), learned(part(trained, name)))
    assert not part(begun, "generator_optimizer")
    file = here / "cats" / "checkpoints" / f"{CATS:06d}.safetensors"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    start = {"place": f"{here}/cats", "step": CATS, "sha256": digest, "parts": ["generator", "discriminator", "ema"]}
    assert run_json("dogs")["start"] == start
    assert run_json("dogs")["recipe"] == {**run_json("cats")["recipe"], "steps": CATS}
    assert f"--recipe {here}/dogs --steps 2 --from {here}/cats --seed 0" in Path("dogs/report.html").read_text()


def test_a_generator_s_file_has_the_generator_only(here: Path, in_process: Command) -> None:
    """Of images, whose networks have buffers too."""
    draw = np.random.default_rng(0)
    np.save("images.npy", draw.integers(0, 256, (60, 8, 8), dtype=np.uint8))
    small = "--recipe", "compact", "--set", "networks.width=4", "--set", "batch_size=8", "--steps", 1
    assert in_process("train", "images.npy", *small, "--out", "i")[0] == 0
    code, out, err = in_process("train", "images.npy", "--from", "i/generator.safetensors", "--steps", 1, "--out", "d")
    assert (code, err) == (0, "")
    assert (
        "after 1 iterations: the generator; the discriminator is drawn; optimisers and schedules begin anew; the" in out
    )
    begun, averaged = checkpoint("d", 0), part(checkpoint("i", 1), "ema")
    weights = {name for name in averaged if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))}
    for name in ("generator", "ema"):
        assert all(torch.equal(part(begun, name)[each], averaged[each]) for each in weights)
    assert equal(part(begun, "discriminator"), part(checkpoint("i", 0), "discriminator"))  # drawn by the same seed
    start = run_json("d")["start"]
    assert (start["parts"], start["step"], start["place"]) == (
        ["generator", "ema"],
        1,
        f"{here}/i/generator.safetensors",
    )
    assert in_process("train", "images.npy", "--from", "i", "--steps", 1, "--out", "both")[0] == 0
    assert equal(part(checkpoint("both", 0), "discriminator"), part(checkpoint("i", 1), "discriminator"))


def test_a_start_from_weights_resumes_with_the_same_bits(here: Path) -> None:
    def interrupt(record: Record) -> None:
        if isinstance(record, IterationRecord) and record.step == 3:
            signal.raise_signal(signal.SIGINT)

    whole = zerosum.train("dogs.npy", start_from="cats", steps=4, out="whole")
    with pytest.raises(KeyboardInterrupt):
        zerosum.train("dogs.npy", start_from=here / "cats", steps=4, out="parts", observe=interrupt)
    assert torch.equal(zerosum.resume("parts").sample(9), whole.sample(9))
    assert equal(checkpoint("parts", 4), checkpoint("whole", 4))


def test_frozen_layers_stay_as_the_run_left_them(
    here: Path, in_process: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = in_process("train", "dogs.npy", "--from", "cats", "--freeze", 1, "--steps", 2, "--out", "dogs")
    assert (code, err) == (0, "")
    assert "begin anew; D's first 1 layers do not learn (--freeze); " in out
    assert run_json("dogs")["recipe"]["frozen_layers"] == 1
    trained, ended = (part(checkpoint(*each), "discriminator") for each in (("cats", CATS), ("dogs", 2)))
    same = {name for name in trained if torch.equal(trained[name], ended[name])}
    assert {name for name in same if name.endswith("weight")} == {"1.weight"}  # the first dense layer's
    assert "1.bias" in same
    zerosum.resume("dogs", steps=4)
    assert torch.equal(part(checkpoint("dogs", 4), "discriminator")["1.weight"], trained["1.weight"])
    monkeypatch.setattr("zerosum.equilibrium.stability.MOST_PARAMETERS", 0)  # eigenvalues take their time
    assert in_process("equilibrium", "dogs", "--steps", 1)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--from", "cats", "--freeze", 9),
            f"frozen_layers=9: the discriminator has {RECIPE.networks.depth} layers bef",
        ),
        (("--freeze", 1), "--freeze keeps layers as they were trained: it needs --from RUN"),
        (
            ("--set", "frozen_layers=1"),
            "frozen_layers=1 keeps layers as they were drawn at random: start from trained ones, --from",
        ),
        (
            ("--from", "cats/generator.safetensors", "--freeze", 1),
            "has no discriminator whose first layers could be kep",
        ),
        (
            ("--from", "cats", "--set", "networks.width=5"),
            f"/cats do not fit: generator's 0.weight is of shape [16, {RECIPE.networks.latent}] there and "
            f"[5, {RECIPE.networks.latent}] here: leave its networks and regularisers as they were",
        ),
        (("--from", "cats", "--recipe", "toy"), "leave its networks and regularisers as they were, without --recipe"),
        (
            ("--from", "cats", "--set", 'regularizers=["spectral-norm"]'),
            "is of shape none there and [16, 2] here: leave",
        ),
        (("--from", "nowhere"), "no run and no generator at nowhere: no such file or folder"),
    ],
    ids=lambda value: "",
)
def test_what_does_not_fit_is_named(here: Path, in_process: Command, arguments: tuple[object, ...], said: str) -> None:
    assert said in in_process.refused("train", "dogs.npy", *arguments)


def test_other_shapes_and_classes_are_named(here: Path, in_process: Command) -> None:
    draw = np.random.default_rng(1)
    np.save("space.npy", draw.normal(size=(200, 3)).astype("f4"))
    said = in_process.refused("train", "space.npy", "--from", "cats")
    assert "is of shape [2, 16] there and [3, 16] here: space has samples of shape [3], and they must be as" in said
    for name, classes in (("three", 3), ("four", 4)):
        np.savez(f"{name}.npz", x=draw.normal(size=(200, 2)).astype("f4"), y=np.arange(200) % classes)
    told = "--recipe", "cats", "--set", "networks.condition=projection", "--steps", 1
    assert in_process("train", "three.npz", *told, "--out", "three")[0] == 0
    said = in_process.refused("train", "four.npz", "--from", "three")
    assert "four has samples of shape [2] in 4 classes, and they must be as those it was trained on" in said
    code, out, _ = in_process("train", "three.npz", "--from", "three", "--out", "again")
    assert code == 0
    assert "both players and the average, class by class in their order; optimisers" in out


def test_points_stay_standardised_by_the_data_of_the_run(here: Path, in_process: Command) -> None:
    points = 1000 * np.random.default_rng(1).normal(size=(200, 2))
    np.save("far.npy", points.astype("f4"))
    assert in_process("train", "far.npy", "--from", "cats", "--steps", 1, "--out", "far")[0] == 0
    deviations = [value for name, value in checkpoint("far", 0).items() if name.endswith("deviation")]
    assert len(deviations) == 3
    assert all(800 < value.min() < 1200 for value in deviations)
