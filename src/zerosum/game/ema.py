"""The generator's moving average: the weights that are sampled, scored and shared."""

import copy
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from zerosum import randomness
from zerosum.networks import Networks
from zerosum.networks.batch_norm import calibrate

CALIBRATION_BATCHES, CALIBRATION_BATCH = 16, 64


class EMA:
    """An exponential moving average of a generator's parameters (Yazici et al. 2019).

    After n updates the weight of the past is min(decay, (1 + n) / (10 + n)), so that the first, poor, weights are soon
    forgotten.
    """

    def __init__(self, generator: nn.Module, decay: float) -> None:
        """`decay` in [0, 1): 0 means no average, just the latest weights."""
        self.network = copy.deepcopy(generator).requires_grad_(requires_grad=False)
        self.decay = decay
        self._live = generator

    @torch.no_grad()
    def update(self, updates: int) -> None:
        """Take in the generator's parameters after its update number `updates`, counted from 1."""
        if self.decay == 0:  # `calibrated` copies the live weights
            return
        decay = min(self.decay, (1 + updates) / (10 + updates))
        torch._foreach_lerp_(list(self.network.parameters()), list(self._live.parameters()), 1 - decay)

    def calibrated(self, networks: Networks, classes: Sequence[int], device: torch.device) -> nn.Module:
        """Return the averaged generator ready to sample from, its batch statistics measured on latents of a fixed seed.

        `classes`: the number of training samples of each class, in whose shares classes are drawn; empty if the
        networks are not told any.
        """
        if self.decay == 0:
            self.network.load_state_dict(self._live.state_dict())
        for mine, theirs in zip(self.network.buffers(), self._live.buffers(), strict=True):
            mine.copy_(theirs)  # buffers are not averaged

        def batches() -> Iterator[torch.Tensor]:
            shares = torch.tensor(classes, dtype=torch.float32, device=device)
            for batch in range(CALIBRATION_BATCHES):
                with randomness.scope(0, batch, "calibration", device=device):
                    labels = torch.multinomial(shares, CALIBRATION_BATCH, replacement=True) if classes else None
                    yield networks.sample_latents(CALIBRATION_BATCH, device, labels, len(classes))

        calibrate(self.network, batches())
        return self.network
