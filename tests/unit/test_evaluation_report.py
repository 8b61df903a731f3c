"""The page on an evaluation holds scores and pictures of everything that was scored, and needs nothing else."""

import re
from dataclasses import replace
from pathlib import Path

import torch

from tests.unit.test_run_report import SCORE
from zerosum.metrics.by_class import ClassScores, ClassTable
from zerosum.metrics.examples import Examples
from zerosum.report import evaluation

COVERAGE = replace(
    SCORE, metric="coverage", value=0.31, low=0.29, high=0.33, better="higher", real=0.97, warning="doubtful"
)


def examples(missed: int) -> Examples:
    images = torch.arange(16, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 8, 8)
    return Examples(images, images, images, images, images[:missed], lonely_share=0.25, missed_share=0.69)


def test_the_page_shows_everything_that_was_scored(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    evaluation.write(file, "cats", {"a<b>": [COVERAGE], "c": [COVERAGE]}, {"a<b>": examples(8), "c": examples(0)}, {})
    page = file.read_text()
    assert "a&lt;b&gt;" in page
    assert "a<b>" not in page
    assert page.count("data:image/png;base64,") == 9
    assert page.count("<p>None.</p>") == 1
    assert page.count("69% of the real images") == 2
    assert page.count("the rest, 75%, is the precision") == 2
    assert page.count("0.310") == page.count("doubtful") == 2
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert "Class by class" not in page


def test_the_page_has_a_row_for_each_class(tmp_path: Path) -> None:
    file, few = tmp_path / "page.html", ClassScores("<i>", 3, 400, ())
    table = ClassTable((few, ClassScores("eel", 1_200, 400, (COVERAGE,))), (COVERAGE,))
    evaluation.write(file, "zoo", {"c": [COVERAGE]}, {"c": examples(8)}, {"c": table})
    page = file.read_text()
    assert "&lt;i&gt;" in page
    assert "<i>" not in page
    assert re.search(r'<td>3</td><td>400</td>\s*<td colspan="1">too few for scores of their own</td>', page)
    assert "<td>1,200</td><td>400</td>" in page
    assert "0.310 (0.970)" in page
    assert "0.290 to 0.330" in page
