"""Scores in continuous integration: conditions that a build fails on, and files for other programs."""

import json
from xml.etree import ElementTree as Xml

import pytest

from tests.end_to_end.conftest import Command
from tests.photos import fill

QUICK = ("--features", "random-convolutions", "--metric", "frechet-distance", "--metric", "neighbours")


@pytest.fixture
def photos(in_process: Command) -> Command:
    fill(in_process.folder / "reals", 30, size=(16, 16))
    fill(in_process.folder / "fakes", 20, first=30, size=(16, 16))
    return in_process


def test_a_build_fails_on_the_figures_that_it_names_and_says_which(photos: Command) -> None:
    ask = ("evaluate", "fakes", "--against", "reals", *QUICK)
    code, out, err = photos(*ask, "--fail-if", "frechet-distance>1e9", "--fail-if", "coverage < 0")
    assert (code, err) == (0, "")
    assert "coverage" in out
    code, out, err = photos(
        *ask, "--fail-if", "frechet-distance>0", "--fail-if", "coverage<=1", "--fail-if", "recall>1"
    )
    assert code == 1
    assert "coverage" in out  # the table is shown first
    assert err.count("\n") == 1
    first, second = err.removeprefix("error: ").split("; fakes")
    assert first.startswith("fakes: frechet-distance is ")
    assert "and frechet-distance > 0 fails" in first
    assert "coverage is" in second
    assert "coverage <= 1 fails" in second


def test_scores_are_written_for_other_programs(photos: Command) -> None:
    ask = ("evaluate", "fakes", "--against", "reals", *QUICK, "--fail-if", "precision>=0")
    for _ in range(2):  # what zerosum wrote is replaced
        code, out, _ = photos(*ask, "--json", "s.jsonl", "--junit", "s.xml", "--markdown", "s.md")
        assert code == 1
    assert "frechet-distance" in out
    scores = [json.loads(line) for line in (photos.folder / "s.jsonl").read_text().splitlines()]
    assert [score["metric"] for score in scores] == ["frechet-distance", "precision", "recall", "density", "coverage"]
    (suite,) = Xml.parse(photos.folder / "s.xml").getroot()  # noqa: S314  # we wrote it
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("fakes", "5", "1")
    values = {
        case.get("name"): {each.get("name"): each.get("value") for each in case.find("properties") or ()}
        for case in suite
    }
    assert {name: float(fields["value"] or 0) for name, fields in values.items()} == {
        score["metric"]: score["value"] for score in scores
    }
    assert [case.get("name") for case in suite if case.find("failure") is not None] == ["precision"]
    page = (photos.folder / "s.md").read_text()
    assert page.startswith("<!-- zerosum evaluate -->\n\n### fakes\n\n| figure |")
    assert f"| frechet-distance | lower | {scores[0]['value']:.3f} | " in page
    assert "- **Failed**: fakes: precision is" in page
    assert "random-convolutions-32-64-64-64-mean2x2 (seed 0); resizer: none; against the whole of reals" in page


def test_conditions_and_files_that_cannot_be_are_refused_before_work(photos: Command) -> None:
    (photos.folder / "mine.md").write_text("# mine")
    for arguments, words in (
        (("--fail-if", "fidd>1"), "unknown figure 'fidd': did you mean 'fid'?"),
        (("--fail-if", "mifid>1"), "mifid is not measured without --metric mifid"),
        (("--fail-if", "intra-recall<1"), "intra-recall is not measured without --by-class"),
        (("--fail-if", "frechet-distance"), "write a figure, one of"),
        (("--markdown", "mine.md"), "only scores written by zerosum are replaced"),
        (("--json", "reals"), "it is a folder"),
        (("--json", "--junit"), "a file's name is wanted"),
        (("--junit", "nowhere/a.xml"), "nowhere is not a folder"),
        (("--junit", "a.xml", "--markdown", "a.xml"), "need files of their own"),
    ):
        assert words in photos.refused("evaluate", "fakes", "--against", "reals", *arguments)


def test_a_figure_that_was_not_measured_after_all_is_named(photos: Command) -> None:
    code, _, err = photos("evaluate", "fakes", "--against", "reals", *QUICK, "--fail-if", "fid>12")
    assert (code, err.count("\n")) == (2, 1)
    assert "fid was not measured of fakes, but frechet-distance, precision" in err
