"""Score samples, whoever made them, by the command in this process; test_commands.py has the installed one."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zerosum as package
from tests.end_to_end.conftest import Command, Zerosum
from tests.photos import picture
from zerosum.data import Source

QUICK = ("--metric", "frechet-distance")


def lines(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def test_samples_in_files_score_as_the_run_that_made_them(
    trained: tuple[Path, str], zerosum: Zerosum, tmp_path: Path
) -> None:
    images = package.load(trained[0]).sample(600, seed=1)
    np.save(tmp_path / "array.npy", images.numpy())
    (tmp_path / "folder").mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image[0].numpy()).save(tmp_path / "folder" / f"{number}.png")
    done = zerosum("evaluate", trained[0], "array.npy", "folder", "--count", 600, "--json", "-", *QUICK)
    assert done.returncode == 0, done.stderr
    values = {str(line["of"]): line["value"] for line in lines(done.stdout)}
    assert list(values) == [str(trained[0]), "array.npy", "folder"]
    first = values[str(trained[0])]
    assert values["array.npy"] == pytest.approx(first, rel=1e-9)
    assert values["folder"] == pytest.approx(first, rel=1e-9)


def test_a_table_compares_several(trained: tuple[Path, str], zerosum: Zerosum, digits: Source, tmp_path: Path) -> None:
    np.savez(tmp_path / "real.npz", digits.train.samples[:300].numpy())
    done = zerosum("evaluate", trained[0], "real.npz", "--count", 300)
    assert done.returncode == 0, done.stderr
    assert "real.npz: 300" in done.stdout
    assert "compared with the test split, which images made elsewhere may have been learned from" in done.stdout
    assert "nearer to training images than held-out images are" in done.stdout
    assert "it is no FID" in done.stdout


def test_a_generator_needs_nothing_that_lies_beside_it(
    trained: tuple[Path, str], zerosum: Zerosum, tmp_path: Path
) -> None:
    (tmp_path / "shared").mkdir()
    shutil.copy(trained[0] / "generator.safetensors", tmp_path / "shared")
    (tmp_path / "shared" / "run.json").write_text("{}")
    done = zerosum("evaluate", "shared/generator.safetensors", "--count", 50, *QUICK, "--against", "digits")
    assert done.returncode == 0, done.stderr
    done = zerosum("evaluate", "shared/generator.safetensors", "--count", 50, *QUICK)
    assert (done.returncode, done.stderr) == (2, "error: say which real data to compare with: --against DATA\n")


def test_data_that_changed_are_not_taken_for_unseen_ones(
    trained: tuple[Path, str], zerosum: Zerosum, tmp_path: Path
) -> None:
    run = shutil.copytree(trained[0], tmp_path / "run")
    about = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**about, "fingerprint": "0" * 32}))
    done = zerosum("evaluate", "run", "--count", 50, *QUICK)
    assert done.returncode == 2
    assert "the data at digits have changed since the run began, and its test samples may be others" in done.stderr


def test_a_run_that_is_not_finished_is_called_so(trained: tuple[Path, str], zerosum: Zerosum, tmp_path: Path) -> None:
    run = shutil.copytree(trained[0], tmp_path / "stopped")
    about = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**about, "steps": 1_000 + about["steps"]}))
    done = zerosum("evaluate", "stopped", "--count", 50, *QUICK)
    assert done.returncode == 0, done.stderr
    assert f"stopped: after {about['steps']:,} of {about['steps'] + 1_000:,} iterations\n" in done.stdout


@pytest.mark.parametrize(("metric", "said"), [("frechet-distance", True), ("parzen", False)])
def test_what_features_cannot_see_is_said_where_they_were_used(
    zerosum: Zerosum, digits: Source, tmp_path: Path, metric: str, said: bool
) -> None:
    np.save(tmp_path / "real.npy", digits.train.samples[:50].numpy())
    asked = ("--against", "digits", "--features", "random-convolutions", "--metric", metric)
    done = zerosum("evaluate", "real.npy", *asked)
    assert done.returncode == 0, done.stderr
    assert ("see colours and textures and no shapes" in done.stdout) == ("random-convolutions" in done.stdout) == said


def test_closest_pairs_are_a_picture(trained: tuple[Path, str], zerosum: Zerosum, tmp_path: Path) -> None:
    done = zerosum("evaluate", trained[0], "--count", 50, "--pairs", "pairs.png", *QUICK)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "pairs.png") as picture:
        assert picture.size == (8 * 34 + 2, 4 * 34 + 2)


def test_a_report_shows_the_images_behind_the_scores(
    trained: tuple[Path, str], zerosum: Zerosum, tmp_path: Path
) -> None:
    for _ in range(2):  # its own page is replaced
        done = zerosum("evaluate", trained[0], "--count", 50, "--report", "page.html", *QUICK)
        assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/png;base64,") >= 4
    assert "frechet-distance" in page
    (tmp_path / "mine.html").write_text("<!doctype html>\n<p>Mine.</p>")
    refused = zerosum("evaluate", trained[0], "--report", "mine.html", *QUICK)
    assert refused.returncode != 0
    assert "mine.html exists already, and only scores written by zerosum are replaced" in refused.stderr


def test_a_generator_that_always_makes_the_same_image_gets_a_score(
    zerosum: Zerosum, digits: Source, tmp_path: Path
) -> None:
    (tmp_path / "same").mkdir()
    for number in range(30):
        Image.fromarray(digits.train.samples[0, 0].numpy()).save(tmp_path / "same" / f"{number}.png")
    done = zerosum("evaluate", "same", "--against", "digits", "--json", "-")
    assert done.returncode == 0, done.stderr
    assert "the generator has collapsed: its samples are nearly the same few over and over (they are all the same)" in (
        done.stdout
    )
    assert all(np.isfinite([line["value"], line["low"], line["high"]]).all() for line in lines(done.stdout))


@pytest.mark.parametrize(("count", "code", "words"), [(1, 2, "few holds 1 sample: at least 2 are needed"), (2, 0, "")])
def test_few_images(zerosum: Zerosum, digits: Source, tmp_path: Path, count: int, code: int, words: str) -> None:
    (tmp_path / "few").mkdir()
    for number in range(count):
        Image.fromarray(digits.train.samples[number, 0].numpy()).save(tmp_path / "few" / f"{number}.png")
    done = zerosum("evaluate", "few", "--against", "digits", "--json", "-")
    assert (done.returncode, done.stderr.count("\n")) == (code, 1 if code else 0), done.stderr
    assert words in done.stderr
    if code == 0:
        assert "few for 128 features" in done.stdout


def test_images_of_several_sizes_need_to_be_told_one(zerosum: Zerosum, tmp_path: Path) -> None:
    (tmp_path / "mixed").mkdir()
    for side in range(8, 28):
        pixels = np.random.default_rng(side).integers(0, 256, (side, side), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "mixed" / f"{side}.png")
    refused = zerosum("evaluate", "mixed", "--against", "digits")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "the images are of 20 sizes" in refused.stderr
    assert "--size HxW" in refused.stderr
    done = zerosum("evaluate", "mixed", "--against", "digits", "--size", 8, *QUICK)
    assert done.returncode == 0, done.stderr
    assert "mixed: brought to 8x8 (by Lanczos, antialiased)" in done.stdout


def test_the_monge_distance_stands_beside_that_of_real_images(zerosum: Zerosum, digits: Source, tmp_path: Path) -> None:
    np.save(tmp_path / "light.npy", (digits.train.samples[:300] // 2).numpy())
    asked = ("--features", "pixels", "--metric", "monge-distance", "--fail-if", "monge-distance>0", "--json", "-")
    done = zerosum("evaluate", "light.npy", "--against", "digits", *asked)
    assert done.returncode == 1, done.stderr
    assert "light.npy: monge-distance is" in done.stderr
    (score,) = lines(done.stdout)
    assert score["value"] > 20 * score["real"] > 0
    assert score["low"] < score["value"] < score["high"]
    assert score["warning"] == "300 samples of each kind are few for a Monge distance: 1,000 would do, 5,000 are better"


def test_a_plan_forecasts_from_a_pilot_and_scores_nothing(zerosum: Zerosum, digits: Source, tmp_path: Path) -> None:
    samples = digits.train.samples
    np.save(tmp_path / "made.npy", samples[:700].numpy())
    np.save(tmp_path / "real.npy", samples[700:].numpy())
    asked = ("--against", "real.npy", "--features", "pixels")
    done = zerosum("evaluate", "made.npy", *asked, "--plan", "--count", 200)
    assert done.returncode == 0, done.stderr
    assert (
        "An estimate from a pilot of 200 samples, 200 real ones and 200 others for the floor; no score." in done.stdout
    )
    assert "would be compared with 703 real samples, the whole of real." in done.stdout
    counts = done.stdout.split(" figure ")[0].splitlines()
    rows = {line[:19].strip(): line[19:].split() for line in counts if line.strip()}
    assert rows["samples"] == ["200", "1,000*", "2,000*", "5,000*", "10,000*", "50,000*"]
    values, biases, margins = (
        [float(each.replace(",", "")) for each in rows[name][:2]]
        for name in ("frechet-distance", "its bias", "± frechet-distance")
    )
    counted, others = 2 / (1 / 200 + 1 / 703), 2 / (1 / 1_000 + 1 / 703)
    assert margins[1] / margins[0] == pytest.approx((counted / others) ** 0.5, rel=2e-3)
    assert biases[1] / biases[0] == pytest.approx(counted / others, rel=2e-3)
    assert values[0] - biases[0] == pytest.approx(values[1] - biases[1], rel=2e-2)
    assert "* more than the 700 that are there" in done.stdout
    assert "In brackets: the pilot does not tell them from real ones" in done.stdout
    assert "± kernel-distance" in rows
    many = ("--against", "real.npy", "--features", "random-convolutions")
    few = zerosum("evaluate", "made.npy", *many, "--plan", "--count", 100, *QUICK, "--json", "plan.jsonl")
    assert few.returncode == 0, few.stderr
    assert "the pilot has no more samples than the 256 features" in few.stdout
    records = lines((tmp_path / "plan.jsonl").read_text())
    assert [each["samples"] for each in records] == [100, 1_000, 2_000, 5_000, 10_000, 50_000]
    assert f"{records[1]['half_width']:.1f}" in few.stdout
    assert {str(each["warning"])[:10] for each in records} == {"the pilot "}
    assert "--count 512 would do" in few.stdout
    assert "kernel-distance" not in few.stdout


def test_a_plan_of_a_run_keeps_its_splits_apart(trained: tuple[Path, str], zerosum: Zerosum) -> None:
    done = zerosum("evaluate", trained[0], "--plan", "--count", 150, *QUICK)
    assert done.returncode == 0, done.stderr
    assert "would be compared with 394 real samples, the test split of digits." in done.stdout
    assert "*" not in done.stdout


def test_a_plan_is_json_lines_for_programs(in_process: Command, digits: Source) -> None:
    for name, part in (("made.npy", slice(300)), ("real.npy", slice(700, None))):
        np.save(in_process.folder / name, digits.train.samples[part].numpy())
    asked = ("made.npy", "--against", "real.npy", "--features", "pixels", "--count", 200, "--metric", "neighbours")
    code, out, err = in_process("evaluate", *asked, *QUICK, "--plan", "--json", "-")
    assert (code, err) == (0, "")
    records = lines(out)
    plan = package.plan_evaluation(
        in_process.folder / "made.npy",
        in_process.folder / "real.npy",
        features="pixels",
        count=200,
        metrics=["neighbours", "frechet-distance"],
    )
    assert len(records) == 5 * 6
    timed = ("of", "seconds")
    assert [{key: each[key] for key in each if key not in timed} for each in records] == [
        {key: each[key] for key in each if key not in timed} for each in plan.to_records()
    ]
    recall, distance = records[6], records[25]
    assert (recall["metric"], recall["value"], recall["bias"]) == ("recall", None, None)
    forecast = plan.forecasts[4]
    assert (distance["metric"], distance["samples"], distance["pilot"], distance["available"]) == (
        "frechet-distance",
        1_000,
        200,
        300,
    )
    assert distance["half_width"] == forecast.half_width(1_000)
    assert distance["value"] == forecast.value(1_000)
    assert distance["narrow_from"] == forecast.find_narrow(0.05)
    assert distance["pilot_real"] == forecast.estimate.real


def test_what_cannot_be_planned_is_refused(trained: tuple[Path, str], in_process: Command, digits: Source) -> None:
    np.save(in_process.folder / "made.npy", digits.train.samples[:150].numpy())
    np.save(in_process.folder / "few.npy", digits.train.samples[:99].numpy())
    (in_process.folder / "ref.pt").touch()
    made = ("made.npy", "--against", "digits")
    for arguments, words in (
        (
            (*made, "--metric", "vendi"),
            "no law is known by which the interval of vendi narrows; it forecasts frechet-dist",
        ),
        ((*made, "--metric", "monge-distance"), "no law is known by which the interval of monge-distance narrows"),
        ((*made, "--json", "nowhere/plan.jsonl"), "nowhere is not a folder"),
        ((*made, "--junit", "plan.xml"), "--plan forecasts scores, it measures none: leave out --junit"),
        ((*made, "--fail-if", "recall<.5"), "it measures none: leave out --fail-if"),
        (("made.npy", "--save-reference", "r.npz"), "it measures none: leave out --save-reference"),
        ((*made, "--report", "page.html"), "it measures none: leave out --report"),
        ((*made, "--pairs", "pairs.png"), "it measures none: leave out --pairs"),
        ((*made, "--by-class"), "it measures none: leave out --by-class"),
        ((*made, "--protocol", "pytorch-fid"), "it measures none: leave out --protocol"),
        (("few.npy", *made), "--plan is for one thing at a time"),
        (("made.npy", "--against", "ref.pt"), "--plan needs the real images, and ref.pt holds their statistics"),
        (
            (*made, "--count", 151),
            "a pilot needs 151 samples and as many real ones for each side, at least 100; made.npy",
        ),
        ((*made, "--count", 50), "at least 100; made.npy has 150 samples, and digits 898 for each side"),
        (("few.npy", "--against", "digits"), "a pilot needs 100 samples and as many real ones for each side"),
        (
            (trained[0], "--count", 395),
            "at least 100; " + f"{trained[0]} has any number of samples, and digits 394 for",
        ),
    ):
        assert words in in_process.refused("evaluate", *arguments, "--plan", "--features", "pixels")


def by_class(place: Path, source: Source, first: int, each: int, names: dict[int, str]) -> Path:
    """`place`, made, with a folder for each name, and in it `each` digits of that class after the `first` ones."""
    for label, name in names.items():
        (place / name).mkdir(parents=True)
        digits = source.train.samples[source.train.labels == label][first : first + each]
        for number, image in enumerate(digits):
            Image.fromarray(image[0].numpy()).save(place / name / f"{number}.png")
    return place


def test_folders_of_classes_get_a_row_for_each(zerosum: Zerosum, digits: Source, tmp_path: Path) -> None:
    by_class(tmp_path / "reals", digits, 0, 80, {0: "oval", 1: "line", 2: "swan"})
    by_class(tmp_path / "fakes", digits, 80, 55, {0: "oval", 2: "line", 7: "cane"})  # swans are called lines
    asked = ("--against", "reals", "--features", "pixels", *QUICK)
    outputs = ("--json", "all.jsonl", "--report", "page.html", "--fail-if", "intra-frechet-distance>0")
    done = zerosum("evaluate", "fakes", *asked, "--by-class", *outputs)
    assert done.returncode == 1
    assert done.stderr.startswith("error: fakes: intra-frechet-distance is ")
    assert "fakes: classes: the folders cane (55), line (55), oval (55)\n" in done.stdout
    shown = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line.strip()}
    assert shown["swan"][1:] == ["0", "80", "too", "few"]
    assert shown["oval"][1:3] == shown["line"][1:3] == ["55", "80"]
    assert "Warning: left out: samples of classes not in reals, cane (55)." in done.stdout
    assert "no samples of class swan, so the means are without" in done.stdout
    rows = [line for line in lines((tmp_path / "all.jsonl").read_text()) if "class" in line]
    distances = {line["class"]: line for line in rows if line["metric"] == "frechet-distance"}
    assert distances["line"]["value"] > 2 * distances["oval"]["value"]
    assert distances["line"]["value"] > 2 * distances["line"]["real"]
    assert {line["reference"] for line in distances.values()} == {
        "whole of class line of reals",
        "whole of class oval of reals",
    }
    page = (tmp_path / "page.html").read_text()
    assert "Class by class" in page
    assert "<td>swan</td><td>0</td><td>80</td>" in page
    plain = zerosum("evaluate", "fakes", *asked)
    assert "class" not in plain.stdout.replace("classes: the folders", "")


def test_scores_by_class_need_classes_on_both_sides(
    trained: tuple[Path, str], in_process: Command, digits: Source
) -> None:
    by_class(in_process.folder / "reals", digits, 0, 60, {0: "a", 1: "b"})
    by_class(in_process.folder / "others", digits, 0, 60, {0: "c", 1: "d"})
    by_class(in_process.folder / "few", digits, 0, 9, {0: "a", 1: "b"})
    np.save(in_process.folder / "plain.npy", digits.train.samples[:60].numpy())
    (in_process.folder / "ref.pt").touch()
    for arguments, words in (
        (
            ("plain.npy", "--against", "reals"),
            "--by-class: plain.npy has no classes: put the images of each into a folder",
        ),
        (
            ("reals", "--against", "plain.npy"),
            "--by-class: the real data plain have no classes: put the images of each",
        ),
        ((trained[0], "--against", "digits"), f"--by-class: the generator {trained[0]} was not told classes"),
        (("reals", "--against", "others"), "no class of the samples (a, b) is one of others (c, d): name them alike"),
        (("few", "--against", "reals"), "every class has too few images; a has the most, 9 samples and 60 in the ref"),
        (
            ("reals", "--against", "others", "--protocol", "pytorch-fid"),
            "measures all classes together: leave out --by",
        ),
        (("reals", "--against", "ref.pt"), "--by-class needs the real images, and ref.pt holds their statistics"),
        (("reals", "--save-reference", "ref.npz"), "--save-reference compares nothing: leave out --by-class"),
    ):
        code, _, err = in_process("evaluate", *arguments, "--by-class")
        assert (code, err.count("\n")) == (2, 1), err
        assert words in err


def folder_of(place: Path, images: torch.Tensor) -> Path:
    """`place`, made, with a PNG of each of `images`, uint8 [N, 3, H, W]."""
    place.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(place / f"{number}.png")
    return place


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> torch.Tensor:
    """Smooth pictures, uint8 [60, 3, 32, 32]."""
    return torch.stack([torch.from_numpy(np.array(picture(seed, (32, 32)))).permute(2, 0, 1) for seed in range(60)])


@pytest.mark.parametrize("mirrored", [False, True])
def test_copies_made_elsewhere_are_found_among_all_real_images(
    zerosum: Zerosum, photos: torch.Tensor, tmp_path: Path, mirrored: bool
) -> None:
    folder_of(tmp_path / "photos", photos)
    folder_of(tmp_path / "copies", photos.flip(3) if mirrored else photos)
    done = zerosum("evaluate", "copies", "--against", "photos", "--json", "-")
    assert done.returncode == 0, done.stderr
    found = {line["metric"]: line for line in lines(done.stdout)}
    assert found["nearer-than-real"]["value"] == 1
    assert found["nearest-training"]["value"] == pytest.approx(0, abs=1e-5)
    assert found["nearest-training"]["real"] > 0.2
    assert {line["reference"] for line in found.values()} == {"whole of photos"}
    assert found["nearest-training"]["reference_samples"] == found["nearest-training"]["samples"] == 60


def test_sizes_that_differ_are_both_named_with_the_way_out(
    zerosum: Zerosum, photos: torch.Tensor, tmp_path: Path
) -> None:
    folder_of(tmp_path / "small", photos[:30])
    folder_of(tmp_path / "large", photos.repeat_interleave(2, 2).repeat_interleave(2, 3))
    done = zerosum("evaluate", "large", "--against", "small")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "large has images of 64x64, and no image in small is as large (the largest has a shorter side of 32" in (
        done.stderr
    )
    assert "--size 32 brings both to one size" in done.stderr
    asked = ("--metric", "kernel-distance", "--features", "pixels")
    done = zerosum("evaluate", "large", "--against", "small", "--size", 32, *asked)
    assert done.returncode == 0, done.stderr
    done = zerosum("evaluate", "small", "--against", "large", *asked)
    assert done.returncode == 0, done.stderr
    assert "large: brought to 32x32, the size of small; --size chooses another one" in done.stdout


def test_no_column_of_a_table_outweighs_another(zerosum: Zerosum, tmp_path: Path) -> None:
    """The second column of the fakes is 25 standard deviations off; the first varies ten thousand times as much."""
    rng = np.random.default_rng(0)
    real = np.stack([rng.normal(40_000, 10_000, 500), rng.normal(0, 1, 500)], 1)
    fake = np.stack([rng.normal(40_000, 10_000, 200), rng.normal(25, 0.1, 200)], 1)
    np.save(tmp_path / "real.npy", real.astype("f4"))
    np.save(tmp_path / "fake.npy", fake.astype("f4"))
    done = zerosum("evaluate", "fake.npy", "--against", "real.npy", "--json", "-")
    assert done.returncode == 0, done.stderr
    found = {line["metric"]: line for line in lines(done.stdout)}
    assert found["precision"]["value"] == found["coverage"]["value"] == 0
    shifts = (fake.mean(0) - real.mean(0)) / real.std(0)
    assert found["frechet-distance"]["value"] == pytest.approx((shifts**2).sum() + 0.81, rel=0.1)
    assert found["precision"]["features"] == "coordinates over their standard deviations"


def test_what_real_data_score_says_of_how_many_where_they_are_fewer(
    trained: tuple[Path, str], zerosum: Zerosum
) -> None:
    done = zerosum("evaluate", trained[0], "--count", 2_000, "--metric", "frechet-distance", "--features", "pixels")
    assert done.returncode == 0, done.stderr
    assert "(1,403)" in done.stdout
    assert "fewer samples are further away, so such a value is no bound" in " ".join(done.stdout.split())
    done = zerosum("evaluate", trained[0], "--count", 300, "--metric", "frechet-distance", "--features", "pixels")
    assert "(" not in done.stdout.split("Features:")[0].split("frechet-distance")[1]


def test_truncated_samples_are_scored_and_the_protocol_says_so(trained: tuple[Path, str], in_process: Command) -> None:
    how = ("--features", "pixels", "--count", 300, *QUICK)
    usual, truncated = (
        lines(in_process("evaluate", trained[0], *how, *more, "--json", "-")[1])[0]
        for more in ((), ("--truncation", 0.1))
    )
    images = package.load(trained[0]).sample(300, seed=1, truncation=0.1)
    expected, *_ = package.evaluate(
        images, "digits", metrics=QUICK[1:], features="pixels", reference="test"
    ).scores.values()
    assert truncated["value"] == expected[0].value != usual["value"]
    said = " Truncated samples: normal latents beyond 0.1 are drawn again."
    assert truncated["comparable"] == str(usual["comparable"]) + said
    np.save(in_process.folder / "a.npy", images.numpy())
    refused = in_process.refused("evaluate", "a.npy", "--against", "digits", "--truncation", 0.1)
    assert refused == "error: --truncation is for generators, and a.npy holds samples that are made already\n"
