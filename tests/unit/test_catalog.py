"""Names: each component declares its own, and whatever has none, or another's, is refused."""

import inspect
import json
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import ClassVar

import pytest
from pydantic.dataclasses import dataclass
from torch import Tensor

import zerosum
from zerosum import catalog, recipes
from zerosum.catalog import Component
from zerosum.errors import InputError
from zerosum.game.losses import Game, Minimax
from zerosum.game.recipe import from_json
from zerosum.game.regularizers import GradientNorm, Regularizer, WeightClipping
from zerosum.metrics.features.given import GivenFeatures  # stands for what was extracted, and is no choice

for _module in pkgutil.walk_packages(zerosum.__path__, "zerosum."):
    import_module(_module.name)


def own_subclasses(base: type) -> Iterator[type]:
    for cls in base.__subclasses__():
        if cls.__module__.startswith("zerosum."):
            yield cls
        yield from own_subclasses(cls)


FAMILIES = sorted((cls for cls in own_subclasses(Component) if "kind" in vars(cls)), key=lambda family: family.kind)
every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.kind)


def test_the_families() -> None:
    kinds = (
        "demonstration, diagnostic, features, game, kind of log, log, metric, network, optimizer, protocol, reader, "
        "regularizer, trick"
    )
    assert [family.kind for family in FAMILIES] == kinds.split(", ")


@every_family
def test_every_member_of_a_family_declares_a_name_of_its_own(family: type[Component]) -> None:
    members = [cls for cls in own_subclasses(family) if not inspect.isabstract(cls) and cls is not GivenFeatures]
    names = [name for cls in members for name in (cls.declared_name, *cls.aliases)]
    assert all(names)
    assert len(set(names)) == len(names) >= 2
    for cls in members:
        assert catalog.lookup(family, cls.declared_name) is cls
        assert all(catalog.lookup(family, alias) is cls for alias in cls.aliases)


@every_family
def test_an_unknown_name_is_refused_in_the_family_s_words(family: type[Component]) -> None:
    with pytest.raises(InputError, match=f"^unknown {family.kind} 'foo': choose one of: "):
        catalog.lookup(family, "foo")


def test_an_alias_is_decoded_with_its_fields_and_encoded_by_the_declared_name() -> None:
    for alias, samples in (("r1", "real"), ("r2", "fake")):
        expected = GradientNorm(samples=samples, gamma=3)
        found = catalog.decode(Regularizer, {"name": alias, "gamma": 3})
        assert found == expected
        assert catalog.decode(Regularizer, alias) == GradientNorm(samples=samples)
        encoded = catalog.encode(found)
        assert (encoded["name"], encoded["samples"]) == ("gradient-norm", samples)
        assert catalog.decode(Regularizer, json.loads(json.dumps(encoded))) == expected
    assert not {"r1", "r2"} & catalog.choices(Regularizer).keys()


def test_a_renamed_class_is_found_by_its_old_name_and_its_subclasses_are_not() -> None:
    @dataclass(frozen=True)
    class Renamed(WeightClipping, name="renamed", aliases={"as-it-was": {}}):
        """A researcher's own."""

    @dataclass(frozen=True)
    class Narrower(Renamed, name="narrower"):
        """Inherits neither name."""

    assert type(catalog.decode(Regularizer, {"name": "as-it-was", "limit": 2})) is Renamed
    assert type(catalog.decode(Regularizer, "narrower")) is Narrower
    assert catalog.encode(catalog.decode(Regularizer, "as-it-was"))["name"] == "renamed"


def test_a_game_from_elsewhere_reads_back_and_is_not_listed() -> None:
    @dataclass(frozen=True)
    class Elsewhere(Minimax, name="elsewhere"):
        """A researcher's own."""

        power: float = 2.0

    recipe = replace(recipes.find("dcgan"), game=Elsewhere(power=3.0))
    assert from_json(json.loads(json.dumps(recipe.as_json()))) == recipe
    assert "elsewhere" not in catalog.choices(Game)


def test_a_class_without_a_name_is_refused_and_told_how_to_declare_one() -> None:
    @dataclass(frozen=True)
    class Unnamed(Minimax):
        """Inherits everything but the name."""

    message = r"Unnamed has no name: declare it, class Unnamed\(Game, name='...'\)"
    with pytest.raises(ValueError, match=message):
        replace(recipes.find("dcgan"), game=Unnamed())
    with pytest.raises(InputError, match=message):
        catalog.decode(Game, Unnamed())
    assert catalog.lookup(Game, "minimax") is Minimax
    assert all(cls is not Unnamed for cls, _ in catalog.known(Game).values())


class Attempt(Game):
    """A researcher's first attempt."""

    paper: ClassVar[str] = ""

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        raise NotImplementedError

    generator_loss = discriminator_loss

    def optimal_logit(self, log_ratio: Tensor) -> Tensor | None:
        raise NotImplementedError


def test_a_part_that_its_name_does_not_lead_back_to_is_refused() -> None:
    @dataclass(frozen=True)
    class Hinge(Minimax, name="hinge"):
        """Called like one of the package's."""

    class Plain(Attempt, name="plain"):
        """No dataclass."""

    dcgan = recipes.find("dcgan")
    with pytest.raises(ValueError, match="another game is called 'hinge' too: give Hinge another name"):
        replace(dcgan, game=Hinge())
    with pytest.raises(ValueError, match="Plain has to be a dataclass"):
        replace(dcgan, game=Plain())


def test_of_two_definitions_the_newer_one_counts() -> None:
    """As in a notebook whose cell is run again."""

    def define() -> type[Minimax]:
        @dataclass(frozen=True)
        class Twice(Minimax, name="twice"):
            """Mine."""

        return Twice

    older, newer = define(), define()
    assert catalog.lookup(Game, "twice") is newer
    with pytest.raises(ValueError, match="another game is called 'twice' too"):
        replace(recipes.find("dcgan"), game=older())
