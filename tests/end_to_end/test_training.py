"""Training from a program, with parts of one's own."""

import json
import re
import runpy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import zerosum
from zerosum.errors import InputError

PAGE = Path(__file__).parents[2] / "docs" / "parts.md"


def test_the_program_on_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "mine.py").write_text(program)
    found = runpy.run_path("mine.py")
    gan, again = found["gan"], found["again"]
    assert isinstance(gan, zerosum.GAN)
    assert isinstance(again, zerosum.GAN)
    assert torch.equal(again.sample(16), gan.sample(16))
    about = json.loads((tmp_path / "runs" / "mine" / "run.json").read_text())
    assert about["recipe"]["game"] == {"name": "tempered", "temperature": 3.0}
    assert about["recipe"]["networks"]["width"] == 32


def test_a_program_and_the_command_train_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zerosum.cli import main

    monkeypatch.chdir(tmp_path)
    lines: list[dict[str, object]] = []
    recipe = replace(zerosum.recipe("toy"), batch_size=16)
    zerosum.train("ring", recipe, steps=4, out="program", observe=lines.append)
    assert [line["step"] for line in lines if line["kind"] == "iteration"] == [1, 2, 3, 4]
    arguments = ["train", "ring", "--recipe", "toy", "--set", "batch_size=16", "--steps", "4", "--out", "command"]
    monkeypatch.setattr("sys.argv", ["zerosum", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    one, other = (tmp_path / name / "generator.safetensors" for name in ("program", "command"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({"steps": 3, "minutes": 1.0}, "give one of them"),
        ({"steps": 0}, "at least one step"),
        ({"minutes": float("nan")}, "more than 0 minutes"),
        ({"minutes": float("inf")}, "more than 0 minutes"),
        ({"recipe": "dcgna"}, "no recipe is called 'dcgna'"),
        ({"device": "cuda:99"}, "cuda:99"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(
    wanted: dict[str, object], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=problem):
        zerosum.train("ring", **wanted)  # type: ignore[arg-type]  # what people type
    assert not list(tmp_path.iterdir())
