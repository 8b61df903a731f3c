"""Directions in a latent space along which samples change most, found without any label.

- `factorise`: SeFa (Shen & Zhou 2021, eq. 4): eigenvectors of A'A, where A is the generator's first dense layer.
- `follow_features`: GANSpace (Härkönen et al. 2020, section 2): principal components of early features, carried back to
  z by regression.
"""

from contextlib import suppress

import torch
from torch import Tensor, nn

from zerosum.errors import InputError
from zerosum.generator import TrainedGenerator

MOST = 12  # directions of a kind
REGRESSED = 2_048  # latents
MOST_FEATURES = 1_024  # of which the components are computed
WEIGHTED = nn.Linear | nn.Conv2d | nn.ConvTranspose2d


def factorise(generator: TrainedGenerator) -> Tensor:
    """Return directions of z by SeFa, unit vectors [K, latent], the strongest first; no sample is drawn.

    Raises:
        InputError: the generator begins with no dense layer, or has weights that are no finite numbers.
    """
    first = _weighted_layers(generator)[0]
    latent = generator.networks.latent
    if not isinstance(first, nn.Linear):
        raise InputError("this generator begins with no dense layer, whose weights SeFa would factorise")
    weight = _check_finite(first.weight.detach().double().cpu()[:, :latent])
    _, vectors = torch.linalg.eigh(weight.T @ weight)
    return _orient(vectors.flip(1).T[:MOST])


def follow_features(generator: TrainedGenerator, latents: Tensor) -> Tensor:
    """Return directions of z by GANSpace, unit vectors [K, latent], the strongest first.

    The features are those that enter the generator's second layer with weights, for these `latents` [N, inputs].

    Raises:
        InputError: the generator has one layer only, or makes features that are no finite numbers.
    """
    layers = _weighted_layers(generator)
    if len(layers) < 2:
        raise InputError("this generator has one layer only, and so no early features")
    features = _check_finite(_capture_input(generator, layers[1], latents).double())
    features = features[:, :: -(-features.shape[1] // MOST_FEATURES)]
    features = features - features.mean(0)
    _, components = torch.linalg.eigh(features.T @ features)
    latent = generator.networks.latent
    places = features @ components.flip(1)[:, : min(MOST, latent)]
    places = places / places.norm(dim=0).clamp(min=1e-12)
    z = latents[:, :latent].double().cpu()
    return _orient(places.T @ (z - z.mean(0)))


@torch.no_grad()
def _weighted_layers(generator: TrainedGenerator) -> list[nn.Module]:
    """List the dense and convolutional layers in the order in which a latent passes them."""
    found = list[nn.Module]()
    hooks = [
        layer.register_forward_pre_hook(lambda module, _: found.append(module))
        for layer in generator.network.modules()
        if isinstance(layer, WEIGHTED)
    ]
    try:
        generator.generate(next(generator.sample_latents(1)))
    finally:
        for hook in hooks:
            hook.remove()
    return found


class _Reached(Exception):
    """A layer is reached, whose input was wanted; what comes after it need not be computed."""


@torch.no_grad()
def _capture_input(generator: TrainedGenerator, layer: nn.Module, latents: Tensor) -> Tensor:
    """Return what enters `layer` for `latents` [N, inputs], as [N, features]."""
    found = list[Tensor]()

    def capture(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        found.append(given[0].flatten(1).float().cpu())
        raise _Reached

    hook = layer.register_forward_pre_hook(capture)
    try:
        for chunk in torch.split(latents, 256):
            with suppress(_Reached):
                generator.generate(chunk)
    finally:
        hook.remove()
    return torch.cat(found)


def _check_finite(values: Tensor) -> Tensor:
    if not values.isfinite().all():
        raise InputError("this generator has weights or features that are no finite numbers, and so no directions")
    return values


def _orient(directions: Tensor) -> Tensor:
    """Return float32 unit vectors whose largest entry is positive, as the sign of each is free."""
    directions = directions / directions.norm(dim=1, keepdim=True).clamp(min=1e-12)
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return (directions * largest.sign()).float()
