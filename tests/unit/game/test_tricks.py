"""Each trick does what its paper says, changes a game when named, and is refused where it cannot serve."""

import itertools

import pytest
import torch

from tests.conftest import images, points
from zerosum import catalog, randomness, recipes
from zerosum.errors import InputError
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.losses import NonSaturating
from zerosum.game.players import Players
from zerosum.game.predictions import DiscriminatorPass
from zerosum.game.recipe import Recipe, change, from_json
from zerosum.game.tricks import (
    AdaptiveAugment,
    DiffAugment,
    InstanceNoise,
    LabelSmoothing,
    Memory,
    NoisyLabels,
    Replay,
    SoftLabels,
    Trick,
)

SOURCE = images((1, 16, 16))
ENGINE = Engine(torch.device("cpu"))
ONES, ZEROS = torch.ones(20_000), torch.zeros(20_000)
SOON = {"replay": {"capacity": 8}, "adaptive-augment": {"target": -0.9, "every": 1, "ramp": 10}}


def outcome(assignments: tuple[str, ...], steps: int = 3) -> list[float]:
    recipe = recipes.find("dcgan")
    for assignment in ("networks.width=8", "batch_size=6", *assignments):
        recipe = change(recipe, assignment)
    players = Players.build(recipe, SOURCE, ENGINE, seed=0)
    iterations = play(players, recipe, SOURCE.train, steps=steps, seed=0)
    return [float(iteration.discriminator_loss) for iteration in iterations]


@pytest.mark.parametrize("name", catalog.choices(Trick))
def test_a_trick_is_off_by_default_and_changes_the_game_when_named(name: str) -> None:
    assert Recipe("any").tricks == ()
    trick = catalog.encode(catalog.build(catalog.lookup(Trick, name), SOON.get(name, {})))
    recipe = change(recipes.find("dcgan"), "tricks=" + str([trick]).replace("'", '"'))
    assert from_json(recipe.as_json()) == recipe
    with_it = outcome((f"tricks={str([trick]).replace(chr(39), chr(34)).replace('(', '[').replace(')', ']')}",))
    assert with_it != outcome(())
    assert all(loss == loss for loss in with_it)


@pytest.mark.parametrize(
    "assignment",
    [
        "networks.dropout=0.5",
        "networks.minibatch=standard-deviation",
        "networks.minibatch=discrimination",
        "networks.packing=2",
        "networks.mixed_batches=true",
        "networks.prior=uniform",
    ],
)
def test_tricks_of_the_networks_change_the_game(assignment: str) -> None:
    assert outcome((assignment,)) != outcome(())


def test_smoothed_labels_have_the_papers_optimum() -> None:
    """D* = (a p + b q) / (p + q): the loss is stationary there, for p and q at one place, and lower than beside it."""
    p, q, trick = 0.7, 0.3, LabelSmoothing(real=0.9, fake=0.2)
    best = torch.tensor((0.9 * p + 0.2 * q) / (p + q)).logit()

    def loss(logit: torch.Tensor) -> torch.Tensor:
        real, fake = trick.labels(torch.ones(1), torch.zeros(1))
        game = NonSaturating()
        return p * game.label_loss(logit[None], real) + q * game.label_loss(logit[None], fake)

    assert loss(best) < min(loss(best - 0.1), loss(best + 0.1))
    torch.testing.assert_close(loss(best - 0.01), loss(best + 0.01), rtol=0, atol=1e-5)


def test_labels_are_smoothed_on_one_side_unless_told() -> None:
    real, fake = LabelSmoothing().labels(ONES, ZEROS)
    assert real.unique().tolist() == pytest.approx([0.9])
    assert fake.unique().tolist() == [0]
    logits = torch.tensor([2.0]), torch.tensor([-1.0])
    nothing, samples = torch.zeros(()), torch.zeros(1, 2)
    out = DiscriminatorPass(lambda shown: shown[:, 0], samples, samples, *logits, nothing, nothing)
    loss = Recipe("smoothed", game=NonSaturating(), tricks=(LabelSmoothing(),)).discriminator_loss(out)
    real_d, fake_d = (each.double().sigmoid() for each in logits)
    expected = -(0.9 * real_d.log() + 0.1 * (1 - real_d).log() + (1 - fake_d).log())
    torch.testing.assert_close(loss.double(), expected.squeeze(), rtol=1e-6, atol=0)


def test_soft_labels_fill_their_ranges() -> None:
    with randomness.scope(0, 0, "test"):
        real, fake = SoftLabels().labels(ONES, ZEROS)
    for labels, low, high in ((real, 0.7, 1.2), (fake, 0.0, 0.3)):
        assert low <= labels.min() < low + 1e-3 * (high - low) * 10
        assert high - 1e-3 * (high - low) * 10 < labels.max() <= high


def test_noisy_labels_flip_their_share() -> None:
    with randomness.scope(0, 0, "test"):
        real, fake = NoisyLabels(flip=0.1).labels(ONES, ZEROS)
    margin = 4 * (0.1 * 0.9 / len(ONES)) ** 0.5
    assert float((real == 0).float().mean()) == pytest.approx(0.1, abs=margin)
    assert float((fake == 1).float().mean()) == pytest.approx(0.1, abs=margin)


RELABELLING = [trick for trick in catalog.choices(Trick).values() if trick.relabels]


@pytest.mark.parametrize("trick", RELABELLING, ids=lambda trick: catalog.name_of(trick()))
def test_new_labels_are_affine_in_those_that_were_given(trick: type[Trick]) -> None:
    """So that no trick forgets what an earlier one did."""

    def relabelled(label: float) -> torch.Tensor:
        with randomness.scope(0, 0, "test"):
            return torch.cat(trick().labels(ONES * label, ONES * label))

    zero, middle, one = map(relabelled, (0.0, 0.25, 1.0))
    assert not torch.equal(zero, one)
    torch.testing.assert_close(middle, 0.75 * zero + 0.25 * one)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_labels_are_flipped_and_smoothed_in_any_order(order: tuple[int, ...], flip: float) -> None:
    tricks = NoisyLabels(flip=flip), LabelSmoothing(real=0.9, fake=0.05), SoftLabels(real=(0.7, 0.9), fake=(0.1, 0.3))
    labels = ONES, ZEROS
    with randomness.scope(0, 0, "test"):
        for place in order:
            labels = tricks[place].labels(*labels)
    higher, lower = labels if flip == 0 else labels[::-1]
    assert (higher > 0.5).all()
    assert (lower < 0.5).all()
    for kind in labels:
        assert len(kind.unique()) > 100  # drawn for each sample


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ("[1.2, 0.7]", r"tricks: 0.real: it must be \[low, high\], but it was \[1.2, 0.7\]"),
        ("[0, Infinity]", "tricks: 0.real.1: it must be a finite number, but it was inf"),
    ],
)
def test_soft_labels_between_bounds_that_are_none_are_refused(bounds: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        change(recipes.find("dcgan"), f'tricks=[{{"name": "soft-labels", "real": {bounds}}}]')


def test_instance_noise_fades_away() -> None:
    trick, samples = InstanceNoise(sigma=0.4, until=0.5), torch.zeros(100_000)
    with randomness.scope(0, 0, "test"):
        spreads = [float(trick.show(samples, done, {}).std()) for done in (0.0, 0.25, 0.5, 1.0)]
    assert spreads == pytest.approx([0.4, 0.2, 0.0, 0.0], abs=4 * 0.4 / (2 * len(samples)) ** 0.5)


def test_replay_shows_old_fakes_and_forgets_none_but_those_it_replaces() -> None:
    trick, memory = Replay(capacity=8), Memory()
    batches = [torch.full((6, 2), float(number)) for number in range(4)]
    shown = [trick.replay(batch, memory) for batch in batches]
    assert all(torch.equal(*pair) for pair in zip(shown[:2], batches[:2], strict=True))  # the store was not full yet
    assert shown[2][:3].unique().tolist() == [2]
    assert set(shown[2][3:].flatten().tolist()) <= {0, 1}
    assert int((memory["replay.samples"][:, 0] >= 2).sum()) >= 3
    assert memory["replay.samples"].shape == (8, 2)


def test_augmentation_is_for_every_sample_shown() -> None:
    picture = torch.rand(64, 1, 8, 8)
    with randomness.scope(0, 0, "test"):
        shown = DiffAugment().show(picture, 0.0, {})
        only = DiffAugment(policy=("translation",)).show(picture, 0.0, {})
    assert not any(torch.equal(*pair) for pair in zip(shown, picture, strict=True))
    moved = [not torch.equal(*pair) for pair in zip(only, picture, strict=True)]
    assert 0.7 < sum(moved) / len(moved) < 1  # by one pixel at most on either axis, so one in nine stays


def test_the_adaptive_probability_follows_the_sign_of_the_real_logits() -> None:
    trick, memory = AdaptiveAugment(every=2, ramp=1000), Memory()
    sure, unsure = torch.ones(50), torch.tensor([1.0, -1.0]).repeat(25)
    history = []
    for update in range(30):
        trick.remember(sure if update < 20 else unsure, 50, update, memory)
        history.append(round(float(memory["adaptive.probability"]), 6))
    # two updates of 50 images are a tenth of the ramp
    assert history[:6] == [0, 0.1, 0.1, 0.2, 0.2, 0.3]
    assert history[19] == 1.0
    assert history[-1] == pytest.approx(0.5)


def test_the_adaptive_probability_counts_images_and_not_packs() -> None:
    recipe = change(recipes.find("dcgan"), 'tricks=[{"name": "adaptive-augment", "every": 1, "ramp": 120}]')
    for assignment in ("networks.width=8", "batch_size=12", "networks.packing=4"):
        recipe = change(recipe, assignment)
    players = Players.build(recipe, SOURCE, ENGINE, seed=0)
    with torch.no_grad():
        for parameter in players.discriminator.network.parameters():
            parameter.zero_()
        players.discriminator.network.network[-2].bias.fill_(1.0)  # sure of everything
    next(play(players, recipe, SOURCE.train, steps=1, seed=0))
    assert float(players.memory["adaptive.probability"]) == pytest.approx(12 / 120)


def test_the_adaptive_probability_is_the_share_of_images() -> None:
    trick, picture = AdaptiveAugment(policy=("cutout",)), torch.rand(4_000, 1, 8, 8) + 1
    with randomness.scope(0, 0, "test"):
        for share in (0.0, 0.3, 1.0):
            shown = trick.show(picture, 0.0, {"adaptive.probability": torch.tensor(share)})
            changed = (shown != picture).flatten(1).any(1).float().mean()
            assert float(changed) == pytest.approx(share, abs=4 * (0.25 / len(picture)) ** 0.5 * (0 < share < 1))


@pytest.mark.parametrize(
    ("assignments", "expected"),
    [
        (
            ("game=hinge", 'tricks=["label-smoothing"]'),
            "trick label-smoothing cannot be used here: the game hinge has no labels to change; these games have: "
            "least-squares, minimax, non-saturating",
        ),
        *(
            (
                (f"game={game}", 'tricks=["adaptive-augment"]'),
                "trick adaptive-augment cannot be used here: it takes a logit above 0 for the answer that a sample is "
                f"real, which it is not in the game {game}",
            )
            for game in ("relativistic", "wasserstein", "least-squares")
        ),
        (
            ("networks.condition=projection", 'tricks=["replay"]'),
            "trick replay cannot be used here: it forgets the classes of networks.condition=projection",
        ),
        (("networks.packing=4",), "networks.packing=4 and batch_size=6 do not go together: a batch must be a whole"),
        (("accumulate=4",), "accumulate=4 and batch_size=6 do not go together: a minibatch is cut into equal parts"),
        (
            ("accumulate=2", "networks.packing=6"),
            "batch_size=6, accumulate=2 do not go together: a part must",
        ),
        (("accumulate=2", 'tricks=["replay"]'), "the trick replay and accumulate do not go together"),
        (("networks.condition=projection", "networks.packing=2"), "networks.packing=2 and networks.condition=proj"),
        (("networks.condition=auxiliary",), "networks.condition=auxiliary needs labels, and the data have none"),
    ],
)
def test_what_does_not_go_together_is_refused_with_both_names(assignments: tuple[str, ...], expected: str) -> None:
    source = SOURCE if "auxiliary" in assignments[0] else images((1, 8, 8), classes=3)
    recipe = change(recipes.find("dcgan"), "batch_size=6")
    for assignment in assignments:
        recipe = change(recipe, assignment)
    with pytest.raises(InputError, match=expected):
        Players.build(recipe, source, ENGINE, seed=0)


@pytest.mark.parametrize("game", ["hinge", "minimax", '{"name": "least-squares", "a": -1}'])
def test_adaptive_augmentation_serves_games_whose_logits_have_a_sign(game: str) -> None:
    recipe = change(change(recipes.find("dcgan"), 'tricks=["adaptive-augment"]'), f"game={game}")
    (trick,) = Players.build(recipe, SOURCE, ENGINE, seed=0).tricks
    assert trick == AdaptiveAugment()


def test_pictures_tricks_refuse_points() -> None:
    recipe = change(recipes.find("toy"), 'tricks=["diff-augment"]')
    with pytest.raises(
        InputError, match="the trick diff-augment cannot be used here: it is for images, and normal has points"
    ):
        Players.build(recipe, points(2), ENGINE, seed=0)
