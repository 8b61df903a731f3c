import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.conftest import images
from zerosum import catalog, randomness, recipes
from zerosum.average import Average
from zerosum.engine import Engine
from zerosum.errors import InputError
from zerosum.networks import Networks, dropout
from zerosum.networks.batch_norm import BatchNorm, calibrate
from zerosum.networks.compact import Compact, Fold, Unfold
from zerosum.networks.dcgan import DCGAN, levels
from zerosum.networks.dropout import Dropout, dropped
from zerosum.networks.minibatch import Discrimination, StandardDeviation
from zerosum.networks.mlp import MLP, Maxout, PaperMLP
from zerosum.networks.points import Waves
from zerosum.networks.r3gan import R3gan, Residual, Resize
from zerosum.networks.resnet import Down, Resnet, Up

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 9, 13), (4, 48, 64), (2, 31, 8), (3, 64, 64)]
SMALL = {"dcgan": {"width": 8}, "compact": {"width": 4}, "resnet": {"width": 8}, "r3gan": {"width": 16}}
FAMILIES = [catalog.build(cls, SMALL.get(name, {})) for name, cls in catalog.choices(Networks).items()]
FAMILIES.append(Resnet(width=4, tapered=True))
every_family = pytest.mark.parametrize("networks", FAMILIES, ids=lambda networks: catalog.name_of(networks))


@every_family
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_pair_fits_any_image_shape(networks: Networks, shape: tuple[int, ...]) -> None:
    generator, discriminator = networks.pair(shape, 0, seed=0)
    with randomness.scope(0, 0, "test"):
        samples = generator(networks.draw_codes(5, None, None, 0))
    assert samples.shape == (5, *shape)
    assert samples.abs().max() <= 1 or isinstance(networks, R3gan)  # which has no tanh, as published
    assert discriminator(samples).shape == (5,)


@every_family
@pytest.mark.parametrize("shape", [(3, 256, 256), (1, 200, 256)], ids=str)
def test_large_images_are_served_too(networks: Networks, shape: tuple[int, ...]) -> None:
    with torch.device("meta"):
        generator, discriminator = networks.pair(shape, 0, seed=0)
        samples = generator(torch.randn(2, networks.latent))
        assert samples.shape == (2, *shape)
        assert discriminator(samples).shape == (2,)


@pytest.mark.parametrize("networks", [Compact(), DCGAN()], ids=catalog.name_of)
def test_channels_stop_doubling_where_images_are_large(networks: Networks) -> None:
    """Else each doubling of the image's sides would make four times the weights."""
    with torch.device("meta"):
        small, large = (networks.pair((3, side, side), 0, seed=0)[1] for side in (64, 256))
    counts = [sum(each.numel() for each in player.parameters()) for player in (small, large)]
    assert 1 < counts[1] / counts[0] < 5


@every_family
def test_the_initial_weights_are_a_function_of_the_seed(networks: Networks) -> None:
    torch.manual_seed(1)
    one = networks.pair((1, 8, 8), 0, seed=3)
    torch.manual_seed(2)
    same, other = networks.pair((1, 8, 8), 0, seed=3), networks.pair((1, 8, 8), 0, seed=4)
    for player in range(2):
        assert all(map(torch.equal, one[player].state_dict().values(), same[player].state_dict().values()))
        assert not all(map(torch.equal, one[player].state_dict().values(), other[player].state_dict().values()))


@every_family
def test_a_training_pass_changes_no_buffer(networks: Networks) -> None:
    """Else the forward pass of one player's update would change the other player."""
    for player, argument in zip(
        networks.pair((1, 8, 8), 0, 0), (torch.randn(6, networks.latent), torch.rand(6, 1, 8, 8)), strict=True
    ):
        before = {name: tensor.clone() for name, tensor in player.state_dict().items()}
        player(argument)
        assert all(torch.equal(before[name], tensor) for name, tensor in player.state_dict().items())


@pytest.mark.parametrize("networks", [family for family in FAMILIES if not isinstance(family, MLP)])
@pytest.mark.parametrize("shape", [(2,), (1, 7, 8), (5, 8, 8), (1, 8)], ids=str)
def test_impossible_shapes_are_refused_with_the_shape(networks: Networks, shape: tuple[int, ...]) -> None:
    with pytest.raises(
        InputError, match=rf"{catalog.name_of(networks)} needs images .* {list(shape)}".replace("[", r"\[")
    ):
        networks.pair(shape, 0, 0)


def test_the_paper_networks_refuse_points_and_the_plain_ones_serve_them() -> None:
    with pytest.raises(InputError, match="paper-mlp needs images"):
        PaperMLP().pair((2,), 0, 0)
    generator, discriminator = MLP().pair((2,), 0, 0)
    assert discriminator(generator(torch.randn(3, 64))).shape == (3,)


def test_the_papers_layers_have_the_released_sizes() -> None:
    generator, discriminator = PaperMLP().pair((1, 28, 28), 0, 0)
    sizes = [
        [tuple(layer.weight.shape) for layer in player.modules() if isinstance(layer, nn.Linear)]
        for player in (generator, discriminator)
    ]
    assert sizes == [[(1200, 100), (1200, 1200), (784, 1200)], [(1200, 784), (1200, 240), (1, 240)]]
    shares = [layer.share for layer in discriminator.modules() if isinstance(layer, Dropout)]
    assert shares == pytest.approx([0.2, 0.5, 0.5])
    bounds = [max(float(p.detach().abs().max()) for p in player.parameters()) for player in (generator, discriminator)]
    assert bounds == pytest.approx([0.05, 0.005], rel=1e-3)


def test_tapered_residual_networks_have_the_papers_channels() -> None:
    with torch.device("meta"):
        pair = Resnet(width=64, tapered=True).pair((3, 64, 64), 0, 0)
    channels = [[block.shortcut.out_channels for block in player if isinstance(block, Up | Down)] for player in pair]
    assert channels == [[512, 256, 128, 64], [64, 128, 256, 512, 1024]]


def test_maxout_takes_the_largest_piece() -> None:
    layer = Maxout(3, 4, pieces=5, keep=1.0)
    batch = torch.randn(7, 3)
    all_pieces = layer.linear(batch)
    expected = torch.stack([all_pieces[:, 5 * unit : 5 * unit + 5].max(1).values for unit in range(4)], 1)
    assert torch.equal(layer(batch), expected)


def test_the_priors_have_unit_variance_and_the_right_bounds() -> None:
    with randomness.scope(0, 0, "test"):
        uniform, normal = (family.draw_codes(20_000, None, None, 0) for family in (PaperMLP(), DCGAN()))
    for latents in (uniform, normal):
        assert latents.mean().item() == pytest.approx(0, abs=5 / 2e6**0.5)
        assert latents.var().item() == pytest.approx(1, abs=5 * 2**0.5 / 2e6**0.5)
    assert 1.73 < uniform.abs().max() <= 3**0.5 + 1e-6
    assert normal.abs().max() > 4


@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_binary_latents_are_fair_coins_and_the_others_as_they_were(prior: str) -> None:
    plain = replace(MLP(latent=5), prior=prior)
    with randomness.scope(0, 0, "test"):
        usual = plain.draw_codes(20_000, None, None, 0)
    with randomness.scope(0, 0, "test"):
        latents = replace(plain, binary=3).draw_codes(20_000, None, None, 0)
    assert torch.equal(latents[:, :2], usual[:, :2])
    coins = latents[:, 2:]
    assert torch.equal(coins, usual[:, 2:].sign())
    assert coins.mean(0).abs().max() < 5 / 20_000**0.5
    words = (coins > 0).long() @ torch.tensor([4, 2, 1])
    assert (words.bincount() / 20_000 - 1 / 8).abs().max() < 5 * (7 / 64 / 20_000) ** 0.5


def test_more_binary_latents_than_latents_are_refused() -> None:
    assert replace(MLP(latent=5), binary=5).pair((2,), 0, seed=0)
    with pytest.raises(InputError, match=r"networks.binary=6 is more than networks.latent=5"):
        replace(MLP(latent=5), binary=6).pair((2,), 0, seed=0)


def test_waves_by_their_formula() -> None:
    points = torch.tensor([[0.3, -1.7], [2.0, 0.0]])
    seen = Waves(2)(points)
    half = math.pi / 2
    for row, coordinates in zip(seen.tolist(), points.tolist(), strict=True):
        waves = [
            wave(k * half * x) / k ** (1 / 3) for x in coordinates for wave in (math.sin, math.cos) for k in (1, 2)
        ]
        assert sorted(row) == pytest.approx(sorted([*coordinates, *waves]), abs=1e-6)


def test_levels_end_between_four_and_seven_pixels() -> None:
    for side in range(8, 300):
        sizes = levels((side, 2 * side))
        assert 4 <= min(sizes[-1]) <= 7
        assert all((b[0], b[1]) == (-(-a[0] // 2), -(-a[1] // 2)) for a, b in pairwise(sizes))


@pytest.mark.parametrize("size", [(8, 8), (9, 8), (8, 11), (13, 9)])
def test_folding_undoes_unfolding(size: tuple[int, int]) -> None:
    batch = torch.randn(2, 3, *size)
    assert torch.equal(Fold(size)(Unfold()(batch)), batch)


def test_calibration_measures_what_a_training_pass_normalises_with() -> None:
    layer = BatchNorm(3)
    batch = torch.randn(500, 3, 4, 4) * 5 + 2
    calibrate(nn.Sequential(layer), [batch])
    assert not layer.training
    with torch.no_grad():
        evaluated = layer(batch)
        trained = layer.train()(batch)
    torch.testing.assert_close(evaluated, trained, rtol=1e-3, atol=1e-3)


def test_the_average_forgets_its_start_and_follows_the_formula() -> None:
    generator = nn.Linear(2, 2)
    average = Average(generator, decay=0.9)
    expected = generator.weight.detach().clone()
    for update in range(1, 200):
        with torch.no_grad():
            generator.weight.add_(0.1)
        average.update(update)
        weight = min(0.9, (1 + update) / (10 + update))
        expected = weight * expected + (1 - weight) * generator.weight.detach()
    torch.testing.assert_close(average.network.weight, expected)
    assert not any(parameter.requires_grad for parameter in average.network.parameters())


def test_what_a_foreign_layer_keeps_beside_its_parameters_is_the_live_networks() -> None:
    generator = nn.Sequential(nn.Linear(MLP().latent, 3), nn.BatchNorm1d(3))
    average = Average(generator, decay=0.9)
    for update in range(1, 5):
        generator(torch.randn(16, MLP().latent))
        average.update(update)
    layer = average.finished(MLP(), [], torch.device("cpu"))[1]
    assert torch.equal(layer.running_mean, generator[1].running_mean)
    assert int(layer.num_batches_tracked) == 4


def test_the_finished_average_is_repeatable() -> None:
    source = images((1, 8, 8))
    networks = Compact(width=4)
    generator, _ = networks.pair(source.shape, 0, 0)
    average, latents = Average(generator, 0.5), torch.randn(4, networks.latent)
    one = average.finished(networks, [], torch.device("cpu"))(latents)
    again = average.finished(networks, [], torch.device("cpu"))(latents)
    assert torch.equal(one, again)
    torch.testing.assert_close(one[:2], average.finished(networks, [], torch.device("cpu"))(latents[:2]))


def test_the_statistics_are_measured_on_classes_as_often_as_they_are() -> None:
    """The networks of 100 classes, of which the last is half of the data."""
    networks, counts = Compact(width=4, condition="concatenation"), [1] * 99 + [99]
    generator, _ = networks.pair((1, 8, 8), 100, 0)
    seen: list[Tensor] = []
    average = Average(generator, 0.0)
    average.network.register_forward_pre_hook(lambda module, given: seen.append(given[0][:, networks.latent :]))
    average.finished(networks, counts, torch.device("cpu"))
    found = torch.cat(seen).argmax(1).bincount(minlength=100)
    assert found.count_nonzero() > 90
    assert 0.4 < float(found[99] / found.sum()) < 0.6


@every_family
@pytest.mark.parametrize("condition", ["projection", "concatenation"])
def test_conditional_pairs_listen_to_the_class(networks: Networks, condition: str) -> None:
    networks = replace(networks, condition=condition)
    generator, discriminator = (player.eval() for player in networks.pair((2, 9, 12), 3, seed=0))
    labels = torch.tensor([0, 1, 2, 2])
    with randomness.scope(0, 0, "test"):
        codes = networks.draw_codes(4, None, labels, 3)
    assert codes.shape == (4, networks.latent + 3)
    assert torch.equal(codes[:, -3:].argmax(1), labels)
    samples = generator(codes)
    one, other = discriminator(samples, labels), discriminator(samples, torch.tensor([1, 1, 2, 2]))
    assert one.shape == (4,)
    assert (one != other).tolist() == [True, False, False, False]


def test_a_conditional_family_refuses_data_without_labels() -> None:
    with pytest.raises(InputError, match=r"networks\.condition=projection needs labels, and the data have none"):
        MLP(condition="projection").pair((1, 8, 8), 0, seed=0)


def test_an_auxiliary_classifier_guesses_the_class_and_is_not_told_it() -> None:
    generator, discriminator = MLP(condition="auxiliary").pair((2,), 3, seed=0)
    samples, labels = generator(torch.randn(4, 64 + 3)), torch.tensor([0, 1, 2, 2])
    logits, surprise = discriminator(samples, labels)
    other_logits, other_surprise = discriminator(samples, torch.tensor([0, 1, 2, 0]))
    assert torch.equal(logits, other_logits)
    assert (surprise != other_surprise).tolist() == [False, False, False, True]
    guesses = discriminator.classifier(discriminator.trunk(samples)).softmax(1)
    torch.testing.assert_close(surprise, -guesses[torch.arange(4), labels].log())


def test_both_players_want_the_class_to_be_guessed() -> None:
    """AC-GAN's L_C is in both losses (Odena et al. 2017, eq. 3): D's on real and fake samples, G's on fakes."""
    from zerosum.algorithm import confront, generator_loss
    from zerosum.games import NonSaturating
    from zerosum.playing import build

    source, engine = images((1, 8, 8), classes=3), Engine(torch.device("cpu"))
    recipe = recipes.change(recipes.find("compact"), "networks.condition=auxiliary")
    players = build(recipe, source, engine, seed=0)
    real, labels = source.train.minibatch(6, 0, 0)
    with randomness.scope(0, 0, "test"):
        codes = players.networks.draw_codes(6, None, labels, 3)
    fake = players.generator.network(codes)
    (_, of_real), (of_fake_logits, of_fake) = (players.discriminator.network(each, labels) for each in (real, fake))
    _, class_losses = confront(players, engine, 0.0, real, codes, labels)
    torch.testing.assert_close(class_losses, (of_real.mean(), of_fake.mean()))
    loss = generator_loss(players, NonSaturating(), engine, 0.0, real, codes, labels)
    alone = NonSaturating().generator_loss(of_fake_logits, of_fake_logits)
    torch.testing.assert_close(loss - alone, of_fake.mean())


def test_the_minibatch_features_by_their_formulas() -> None:
    features = torch.randn(5, 12, dtype=torch.float64)
    widened = StandardDeviation()(features)
    assert torch.equal(widened[:, :12], features)
    torch.testing.assert_close(widened[:, 12], features.std(0, correction=0).mean().expand(5), rtol=1e-6, atol=0)
    layer = Discrimination(12, kernels=3, dimensions=2).double()
    places = layer.project(features).view(5, 3, 2)
    for i in range(5):
        for b in range(3):
            near = [(-(places[i, b] - places[j, b]).abs().sum()).exp() for j in range(5) if j != i]
            torch.testing.assert_close(layer(features)[i, 12 + b], torch.stack(near).sum() / 4)


def test_minibatch_features_notice_a_collapsed_batch() -> None:
    features = torch.randn(1, 12)
    assert StandardDeviation()(features.expand(6, 12))[0, 12] < 1e-3
    torch.testing.assert_close(Discrimination(12)(features.expand(6, 12))[:, 12:], torch.ones(6, 16))


@every_family
def test_a_packed_discriminator_judges_neighbours_together(networks: Networks) -> None:
    _, discriminator = replace(networks, packing=3).pair((2, 9, 12), 0, seed=0)
    discriminator.eval()
    samples = torch.randn(12, 2, 9, 12)
    other = samples.clone()
    other[4] = 0
    changed = discriminator(samples) != discriminator(other)
    assert changed.tolist() == [False, True, False, False]


@every_family
def test_dropout_in_the_generator_follows_every_rectifier(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    generator, _ = replace(networks, dropout=0.25).pair((1, 32, 32), 0, seed=0)
    done: list[str] = []

    def watched(place: ModuleType, name: str) -> Callable[..., torch.Tensor]:
        function = getattr(place, name)

        def call(*arguments: object, **options: object) -> torch.Tensor:
            done.append(name)
            return function(*arguments, **options)

        return call

    for place, name in ((nn.functional, "relu"), (nn.functional, "leaky_relu"), (dropout, "dropped")):
        monkeypatch.setattr(place, name, watched(place, name))
    generator(networks.draw_codes(2, None, None, 0))
    assert len(done) >= 4
    assert set(done[1::2]) == {"dropped"}
    assert "dropped" not in done[::2]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9])
def test_dropout_by_its_definition(share: float, dtype: torch.dtype) -> None:
    batch = torch.full((1001, 997), 2.0, dtype=dtype, requires_grad=True)
    with randomness.scope(0, 0, "test"):
        seen = dropped(batch, share)
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


def test_discrimination_in_bfloat16_is_as_fine_as_what_it_sees() -> None:
    """A sample's nearness to itself is taken off a sum that would hide the others in eight bits."""
    layer, features = Discrimination(6, kernels=2, dimensions=3), torch.randn(5, 6)
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        places = layer.project(features).double().view(5, 2, 3)
        seen = layer(features)[:, 6:].double()
    near = (-(places[:, None] - places[None]).abs().sum(3)).exp()
    expected = (near.sum(1) - 1) / 4
    torch.testing.assert_close(seen, expected, rtol=1e-4, atol=1e-6)


def test_dropout_of_nearly_everything() -> None:
    assert dropped(torch.ones(100), 0.999999).isfinite().all()


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
    generator, _ = networks.pair((1, 8, 8), 0, seed=0)
    if isinstance(networks, R3gan):  # whose blocks begin as the identity
        torch.nn.init.normal_(next(m for m in generator.modules() if isinstance(m, Residual)).layers[-1].weight)
    generator.eval()
    codes = torch.randn(4, networks.latent)

    def samples(seed: int) -> torch.Tensor:
        with randomness.scope(seed, 0, "test"):
            return generator(codes)

    assert torch.equal(samples(0), samples(0))
    assert not torch.equal(samples(0), samples(1))


def test_the_average_image_is_found_without_a_wider_copy_of_the_data() -> None:
    networks, samples = PaperMLP(generator_units=4), images((1, 28, 28), count=3_000).train.samples
    players = networks.pair((1, 28, 28), 0, seed=0)
    with torch.profiler.profile(profile_memory=True) as profile:
        networks.acquaint(*players, samples)
    assert max(event.cpu_memory_usage for event in profile.events()) < samples.nbytes
    shown = torch.sigmoid(players[0].get_submodule("4").bias.detach().double())
    torch.testing.assert_close(shown, samples.double().mean(0).flatten() / 255, rtol=1e-6, atol=0)


@pytest.mark.parametrize("more", [{}, {"packing": 2}, {"condition": "concatenation"}, {"frequencies": 3}], ids=str)
def test_points_of_any_scale_are_the_same_to_the_players(more: dict[str, object]) -> None:
    networks = replace(MLP(width=16), **more)
    classes = 3 if networks.conditional else 0
    points, labels = (
        torch.randn(500, 2) * torch.tensor([3.0, 0.01]) + torch.tensor([100.0, -2.0]),
        torch.arange(500) % 3,
    )
    told = (labels,) if networks.conditional else ()
    codes = torch.randn(8, 64 + classes)
    answers = []
    for data in (points, (points - points.mean(0)) / points.std(0)):
        generator, discriminator = networks.pair((2,), classes, seed=0)
        networks.acquaint(generator, discriminator, data)
        made = generator(codes)
        answers.append((discriminator(data, *told), (made - data.mean(0)) / data.std(0)))
    for one, other in zip(*answers, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


def test_a_coordinate_that_never_changes_is_left_as_it_is() -> None:
    networks, points = MLP(), torch.tensor([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]])
    generator, discriminator = networks.pair((2,), 0, seed=0)
    networks.acquaint(generator, discriminator, points)
    assert discriminator(points).isfinite().all()


def test_the_papers_generator_starts_at_the_average_image() -> None:
    samples = torch.randint(0, 256, (50, 1, 8, 8), dtype=torch.uint8)
    samples[:, 0, 0, 0], samples[:, 0, 0, 1] = 0, 255
    networks = PaperMLP()
    generator, discriminator = networks.pair((1, 8, 8), 0, seed=0)
    networks.acquaint(generator, discriminator, samples)
    start = (generator(torch.zeros(1, 100))[0] + 1) / 2  # at z = 0 only the biases speak
    torch.testing.assert_close(start, samples.float().mean(0) / 255, rtol=1e-4, atol=1e-6)


def test_r3gans_networks_have_the_published_size() -> None:
    """About 21 million weights each at width 768 on 32x32 images (their table of configurations)."""
    for player in R3gan(width=768).pair((3, 32, 32), 0, seed=0):
        assert 19e6 < sum(parameter.numel() for parameter in player.parameters()) < 23e6


def test_fix_up_begins_with_the_identity() -> None:
    _, discriminator = R3gan(width=16).pair((1, 8, 8), 0, seed=0)
    block = next(module for module in discriminator.modules() if isinstance(module, Residual))
    batch = torch.randn(2, 16, 8, 8)
    assert torch.equal(block(batch), batch)


@pytest.mark.parametrize("after", [(4, 4), (14, 13), (7, 5), (9, 20)])
def test_resizing_is_interpolation(after: tuple[int, int]) -> None:
    batch = torch.randn(2, 3, 9, 10, generator=torch.Generator().manual_seed(0))
    whole = F.interpolate(
        F.interpolate(batch, (after[0], 10), mode="bilinear", antialias=after[0] < 9),
        after,
        mode="bilinear",
        antialias=after[1] < 10,
    )
    torch.testing.assert_close(Resize(after)(batch), whole)
    assert Resize(after)(batch.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("condition", ["none", "projection", "auxiliary"])
def test_logits_are_of_full_precision(condition: str) -> None:
    """Those of bfloat16 are exact in 8 bits; of 64 different samples some would have the same."""
    networks = Compact(width=4, condition=condition)  # type: ignore[arg-type]
    _, discriminator = networks.pair((1, 8, 8), 3, seed=0)
    samples = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = None if condition == "none" else torch.zeros(64, dtype=torch.long)
    engine = Engine(torch.device("cpu"), bfloat16=True)
    logits = engine.verdict(discriminator, samples, labels).logits
    assert not torch.equal(logits, logits.bfloat16().float())
