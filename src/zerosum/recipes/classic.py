"""Recipes as published: the 2014 paper, DCGAN, and the games that were first played with DCGAN's networks."""

from dataclasses import replace

from zerosum.game.losses import LeastSquares, RelativisticAverage, Wasserstein
from zerosum.game.optimizers import SGD, Adam
from zerosum.game.recipe import Recipe
from zerosum.game.regularizers import GradientPenalty
from zerosum.networks.dcgan import DCGAN
from zerosum.networks.mlp import PaperMLP

# The released code learns from the first 50,000 training images only (125,000 iterations are 250 epochs of those, and
# 208 of all 60,000), as benchmarks/table1.py does.
PAPER_MNIST = Recipe(
    name="paper-mnist",
    summary="Goodfellow et al. 2014 as released: rectifiers against maxout and dropout, momentum, one pass for both",
    networks=PaperMLP(),
    generator_optimizer=SGD(),
    discriminator_optimizer=SGD(lr=0.05, lr_floor=5e-7),  # the released code halves the discriminator's loss instead
    batch_size=100,
    simultaneous=True,
    ema_decay=0.0,
    precision="float32",
    steps=125_000,
)

DCGAN_64 = Recipe(
    name="dcgan",
    summary="Radford et al. 2016 as in its released code: strided convolutions, batch normalisation, Adam 2e-4",
    networks=DCGAN(),
    ema_decay=0.0,
    steps=25_000,
)

CGAN = replace(
    DCGAN_64,
    name="cgan",
    summary="Mirza & Osindero 2014: the class as further channels, with DCGAN's networks; for labelled data",
    networks=DCGAN(condition="concatenation"),
)

ACGAN = replace(
    DCGAN_64,
    name="acgan",
    summary="Odena et al. 2017: the discriminator guesses the class, with DCGAN's networks; for labelled data",
    networks=DCGAN(condition="auxiliary"),
)

LSGAN = replace(
    DCGAN_64,
    name="lsgan",
    summary="Mao et al. 2017: DCGAN's networks, least squares with the 0-1 coding",
    game=LeastSquares(),
)

WGAN_GP = replace(
    DCGAN_64,
    name="wgan-gp",
    summary="Gulrajani et al. 2017, algorithm 1: five critic steps, gradient penalty, no normalisation in the critic",
    networks=DCGAN(discriminator_norm=False),
    game=Wasserstein(),
    regularizers=(GradientPenalty(weight=10.0),),
    generator_optimizer=Adam(lr=1e-4, beta1=0.0, beta2=0.9),
    discriminator_optimizer=Adam(lr=1e-4, beta1=0.0, beta2=0.9),
    discriminator_steps=5,
)

RELATIVISTIC = replace(
    DCGAN_64,
    name="relativistic",
    summary="Jolicoeur-Martineau 2019 (RaSGAN): DCGAN's networks, each sample against the average of the other kind",
    game=RelativisticAverage(),
)
