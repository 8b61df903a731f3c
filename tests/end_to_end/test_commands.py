"""What a user types first, on real data."""

import json
import math
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.numpy
import torch
from PIL import Image

import zerosum as package
from tests.end_to_end.conftest import COMMAND, Command, Zerosum
from tests.photos import fill
from zerosum import records
from zerosum.game.engine import Engine
from zerosum.generator import TrainedGenerator
from zerosum.metrics.statistics import ConfidenceInterval
from zerosum.networks.mlp import MLP
from zerosum.records import GapRecord, Search
from zerosum.run.length import TRAINING_SHARE
from zerosum.run_folder import RunFolder


def test_train_says_what_it_did(trained: tuple[Path, str]) -> None:
    _, out = trained
    assert re.search(r"digits: 1,\d\d\d samples of shape \[1, 8, 8\] to train on, \d+ kept for testing", out)
    assert re.search(r"ready \d+\.\d s after the start, of which imports \d+\.\d s", out)
    assert re.search(r"first iteration \d+\.\d s after the start", out)
    assert "Finished 60 iterations in run" in out
    assert "frechet-distance" in out
    assert "zerosum sample run --count 64" in out


def test_the_run_folder_is_as_documented(trained: tuple[Path, str]) -> None:
    run, _ = trained
    names = {entry.name for entry in run.iterdir() if not entry.name.startswith(".")}
    written = {"run.json", "metrics.jsonl", "generator.safetensors", "best.safetensors", "report.html", "closest.png"}
    assert names - {"findings"} == {*written, "diagnosis.json", "samples", "checkpoints"}
    about = json.loads((run / "run.json").read_text())
    assert (about["data"], about["steps"], about["seed"]) == ("digits", 60, 0)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    iterations = [line for line in lines if line["kind"] == "iteration"]
    assert [line["step"] for line in iterations] == list(range(1, 61))
    for line in iterations:
        assert line["real_as_real"] + line["real_as_fake"] == line["fake_as_fake"] + line["fake_as_real"] == 16
        assert 0 <= line["d_real"] <= 1
        assert 0 <= line["pair_accuracy"] <= 1
    final = [line for line in lines if line["kind"] == "score" and line["step"] == 60]
    assert {line["metric"] for line in final} == {
        *("frechet-distance", "classifier-score", "kernel-distance", "nearest-training", "nearer-than-real"),
        *("precision", "recall", "density", "coverage", "variety"),
    }
    assert all(line["real"] is not None for line in final)
    during = {line["metric"] for line in lines if line["kind"] == "score" and line["step"] < 60}
    assert during == {"frechet-distance"}
    assert {line["samples"] for line in final if line["metric"] == "frechet-distance"} == {5_000}
    assert all(
        line["low"] <= line["value"] <= line["high"] and line["comparable"] and line["features"] and line["reference"]
        for line in final
    )
    assert len(list((run / "samples").glob("*.png"))) == 11
    assert len(list((run / "checkpoints").glob("*.safetensors"))) == 2
    distances = {line["step"]: line["value"] for line in lines if line.get("metric") == "frechet-distance"}
    assert package.load(run / "best.safetensors").metadata["step"] == min(distances, key=distances.__getitem__)


def test_the_report_is_one_file_that_shows_everything(trained: tuple[Path, str]) -> None:
    page = (trained[0] / "report.html").read_text()
    assert page.count("data:image/png;base64,") >= 14
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    for text in ("60 of 60 iterations", "taken for real", "coverage", "test split of digits", "networks"):
        assert text in page


def test_the_shared_file_holds_the_recipe_and_the_weights(trained: tuple[Path, str]) -> None:
    tensors = safetensors.numpy.load_file(trained[0] / "generator.safetensors")
    assert len(tensors) > 5
    generator = package.load(trained[0])
    assert generator.metadata["recipe"]["name"] == "compact"
    images = generator.sample(5, seed=1)
    assert np.asarray(images).shape == (5, 1, 8, 8)


def test_sample(trained: tuple[Path, str], installed: Zerosum, tmp_path: Path) -> None:
    done = installed("sample", trained[0], "--count", 10, "--seed", 3)
    assert done.stdout == (
        "10 pictures of 8x8, enlarged 4 times, in one grid of 3x4 (seed 3): samples-3.png\n"
        "For single files, --out a folder or a .zip; for the array, a .npz or .npy\n"
    )
    with Image.open(tmp_path / "samples-3.png") as picture:
        assert picture.mode == "L"
    assert installed("sample", trained[0], "-n", 10, "--seed", 3, "--out", "a.npz").returncode == 0
    assert np.array_equal(np.load(tmp_path / "a.npz")["samples"], package.load(trained[0]).sample(10, 3))


def test_what_cannot_be_written_is_refused_before_samples_are_made(
    in_process: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = MLP(latent=3, width=8)
    generator, _ = networks.build_pair((2,), 0, seed=0)
    TrainedGenerator(generator, networks, (2,), {}, Engine(torch.device("cpu")), {}).save(
        in_process.folder / "g.safetensors"
    )
    monkeypatch.setattr(TrainedGenerator, "generate", None)
    for command in ("sample", "interpolate"):
        assert "points cannot be written as pictures" in in_process.refused(command, "g.safetensors", "--out", "folder")
        assert "cannot write samples as .bmp" in in_process.refused(command, "g.safetensors", "--out", "a.bmp")


def test_evaluate_repeats_the_scores_of_the_run(trained: tuple[Path, str], zerosum: Zerosum) -> None:
    done = zerosum("evaluate", trained[0], "--seed", 0, "--json", "-")
    again = [json.loads(line) for line in done.stdout.splitlines()]
    lines = [json.loads(line) for line in (trained[0] / "metrics.jsonl").read_text().splitlines()]
    final = [line for line in lines if line["kind"] == "score" and line["step"] == 60]
    assert [(score["metric"], score["value"]) for score in again] == [(line["metric"], line["value"]) for line in final]


def test_equilibrium_says_what_each_player_could_gain_and_notes_it_in_a_file_of_its_own(
    trained: tuple[Path, str], zerosum: Zerosum, tmp_path: Path
) -> None:
    run = shutil.copytree(trained[0], tmp_path / "run")
    before = {file: file.stat().st_mtime_ns for file in run.rglob("*")}
    done = zerosum("equilibrium", run, "--steps", 20)
    assert done.returncode == 0, done.stderr
    assert "run, after 60 of 60 iterations" in done.stdout
    assert re.search(r"duality gap, the sum of both +\d+\.\d{4} +\d+\.\d{4} to \d+\.\d{4}", done.stdout)
    assert "in 20 updates" in done.stdout
    found = json.loads(zerosum("equilibrium", run, "--steps", 20, "--json", "--proximal").stdout)
    assert found["gap"]["value"] == pytest.approx(
        found["discriminator_gain"]["value"] + found["generator_gain"]["value"]
    )
    assert found["proximal_gap"]["value"] < found["gap"]["high"]
    assert found["solution"] == pytest.approx(-math.log(2))
    notes = run / "equilibrium.jsonl"
    assert {file: file.stat().st_mtime_ns for file in run.rglob("*") if file != notes} == before
    first, second = records.read(RunFolder(run), GapRecord)
    assert first == second  # of the same search
    assert (first.step, asdict(first.gap)) == (60, found["gap"])
    assert first.search == Search(updates=20, rate=1e-3, perturbation=0.01, seed=0, samples=found["samples"])


def test_the_doctor_looks_at_the_gaps_that_were_measured(
    trained: tuple[Path, str], zerosum: Zerosum, tmp_path: Path
) -> None:
    run = shutil.copytree(trained[0], tmp_path / "run")
    search = Search(updates=20, rate=1e-3, perturbation=0.01, seed=0, samples=256)
    records.append(RunFolder(run), GapRecord(step=50, gap=ConfidenceInterval(0.2, 0.1, 0.3), search=search))
    assert "1 duality gap was measured in the last 33% of the training" in zerosum("diagnose", run, "--all").stdout
    records.append(RunFolder(run), GapRecord(step=60, gap=ConfidenceInterval(0.9, 0.8, 1.0), search=search))
    found = {each["name"] for each in json.loads(zerosum("diagnose", run, "--json").stdout)["findings"]}
    assert "rising-gap" in found


def test_equilibrium_of_a_small_game_tells_its_eigenvalues(zerosum: Zerosum, tmp_path: Path) -> None:
    """Also where nothing can be noted in the run, as on a medium that is read-only."""
    zerosum("train", "gaussian", "--steps", 30, "--set", "networks.width=8", "--out", "r")
    (tmp_path / "r" / "equilibrium.jsonl").mkdir()
    done = zerosum("equilibrium", "r", "--steps", 20, "--perturbation", 0.1)
    assert "Eigenvalues of the game's Jacobian, largest real parts first: " in done.stdout
    assert "-0.347 where D cannot tell" in done.stdout
    assert "not noted in the run: cannot write r/equilibrium.jsonl: Is a directory" in done.stdout


def test_data_and_recipes(installed: Zerosum, tmp_path: Path) -> None:
    assert "1 x 8 x 8" in installed("data", "digits").stdout
    listed = installed("recipes").stdout
    assert "paper-mnist" in listed
    assert "auto" in listed
    recipe = installed("recipes", "paper-mnist").stdout
    (tmp_path / "mine.json").write_text(recipe.replace('"batch_size": 100', '"batch_size": 10'))
    done = installed("train", "digits", "--recipe", "mine.json", "--steps", 2, "--out", "r")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "r" / "run.json").read_text())["recipe"]["batch_size"] == 10


def test_recipes_tell_their_size_and_what_they_scored(zerosum: Zerosum) -> None:
    table = zerosum("recipes").stdout
    scored = r"[\d.]+ to [\d.]+ \([\d,]+ to [\d,]+\)"
    assert re.search(rf"dcgan .*Radford et al\. 2016.* 0\.\d\d / 0\.\d\d +{scored}", table)
    assert re.search(r"sngan .*Miyato et al\. 2018.* \d\.\d\d / \d\.\d\d +not measured", table)
    assert "Scored: the Fréchet distance on MNIST" in table


def test_a_recipe_can_be_cited(zerosum: Zerosum) -> None:
    done = zerosum("cite", "wgan-gp")
    assert done.returncode == 0
    keys = re.findall(r"^@\w+\{(\w+),$", done.stdout, re.MULTILINE)
    assert keys == ["kingma2015adam", "radford2016unsupervised", "arjovsky2017wasserstein", "gulrajani2017improved"]


def test_journeys_are_a_picture_with_a_row_for_each(
    trained: tuple[Path, str], zerosum: Zerosum, tmp_path: Path
) -> None:
    done = zerosum("interpolate", trained[0], "--count", 3, "--steps", 5)
    assert done.stdout == "3 journeys of 5 steps, one below the other (seed 0): interpolation-0.png\n"
    with Image.open(tmp_path / "interpolation-0.png") as picture:
        assert picture.size == (5 * 34 + 2, 3 * 34 + 2)


def test_a_standard_set_is_found_where_copies_lie(zerosum: Zerosum, shared: Path) -> None:
    done = zerosum("data", "mnist", "--data-dir", shared / "mnist")
    assert done.returncode == 0, done.stderr
    assert "60,000" in done.stdout


def test_a_contact_sheet(zerosum: Zerosum, tmp_path: Path) -> None:
    done = zerosum("data", "digits", "--sheet", "sheet.png")
    assert "The first 100 training samples: sheet.png" in done.stdout
    with Image.open(tmp_path / "sheet.png") as picture:
        assert picture.size == (10 * 34 + 2, 10 * 34 + 2)


ODD = "old [bold] :cat: a[/b]"


@pytest.mark.parametrize("finished", [True, False])
def test_a_run_s_name_is_printed_as_it_is(in_process: Command, monkeypatch: pytest.MonkeyPatch, finished: bool) -> None:
    def train(*_: object) -> bool:
        if not finished:
            signal.raise_signal(signal.SIGINT)
        return finished

    nothing = SimpleNamespace(prepare=lambda: None)
    monkeypatch.setattr("zerosum.run.api.Evaluation.of", lambda source, request, **_: nothing)
    monkeypatch.setattr("zerosum.cli._training.show_scores", lambda scores, console: None)
    monkeypatch.setattr("zerosum.report.run.write", lambda folder: None)
    monkeypatch.setattr("zerosum.run.doctor.Doctor.conclude", lambda *_: None)
    monkeypatch.setattr("zerosum.run.trainer.Trainer.train", train)
    code, out, err = in_process("train", "ring", "--steps", 1, "--out", ODD)
    assert (code, err) == (0 if finished else 128 + signal.SIGINT, "")
    assert f"in {ODD}\n" in out
    for command in ("sample", "evaluate") if finished else ("resume",):
        assert f"zerosum {command} '{ODD}'" in out
    assert f"continue it with 'zerosum resume '{ODD}''" in in_process.refused("train", "ring", "--out", ODD)
    assert f"finish it with 'zerosum resume '{ODD}''" in in_process.refused("sample", ODD)
    code, out, err = in_process("resume", ODD)
    assert (code, err) == (0 if finished else 128 + signal.SIGINT, "")
    assert f"{ODD}: going on after 0 of 1 iterations" in out


def test_the_names_of_data_and_pictures_are_printed_as_they_are(in_process: Command) -> None:
    (in_process.folder / ODD).parent.mkdir()
    np.save(in_process.folder / f"{ODD}.npy", np.random.default_rng(0).integers(0, 256, (100, 8, 8), np.uint8))
    code, out, err = in_process("data", f"{ODD}.npy", "--sheet", f"{ODD}.png")
    assert (code, err) == (0, "")
    assert f"training samples: {ODD}.png" in out
    how = ("--features", "pixels", "--metric", "frechet-distance", "--pairs", f"{ODD}2.png")
    code, out, err = in_process("evaluate", f"{ODD}.npy", "--against", f"{ODD}.npy", *how)
    assert (code, err) == (0, "")
    assert f"Nearest to training images: {ODD}2.png" in out


@pytest.mark.parametrize("condition", ["auxiliary", "concatenation"])
def test_every_way_to_be_told_classes_trains_and_samples(in_process: Command, condition: str) -> None:
    small = ("--set", "networks.width=4", "--set", f"networks.condition={condition}", "--steps", 2, "--out", "r")
    code, _, err = in_process("train", "digits", *small)
    assert (code, err) == (0, "")
    assert in_process("sample", "r", "--label", 3, "--out", "three.npz")[0] == 0


def test_a_conditional_generator_from_end_to_end(zerosum: Zerosum, tmp_path: Path) -> None:
    small = ("--set", "networks.width=4", "--steps", 3, "--out", "r")
    done = zerosum("train", "digits", "--recipe", "compact-conditional", *small)
    assert done.returncode == 0, done.stderr
    assert zerosum("sample", "r", "--label", 3, "--count", 5, "--out", "three.npz").returncode == 0
    assert np.array_equal(np.load(tmp_path / "three.npz")["samples"], package.load(tmp_path / "r").sample(5, label=3))
    refused = zerosum("evaluate", "r", "--by-class", "--count", 100)
    assert refused.returncode == 2
    assert re.search(
        r"^error: --by-class: every class has too few images; \d has the most, \d+ samples and \d\d in the reference "
        r"of digits: 50 of each would do \(--count, --reference\)\n$",
        refused.stderr,
    )
    done = zerosum(
        "evaluate",
        "r",
        "--by-class",
        "--count",
        900,
        "--reference",
        "train",
        "--json",
        "-",
        "--metric",
        "frechet-distance",
    )
    assert done.returncode == 0, done.stderr
    scores = [json.loads(line) for line in done.stdout.splitlines()]
    generated = package.load(tmp_path / "r").sample_labels(900, seed=1).bincount(minlength=10).tolist()
    rows = {line["class"]: line["samples"] for line in scores if line.get("class")}
    assert rows == {str(label): count for label, count in enumerate(generated)}
    assert [line["metric"] for line in scores if "class" not in line][:2] == [
        "frechet-distance",
        "intra-frechet-distance",
    ]
    done = zerosum("sample", "r", "--label", "x", "--out", "x.png")
    assert (done.returncode, done.stderr) == (
        2,
        "error: unknown class 'x': choose one of: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9\n",
    )


def test_minutes_become_steps_of_networks_that_they_can_train(zerosum: Zerosum, tmp_path: Path) -> None:
    done = zerosum("train", "digits", "--minutes", 0.1, "--out", "r")
    assert done.returncode == 0, done.stderr
    about = json.loads((tmp_path / "r" / "run.json").read_text())
    assert 1 < about["steps"] < about["recipe"]["steps"]
    assert (about["minutes"], about["recipe"]["networks"]["width"]) == (0.1, 8)
    assert re.search(
        r"recipe compact of width 8: [\d,]+ iterations \(planned for 0.1 minutes\), [\d.]+ epochs, on cpu", done.stdout
    )
    assert (
        "The same minutes once more" in (tmp_path / "r" / "report.html").read_text()
        or len(about.get("lengths", [])) < 2
    )


def test_data_says_what_minutes_buy(in_process: Command) -> None:
    code, out, _ = in_process("data", "digits", "--minutes", 0.1)
    assert code == 0
    words = re.search(
        r"compact of width 8: 0.1 minutes at ([\d,]+) images/s, of which scores take a part, are some ([\d,]+) "
        r"iterations, ([\d.]+) epochs",
        out,
    )
    assert words is not None
    speed, iterations, epochs = (float(each.replace(",", "")) for each in words.groups())
    assert 16 * iterations == pytest.approx(TRAINING_SHARE * 6 * speed, rel=0.02)
    assert epochs == pytest.approx(16 * iterations / 1_403, rel=0.02)


def test_bench_says_where_the_time_goes(in_process: Command) -> None:
    options = ("--seconds", 0.1, "--set", "networks.width=4", "--set", "precision=float32", "--set", "threads=1")
    code, out, err = in_process("bench", "digits", *options, "--against", "textbook")
    assert (code, err) == (0, "")
    assert "compact of width 4 on samples of shape [1, 8, 8] in batches of 16, on cpu with 1 thread, float32" in out
    assert re.search(r"[\d,]+ images/s \([\d.e+]+ iterations/s\): 1,000,000 images take [\d.]+ \w+", out)
    shares = [float(share) for share in re.findall(r"^[a-z ]+ +[\d.]+ +([\d.]+)% *$", out, re.MULTILINE)]
    assert len(shares) == 9
    assert sum(shares) == pytest.approx(100, abs=0.5)
    assert re.search(r"a tutorial's loop with these networks, in float32, from memory: [\d,]+ images/s; this is", out)
    assert re.search(r"10 pictures of [\d.e-]+ s, a checkpoint of [\d.e-]+ s every 60 s, and scores, of which", out)
    assert list(in_process.folder.iterdir()) == []
    assert "there is one loop to compare with" in in_process.refused("bench", "digits", "--against", "tutorial")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, zerosum.cli as cli\n"
        "try:\n cli.application()(['train', '--help'], standalone_mode=False)\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'sklearn', 'matplotlib', 'PIL', 'torchmetrics'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_training_begins_without_what_only_its_report_needs() -> None:
    code = (
        "import sys, zerosum.cli.train, zerosum.cli._training, zerosum.run.api\n"
        "heavy = {'matplotlib', 'jinja2'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [("--version",), ("--help",)])
def test_the_command_answers(arguments: tuple[str, ...]) -> None:
    done = subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "zerosum" in done.stdout


def test_a_folder_called_as_a_built_in_set_is_what_is_read_and_it_is_said(in_process: Command) -> None:
    fill(in_process.folder / "digits", 12)
    narrow = ("--set", "networks.width=4", "--set", "networks.feature_size=32")
    said = f"data: the path {in_process.folder / 'digits'}; the built-in set of that name is builtin:digits"
    for command in (("data", "digits"), ("train", "digits", "--steps", 1, "--out", "r", *narrow)):
        code, out, err = in_process(*command)
        assert (code, err) == (0, "")
        assert said in out
        assert "12 images used" in out
    out = in_process("evaluate", "r", "--against", "digits", "--metric", "frechet-distance")[1]
    assert said in out
    assert "images, 1 x 8 x 8" in in_process("data", "builtin:digits")[1]
