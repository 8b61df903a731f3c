"""Recipes for points."""

from dataclasses import replace

from zerosum.game.losses import NonSaturating, Relativistic
from zerosum.game.optimizers import Adam
from zerosum.game.recipe import Recipe
from zerosum.game.regularizers import GradientNorm
from zerosum.networks.mlp import MLP

ADAM = Adam(lr=3e-3, beta1=0.0, beta2=0.99, decay_from=0.3)

TOY = Recipe(
    name="toy",
    summary="points in their simplest form: relativistic pairing with R1 and R2 (Huang et al. 2024), dense layers",
    networks=MLP(latent=4, width=128, depth=3),
    game=Relativistic(),
    regularizers=(GradientNorm(gamma=1.0, final_gamma=1e-5),),
    generator_optimizer=ADAM,
    discriminator_optimizer=ADAM,
    batch_size=128,
    ema_decay=0.999,
    precision="float32",
    threads=1,
    steps=8_000,
)

POINTS = replace(
    TOY,
    name="points",
    summary="toy for modes far apart: binary latents, to leave the gaps empty, and waves that show D the modes' detail",
    networks=MLP(latent=12, binary=10, width=128, depth=3, frequencies=5),
    generator_optimizer=replace(ADAM, lr=2e-3),
    discriminator_optimizer=replace(ADAM, lr=2e-3),
    batch_size=256,
    ema_decay=0.99,
    steps=3_200,
)

TOY_VANILLA = replace(
    TOY,
    name="toy-vanilla",
    summary="toy with the game of Goodfellow et al. 2014 and nothing else: it loses modes of the grid",
    game=NonSaturating(),
    regularizers=(),
)
