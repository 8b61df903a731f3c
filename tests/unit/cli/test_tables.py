"""What the terminal says of scores: in what each was measured, and what it may be compared with."""

from dataclasses import replace

import pytest
from rich.console import Console

from tests.unit.test_run_report import SCORE
from zerosum.cli._tables import show_scores
from zerosum.metrics import Score

IN_FEATURES = replace(
    SCORE,
    features="random features",
    resizer="to 299x299",
    reference="test split of noise",
    comparable="Compare with the same features.",
)
IN_PIXELS = replace(
    IN_FEATURES,
    metric="parzen-log-likelihood",
    features="pixels in [0, 1]",
    resizer="none",
    samples=2_000,
    comparable="Compare with the same test images.",
)


def shown(scores: dict[str, list[Score]]) -> str:
    console = Console(width=1_000)
    with console.capture() as capture:
        show_scores(scores, console)
    return capture.get()


def test_scores_that_were_measured_in_one_thing_say_so_once() -> None:
    said = shown({"run": [IN_FEATURES, replace(IN_FEATURES, metric="recall")]})
    assert said.count("random features") == said.count("Compare with the same features.") == 1
    assert "recall" not in said.splitlines()[-1]


@pytest.mark.parametrize("names", [("run",), ("run", "other")])
def test_scores_that_were_measured_in_something_else_say_in_what(names: tuple[str, ...]) -> None:
    said = shown({name: [IN_FEATURES, IN_PIXELS, replace(IN_PIXELS, metric="another")] for name in names})
    assert "Features: random features; resizer: to 299x299; against the test split of noise" in said
    other = "But parzen-log-likelihood, another: pixels in [0, 1]; resizer: none. Compare with the same test images."
    assert said.splitlines()[-1] == other


def test_no_more_samples_are_said_than_the_largest_number() -> None:
    assert "Samples, at most: run: 5,000, other: 5,000." in shown(
        {name: [IN_PIXELS, IN_FEATURES] for name in ("run", "other")}
    )


SIGNS = {"lower": "↓", "higher": "↑", "near 0.5": "→", "above 0.1": ">0.1"}


@pytest.mark.parametrize(("better", "sign"), SIGNS.items())
def test_what_is_better_is_a_sign(better: str, sign: str) -> None:
    assert f" {sign} " in shown({"run": [replace(IN_FEATURES, better=better)]}).splitlines()[3]
