"""`zerosum diagnose`, and the doctor while a run trains, through the installed command."""

import csv
import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zerosum
from tests.end_to_end.conftest import SMALL, Command, Zerosum
from zerosum import records
from zerosum.diagnostics import Diagnosis
from zerosum.game.recipe import change
from zerosum.records import FindingRecord, ScoreRecord
from zerosum.run import doctor
from zerosum.run_folder import RunFolder

COIN = ("--set", "networks.latent=1", "--set", "networks.binary=1")


@pytest.fixture(scope="module")
def collapsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose generator gets one coin for noise."""
    path = tmp_path_factory.mktemp("collapsed") / "run"
    recipe = zerosum.recipe("digits")

    for each in ("networks.width=4", "batch_size=16", "networks.latent=1", "networks.binary=1"):
        recipe = change(recipe, each)
    zerosum.train("digits", recipe, steps=40, out=path)
    return path


def test_a_collapse_is_named_and_the_command_that_mends_it_can_be_pasted(collapsed: Path, in_process: Command) -> None:
    code, out, err = in_process("diagnose", collapsed)
    assert (code, err) == (0, "")
    assert "The generator has collapsed" in out
    assert "failure: collapse" in out
    assert out.index("failure: collapse") < out.index("Looked for:")
    (line,) = [each.strip() for each in out.splitlines() if "networks.latent=64" in each]
    words = shlex.split(line)
    assert words[:3] == ["zerosum", "train", "digits"]
    steps = words.index("--steps")
    words[steps + 1] = "2"
    code, out, err = in_process(*words[1:], "--out", "mended")
    assert (code, err) == (0, "")
    assert zerosum.load(in_process.folder / "mended").networks.latent == 64


def test_the_report_begins_with_the_verdict(collapsed: Path) -> None:
    page = (collapsed / "report.html").read_text()
    assert page.index("The generator has collapsed") < page.index("<h2>Samples</h2>") < page.index("<h2>The game</h2>")
    assert page.index("<h2>The game</h2>") < page.index("<h2>Scores</h2>")
    assert "<script" not in page
    written = Diagnosis.read(collapsed / "diagnosis.json")
    assert written is not None
    assert written.findings[0].name == "collapse"


def test_a_picture_shows_the_finding_in_the_report_and_where_it_is_asked_for(
    collapsed: Path, in_process: Command
) -> None:
    with Image.open(collapsed / "findings" / "collapse.png") as picture:
        assert picture.size == (2 + 16 * 34, 2 + 2 * 34)
    assert "From top to bottom: samples; real images." in (collapsed / "report.html").read_text()
    code, out, err = in_process("diagnose", collapsed, "--pictures", "new/shown")
    assert (code, err) == (0, "")
    assert f"{Path('new') / 'shown' / 'collapse.png'}, from top to bottom: samples; real images" in out
    assert (in_process.folder / "new" / "shown" / "collapse.png").is_file()
    assert in_process("diagnose", collapsed, "--pictures", "new/shown") == (
        2,
        "",
        "error: new/shown exists already: choose another folder for --pictures\n",
    )


def test_programs_get_json_and_all_shows_the_numbers(collapsed: Path, in_process: Command) -> None:
    code, out, _ = in_process("diagnose", collapsed, "--json")
    assert code == 0
    assert next(each["name"] for each in json.loads(out)["findings"]) == "collapse"
    _, out, _ = in_process("diagnose", collapsed, "--all")
    assert "training samples of the rarest class" in out


def test_a_run_without_checkpoints_or_data_is_looked_at_as_far_as_it_goes(
    collapsed: Path, in_process: Command, tmp_path: Path
) -> None:
    there = tmp_path / "copy"
    shutil.copytree(collapsed, there)
    shutil.rmtree(there / "checkpoints")
    (there / "checkpoints").mkdir()
    code, out, err = in_process("diagnose", there)
    assert (code, err) == (0, "")
    assert "only its log could be looked at" in out
    assert "it needs the players, and a log has none" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say what to look at"),
        (("nothing",), "no run at nothing"),
        (("--log", "nothing.csv"), "no log at nothing.csv"),
        (("--samples", "x"), "go together"),
        (("--log", "x.csv", "--samples", "x"), "go together"),
    ],
)
def test_wrong_words_are_one_line(arguments: tuple[str, ...], message: str, in_process: Command) -> None:
    code, out, err = in_process("diagnose", *arguments)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert out == ""


def test_a_run_and_a_log_are_not_both_given(collapsed: Path, in_process: Command) -> None:
    code, _, err = in_process("diagnose", collapsed, "--log", "x.csv")
    assert code == 2
    assert "a run has its own log" in err


def write_log(path: Path, rows: int, d_real: float, d_fake: float) -> None:
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["step", "d_loss", "g_loss", "D(x)", "D(G(z))"])
        rng = np.random.default_rng(0)
        lines.writerows([step, 0.6 + 0.05 * rng.normal(), 1.2, d_real, d_fake] for step in range(rows))


def test_another_programs_log_and_samples_are_diagnosed(in_process: Command) -> None:
    write_log(in_process.folder / "losses.csv", 200, 0.99, 0.01)
    rng = np.random.default_rng(0)
    np.save(in_process.folder / "same.npy", np.repeat(rng.integers(0, 255, (1, 8, 8), np.uint8), 300, 0))
    code, out, err = in_process("diagnose", "--log", "losses.csv", "--samples", "same.npy", "--against", "digits")
    assert (code, err) == (0, "")
    assert "losses.csv: CSV, 200 points" in out
    assert "failure: collapse" in out
    assert "warning: discriminator-won" in out
    assert "zerosum train" not in out


def test_a_healthy_log_has_no_findings_and_says_what_it_cannot(in_process: Command) -> None:
    write_log(in_process.folder / "losses.csv", 200, 0.6, 0.4)
    _, out, _ = in_process("diagnose", "--log", "losses.csv")
    assert "Healthy, as far as was looked: 3 kinds of fault" in out
    assert "it needs the real data: --against DATA" in out


def test_a_log_of_three_lines_is_too_short_to_say_anything(in_process: Command) -> None:
    write_log(in_process.folder / "losses.csv", 3, 0.99, 0.01)
    _, out, _ = in_process("diagnose", "--log", "losses.csv")
    assert "Nothing could be looked at." in out
    assert "20 would do" in out


def test_findings_are_noted_while_a_run_trains_and_a_collapse_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "BEGIN", 0.0)
    monkeypatch.setattr(doctor, "MOST_TIME", 1e9)
    recipe = zerosum.recipe("digits")

    for each in ("networks.width=4", "batch_size=16", "networks.latent=1", "networks.binary=1"):
        recipe = change(recipe, each)
    seen = []
    zerosum.train("digits", recipe, steps=100, out=tmp_path / "run", stop_when="collapsed", observe=seen.append)
    folder = RunFolder(tmp_path / "run")
    noted = records.read(folder, FindingRecord)
    assert next(each.finding for each in noted if each.began) == "collapse"
    assert noted == [each for each in seen if isinstance(each, FindingRecord)]
    steps = folder.describe()["steps"]
    assert steps < 100
    assert any(each.step == steps for each in records.read(folder, ScoreRecord))
    assert folder.report.exists()
    assert zerosum.load(tmp_path / "run").metadata["step"] == steps


def test_looking_changes_no_bit_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zerosum.train("ring", "toy", steps=60, out=tmp_path / "alone")
    monkeypatch.setattr(doctor, "BEGIN", 0.0)
    monkeypatch.setattr(doctor, "MOST_TIME", 1e9)
    zerosum.train("ring", "toy", steps=60, out=tmp_path / "watched")
    files = [tmp_path / name / "generator.safetensors" for name in ("alone", "watched")]
    ours, theirs = (zerosum.load(file).network.state_dict() for file in files)
    assert all(bool((ours[name] == theirs[name]).all()) for name in ours)


def test_looks_keep_to_their_share_of_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    monkeypatch.setattr(doctor, "BEGIN", 0.0)
    monkeypatch.setattr(doctor, "MOST_TIME", 0.0)  # a first look is free, as its cost is not known
    monkeypatch.setattr(doctor, "diagnose", lambda evidence, live=False: looks.append(live) or Diagnosis(1, 1))
    zerosum.train("ring", "toy", steps=60, out=tmp_path / "run")
    assert looks.count(True) == 1


def test_the_command_ends_a_collapsed_run_and_says_why(zerosum: Zerosum) -> None:
    done = zerosum("train", "digits", "--steps", 60, "--out", "run", "--stop-when", "never", *SMALL, *COIN)
    assert done.returncode == 0, done.stderr
    assert "Doctor     The generator has collapsed" in done.stdout
    wrong = zerosum("train", "digits", "--stop-when", "bored")
    assert wrong.returncode == 2
    assert "bored" in wrong.stderr


def test_a_run_ends_where_it_has_converged_with_scores_and_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "PATIENCE", 2)
    monkeypatch.setattr("zerosum.metrics.evaluation.INTERIM", 200)
    monkeypatch.setattr("zerosum.metrics.evaluation.REPLICATES", 8)
    recipe = zerosum.recipe("toy")
    for each in ("generator_optimizer.lr=1e-12", "discriminator_optimizer.lr=1e-12"):  # it stands still
        recipe = change(recipe, each)
    zerosum.train("ring", recipe, steps=100, out=tmp_path / "run", stop_when="converged")
    folder = RunFolder(tmp_path / "run")
    about = folder.describe()
    assert about["steps"] == 15  # three scores of twenty: the first is the best, two brought no better one
    assert "converged: the best generator is that of step 5" in about["ended"]
    assert "It was ended before its time" in folder.report.read_text()
    assert any(each.step == 15 and each.score.real for each in records.read(folder, ScoreRecord))
