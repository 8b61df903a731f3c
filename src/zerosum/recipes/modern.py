"""Recipes that people should use."""

from zerosum.networks.compact import Compact
from zerosum.optimizers import Adam
from zerosum.recipes import Recipe

COMPACT = Recipe(
    name="compact",
    summary="DCGAN's guidelines rearranged for CPUs, moving average, learning rate falling to 0",
    networks=Compact(),
    generator=Adam(lr=5e-4, beta2=0.99, decay_from=0.5),
    discriminator=Adam(lr=1e-3, beta2=0.99, decay_from=0.5),
    batch_size=32,
    average=0.999,
    steps=10_000,
)
