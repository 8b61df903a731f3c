from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from tests.unit.networks.families import every_family
from zerosum import randomness
from zerosum.networks import Networks, dropout
from zerosum.networks.dropout import Dropout, drop
from zerosum.networks.r3gan import R3GAN, Residual


@every_family
def test_dropout_in_the_generator_follows_every_rectifier(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    generator, _ = replace(networks, dropout=0.25).build_pair((1, 32, 32), 0, seed=0)
    done: list[str] = []

    def watched(place: ModuleType, name: str) -> Callable[..., torch.Tensor]:
        function = getattr(place, name)

        def call(*arguments: object, **options: object) -> torch.Tensor:
            done.append(name)
            return function(*arguments, **options)

        return call

    for place, name in ((nn.functional, "relu"), (nn.functional, "leaky_relu"), (dropout, "drop")):
        monkeypatch.setattr(place, name, watched(place, name))
    generator(networks.sample_latents(2, None, None, 0))
    assert len(done) >= 4
    assert set(done[1::2]) == {"drop"}
    assert "drop" not in done[::2]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9])
def test_dropout_by_its_definition(share: float, dtype: torch.dtype) -> None:
    batch = torch.full((1001, 997), 2.0, dtype=dtype, requires_grad=True)
    with randomness.scope(0, 0, "test"):
        seen = drop(batch, share)
    seen.sum().backward()
    assert seen.dtype == dtype
    kept = seen.detach() != 0
    scale = (seen.detach()[kept] / 2).double()
    assert scale.min() == scale.max()
    assert scale[0].item() == pytest.approx(1 / (1 - share), rel=2.0**-8 if dtype == torch.bfloat16 else 2.0**-12)
    assert torch.equal(batch.grad, torch.where(kept, scale[0], 0.0).to(dtype))  # type: ignore[arg-type]
    # Shares of all values, of a row and of a column within five standard deviations; and no pattern of four.
    for part in (kept.flatten(), kept[500], kept[:, 500], *(kept.flatten()[first::4] for first in range(4))):
        deviation = (share * (1 - share) / part.numel()) ** 0.5
        assert abs(1 - part.double().mean().item() - share) <= 5 * deviation + 2.0**-17
    both, chance = (kept.flatten()[:-1] & kept.flatten()[1:]).double().mean().item(), (1 - share) ** 2
    variance = chance * (1 - chance) + 2 * ((1 - share) ** 3 - chance**2)  # pairs share one value with the next
    assert abs(both - chance) <= 5 * (variance / kept.numel()) ** 0.5 + 2.0**-16


def test_dropout_of_nearly_everything() -> None:
    assert drop(torch.ones(100), 0.999999).isfinite().all()


def test_dropout_is_a_function_of_the_scope_and_off_in_evaluation() -> None:
    layer, batch = Dropout(0.5), torch.ones(64, 3)

    def seen(seed: int) -> Tensor:
        with randomness.scope(seed, 0, "test"):
            outcome: Tensor = layer(batch)
        return outcome

    assert torch.equal(seen(0), seen(0))
    assert not torch.equal(seen(0), seen(1))
    assert torch.equal(layer.eval()(batch), batch)


@every_family
def test_dropout_in_the_generator_stays_on_in_evaluation(networks: Networks) -> None:
    networks = replace(networks, dropout=0.5)
    generator, _ = networks.build_pair((1, 8, 8), 0, seed=0)
    if isinstance(networks, R3GAN):  # whose blocks begin as the identity
        torch.nn.init.normal_(next(m for m in generator.modules() if isinstance(m, Residual)).layers[-1].weight)
    generator.eval()
    latents = torch.randn(4, networks.latent)

    def samples(seed: int) -> torch.Tensor:
        with randomness.scope(seed, 0, "test"):
            return generator(latents)

    assert torch.equal(samples(0), samples(0))
    assert not torch.equal(samples(0), samples(1))
