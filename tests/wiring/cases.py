"""Recipes that together use every part of the wiring, each beside the same mathematics by hand."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from tests.conftest import images, points
from tests.wiring.reference import Case, Memory, Pass
from zerosum.data.readers import open_source
from zerosum.game.augment import AUGMENTATIONS
from zerosum.game.losses import (
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Relativistic,
    RelativisticAverage,
    Wasserstein,
)
from zerosum.game.optimizers import SGD, Adam
from zerosum.game.recipe import Recipe
from zerosum.game.regularizers import (
    GradientNorm,
    GradientPenalty,
    MaxNorm,
    SpectralNorm,
    WeightClipping,
)
from zerosum.game.tricks import (
    AdaptiveAugment,
    DiffAugment,
    InstanceNoise,
    LabelSmoothing,
    NoisyLabels,
    Replay,
    SoftLabels,
)
from zerosum.networks.compact import Compact
from zerosum.networks.dcgan import DCGAN
from zerosum.networks.mlp import MLP, PaperMLP

DIGITS = open_source("digits")
LABELLED = images((3, 8, 8), count=20, classes=3)  # an epoch is two and a half minibatches
LABELLED = replace(LABELLED, train=replace(LABELLED.train, labels=torch.arange(20) * 7 % 3, flip=True))
PLAIN = images((1, 8, 8), count=20)
POINTS = points(2, count=30)
cross_entropy = F.binary_cross_entropy_with_logits


def against(label: float, logits: Tensor) -> Tensor:
    return cross_entropy(logits, torch.full_like(logits, label))


def saturating(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return against(1, real_logits) + against(0, fake_logits)


def fool(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return against(1, fake_logits)


def hinge(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()


def criticise(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return fake_logits.mean() - real_logits.mean()


def please(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return -fake_logits.mean()


def lead(ahead: Tensor, behind: Tensor) -> Tensor:
    return (ahead - behind - 1).square().mean()


def adam(lr: float, beta1: float, beta2: float) -> Callable[..., torch.optim.Optimizer]:
    return partial(torch.optim.Adam, lr=lr, betas=(beta1, beta2), fused=True)


def sgd(lr: float, momentum: float) -> Callable[..., torch.optim.Optimizer]:
    return partial(torch.optim.SGD, lr=lr, momentum=momentum, fused=True)


def fall(lr: float, decay_from: float) -> Callable[[int, int], dict[str, float]]:
    """The rate falls linearly to 0 over the last part of the training."""
    return lambda step, steps: {"lr": lr * min(1.0, (1 - step / steps) / (1 - decay_from))}


def noise(sigma: float, until: float) -> Callable[[Tensor, float, Memory], Tensor]:
    def show(samples: Tensor, done: float, memory: Memory) -> Tensor:
        deviation = sigma * max(0.0, 1 - done / until)
        return samples + deviation * torch.randn_like(samples) if deviation else samples

    return show


def augment_and_blur(samples: Tensor, done: float, memory: Memory) -> Tensor:
    for augment in AUGMENTATIONS.values():
        samples = augment(samples)
    return noise(0.3, 0.7)(samples, done, memory)


def slopes(out: Pass, gamma: float) -> Tensor:
    """gamma / 2 (E ||grad D(x)||^2 + E ||grad D(G(z))||^2)."""
    gradients = torch.autograd.grad(
        [out.real_logits.sum(), out.fake_logits.sum()], [out.real, out.fake], create_graph=True
    )
    real, fake = (each.flatten(1).square().sum(1).mean() for each in gradients)
    return gamma / 2 * (real + fake)


def lazy_slope(out: Pass) -> Tensor:
    """R1 at every second update, twice as strong, from gamma = 4 to 0.5 along half a cosine."""
    if out.update % 2:
        return torch.zeros(())
    gamma = 0.5 + (4 - 0.5) * (1 + math.cos(math.pi * out.done)) / 2
    (gradients,) = torch.autograd.grad(out.real_logits.sum(), out.real, create_graph=True)
    return 2 * (gamma / 2 * gradients.flatten(1).square().sum(1).mean())


def lazy_interpolation(out: Pass) -> Tensor:
    """WGAN-GP's penalty at every third update."""
    if out.update % 3:
        return torch.zeros(())
    mix = torch.rand(len(out.real), 1)
    between = (mix * out.real + (1 - mix) * out.fake).requires_grad_()
    (gradients,) = torch.autograd.grad(out.discriminator(between).sum(), between, create_graph=True)
    lengths = (gradients.square().sum(1) + 1e-12).sqrt()
    return 3 * (10 * (lengths - 1).square().mean())


def clip(limit: float) -> Callable[[nn.Module], None]:
    @torch.no_grad()
    def project(discriminator: nn.Module) -> None:
        for parameter in discriminator.parameters():
            parameter.clamp_(-limit, limit)

    return project


@torch.no_grad()
def shorten(discriminator: nn.Module) -> None:
    """Scale each unit's incoming weights down to a norm of 0.1."""
    for name, weight in discriminator.named_parameters():
        if name.endswith("weight") and weight.ndim > 1:
            norms = weight.flatten(1).norm(dim=1).view(-1, *[1] * (weight.ndim - 1))
            weight.copy_(torch.where(norms > 0.1, weight * (0.1 / norms), weight))


def normalise(discriminator: nn.Module) -> None:
    for layer in discriminator.modules():
        if isinstance(layer, nn.Linear):
            parametrizations.spectral_norm(layer)
    discriminator.requires_grad_()
    for layer in discriminator.modules():
        if hasattr(layer, "parametrizations"):
            layer.parametrizations.eval()


def iterate(discriminator: nn.Module) -> None:
    """One power iteration in every layer."""
    for layer in discriminator.modules():
        if hasattr(layer, "parametrizations"):
            layer.parametrizations.train()
            with torch.no_grad():
                layer.parametrizations.weight()
            layer.parametrizations.eval()


def replay(fakes: Tensor, memory: Memory) -> Tensor:
    """Fill a store of 12, then swap half of the fakes for stored ones."""
    store = memory.get("store", fakes[:0])
    if len(store) < 12:
        memory["store"] = torch.cat([store, fakes])[:12]
        return fakes
    half = len(fakes) // 2
    places = torch.randperm(12)[:half]
    memory["store"] = store.index_copy(0, places, fakes[:half])
    return torch.cat([fakes[:half], store[places]])


def flip_labels(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Least squares from -1 to 1 against smooth labels of which some are turned around."""
    labels = torch.full_like(real_logits, 0.9), torch.full_like(fake_logits, 0.1)
    turned = [torch.where(torch.rand_like(each) < 0.3, 1 - each, each) for each in labels]
    real, fake = (2 * each - 1 for each in turned)
    return (real_logits - real).square().mean() / 2 + (fake_logits - fake).square().mean() / 2


def soft_labels(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    real, fake = torch.empty_like(real_logits).uniform_(0.7, 1.2), torch.empty_like(fake_logits).uniform_(0.0, 0.3)
    return cross_entropy(real_logits, real) + cross_entropy(fake_logits, fake)


def augment_some(samples: Tensor, done: float, memory: Memory) -> Tensor:
    if "share" not in memory:
        return samples
    chosen = torch.rand(len(samples), 1, 1, 1) < memory["share"]
    return torch.where(chosen, AUGMENTATIONS["translation"](samples), samples)


def adapt(real_logits: Tensor, update: int, memory: Memory) -> None:
    """Every second update the share moves by 2 * 8 / 40 towards where the mean sign of D is 0.6."""
    memory["signs"] = memory.get("signs", torch.zeros(())) + real_logits.sign().mean() / 2
    memory.setdefault("share", torch.zeros(()))
    if update % 2 == 1:
        memory["share"] = (memory["share"] + 0.4 * (memory["signs"] - 0.6).sign()).clamp(0, 1)
        memory["signs"] = torch.zeros(())


def momentum(step: int, steps: int) -> dict[str, float]:
    return {"lr": max(0.03, 0.1 / 1.5**step), "momentum": 0.5 + (0.7 - 0.5) * min(1.0, step / 3)}


SMALL = Recipe("small", batch_size=8, precision="float32", threads=1, ema_decay=0.3)

CASES = {
    "projection, batch norm, tricks that show, k = 2, decay, betas": Case(
        replace(
            SMALL,
            networks=DCGAN(width=4, latent=8, condition="projection"),
            game=NonSaturating(),
            tricks=(DiffAugment(), InstanceNoise(sigma=0.3, until=0.7)),
            generator_optimizer=Adam(lr=0.01, beta1=0.3, beta2=0.9, decay_from=0.2),
            discriminator_optimizer=Adam(lr=0.02, beta1=0.6, beta2=0.8, decay_from=0.5),
            discriminator_steps=2,
        ),
        DIGITS,
        saturating,
        fool,
        adam(0.01, 0.3, 0.9),
        adam(0.02, 0.6, 0.8),
        fall(0.01, 0.2),
        fall(0.02, 0.5),
        one_pass=False,
        show=augment_and_blur,
    ),
    "concatenation, relabelling tricks, weight clipping, mirrored images": Case(
        replace(
            SMALL,
            networks=Compact(width=2, latent=8, condition="concatenation"),
            game=LeastSquares(a=-1, b=1, c=0.5),
            tricks=(LabelSmoothing(real=0.9, fake=0.1), NoisyLabels(flip=0.3)),
            regularizers=(WeightClipping(limit=0.05),),
            generator_optimizer=Adam(lr=0.01),
            discriminator_optimizer=Adam(lr=0.02),
        ),
        LABELLED,
        flip_labels,
        lambda real_logits, fake_logits: (fake_logits - 0.5).square().mean() / 2,
        adam(0.01, 0.5, 0.999),
        adam(0.02, 0.5, 0.999),
        one_pass=False,
        project=clip(0.05),
    ),
    "auxiliary classifier, no batch norm, lazy R1 with a schedule, k = 3": Case(
        replace(
            SMALL,
            networks=DCGAN(width=4, latent=8, condition="auxiliary", discriminator_norm=False),
            game=Hinge(),
            regularizers=(GradientNorm(samples="real", gamma=4, final_gamma=0.5, every=2),),
            generator_optimizer=Adam(lr=0.01, beta2=0.7),
            discriminator_optimizer=SGD(lr=0.1, decay=1.5, lr_floor=0.03, momentum_steps=3),
            discriminator_steps=3,
        ),
        DIGITS,
        hinge,
        please,
        adam(0.01, 0.5, 0.7),
        sgd(0.1, 0.5),
        discriminator_schedule=momentum,
        penalty=lazy_slope,
    ),
    "relativistic, dense, R1 and R2, instance noise": Case(
        replace(
            SMALL,
            networks=MLP(width=16, latent=8),
            game=Relativistic(),
            tricks=(InstanceNoise(sigma=0.5),),
            regularizers=(GradientNorm(gamma=2),),
            generator_optimizer=Adam(lr=0.01, beta1=0.0, beta2=0.95),
            discriminator_optimizer=SGD(lr=0.1, decay=1.5, lr_floor=0.03, momentum_steps=3),
        ),
        PLAIN,
        lambda real_logits, fake_logits: F.softplus(fake_logits - real_logits).mean(),
        lambda real_logits, fake_logits: F.softplus(real_logits - fake_logits).mean(),
        adam(0.01, 0.0, 0.95),
        sgd(0.1, 0.5),
        discriminator_schedule=momentum,
        real_again=True,
        penalty=lambda out: slopes(out, 2),
        show=noise(0.5, 1.0),
    ),
    "relativistic average, packs of two": Case(
        replace(
            SMALL,
            networks=MLP(width=16, latent=8, packing=2),
            game=RelativisticAverage(pairwise_loss="least-squares"),
            generator_optimizer=Adam(lr=0.01),
            discriminator_optimizer=Adam(lr=0.02),
            discriminator_steps=2,
        ),
        PLAIN,
        lambda real_logits, fake_logits: lead(real_logits, fake_logits.mean()) + lead(real_logits.mean(), fake_logits),
        lambda real_logits, fake_logits: lead(fake_logits, real_logits.mean()) + lead(fake_logits.mean(), real_logits),
        adam(0.01, 0.5, 0.999),
        adam(0.02, 0.5, 0.999),
        real_again=True,
    ),
    "Wasserstein, replay, spectral norm, k = 2": Case(
        replace(
            SMALL,
            networks=MLP(width=16, latent=8),
            game=Wasserstein(),
            tricks=(Replay(capacity=12),),
            regularizers=(SpectralNorm(),),
            generator_optimizer=Adam(lr=0.01),
            discriminator_optimizer=Adam(lr=0.02, beta1=0.2),
            discriminator_steps=2,
        ),
        PLAIN,
        criticise,
        please,
        adam(0.01, 0.5, 0.999),
        adam(0.02, 0.2, 0.999),
        prepare=normalise,
        project=iterate,
        replay=replay,
    ),
    "minimax, adaptive augmentation, soft labels, max norm": Case(
        replace(
            SMALL,
            networks=DCGAN(width=4, latent=8, generator_norm=False),
            game=Minimax(),
            tricks=(AdaptiveAugment(policy=("translation",), every=2, ramp=40), SoftLabels()),
            regularizers=(MaxNorm(limit=0.1),),
            generator_optimizer=SGD(lr=0.1, decay=1.5, lr_floor=0.03, momentum_steps=3),
            discriminator_optimizer=SGD(lr=0.1, decay=1.5, lr_floor=0.03, momentum_steps=3),
        ),
        PLAIN,
        soft_labels,
        lambda real_logits, fake_logits: -against(0, fake_logits),
        sgd(0.1, 0.5),
        sgd(0.1, 0.5),
        momentum,
        momentum,
        one_pass=False,
        project=shorten,
        show=augment_some,
        remember=adapt,
        tolerance=1e-6,  # torch.renorm divides by the norm + 1e-7: each of 7 updates is 1e-6 of a weight off
    ),
    "points, lazy gradient penalty, k = 2": Case(
        replace(
            SMALL,
            networks=MLP(width=16, latent=4),
            game=Wasserstein(),
            regularizers=(GradientPenalty(weight=10, every=3),),
            generator_optimizer=Adam(lr=0.01, decay_from=0.0),
            discriminator_optimizer=Adam(lr=0.02, beta2=0.9),
            discriminator_steps=2,
        ),
        POINTS,
        criticise,
        please,
        adam(0.01, 0.5, 0.999),
        adam(0.02, 0.5, 0.9),
        fall(0.01, 0.0),
        penalty=lazy_interpolation,
    ),
    "the same fakes for both, after two updates of D, with R1 and R2": Case(
        replace(
            SMALL,
            networks=MLP(width=8, depth=1, latent=4),
            game=Hinge(),
            regularizers=(GradientNorm(gamma=2),),
            generator_optimizer=Adam(lr=0.01),
            discriminator_optimizer=Adam(lr=0.02, beta2=0.9),
            discriminator_steps=2,
            same_fakes=True,
        ),
        PLAIN,
        hinge,
        please,
        adam(0.01, 0.5, 0.999),
        adam(0.02, 0.5, 0.9),
        penalty=lambda out: slopes(out, 2),
    ),
    "minibatches in two parts: auxiliary classifier, lazy R1, adaptive augmentation, k = 2": Case(
        replace(
            SMALL,
            networks=DCGAN(width=4, latent=8, condition="auxiliary", discriminator_norm=False),
            game=Hinge(),
            tricks=(AdaptiveAugment(policy=("translation",), every=2, ramp=40),),
            regularizers=(GradientNorm(samples="real", gamma=4, final_gamma=0.5, every=2),),
            generator_optimizer=Adam(lr=0.01),
            discriminator_optimizer=Adam(lr=0.02),
            discriminator_steps=2,
            accumulate=2,
        ),
        DIGITS,
        hinge,
        please,
        adam(0.01, 0.5, 0.999),
        adam(0.02, 0.5, 0.999),
        penalty=lazy_slope,
        show=augment_some,
        remember=adapt,
    ),
    "minibatches in four parts: mirrored, the same fakes for both players, soft labels": Case(
        replace(
            SMALL,
            networks=MLP(width=16, latent=8),
            game=NonSaturating(),
            tricks=(SoftLabels(),),
            generator_optimizer=Adam(lr=0.01),
            discriminator_optimizer=Adam(lr=0.02),
            same_fakes=True,
            accumulate=4,
        ),
        LABELLED,
        soft_labels,
        fool,
        adam(0.01, 0.5, 0.999),
        adam(0.02, 0.5, 0.999),
    ),
    "simultaneous, in two parts": Case(
        replace(
            SMALL,
            networks=MLP(width=16, latent=8),
            game=Hinge(),
            generator_optimizer=Adam(lr=0.01),
            discriminator_optimizer=Adam(lr=0.02),
            simultaneous=True,
            accumulate=2,
        ),
        PLAIN,
        hinge,
        please,
        adam(0.01, 0.5, 0.999),
        adam(0.02, 0.5, 0.999),
    ),
    "simultaneous, as released in 2014, with R1 and weight clipping": Case(
        replace(
            SMALL,
            networks=PaperMLP(latent=8, generator_units=8, discriminator_units=6, pieces=2),
            game=NonSaturating(),
            tricks=(InstanceNoise(sigma=0.5),),
            regularizers=(GradientNorm(samples="real", gamma=4, final_gamma=0.5, every=2), WeightClipping(limit=0.02)),
            generator_optimizer=SGD(lr=0.1, decay=1.5, lr_floor=0.03, momentum_steps=3),
            discriminator_optimizer=Adam(lr=0.02, beta2=0.9, decay_from=0.3),
            simultaneous=True,
        ),
        DIGITS,
        saturating,
        fool,
        sgd(0.1, 0.5),
        adam(0.02, 0.5, 0.9),
        momentum,
        fall(0.02, 0.3),
        penalty=lazy_slope,
        project=clip(0.02),
        show=noise(0.5, 1.0),
    ),
    "simultaneous, auxiliary classifier, batch norm, adaptive augmentation": Case(
        replace(
            SMALL,
            networks=Compact(width=2, latent=8, condition="auxiliary"),
            game=Hinge(),
            tricks=(AdaptiveAugment(policy=("translation",), every=2, ramp=40),),
            generator_optimizer=Adam(lr=0.01),
            discriminator_optimizer=Adam(lr=0.02),
            simultaneous=True,
        ),
        LABELLED,
        hinge,
        please,
        adam(0.01, 0.5, 0.999),
        adam(0.02, 0.5, 0.999),
        one_pass=False,
        show=augment_some,
        remember=adapt,
    ),
}
