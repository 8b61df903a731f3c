"""What the report says of the discriminator depends on whether its values are probabilities."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from zerosum import recipes, records
from zerosum.metrics import Score
from zerosum.records import IterationRecord, ScoreRecord
from zerosum.report import run as report
from zerosum.run_folder import FORMAT, RunFolder

ITERATION = IterationRecord(
    step=1,
    seconds=0.5,
    discriminator_loss=1.2,
    generator_loss=0.7,
    penalty=0.1,
    d_real=0.6,
    d_fake=0.4,
    pair_accuracy=0.625,
    real_as_real=5,
    real_as_fake=3,
    fake_as_real=2,
    fake_as_fake=6,
)

SCORE = Score(
    metric="frechet-distance",
    value=1.0,
    low=0.5,
    high=1.5,
    better="lower",
    real=0.1,
    warning="",
    features="coordinates",
    resizer="none",
    samples=5_000,
    reference="test split of ring",
    reference_samples=300,
    seed=0,
    comparable="Compare with the same points.",
)


def page_of(folder: RunFolder, recipe: str, *measured: Score, **changes: object) -> str:
    """The report of a run of `recipe` of one iteration, and the scores that were `measured` after it."""
    about = {
        "format": FORMAT,
        "data": "ring",
        "steps": 1,
        "seed": 0,
        "zerosum": "0",
        "fingerprint": "",
        "device": "cpu",
        "precision": "float32",
        "threads": 1,
        "recipe": recipes.find(recipe).as_json(),
    }
    folder.description.write_text(json.dumps({**about, **changes}))
    for record in (ITERATION, *(ScoreRecord(1, score) for score in measured)):
        records.append(folder, record)
    report.write(folder)
    return folder.report.read_text()


@pytest.mark.parametrize(
    ("recipe", "said", "unsaid"),
    [
        ("dcgan", "taken for real", "are no probabilities"),
        ("points", "the real one the larger value in\n62.5%", "D = 1/2"),
        ("wgan-gp", "wasserstein, its values are no probabilities", "D = 1/2"),
    ],
)
def test_only_probabilities_are_called_so(recipe: str, said: str, unsaid: str, tmp_path: Path) -> None:
    page = page_of(RunFolder(tmp_path), recipe)
    assert said in page
    assert unsaid not in page


def test_scores_say_once_how_they_were_measured_and_each_with_what_it_was_compared(tmp_path: Path) -> None:
    copies = replace(SCORE, metric="nearest-training", reference="training split of ring", features="pixels")
    page = page_of(RunFolder(tmp_path), "points", SCORE, replace(SCORE, metric="recall"), copies)
    names = ["Measured in coordinates. Compare with the same points.", "frechet-distance", "recall"]
    names += ["Measured in pixels. Compare with the same points.", "nearest-training"]
    assert re.findall(r"<td[^>]*>(Measured.*|frechet-distance|recall|nearest-training)</td>", page) == names
    assert page.count("300 of the test split of ring</td>") == 2
    assert page.count("300 of the training split of ring</td>") == 1


def test_a_warning_is_said_once(tmp_path: Path) -> None:
    warned = replace(SCORE, warning="too few")
    page = page_of(RunFolder(tmp_path), "points", warned, replace(warned, metric="recall"))
    assert page.count("<strong>too few</strong>") == 1


def test_pictures_are_in_the_order_of_their_steps_and_others_are_none(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.samples.mkdir()
    for name in ("1500000", "300000", "mine"):
        (folder.samples / f"{name}.png").write_bytes(b"x")
    page = page_of(folder, "toy")
    assert re.findall(r"[\d,]+00,000", page) == ["1,500,000", "300,000", "1,500,000"]  # the last one is shown large


@pytest.mark.parametrize(("recipe", "threads"), [("dcgan", " --set threads=1 --set precision=float32"), ("toy", "")])
def test_the_command_that_repeats_it(recipe: str, threads: str, tmp_path: Path) -> None:
    page = page_of(RunFolder(tmp_path), recipe)
    assert f"<pre>zerosum train ring --recipe {tmp_path} --steps 1 --seed 0 --device cpu{threads}</pre>" in page


@pytest.mark.parametrize(
    "changes", [{"lengths": [[0, 9], [1, 1]]}, {"threads_at": [[0, 2], [5, 1]]}], ids=["planned again", "other threads"]
)
def test_a_run_by_the_clock_promises_no_bits(changes: dict[str, object], tmp_path: Path) -> None:
    same = "this ends in the same weights"
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    by_steps = page_of(RunFolder(tmp_path / "a"), "dcgan", minutes=2.5)
    assert same in by_steps
    page = page_of(RunFolder(tmp_path / "b"), "dcgan", minutes=2.5, **changes)
    assert same not in page
    assert f"<pre>zerosum train ring --recipe {tmp_path / 'b'} --minutes 2.5 --seed 0 --device cpu</pre>" in page


def test_a_run_that_went_back_says_so_and_promises_no_bits(tmp_path: Path) -> None:
    page = page_of(RunFolder(tmp_path), "toy", halved_from=1)
    assert "went back to iteration 1, and on with half the learning rates" in page
    command = f"zerosum train ring --recipe {tmp_path} --steps 1 --seed 0 --device cpu --on-nonfinite rollback"
    assert f"<pre>{command}</pre>" in page
    assert "this ends in the same weights" not in page
