"""Places in a latent space are those of `zerosum sample`, and what surrounds them is as it is called."""

from dataclasses import replace

import pytest
import torch

from tests.unit.export.untrained import small, untrained
from zerosum.data import Split
from zerosum.errors import InputError
from zerosum.explore.directions import MOST, factorise, follow_features
from zerosum.explore.latents import LatentSpace, describe_command
from zerosum.explore.questions import Along, Around, Draw, Move, Place, Way
from zerosum.generator import TrainedGenerator
from zerosum.generator.interpolation import slerp

FAMILIES = ["compact", "dcgan", "resnet", "mlp", "paper-mlp", "r3gan"]


def plain() -> TrainedGenerator:
    return untrained(small("compact"), 1, 8, 8)


def conditional() -> TrainedGenerator:
    return untrained(small("compact", condition="projection", binary=2), 3, 9, 12)


def space(generator: TrainedGenerator, training: Split | None = None) -> LatentSpace:
    return LatentSpace(generator, "it", None if training is None else lambda: training)


@pytest.mark.parametrize("make", [plain, conditional])
def test_a_place_is_a_sample(make: object) -> None:
    generator = plain() if make is plain else conditional()
    here, label = space(generator), "b" if generator.classes else None
    first = Place("7", 0, label, 0.7)
    drawn = here.draw(Draw(first, 70))
    assert torch.equal(drawn, generator.sample(70, 7, label, 0.7))
    for index in (0, 3, 69):
        assert torch.equal(here.show(replace(first, index=index))[0], drawn[index])


def test_from_one_place_to_another() -> None:
    generator = conditional()
    here = space(generator)
    start, goal = Place("0", 1, "a"), Place("5", 66, "b")
    way = here.go(Way(start, goal, 7))
    assert way.shape == (7, 3, 9, 12)
    assert torch.equal(way[:1], here.show(start))
    assert torch.equal(way[-1:], here.show(goal))
    ends = [here.locate(each)[None] for each in (start, goal)]
    inputs = generator.connect(ends[0], ends[1], 7)[0]
    assert torch.allclose(inputs[:, :6], slerp(ends[0][:, :8], ends[1][:, :8], 7)[0, :, :6])
    assert inputs[3, 8:].tolist() == [0.5, 0.5, 0]
    assert {abs(each) for each in inputs[:, 6:8].flatten().tolist()} == {1}


def test_around_a_place() -> None:
    here, place = space(conditional()), Place("2", 4, "c")
    near, far = (here.look_around(Around(place, share)) for share in (0.1, 0.9))
    assert len(near) == 9
    assert torch.equal(near[:1], here.show(place))
    assert torch.equal(near, here.look_around(Around(place, 0.1)))
    distances = [(each[1:].float() - each[:1].float()).abs().mean() for each in (near, far)]
    assert 0 < distances[0] < distances[1]
    assert torch.equal(here.look_around(Around(place, 0))[5:6], near[:1])


@pytest.mark.parametrize("kind", ["sefa", "ganspace"])
def test_along_a_direction(kind: str) -> None:
    here, place = space(plain()), Place("1", 2)
    strip = here.go_along(Along(place, kind, 1, 3.0, 7))  # type: ignore[arg-type]
    assert torch.equal(strip[3:4], here.show(place))
    moved = replace(place, moves=(Move(kind, 1, 3.0),))  # type: ignore[arg-type]
    assert torch.equal(strip[-1:], here.show(moved))
    shift = here.locate(moved) - here.locate(place)
    assert torch.allclose(shift, 3 * here.directions(kind)[1], atol=1e-5)  # type: ignore[arg-type]
    both = replace(place, moves=(Move(kind, 1, 1.0), Move(kind, 0, -1.0)))  # type: ignore[arg-type]
    assert not torch.equal(here.show(both), here.show(place))


@pytest.mark.parametrize("family", FAMILIES)
def test_directions_of_every_family(family: str) -> None:
    generator = untrained(small(family), 1, 8, 8)
    latents = torch.cat(list(generator.sample_latents(512)))
    for found in (factorise(generator), follow_features(generator, latents)):
        assert found.shape == (8, 8)
        assert torch.allclose(found.norm(dim=1), torch.ones(8), atol=1e-5)
    sefa = factorise(generator)
    assert torch.allclose(sefa @ sefa.T, torch.eye(8), atol=1e-4)


def test_the_first_direction_changes_most() -> None:
    generator = untrained(small("mlp"), 1, 8, 8)
    first = next(layer for layer in generator.network.modules() if isinstance(layer, torch.nn.Linear))
    planted = torch.nn.functional.normalize(torch.arange(1.0, 9), dim=0)
    with torch.no_grad():
        first.weight.add_(5 * torch.randn(len(first.weight), 1) * planted)
    latents = torch.cat(list(generator.sample_latents(2048)))
    assert abs(factorise(generator)[0] @ planted) > 0.98
    assert abs(follow_features(generator, latents)[0] @ planted) > 0.9


def test_classes_are_no_directions() -> None:
    generator = conditional()
    assert factorise(generator).shape == (8, 8)
    assert space(generator).describe() == {
        "shape": [3, 9, 12],
        "classes": ["a", "b", "c"],
        "latent": 8,
        "prior": "normal",
        "truncates": True,
        "most-truncation": 3.0,
        "directions": {"sefa": 8, "ganspace": 8},
        "training": False,
        "finds": True,
        "most-bytes": 50_000_000,
        "window": None,
    }
    assert MOST >= 8


def test_a_generator_without_directions_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = plain()
    monkeypatch.setattr("zerosum.explore.directions._weighted_layers", lambda _: [torch.nn.Conv2d(1, 1, 1)])
    assert space(generator).describe()["directions"] == {"sefa": 0, "ganspace": 0}


def test_nearest_training_images() -> None:
    generator = plain()
    place = Place("3", 5)
    copy = space(generator).show(place)
    images = torch.randint(0, 256, (5000, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images[4321] = copy[0]
    found, distances = space(generator, Split(images)).find_training(place)
    assert torch.equal(found[:1], copy)
    assert len(found) == len(distances) == 6
    assert distances[0] == 0
    assert distances == sorted(distances)
    with pytest.raises(InputError, match="not known here: explore its run's folder"):
        space(generator).find_training(place)
    with pytest.raises(InputError, match=r"images of shape \[1, 9, 9\], which cannot be compared"):
        space(generator, Split(images.new_zeros(3, 1, 9, 9))).find_training(place)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (Place("x"), "the seed must be a whole number"),
        (Place("-1"), "the seed must be a whole number"),
        (Place(label="z"), "unknown class 'z'"),
        (Place(moves=(Move("sefa", 12, 1.0),)), "there is no direction 13: there are 8"),
    ],
)
def test_what_cannot_be_drawn_is_said(place: Place, words: str) -> None:
    with pytest.raises(InputError, match=words):
        space(conditional()).show(place)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_points_have_a_latent_space_too(dimension: int) -> None:
    generator = untrained(small("mlp"), dimension)
    here = space(generator, Split(torch.zeros(9, dimension)))
    points = here.draw(Draw(Place("7"), 70))
    assert torch.equal(points, generator.sample(70, 7))
    assert torch.allclose(here.show(Place("7", 69))[0], points[69])
    way = here.go(Way(Place("7", 1), Place("7", 2), 5))
    assert torch.allclose(way[[0, -1]], points[1:3])
    assert here.look_around(Around(Place())).shape == (9, dimension)
    assert here.go_along(Along(Place("7"), "sefa", 1, 2.0, 7)).shape == (7, dimension)
    about = here.describe()
    assert not about["finds"]
    assert not about["training"]
    with pytest.raises(InputError, match="points are not compared with training data here"):
        here.find_training(Place())


def test_the_window_shows_all_points() -> None:
    generator = untrained(small("mlp"), 3)
    window = space(generator).describe()["window"]
    middle, half = torch.tensor(window["middle"]), window["half"]
    away = (generator.sample(1_024)[:, :2] - middle).abs().amax(0)
    assert float(away.max()) == pytest.approx(half / 1.35)
    assert space(plain()).describe()["window"] is None


def test_points_of_a_game_that_diverged_have_a_window_and_no_directions() -> None:
    generator = untrained(small("mlp"), 2)
    with torch.no_grad():
        for parameter in generator.network.parameters():
            parameter.fill_(torch.nan)
    about = space(generator).describe()
    assert about["window"] == {"middle": [0, 0], "half": 1e-6}
    assert about["directions"] == {"sefa": 0, "ganspace": 0}


def test_the_command_that_draws_the_same() -> None:
    assert describe_command("my run", Place("3", 5, "it's", 0.7), 9) == (
        "zerosum sample 'my run' --seed 3 --count 9 --label 'it'\"'\"'s' --truncation 0.7"
    )
