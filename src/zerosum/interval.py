"""What the iterations between two lines of the metrics measured, and its summary."""

from dataclasses import dataclass, field, fields

import torch
from torch import Tensor

from zerosum.algorithm import Iteration

MEASURED = tuple(each.name for each in fields(Iteration) if each.name != "step")


@dataclass
class Interval:
    """What happened since the last line of the metrics. Tensors stay on the device until `summary` reads them."""

    iterations: list[Iteration] = field(default_factory=list)

    @classmethod
    def of(cls, tensors: dict[str, Tensor], device: torch.device) -> "Interval":
        """The one of which these are the `tensors`."""
        rows = zip(*(tensors[name].to(device) for name in MEASURED if name in tensors), strict=True)
        return cls([Iteration(int(step), *row) for step, row in zip(tensors.get("step", ()), rows, strict=True)])

    def tensors(self) -> dict[str, Tensor]:
        """All of it, for a checkpoint: what each iteration measured, [iterations, ...]; none where nothing happened."""
        if not self.iterations:
            return {}
        found = {name: torch.stack([getattr(each, name) for each in self.iterations]) for name in MEASURED}
        return {"step": torch.tensor([each.step for each in self.iterations]), **found}

    def summary(self) -> dict[str, float]:
        """Means and confusion counts, and an empty interval again."""
        real = torch.cat([iteration.real_logits for iteration in self.iterations])
        fake = torch.cat([iteration.fake_logits for iteration in self.iterations])
        discriminator_loss, penalty, generator_loss, d_real, d_fake, real_as_real, fake_as_real, led = torch.stack(
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
        self.iterations.clear()
        return {
            "discriminator_loss": discriminator_loss,
            "penalty": penalty,
            "generator_loss": generator_loss,
            "d_real": d_real,
            "d_fake": d_fake,
            "real_as_real": int(real_as_real),
            "real_as_fake": len(real) - int(real_as_real),
            "fake_as_real": int(fake_as_real),
            "fake_as_fake": len(fake) - int(fake_as_real),
            "real_led": led,
        }


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack(values).mean()
