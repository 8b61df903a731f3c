"""Recipes as published: the 2014 paper, DCGAN."""

from zerosum.networks.dcgan import DCGAN
from zerosum.networks.mlp import PaperMLP
from zerosum.optimizers import SGD, Adam
from zerosum.recipes import Recipe

PAPER_MNIST = Recipe(
    name="paper-mnist",
    summary="Goodfellow et al. 2014: rectifiers against maxout with dropout, momentum, no average",
    networks=PaperMLP(),
    generator=SGD(),
    discriminator=SGD(),
    batch_size=100,
    average=0.0,
    precision="float32",
    steps=125_000,
)

DCGAN_64 = Recipe(
    name="dcgan",
    summary="Radford et al. 2016 as in its released code: strided convolutions, batch normalisation, Adam 2e-4",
    networks=DCGAN(),
    generator=Adam(),
    discriminator=Adam(),
    batch_size=64,
    average=0.0,
    steps=25_000,
)
