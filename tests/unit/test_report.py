"""What the report says of the discriminator depends on whether its values are probabilities."""

import json
from pathlib import Path

import pytest

from zerosum import recipes, report
from zerosum.record import RunFolder

LINE = {
    "kind": "iteration",
    "step": 1,
    "seconds": 0.5,
    "discriminator_loss": 1.2,
    "generator_loss": 0.7,
    "penalty": 0.1,
    "d_real": 0.6,
    "d_fake": 0.4,
    "real_led": 0.625,
    "real_as_real": 5,
    "real_as_fake": 3,
    "fake_as_real": 2,
    "fake_as_fake": 6,
}


@pytest.mark.parametrize(
    ("recipe", "said", "unsaid"),
    [
        ("dcgan", "judged real", "are no probabilities"),
        ("points", "the real one the larger value in\n62.5%", "D = 1/2"),
        ("wgan-gp", "wasserstein, its values are no probabilities", "D = 1/2"),
    ],
)
def test_only_probabilities_are_called_so(recipe: str, said: str, unsaid: str, tmp_path: Path) -> None:
    about = {
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
    folder = RunFolder(tmp_path)
    folder.description.write_text(json.dumps(about))
    folder.append(LINE)
    report.write(folder)
    page = folder.report.read_text()
    assert said in page
    assert unsaid not in page
