"""Numbers that are no longer finite: which was the first, and going back to before it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

import zerosum
from tests.unit.run.small import ENGINE, RECIPE, SOURCE
from zerosum import records
from zerosum.errors import InputError
from zerosum.game.algorithm import Iteration
from zerosum.game.optimizers import SGD, Adam, OptimizerConfig
from zerosum.game.players import Players
from zerosum.records import IterationRecord, Record
from zerosum.run import checkpoint
from zerosum.run.description import describe
from zerosum.run.divergence import WATCHED, BadLoss, Diverged, find_loss, find_weight, watch_layers
from zerosum.run.probe import Probe
from zerosum.run.scoring import NoScoring
from zerosum.run.trainer import Trainer

BREAKS_AT = 70


@dataclass(frozen=True)
class Brittle(Adam, name="test-brittle"):
    """Adam whose rate is no number from an iteration on, if it was not made smaller before."""

    paper: ClassVar[str] = "none"
    lr: float = 2e-4

    def schedule(self, optimizer: torch.optim.Optimizer, step: int, steps: int) -> None:
        """Break."""
        super().schedule(optimizer, step, steps)
        if step >= BREAKS_AT and self.lr > 1.5e-4:
            optimizer.param_groups[0]["lr"] = torch.nan


def measured(step: int, discriminator: float = 0.5, penalty: float = 0.0, generator: float = 0.7) -> Iteration:
    losses = map(torch.tensor, (discriminator, penalty, generator))
    return Iteration(step, *losses, torch.zeros(2), torch.zeros(2))


def test_the_first_loss_is_found_with_those_before_it() -> None:
    assert find_loss([]) is None
    assert find_loss([measured(4), measured(5)]) is None
    found = find_loss([measured(4), measured(5, penalty=torch.inf, generator=torch.nan), measured(6, torch.nan)])
    before = "(an iteration before: discriminator's loss 0.5, discriminator's penalty 0, generator's loss 0.7)"
    assert found == BadLoss(5, f"the discriminator's penalty is inf {before}")
    assert find_loss([measured(4, generator=torch.nan)]) == BadLoss(4, "the generator's loss is nan")


class Root(nn.Module):
    """Whose gradient at 0 is infinite."""

    def forward(self, batch: Tensor) -> Tensor:
        return (batch * 0).abs().sqrt()


def players() -> Players:
    return Players.build(RECIPE, SOURCE, ENGINE, seed=0)


@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_the_layer_is_named_in_which_it_begins(name: str) -> None:
    both = players()
    network: nn.Module = getattr(both, name).network
    layers = [(where, each) for where, each in network.named_modules() if isinstance(each, nn.Linear | nn.Conv2d)]
    where, layer = layers[len(layers) // 2]
    with torch.no_grad():
        layer.weight.fill_(torch.inf)
    with watch_layers(both) as found:
        samples = both.generate(None, 4)
        both.predict(samples, None, 0.0)
    assert found[0] == f"the {name}'s layer {where} ({type(layer).__name__})"
    assert find_weight(both) == f"the {name}'s {where}.weight is not finite"
    count = len(found)
    both.generate(None, 4)
    assert len(found) == count  # nothing is watched any more


def test_a_gradient_that_is_not_finite_is_named() -> None:
    both = players()
    first = nn.Linear(2, 2)
    network = nn.Sequential(first, Root())
    broken = replace(both, discriminator=replace(both.discriminator, network=network))
    with watch_layers(broken) as found:
        broken.discriminator.backward(network(torch.ones(3, 2)).sum())
    assert found[0].startswith("the gradient of the discriminator's 0.")
    assert find_weight(broken) == ""


def begin(path: Path, changes: Callable[[float], OptimizerConfig], steps: int = 90) -> Trainer:
    recipe = replace(RECIPE, generator_optimizer=changes(2e-4), discriminator_optimizer=Adam(lr=2e-4))
    about = describe("digits", SOURCE, recipe, Probe(ENGINE, 0.0), seed=0, steps=steps)
    return Trainer.create(path, recipe, SOURCE, about)


def ignore(record: Record) -> None:
    """Show nothing."""


def test_a_run_stops_within_fifty_iterations_with_its_checkpoint_from_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zerosum.run.trainer.LINES", 1)
    trainer = begin(tmp_path / "r", lambda rate: Brittle(lr=rate), steps=10_000)
    steps = list[int]()
    stop = lambda: steps.append(trainer.step) or False  # noqa: E731
    with pytest.raises(Diverged) as caught:
        trainer.train(NoScoring(), ignore, stop)
    trainer.folder.close()
    assert BREAKS_AT < steps[-1] + 1 <= BREAKS_AT + WATCHED
    text = str(caught.value)
    assert f"the game diverged before step {steps[-1] + 1}: the discriminator's loss is nan (an iteration" in text
    assert "it began in the generator's layer" in text
    assert "is from before, step 0; 'zerosum resume" in text
    assert "--on-nonfinite rollback' goes on from it with half the learning rates" in text
    assert checkpoint.steps(trainer.folder.checkpoints) == [0]


def test_a_run_that_goes_back_has_half_the_rates_from_there_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerosum.run.trainer.CHECKPOINT_SECONDS", 0.0)
    seen = list[Record]()
    brittle = begin(tmp_path / "r", lambda rate: Brittle(lr=rate))
    with pytest.raises(Diverged):
        brittle.train(NoScoring(), seen.append, lambda: False)
    brittle.roll_back()
    assert brittle.train(NoScoring(), seen.append, lambda: False)
    brittle.folder.close()
    back = json.loads((tmp_path / "r" / "run.json").read_text())["halved_from"]
    assert 0 < back <= BREAKS_AT
    # a run with these rates from that iteration on, and with others before
    other = begin(tmp_path / "other", lambda rate: Adam(lr=rate))
    other.halved_from = back
    other.train(NoScoring(), ignore, lambda: False)
    other.folder.close()
    one, two = (checkpoint.load(folder / "checkpoints", 90).tensors for folder in (tmp_path / "r", tmp_path / "other"))
    names = [name for name in one if name.startswith(("generator/", "discriminator/"))]
    assert names
    assert all(torch.equal(one[name], two[name]) for name in names)
    steps = [record.step for record in records.read(brittle.folder, IterationRecord)]
    assert steps == sorted(set(steps))
    assert steps[-1] == 90
    assert len(seen) > len(steps)


def test_a_run_that_went_back_resumes_as_it_was_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerosum.run.trainer.CHECKPOINT_SECONDS", 0.0)
    recipe = replace(RECIPE, generator_optimizer=Brittle(), discriminator_optimizer=Adam())
    with pytest.raises(Diverged):
        zerosum.train("digits", recipe, steps=90, out=tmp_path / "stopped")
    zerosum.train("digits", recipe, steps=90, out=tmp_path / "r", on_nonfinite="rollback")
    expected = checkpoint.load(tmp_path / "r" / "checkpoints", 90).tensors
    for file in [*(tmp_path / "r" / "checkpoints").glob("*90.*"), tmp_path / "r" / "report.html"]:
        file.unlink()
    zerosum.resume(tmp_path / "r")
    found = checkpoint.load(tmp_path / "r" / "checkpoints", 90).tensors
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_rate_that_is_too_high_twice_is_told_so(tmp_path: Path) -> None:
    trainer = begin(tmp_path / "r", lambda rate: Brittle(lr=4 * rate))
    with pytest.raises(Diverged):
        trainer.train(NoScoring(), ignore, lambda: False)
    trainer.roll_back()
    with pytest.raises(Diverged, match="rates were halved once already, from step 0: begin with smaller ones"):
        trainer.train(NoScoring(), ignore, lambda: False)
    trainer.folder.close()


def test_the_layer_is_found_where_the_number_of_iterations_changed_since_the_checkpoint(tmp_path: Path) -> None:
    trainer = begin(tmp_path / "r", lambda rate: Brittle(lr=rate))
    trainer.lengths = [(0, 80), (40, 90)]
    with pytest.raises(Diverged, match="it began in the "):
        trainer.train(NoScoring(), ignore, lambda: False)
    trainer.folder.close()


@pytest.mark.parametrize("word", ["Rollback", None, True])
def test_other_words_are_refused(word: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="on_nonfinite: it must be 'stop' or 'rollback', but it was"):
        zerosum.train("ring", "toy", steps=2, out=tmp_path / "r", on_nonfinite=word)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="on_nonfinite: it must be 'stop' or 'rollback', but it was"):
        zerosum.resume(tmp_path / "r", on_nonfinite=word)  # type: ignore[arg-type]
    assert not (tmp_path / "r").exists()


def test_rates_are_halved() -> None:
    assert Adam(lr=2e-4, beta1=0.3).halve() == Adam(lr=1e-4, beta1=0.3)
    assert SGD().halve().rate(0, 10) == pytest.approx(SGD().rate(0, 10) / 2)

    @dataclass(frozen=True)
    class Own(OptimizerConfig, name="test-without-a-rate"):
        paper: ClassVar[str] = "none"

        def build(self, parameters: object) -> torch.optim.Optimizer:
            raise NotImplementedError

        def schedule(self, optimizer: torch.optim.Optimizer, step: int, steps: int) -> None:
            raise NotImplementedError

    with pytest.raises(InputError, match="test-without-a-rate has no field lr"):
        Own().halve()
