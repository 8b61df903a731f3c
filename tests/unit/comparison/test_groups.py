"""Which runs are compared, as which groups, and which are left out and why."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.comparison.made import edit, make_run, make_seeds
from tests.unit.test_records import SCORE
from zerosum.comparison.differences import holm, welch
from zerosum.comparison.groups import compare
from zerosum.comparison.recipes import differ, in_words
from zerosum.errors import InputError
from zerosum.metrics.statistics import ConfidenceInterval
from zerosum.seeds import SeedsFolder

FIRST = {"coverage": [0.5, 0.6, 0.55], "frechet-distance": [10.0, 11.0, 12.0]}
SECOND = {"coverage": [0.5, 0.62, 0.5], "frechet-distance": [2.0, 3.0, 2.5]}
HINGE = ("game=hinge",)


def test_seeds_and_single_runs_of_one_recipe_are_one_group_in_the_order_of_their_seeds(tmp_path: Path) -> None:
    more = make_run(tmp_path / "more", {"frechet-distance": 13.0, "coverage": 0.6}, seed=7)
    other = make_seeds(tmp_path / "other", SECOND, changes=HINGE)
    named = make_run(  # another name, number of threads and default length are no other recipe
        tmp_path / "named",
        {"frechet-distance": 1.0, "coverage": 0.7},
        seed=5,
        changes=("name=x", "summary=y", "threads=2", "steps=9"),
    )
    first = make_seeds(tmp_path / "first", FIRST)
    found = compare([more, first, other, named, first / "seed-0"])
    assert [(group.letter, group.seeds) for group in found.groups] == [("A", [0, 1, 2, 5, 7]), ("B", [0, 1, 2])]
    assert found.left_out == []
    assert found.groups[0].places == [first, named, more]
    assert found.metrics == ["frechet-distance", "coverage"]  # the main one first
    (difference,) = found.groups[1].differences
    assert difference.startswith("game: relativistic(")
    assert difference.endswith(" vs hinge")


def test_the_figures_are_those_of_the_statistics(tmp_path: Path) -> None:
    first, second = make_seeds(tmp_path / "first", FIRST), make_seeds(tmp_path / "second", SECOND, changes=HINGE)
    found = compare([first, second])
    assert found.groups[0].interval("frechet-distance") == ConfidenceInterval.by_student(11.0, 1.0, 2, 3)
    expected = {metric: welch(FIRST[metric], SECOND[metric]) for metric in found.metrics}
    corrected = holm([expected[metric].p for metric in found.metrics])
    assert [(each.difference, each.corrected) for each in found.contrasts] == list(
        zip(expected.values(), corrected, strict=True)
    )
    assert [each.is_clear for each in found.contrasts] == [True, False]
    (alone,) = compare([first, second], ["frechet-distance"]).contrasts
    assert alone.corrected == expected["frechet-distance"].p


def test_one_run_has_the_interval_of_its_samples_and_no_difference(tmp_path: Path) -> None:
    first = make_seeds(tmp_path / "first", FIRST)
    alone = make_run(tmp_path / "alone", {"frechet-distance": 1.0, "coverage": 0.5}, changes=HINGE)
    found = compare([first, alone])
    assert found.groups[1].interval("frechet-distance") == ConfidenceInterval(1.0, 0.9, 1.1)
    assert all(each.difference is None and not each.is_clear for each in found.contrasts)


LEFT_OUT = {
    "fingerprint": ({"fingerprint": "0" * 32, "data": "grid"}, "trained on other data (grid) than {first} (ring)"),
    "length": ({"steps": 200, "done": 200}, "200 iterations, and {first} has 100"),
    "unfinished": ({"done": 50}, "not finished, 50 of 100 iterations (zerosum resume {run})"),
    "again": ({"changes": (), "seed": 0}, "the recipe and the seed of {first} once more, no further draw"),
    "again under a name": ({"changes": ("name=x",)}, "the recipe and the seed of {first} once more, no further draw"),
}


@pytest.mark.parametrize("what", LEFT_OUT)
def test_what_cannot_be_compared_is_left_out_by_name(what: str, tmp_path: Path) -> None:
    about, why = LEFT_OUT[what]
    first = make_run(tmp_path / "first", {"frechet-distance": 1.0})
    run = make_run(tmp_path / "run", {"frechet-distance": 2.0}, **{"changes": HINGE, **about})
    found = compare([first, run])
    assert [group.seeds for group in found.groups] == [[0]]
    assert found.left_out == [f"{run}: {why.format(first=first, run=run)}"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("features", "pixels", "frechet-distance with other features (pixels) than in"),
        ("samples", 7, "frechet-distance with other samples (7) than in"),
        ("reference", "training split of ring", "frechet-distance with other reference (training split of ring)"),
        ("seed", 3, "frechet-distance with other sampling seed (3) than in"),
    ],
)
def test_another_protocol_is_named(
    field: str, value: object, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_run(tmp_path / "first", {"frechet-distance": 1.0})
    made = "tests.unit.comparison.made.SCORE"
    monkeypatch.setattr(made, replace(SCORE, **{field: value}))
    run = make_run(tmp_path / "run", {"frechet-distance": 2.0}, changes=HINGE)
    (line,) = compare([first, run]).left_out
    assert line.startswith(f"{run}: {words}")


def test_a_run_without_the_scores_of_the_first_is_left_out_and_one_without_some_leaves_these_out(
    tmp_path: Path,
) -> None:
    first = make_run(tmp_path / "first", {"frechet-distance": 1.0, "coverage": 0.5})
    some = make_run(tmp_path / "some", {"frechet-distance": 1.0}, changes=HINGE)
    none = make_run(tmp_path / "none", {"recall": 1.0}, changes=HINGE, seed=2)
    found = compare([first, some, none])
    assert found.left_out == [f"{none}: none of the scores of {first}"]
    assert (found.metrics, found.unshared) == (["frechet-distance"], ["coverage"])


def test_equal_time_may_be_other_numbers_of_iterations_and_it_is_said(tmp_path: Path) -> None:
    first = make_run(tmp_path / "first", {"frechet-distance": 1.0}, minutes=2)
    slower = make_run(tmp_path / "slower", {"frechet-distance": 1.0}, changes=HINGE, minutes=2, steps=80, done=80)
    shorter = make_run(tmp_path / "shorter", {"frechet-distance": 1.0}, changes=HINGE, minutes=1, steps=80, done=80)
    found = compare([first, slower, shorter])
    assert found.left_out == [f"{shorter}: 80 iterations, and {first} has 100"]
    assert found.notes == ["Compared at equal time (2 minutes a run), not at equal iterations: A 100, B 80 on average."]
    same = make_run(tmp_path / "same", {"frechet-distance": 1.0}, changes=HINGE)
    note = "Compared at equal iterations (100), not at equal time: a run took A 10 s, B 10 s."
    assert compare([first, same]).notes == [note]


def test_runs_that_diverged_are_said_with_their_group(tmp_path: Path) -> None:
    first, other = make_seeds(tmp_path / "first", FIRST), make_seeds(tmp_path / "other", SECOND, changes=HINGE)
    (other / "seed-1" / "metrics.jsonl").write_text("")
    SeedsFolder(other).note_diverged(1, "the generator's loss is nan")
    found = compare([first, other])
    assert (found.groups[1].seeds, found.groups[1].diverged) == ([0, 2], [other / "seed-1"])


def test_seeds_that_are_not_begun_are_left_out(tmp_path: Path) -> None:
    first = make_seeds(tmp_path / "first", FIRST)
    (first / "seed-2" / "run.json").unlink()
    assert compare([first]).left_out == [f"{first / 'seed-2'}: not begun"]


def test_a_run_in_stretches_or_from_other_weights_is_another_recipe(tmp_path: Path) -> None:
    values = {"frechet-distance": 1.0}
    first = make_run(tmp_path / "first", values)
    longer = make_run(tmp_path / "longer", values, seed=1, lengths=[[0, 50], [50, 100]])
    start = {"place": "/x/cats", "sha256": "0123456789", "step": 1, "parts": []}
    tuned = make_run(tmp_path / "tuned", values, seed=2, start=start)
    found = compare([first, longer, tuned])
    assert [group.differences for group in found.groups[1:]] == [
        ["trained in stretches: none vs [[0, 50], [50, 100]]"],
        ["from: none vs /x/cats (01234567)"],
    ]


def test_what_some_runs_went_through_is_noted(tmp_path: Path) -> None:
    values = {"frechet-distance": 1.0}
    auto = ("precision=auto",)
    first = make_run(tmp_path / "first", values, changes=auto)
    back = make_run(tmp_path / "back", values, changes=auto, seed=1, halved_from=40)
    edit(back, precision="bfloat16")
    assert compare([first, back]).notes == [
        f"{back} went back once and on with half the learning rates, from step 40",
        "some runs compute in bfloat16 and some in float32, as each measured what is faster",
    ]


def test_wrong_places_and_metrics_are_refused(tmp_path: Path) -> None:
    first = make_run(tmp_path / "first", {"frechet-distance": 1.0})
    unfinished = make_run(tmp_path / "unfinished", {}, done=25)
    with pytest.raises(InputError, match="no run at"):
        compare([first, tmp_path / "nowhere"])
    with pytest.raises(InputError, match=r"unfinished: not finished, 25 of 100 iterations"):
        compare([unfinished])
    with pytest.raises(InputError, match="no score 'frechet' in all runs: did you mean 'frechet-distance'"):
        compare([first], ["frechet"])


def test_recipes_differ_by_field_and_components_as_a_whole() -> None:
    first = {"game": {"name": "hinge"}, "rates": [{"name": "adam", "lr": 1}], "tricks": [], "size": None}
    second = {"game": {"name": "gan", "k": 2}, "rates": [{"name": "adam", "lr": 2}], "tricks": [{"name": "replay"}]}
    assert list(differ(first, second)) == [
        "game: hinge vs gan(k=2)",
        "rates.0.lr: 1 vs 2",
        "tricks: none vs [replay]",
    ]
    assert list(differ(first, first)) == []
    assert in_words({"name": "a", "b": [1, True], "c": {"name": "d"}}) == "a(b=[1, true], c=d)"
