"""The iterations between two lines of the metrics, and their summary."""

from dataclasses import dataclass, field, fields

import torch
from torch import Tensor

from zerosum.game.algorithm import Iteration
from zerosum.records import IterationRecord

MEASURED = tuple(each.name for each in fields(Iteration) if each.name != "step")


@dataclass
class LogWindow:
    """The iterations since the last line of the metrics; tensors stay on the device until `summarize` reads them."""

    iterations: list[Iteration] = field(default_factory=list)

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor], device: torch.device) -> "LogWindow":
        """Restore the window that `tensors` describes, on `device`."""
        rows = zip(*(tensors[name].to(device) for name in MEASURED if name in tensors), strict=True)
        return cls([Iteration(int(step), *row) for step, row in zip(tensors.get("step", ()), rows, strict=True)])

    def tensors(self) -> dict[str, Tensor]:
        """Stack what each iteration measured, [iterations, ...], for a checkpoint; nothing if the window is empty."""
        if not self.iterations:
            return {}
        stacked = {name: torch.stack([getattr(each, name) for each in self.iterations]) for name in MEASURED}
        return {"step": torch.tensor([each.step for each in self.iterations]), **stacked}

    def summarize(self, step: int, seconds: float) -> IterationRecord:
        """Reduce the window to means and counts, and empty it."""
        real = torch.cat([iteration.real_logits for iteration in self.iterations])
        fake = torch.cat([iteration.fake_logits for iteration in self.iterations])
        values = torch.stack(
            [
                _mean([iteration.discriminator_loss for iteration in self.iterations]),
                _mean([iteration.penalty for iteration in self.iterations]),
                _mean([iteration.generator_loss for iteration in self.iterations]),
                real.sigmoid().mean(),
                fake.sigmoid().mean(),
                (real > 0).sum(),
                (fake > 0).sum(),
                ((real > fake).float() + (real == fake) / 2).mean(),
            ]
        ).tolist()  # the only place where the loop waits for the device
        discriminator_loss, penalty, generator_loss, d_real, d_fake, real_as_real, fake_as_real, accuracy = values
        self.iterations.clear()
        return IterationRecord(
            step=step,
            seconds=round(seconds, 3),
            discriminator_loss=discriminator_loss,
            penalty=penalty,
            generator_loss=generator_loss,
            d_real=d_real,
            d_fake=d_fake,
            real_as_real=int(real_as_real),
            real_as_fake=len(real) - int(real_as_real),
            fake_as_real=int(fake_as_real),
            fake_as_fake=len(fake) - int(fake_as_real),
            pair_accuracy=accuracy,
        )


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack(values).mean()
