"""The loops that tutorials teach, written plainly: the default recipe is compared with them.

Each does what the usual one-file scripts do on MNIST: float32, batch 64, Adam 2e-4, beta1 = 0.5,
no moving average; the samples are drawn from the last weights.
"""

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LATENT, BATCH = 100, 64


def build_mlp_generator() -> nn.Module:
    """Build 100 -> 128 -> 256 -> 512 -> 1024 -> 784, batch normalisation, tanh."""
    layers: list[nn.Module] = [nn.Linear(LATENT, 128), nn.LeakyReLU(0.2)]
    for inputs, units in ((128, 256), (256, 512), (512, 1024)):
        layers += [nn.Linear(inputs, units), nn.BatchNorm1d(units), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(1024, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28)))


def build_mlp_discriminator() -> nn.Module:
    """Build 784 -> 512 -> 256 -> 1."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.LeakyReLU(0.2), nn.Linear(512, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1)
    )


def build_conv_generator() -> nn.Module:
    """Build 7x7x128, upsampled twice, a 3x3 convolution with batch normalisation after each."""
    return nn.Sequential(
        nn.Linear(LATENT, 128 * 49),
        nn.Unflatten(1, (128, 7, 7)),
        nn.BatchNorm2d(128),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(128, 128, 3, padding=1),
        nn.BatchNorm2d(128),
        nn.LeakyReLU(0.2),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(128, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.LeakyReLU(0.2),
        nn.Conv2d(64, 1, 3, padding=1),
        nn.Tanh(),
    )


def build_conv_discriminator() -> nn.Module:
    """Build four strided convolutions, 16 to 128 channels, with dropout and batch normalisation."""
    layers: list[nn.Module] = []
    for inputs, units in ((1, 16), (16, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(inputs, units, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.25)]
        layers += [nn.BatchNorm2d(units)] if inputs > 1 else []
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 4, 1))


def cross_entropy(logits: Tensor, label: float) -> Tensor:
    """Compute the loss of the MLP and the DCGAN scripts."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def squared_error(logits: Tensor, label: float) -> Tensor:
    """Compute the loss of the LSGAN script."""
    return F.mse_loss(logits, torch.full_like(logits, label))


def train_with(
    images: Tensor,
    seconds: float,
    generator: nn.Module,
    discriminator: nn.Module,
    loss: Callable[[Tensor, float], Tensor],
) -> nn.Module:
    """Take a generator step, then a discriminator step on the same fakes, as those scripts do."""
    optimizer_g = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.999))
    optimizer_d = torch.optim.Adam(discriminator.parameters(), 2e-4, (0.5, 0.999))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        real = images[torch.randint(len(images), (BATCH,))]
        optimizer_g.zero_grad()
        fake = generator(torch.randn(BATCH, LATENT))
        loss(discriminator(fake), 1.0).backward()
        optimizer_g.step()
        optimizer_d.zero_grad()
        ((loss(discriminator(real), 1.0) + loss(discriminator(fake.detach()), 0.0)) / 2).backward()
        optimizer_d.step()
    return generator


def train_wgan_gp(images: Tensor, seconds: float, generator: nn.Module, critic: nn.Module) -> nn.Module:
    """Take five critic steps with gradient penalty 10, then a generator step."""
    optimizer_g = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.999))
    optimizer_d = torch.optim.Adam(critic.parameters(), 2e-4, (0.5, 0.999))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(5):
            real = images[torch.randint(len(images), (BATCH,))]
            fake = generator(torch.randn(BATCH, LATENT)).detach()
            mix = torch.rand(BATCH, 1, 1, 1)
            between = (mix * real + (1 - mix) * fake).requires_grad_()
            (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
            penalty = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
            optimizer_d.zero_grad()
            (critic(fake).mean() - critic(real).mean() + 10 * penalty).backward()
            optimizer_d.step()
        optimizer_g.zero_grad()
        (-critic(generator(torch.randn(BATCH, LATENT))).mean()).backward()
        optimizer_g.step()
    return generator


def train(name: str, images: Tensor, seconds: float, seed: int) -> Callable[[int], Tensor]:
    """Train the textbook script `name` on float images in [-1, 1]; return a function from a count to samples."""
    torch.manual_seed(seed)
    if name == "mlp":
        generator = train_with(images, seconds, build_mlp_generator(), build_mlp_discriminator(), cross_entropy)
    elif name == "dcgan":
        generator = train_with(images, seconds, build_conv_generator(), build_conv_discriminator(), cross_entropy)
    elif name == "lsgan":
        generator = train_with(images, seconds, build_conv_generator(), build_conv_discriminator(), squared_error)
    else:
        generator = train_wgan_gp(images, seconds, build_mlp_generator(), build_mlp_discriminator())
    generator.eval()

    @torch.no_grad()
    def sample(count: int) -> Tensor:
        torch.manual_seed(seed)
        return torch.cat([generator(torch.randn(500, LATENT)) for _ in range(count // 500)])

    return sample
