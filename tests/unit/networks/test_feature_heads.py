"""Heads on the features of a frozen network: what they see, what learns, and what stays as it is."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from zerosum import randomness, recipes
from zerosum.data import Source, Split
from zerosum.errors import InputError
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe, change
from zerosum.networks import Networks
from zerosum.networks.compact import Compact
from zerosum.networks.feature_heads import FeatureHeads, SpectralConv2d, WithFeatureHeads
from zerosum.networks.mlp import MLP

SEEING = Compact(width=4, features="efficientnet")
RECIPE = replace(recipes.find("photos"), networks=SEEING, batch_size=4, precision="float32")


@pytest.fixture(scope="module")
def heads() -> FeatureHeads:
    with randomness.scope(0, 0, "test"):
        return FeatureHeads(64).eval()  # so that images are not moved


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize(
    ("shape", "logits"),
    [((3, 64, 64), 4), ((1, 28, 28), 4), ((3, 32, 48), 3 + 3 + 3 + 2), ((3, 128, 128), 25 + 25 + 25 + 9)],
)
def test_each_depth_judges_each_place(heads: FeatureHeads, shape: tuple[int, ...], logits: int) -> None:
    found = heads(noise(2, *shape))
    assert found.shape == (2, logits)
    assert bool(found.isfinite().all())
    torch.testing.assert_close(heads(noise(2, *shape)[:1]), found[:1])  # whatever lies beside it in the batch


@pytest.mark.parametrize("size", [32, 96, 128])
def test_the_network_sees_images_of_the_size_that_is_asked_for(size: int) -> None:
    with randomness.scope(0, 0, "test"):
        heads = FeatureHeads(size).eval()
    seen: list[torch.Size] = []
    heads.network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape))
    for shape in ((3, 32, 32), (1, 28, 42), (3, 144, 144)):
        assert bool(heads(noise(2, *shape)).isfinite().all())
    assert [tuple(each[2:]) for each in seen] == [(size, size), (size, size * 3 // 2), (144, 144)]


def test_in_training_all_images_are_moved_alike(heads: FeatureHeads) -> None:
    x, y = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="xy")
    places = torch.stack([x, y, x]).expand(2, 3, 64, 64) / 32 - 1
    seen: list[torch.Tensor] = []
    hook = heads.network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    heads.train()
    with randomness.scope(0, 0, "moves"):
        for _ in range(12):
            heads(places)
    heads.eval()
    hook.remove()
    moves = [((each[:, :2, 32, 32] + 1) * 32).round() for each in seen]
    assert all(torch.equal(move[0], move[1]) for move in moves)  # of both images
    found = torch.stack([move[0] for move in moves])
    assert len(found.unique(dim=0)) > 8
    assert bool(((found - 32).abs() <= 8).all())


def test_gray_images_are_seen_as_colour_ones_without_colour(heads: FeatureHeads) -> None:
    gray = noise(2, 1, 64, 64)
    torch.testing.assert_close(heads(gray), heads(gray.expand(-1, 3, -1, -1)))


def test_every_head_sees_coarse_features(heads: FeatureHeads) -> None:
    """The coarser maps are mixed into the finer ones, so that each head depends on the last block."""
    heard: list[torch.Tensor] = []
    hook = heads.network.blocks[-1].register_forward_hook(lambda module, inputs, output: heard.append(output))
    logits = heads(noise(2, 3, 64, 64).requires_grad_())
    hook.remove()
    for each in logits.sum(0):
        (gradient,) = torch.autograd.grad(each, heard[0], retain_graph=True)
        assert bool((gradient != 0).any())


def test_the_frozen_network_neither_learns_nor_is_stored(heads: FeatureHeads) -> None:
    assert all(name.startswith("heads.") for name, _ in heads.named_parameters())
    assert not any(name.startswith("network.") for name in heads.state_dict())
    assert {name for name in heads.state_dict() if not name.startswith("heads.")} == {
        *(f"across_{depth}" for depth in range(4)),
        *(f"down_{depth}" for depth in range(1, 4)),
    }


def test_a_spectral_convolution_divides_by_the_largest_singular_value() -> None:
    with randomness.scope(0, 0, "test"):
        layer = SpectralConv2d(3, 5, 3, padding=1)
        for _ in range(100):
            layer.project()
        with torch.no_grad():
            layer.weight.mul_(7)
    images = noise(2, 3, 8, 8)
    largest = torch.linalg.matrix_norm(layer.weight.flatten(1), 2)
    expected = nn.functional.conv2d(images, layer.weight / largest, layer.bias, padding=1)
    before = [each.clone() for each in layer.buffers()]
    torch.testing.assert_close(layer(images), expected)
    assert all(map(torch.equal, before, layer.buffers()))  # a forward pass changes nothing


def test_the_discriminator_of_pixels_is_the_one_without_heads() -> None:
    _, alone = Compact(width=4).build_pair((3, 32, 32), 0, seed=3)
    _, beside = SEEING.build_pair((3, 32, 32), 0, seed=3)
    assert isinstance(beside, WithFeatureHeads)
    logits, class_nll, head_logits = beside(noise(2, 3, 32, 32))
    assert torch.equal(logits, alone(noise(2, 3, 32, 32)))
    assert class_nll is None
    assert head_logits.shape == (2, 4)


@pytest.mark.parametrize(("networks", "shape"), [(SEEING, (4, 32, 32)), (MLP(width=8, features="efficientnet"), (2,))])
def test_only_gray_and_colour_images_are_seen(networks: Networks, shape: tuple[int, ...]) -> None:
    with pytest.raises(
        InputError, match=r"networks\.features=efficientnet sees gray and colour images, not samples of"
    ):
        networks.build_pair(shape, 0, seed=0)


@pytest.fixture(scope="module")
def source() -> Source:
    pixels = torch.randint(0, 256, (12, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(12) % 2
    return Source("noise", Split(pixels[:8], labels[:8]), Split(pixels[8:], labels[8:]), ("a", "b"))


@pytest.mark.parametrize("game", ["non-saturating", "hinge", "relativistic"])
@pytest.mark.parametrize("condition", ["none", "auxiliary"])
def test_the_heads_play_the_same_game(game: str, condition: str, source: Source) -> None:
    recipe = change(RECIPE, f"game={game}")
    recipe = replace(recipe, networks=replace(SEEING, condition=condition))  # type: ignore[arg-type]
    players = Players.build(recipe, source, Engine.choose("cpu"), 0)
    assert isinstance(players.discriminator.network, WithFeatureHeads)
    players.discriminator.network.heads.eval()  # so that images are not moved
    with players.random(0, 0, "test"):
        real, labels = players.real_batch(source.train, 4, 0, 0)
        fake = players.generate(labels, 4)
        out = players.discriminate(real, fake.detach(), labels, 0.0)
        answer = players.discriminate_fakes(real, fake, labels, 0.0, relativistic=recipe.game.relativistic)
        once = players.predict(real, labels, 0.0)
    assert once.head_logits is not None
    assert out.real_head_logits is not None
    assert out.fake_head_logits is not None
    torch.testing.assert_close(out.real_head_logits, once.head_logits)
    expected = recipe.game.discriminator_loss(out.real_head_logits.flatten(), out.fake_head_logits.flatten())
    torch.testing.assert_close(recipe.further_loss(out), expected + out.class_loss)
    alone = answer._replace(real_head_logits=None, fake_head_logits=None)
    assert answer.real_head_logits is not None
    assert answer.fake_head_logits is not None
    more = recipe.game.generator_loss(answer.real_head_logits.flatten(), answer.fake_head_logits.flatten())
    torch.testing.assert_close(recipe.generator_loss(answer), recipe.generator_loss(alone) + more)
    torch.testing.assert_close(recipe.penalty(out, 1) - recipe.further_loss(out), torch.zeros(()))


def parameters(recipe: Recipe, source: Source, steps: int) -> tuple[Players, list[torch.Tensor]]:
    players = Players.build(recipe, source, Engine.choose("cpu"), 0)
    for _ in play(players, recipe, source.train, steps=steps, seed=0):
        pass
    return players, [each.detach().clone() for each in players.generator.network.parameters()]


@pytest.mark.parametrize("simultaneous", [False, True])
def test_both_players_learn_by_the_heads_and_their_constraint_is_kept(simultaneous: bool, source: Source) -> None:
    recipe = replace(RECIPE, simultaneous=simultaneous, same_fakes=not simultaneous)
    before = Players.build(recipe, source, Engine.choose("cpu"), 0)
    players, generator = parameters(recipe, source, 3)
    network = players.discriminator.network
    assert isinstance(network, WithFeatureHeads)
    for then, now in zip(before.discriminator.network.parameters(), network.parameters(), strict=True):
        assert not torch.equal(then, now)
    _, blind = parameters(replace(recipe, networks=replace(SEEING, features="none")), source, 3)
    assert not all(map(torch.equal, generator, blind))
    for old, layer in zip(before.discriminator.constrained, players.discriminator.constrained, strict=True):
        assert isinstance(old, SpectralConv2d)
        assert isinstance(layer, SpectralConv2d)
        assert not torch.equal(old.get_buffer("right"), layer.get_buffer("right"))  # each update was followed by one
    assert len(players.discriminator.constrained) == 4 * 2 + 3
