"""What the terminal says of a comparison: each sentence that there is, for figures that are known."""

from pathlib import Path

import pytest
from rich.console import Console

from tests.unit.comparison.made import make_run, make_seeds
from zerosum.cli._comparison import conclude, format_figure, show_comparison
from zerosum.comparison.groups import Comparison, compare
from zerosum.seeds import SeedsFolder

HINGE = ("game=hinge",)
SPREAD = [10.0, 11.0, 12.0]


def two(folder: Path, first: dict[str, list[float]], second: dict[str, list[float]]) -> Comparison:
    return compare([make_seeds(folder / "a", first), make_seeds(folder / "b", second, changes=HINGE)])


def shown(comparison: Comparison) -> str:
    console = Console(width=1_000)
    with console.capture() as capture:
        show_comparison(comparison, console)
    return capture.get()


def test_better_is_by_the_direction_of_the_metric(tmp_path: Path) -> None:
    lower = two(tmp_path / "lower", {"frechet-distance": SPREAD}, {"frechet-distance": [1.0, 2.0, 3.0]})
    assert conclude(lower) == [
        "On Fréchet distance, B is better than A by 9.000 (6.733 to 11.267): more than chance over 3 and 3 seeds "
        "(p <0.001)."
    ]
    higher = two(tmp_path / "higher", {"coverage": SPREAD}, {"coverage": [1.0, 2.0, 3.0]})
    assert conclude(higher)[0].startswith("On coverage, B is worse than A by 9.000 (6.733 to 11.267): more than")
    near = two(tmp_path / "near", {"variety": SPREAD}, {"variety": [1.0, 2.0, 3.0]})
    assert conclude(near)[0].startswith("On variety, B is below A by 9.000 (6.733 to 11.267): more than chance")


def test_chance_comes_with_what_could_be_seen_and_how_many_seeds_would_do(tmp_path: Path) -> None:
    found = two(tmp_path, {"frechet-distance": SPREAD}, {"frechet-distance": [11.0, 12.0, 13.5]})
    (sentence,) = conclude(found)
    assert sentence.startswith("On Fréchet distance, A and B differ by 1.167 (-1.")
    difference = found.contrasts[0].difference
    assert difference is not None
    assert (
        f"not more than chance over 3 and 3 seeds (p {difference.p:.3f}). With 3 and 3 seeds a true difference below "
        f"{difference.detectable:.3f} is missed more than one time in five; about {difference.seeds} seeds of each "
        "would show one as large as this."
    ) in sentence
    assert difference.seeds is not None
    assert 3 < difference.seeds < 100


def test_a_difference_that_the_correction_takes_away_is_called_that(tmp_path: Path) -> None:
    noise = {f"metric-{number}": SPREAD for number in range(9)}
    found = two(tmp_path, {"frechet-distance": SPREAD, **noise}, {"frechet-distance": [13.0, 14.0, 15.0], **noise})
    sentence, rest = conclude(found)
    p = found.contrasts[0].difference.p if found.contrasts[0].difference else 1.0
    assert 0.05 / 10 < p < 0.05
    assert sentence.endswith(
        f"more than chance over 3 and 3 seeds if this metric was chosen beforehand (p {p:.3f}), not if it is one of "
        f"all in the table (p {10 * p:.3f})."
    )
    assert rest.startswith("Not more than chance between A and B: metric 0, metric 1")
    assert "corrected for the 10 comparisons of the table (Holm)" in shown(found)


def test_the_other_metrics_follow_in_two_sentences(tmp_path: Path) -> None:
    others = {"coverage": [0.1, 0.11, 0.12], "recall": [0.5, 0.6, 0.7]}
    better = {"coverage": [0.9, 0.91, 0.92], "recall": [0.5, 0.7, 0.7]}
    found = two(tmp_path, {"frechet-distance": SPREAD, **others}, {"frechet-distance": SPREAD, **better})
    assert conclude(found)[1:] == [
        "More than chance too: B is better on coverage by 0.800.",
        "Not more than chance between A and B: recall.",
    ]


def test_figures_without_spread_are_said_as_they_are(tmp_path: Path) -> None:
    same = two(tmp_path / "same", {"modes-covered": [8.0] * 3}, {"modes-covered": [8.0] * 3})
    assert conclude(same) == ["On modes covered, A and B are the same in every run (over 3 and 3 seeds)."]
    assert "in every run" in shown(same)
    apart = two(tmp_path / "apart", {"modes-covered": [8.0] * 3}, {"modes-covered": [7.0] * 3})
    assert conclude(apart) == [
        "On modes covered, B is below A by 1.000 in every run: not more than chance, by an exact permutation (over 3 "
        "and 3 seeds)."
    ]


def test_one_seed_cannot_tell_and_the_command_for_more_is_said(tmp_path: Path) -> None:
    first = make_seeds(tmp_path / "a", {"frechet-distance": SPREAD})
    alone = make_run(tmp_path / "alone", {"frechet-distance": 1.0}, changes=HINGE, seed=4)
    (sentence,) = conclude(compare([first, alone]))
    assert sentence.startswith("B: one seed only. The intervals are of the finite samples; another seed")
    assert (
        "shows with 3 seeds of each one of 3.5, with 5 seeds of each one of 2.1, with 10 seeds of each one of 1.3"
        in sentence
    )
    assert sentence.endswith(f"zerosum train ring --recipe {alone} --steps 100 --seed 5 --seeds 2")
    assert conclude(compare([first])) == ["All runs are of one recipe: there is nothing to compare A with."]


def test_who_is_compared_is_said_first(tmp_path: Path) -> None:
    first = make_seeds(tmp_path / "a", {"frechet-distance": SPREAD})
    other = make_seeds(tmp_path / "b", {"frechet-distance": SPREAD}, changes=HINGE)
    (other / "seed-1" / "metrics.jsonl").write_text("")
    SeedsFolder(other).note_diverged(1, "the generator's loss is nan")
    lines = shown(compare([first, other])).splitlines()
    assert lines[0] == f"A  {first}: recipe toy, 3 seeds (0, 1, 2), 100 iterations"
    assert lines[1] == f"B  {other}: recipe toy, 2 seeds (0, 2), 100 iterations"
    assert lines[2].startswith("   other than A (A vs B): game: relativistic(pairwise_loss=")
    assert lines[3].startswith(f"   1 of 3 runs diverged ({other / 'seed-1'}): what is said of B is said of those that")
    assert any(line.startswith(f"Left out   {other / 'seed-1'}: not finished") for line in lines)


@pytest.mark.parametrize(("value", "text"), [(0.00132, "0.0013"), (-0.0002, "-0.0002"), (0.0, "0.000"), (0.5, "0.500")])
def test_small_figures_keep_two_digits(value: float, text: str) -> None:
    assert format_figure(value) == text
