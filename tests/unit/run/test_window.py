"""The logging window: what a checkpoint keeps of it comes back, and how it is summarized."""

from itertools import islice
from pathlib import Path

from tests.unit.run.small import ENGINE, RECIPE, SOURCE, build
from zerosum.game.algorithm import play
from zerosum.run import checkpoint
from zerosum.run.window import LogWindow


def test_an_open_window_comes_back_from_a_checkpoint(tmp_path: Path) -> None:
    players, ema = build()
    window = LogWindow(list(islice(play(players, RECIPE, SOURCE.train, steps=20, seed=0, start=3), 4)))
    for saved in (window, LogWindow()):
        checkpoint.save(tmp_path, 7, players, ema, {}, saved.tensors())
        found = LogWindow.from_tensors(checkpoint.load(tmp_path, 7).window, ENGINE.device)
        assert [each.step for each in found.iterations] == [each.step for each in saved.iterations]
        assert not found.iterations or found.summarize(7, 1.0) == saved.summarize(7, 1.0)
