"""Recipes that people should use."""

from dataclasses import replace

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

COMPACT_CONDITIONAL = replace(
    COMPACT,
    name="compact-conditional",
    summary="compact, told the classes (projection, Miyato & Koyama 2018): for labelled data, sample --label",
    networks=Compact(condition="projection"),
)
