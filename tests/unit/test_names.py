"""Names that are read from the source are those that exist."""

import contextlib
import dataclasses
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from zerosum import catalog, declared, names, recipes
from zerosum.catalog import Component
from zerosum.data import Source
from zerosum.data.distributions import DISTRIBUTIONS
from zerosum.data.preparation import Preparation
from zerosum.data.readers import reader_names
from zerosum.data.readers.standard import STANDARD_SETS, Standard
from zerosum.data.readers.toy import Toy
from zerosum.demonstrations import Demonstration
from zerosum.errors import InputError
from zerosum.game import recipe
from zerosum.game.losses import Game
from zerosum.game.optimizers import OptimizerConfig
from zerosum.game.recipe import Recipe
from zerosum.game.regularizers import Regularizer
from zerosum.game.tricks import Trick
from zerosum.metrics import Metric
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import FeatureExtractor, Request
from zerosum.metrics.protocols import Protocol
from zerosum.networks import Networks

PLACES: dict[str, type[Component]] = {
    "networks": Networks,
    "game/losses.py": Game,
    "game/regularizers.py": Regularizer,
    "game/tricks.py": Trick,
    "game/optimizers.py": OptimizerConfig,
    "metrics": Metric,
    "metrics/features": FeatureExtractor,
    "metrics/protocols": Protocol,
    "demonstrations": Demonstration,
}


def test_the_source_tells_what_exists() -> None:
    assert declared.recipe_names() == set(recipes.recipes())
    assert declared.data_names() == set(reader_names())
    assert set(Toy.names) == set(DISTRIBUTIONS)
    assert set(Standard.names) == set(STANDARD_SETS)
    for part, cls in (("", Recipe), ("data", Preparation)):
        assert declared.field_names(part) == [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    for place, family in PLACES.items():
        own = catalog.choices(family)
        assert declared.component_names(place) == own.keys() | {alias for cls in own.values() for alias in cls.aliases}
    for name in catalog.choices(Demonstration):
        names.check_demonstration(name)
    with pytest.raises(InputError, match="unknown demonstration 'none'"):
        names.check_demonstration("none")


def test_what_may_be_right_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()

    def passing(check: Callable[[str], None], words: Iterable[str]) -> list[str]:
        found = []
        for word in words:
            with contextlib.suppress(InputError):
                check(word)
                found.append(word)
        return found

    data = ["digits", "builtin:ring", "mine", "./mine", "hub:owner/name", "stacked:mnist", "stacked:nowhere"]
    assert passing(names.check_data, [*data, "yours", "builtin:mine", "./yours"]) == data
    given = ["dcgan", "mine", "nowhere.json", str(tmp_path / "mine")]
    assert passing(names.check_recipe, [*given, "yours", "dcgam"]) == given
    changes = ["game=hinge", " batch_size = 3", "networks.width=4", "tricks.0.policy=1", "data.crop=fit", "data={}"]
    changes += ["precision = bfloat16", 'precision="float32"', "data.channels=null"]
    changes += [
        "networks.features=efficientnet",
        "networks.upsampling=nearest",
        "networks.condition=x",
        "networks.no=1",
    ]
    changes += ['tricks=["diff-augment", {"name": "replay"}]', 'networks={"name": "mlp"}', "tricks=[]", "tricks=[1]"]
    wrong = [
        "networks.features=x",
        "networks.upsampling=far",
        "batch=3",
        "data.nothing=1",
        "game=x",
        "precision=bf16",
        "data.crop=",
        'tricks=["replay", "diffaugment"]',
    ]
    wrong += ['networks={"name": "mlq"}', "generator_optimizer=adan"]
    assert passing(lambda change: names.check_changes([change]), [*changes, *wrong]) == changes
    devices = ["auto", "cpu", "cuda", "cuda:3", "mps"]
    assert passing(names.check_device, [*devices, "gpu", "cuda:x", "cuda:", ""]) == devices
    metrics = ["mifid", "Frechet-Distance", "frechetdistance"]
    assert passing(names.check_metric, [*metrics, "fid", "frechett"]) == metrics
    features = ["auto", "inception:768", "efficientnet-lite0", "pixels"]
    assert passing(lambda each: names.check_scores([], each), [*features, "incepton", ""]) == features


@pytest.mark.parametrize(
    "change",
    [
        "networks.features=x",
        "game=x",
        "precision=bf16",
        "data.crop=center",
        'tricks=["replay", "diffaugment"]',
        "networks=dcgn",
    ],
)
def test_a_word_is_refused_in_the_words_of_the_recipe(change: str) -> None:
    with pytest.raises(InputError) as early:
        names.check_changes([change])
    with pytest.raises(InputError) as late:
        recipe.change(recipes.find("compact"), change)
    told = str(late.value).replace(": 1:", ":", 1).partition("choose one of")  # the place in a list is not told early
    assert str(early.value).partition("choose one of")[:2] == told[:2]  # late, classes of other tests are known too


def test_every_figure_is_declared_by_its_metric(digits: Source) -> None:
    """Names that conditions may use are those that scores have."""
    evaluation = Evaluation.of(digits, Request("random-convolutions"))
    metrics = [cls() for cls in catalog.choices(Metric).values() if not cls().refusal(digits, evaluation.features)]
    for metric in metrics:
        declared = {each for pair in metric.figures.items() for each in pair}
        for score in evaluation.scores(digits.test.samples[:100], 0, [metric]):
            assert score.metric in declared, metric
    assert all(cls.figures for cls in catalog.choices(Metric).values())


@pytest.mark.parametrize(
    ("condition", "metrics", "words"),
    [
        ("frechet-distance", (), "write a figure, one of < <= > >=, and a number"),
        ("frechet-distance>nan", (), "write a figure"),
        ("frechet-distance=>1", (), "write a figure"),
        ("frechet>1", (), "unknown figure 'frechet'"),
        ("coverag<0.1", (), "did you mean 'coverage'"),
        ("mifid>1", (), "mifid is not measured without --metric mifid"),
        ("coverage<0.1", ("frechet-distance",), "coverage is not measured without --metric neighbours"),
        ("intra-fid>1", (), "intra-fid is not measured without --by-class"),
        ("intra-mifid>1", (), "unknown figure 'intra-mifid'"),
        ("intra-recal<1", (), "did you mean 'intra-recall'"),
    ],
)
def test_conditions_that_cannot_be_looked_at_are_refused(condition: str, metrics: tuple[str, ...], words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        names.check_condition(condition, metrics)


def test_conditions_are_split() -> None:
    assert names.check_condition(" fid >= 1.5e1 ") == ("fid", ">=", 15)
    assert names.check_condition("kernel-distance<-.5", ["KernelDistance"]) == ("kernel-distance", "<", -0.5)
    assert names.check_condition("intra-recall<1", ["mifid"], by_class=True) == ("intra-recall", "<", 1)
    assert names.check_condition("sliced-wasserstein-32>3", ["sliced-wasserstein"])[0] == "sliced-wasserstein-32"


def test_an_address_is_refused_before_its_secrets_are_repeated() -> None:
    names.check_data("https://host/cats")
    names.check_data("s3://bucket/cats")
    for check in (names.check_data, lambda address: names.check_pictures([address])):
        for address in ("https://me:secret@host/cats", "https://host/cats?key=secret", "ftp://host/cats"):
            with pytest.raises(InputError) as caught:
                check(address)
            assert "secret" not in str(caught.value)
            assert "no such file" not in str(caught.value)
