"""What a comparison leaves: a picture of the curves, and all its figures as JSON."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.comparison.made import make_run, make_seeds
from zerosum.comparison.groups import Comparison, compare
from zerosum.comparison.picture import STYLES, draw
from zerosum.comparison.writing import as_json, check_json, write_json
from zerosum.errors import InputError

FIRST = {"frechet-distance": [10.0, 11.0, 12.0]}
SECOND = {"frechet-distance": [2.0, 3.0, 2.5]}


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    first, second = make_seeds(tmp_path / "a", FIRST), make_seeds(tmp_path / "b", SECOND, changes=("game=hinge",))
    return compare([first, second])


def test_curves_are_means_over_iterations_and_over_seconds(comparison: Comparison) -> None:
    axes: Any = draw(comparison).axes
    lines = [each.get_lines() for each in axes]
    for panel, places in zip(lines, ([25, 50, 75, 100], [2.5, 5.0, 7.5, 10.0]), strict=True):
        assert len(panel) == 2
        for line, last in zip(panel, (11.0, 2.5), strict=True):
            np.testing.assert_allclose(line.get_xdata(), places)
            np.testing.assert_allclose(line.get_ydata(), [40, 20, 1_000 / 75, last])
    (band, _) = axes[0].collections
    ends = band.get_paths()[0].vertices
    assert {10.0, 12.0} <= set(ends[ends[:, 0] == 100][:, 1].tolist())
    labels = [text.get_text() for text in draw(comparison).legends[0].get_texts()]
    assert labels == ["A: a (3 seeds)", "B: b (3 seeds)"]


def test_groups_differ_in_colour_mark_and_dashes() -> None:
    assert len({colour for colour, _, _ in STYLES}) == len({mark for _, mark, _ in STYLES}) == len(STYLES)
    assert all(one[2] != other[2] for one, other in itertools.pairwise(STYLES))


def test_one_run_without_scores_on_the_way_is_a_point(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {"frechet-distance": 5.0}, steps=4, done=4)
    text = (run / "metrics.jsonl").read_text().splitlines(keepends=True)
    (run / "metrics.jsonl").write_text("".join(each for each in text if '"score"' not in each or '"step": 4' in each))
    (line,) = draw(compare([run])).axes[0].get_lines()
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([4], [5.0])


def test_all_figures_are_in_the_json(comparison: Comparison, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    write_json(comparison, file)
    found = json.loads(file.read_text())
    assert found == as_json(comparison)
    assert [group["means"]["frechet-distance"]["value"] for group in found["groups"]] == [11.0, 2.5]
    assert [run["scores"]["frechet-distance"] for run in found["groups"][0]["runs"]] == FIRST["frechet-distance"]
    (contrast,), difference = found["contrasts"], comparison.contrasts[0].difference
    assert difference is not None
    assert (contrast["p"], contrast["p_holm"], contrast["value"]) == (difference.p, difference.p, -8.5)
    assert (contrast["detectable"], contrast["more_than_chance"]) == (difference.detectable, True)
    assert found["metrics"][0]["features"] == "coordinates"
    check_json(file)  # its own file may be replaced


def test_json_replaces_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("{}")
    for place, words in (("notes.json", "is no comparison"), (".", "is a folder"), ("none/x.json", "is not a folder")):
        with pytest.raises(InputError, match=words):
            check_json(tmp_path / place)
