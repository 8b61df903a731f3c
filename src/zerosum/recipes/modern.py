"""Recipes that people should use."""

from dataclasses import replace

from zerosum.data.preparation import Preparation
from zerosum.game.losses import Hinge, Relativistic
from zerosum.game.optimizers import Adam
from zerosum.game.recipe import Recipe
from zerosum.game.regularizers import GradientNorm, SpectralNorm
from zerosum.game.tricks import DiffAugment
from zerosum.networks.compact import Compact
from zerosum.networks.r3gan import R3GAN
from zerosum.networks.resnet import ResNet

COMPACT = Recipe(
    name="compact",
    summary="DCGAN's guidelines rearranged for CPUs, R1 at every fourth update (Mescheder et al. 2018), small batches, "
    "moving average, learning rate falling to 0",
    networks=Compact(),
    regularizers=(GradientNorm(samples="real", gamma=1.0, every=4),),
    generator_optimizer=Adam(lr=5e-4, beta2=0.99, decay_from=0.5),
    discriminator_optimizer=Adam(lr=1e-3, beta2=0.99, decay_from=0.5),
    batch_size=16,
    ema_decay=0.999,
    steps=15_000,
)

DIGITS = replace(
    COMPACT,
    name="digits",
    summary="compact in 9,000 iterations: for the built-in digits, some two minutes of a core",
    steps=9_000,
)

COMPACT_CONDITIONAL = replace(
    COMPACT,
    name="compact-conditional",
    summary="compact, told the classes (projection, Miyato & Koyama 2018): for labelled data, sample --label",
    networks=Compact(condition="projection"),
)

PHOTOS = replace(
    COMPACT,
    name="photos",
    summary="compact for photos: beside the discriminator of pixels, heads on the features of a network that knows "
    "ImageNet (Sauer et al. 2021, Kumari et al. 2022), enlarged to 128 pixels; the same fakes for both players, pixels "
    "repeated and smoothed",
    networks=Compact(upsampling="smooth", features="efficientnet", feature_size=128),
    generator_optimizer=Adam(lr=5e-4, beta1=0.0, beta2=0.99, decay_from=0.5),
    discriminator_optimizer=Adam(lr=5e-4, beta1=0.0, beta2=0.99, decay_from=0.5),
    same_fakes=True,
    steps=3_000,
)

# As released for CIFAR-10, but for the generator's batch, which is 128 there.
SNGAN = Recipe(
    name="sngan",
    summary="Miyato et al. 2018: residual networks, spectral normalisation, hinge, five discriminator steps; for a GPU",
    networks=ResNet(),
    game=Hinge(),
    regularizers=(SpectralNorm(),),
    generator_optimizer=Adam(lr=2e-4, beta1=0.0, beta2=0.9, decay_from=0.0),
    discriminator_optimizer=Adam(lr=2e-4, beta1=0.0, beta2=0.9, decay_from=0.0),
    discriminator_steps=5,
    ema_decay=0.0,
    steps=50_000,
)

# Besides the width, not as released: there the learning rates fall by a cosine to a quarter, beta2 rises from 0.9 to
# 0.99, batches are of 512, samples are augmented, and gamma falls from its first value (`final_gamma`): from 0.05 to
# 0.005 on CIFAR-10, from 2 to 0.2 on faces of 64x64 pixels, from 150 to 15 on those of 256x256.
R3GAN_64 = Recipe(
    name="r3gan",
    summary="Huang et al. 2024, narrower: relativistic pairing, R1, R2, residual networks without norms; for a GPU",
    networks=R3GAN(),
    game=Relativistic(),
    regularizers=(GradientNorm(gamma=0.05),),
    generator_optimizer=Adam(lr=2e-4, beta1=0.0, beta2=0.99, decay_from=0.5),
    discriminator_optimizer=Adam(lr=2e-4, beta1=0.0, beta2=0.99, decay_from=0.5),
    batch_size=64,
    ema_decay=0.999,
    steps=50_000,
)

DOGS_64 = Recipe(
    name="dogs64",
    summary="dogs of 64x64 with breeds (docs/dogs.md): sngan's networks and game, told the breeds, two learning rates "
    "(Heusel et al. 2017), long average (Brock et al. 2019), DiffAugment",
    data=Preparation(size=(64, 64), margin=0.1, smallest_box=32, longest_box=2.0, flip=True),
    networks=ResNet(condition="projection", width=64, tapered=True),
    game=Hinge(),
    regularizers=(SpectralNorm(),),
    tricks=(DiffAugment(policy=("translation", "cutout")),),
    generator_optimizer=Adam(lr=1e-4, beta1=0.0, beta2=0.999, decay_from=0.5),
    discriminator_optimizer=Adam(lr=4e-4, beta1=0.0, beta2=0.999, decay_from=0.5),
    batch_size=64,
    ema_decay=0.9999,
    steps=50_000,
)
