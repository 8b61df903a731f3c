"""Recipes: everything that makes a training what it is, as one value.

A recipe is a frozen dataclass of components. It is printed and stored as JSON and reads back equal; any field can be
set from the command line by its path, e.g. `--set generator.lr=1e-4`. A new recipe is a module-level `Recipe` in one of
this folder's files.
"""

import dataclasses
import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import AfterValidator, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from zerosum import catalog
from zerosum.catalog import Choice, FieldError
from zerosum.data import Source
from zerosum.data.preparation import Preparation
from zerosum.engine import Precision
from zerosum.errors import InputError, did_you_mean
from zerosum.games import Game, Labelled, NonSaturating
from zerosum.networks import Networks
from zerosum.networks.dcgan import DCGAN
from zerosum.optimizers import Adam, Optimizer
from zerosum.record import RunFolder
from zerosum.regularizers import MaxNorm, Regularizer, SpectralNorm
from zerosum.tricks import Trick

Count = Annotated[int, Field(ge=1, strict=True)]
MOST_SAMPLES, MOST_THREADS = 65_536, 1_024


def _printable(name: str) -> str:
    if not name.isprintable():
        raise ValueError("it must be of printable characters")
    return name


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        name: what it is called.
        summary: one line on what it is for, with the paper it follows.
        data: how image files become samples.
        networks: the matched generator and discriminator.
        game: what each player minimises.
        regularizers: what keeps the discriminator in bounds.
        tricks: what is done to the discriminator's samples and labels, in this order.
        generator: the generator's optimiser.
        discriminator: the discriminator's.
        batch_size: m of Algorithm 1, for real and fake samples each.
        discriminator_steps: k of Algorithm 1.
        simultaneous: both players learn from one pass, before either has moved; Algorithm 1 lets D go first.
        average: decay of the generator's moving average, per iteration.
        precision: `auto` computes in bfloat16 where the hardware multiplies it natively.
        threads: how many CPU threads; None takes all. Small networks are fastest on one.
        steps: iterations, if neither `--steps` nor `--minutes` is given.
    """

    name: Annotated[str, AfterValidator(_printable)]
    summary: str = ""
    data: Preparation = Preparation()
    networks: Annotated[Networks, Choice(Networks)] = DCGAN()
    game: Annotated[Game, Choice(Game)] = NonSaturating()
    regularizers: tuple[Annotated[Regularizer, Choice(Regularizer)], ...] = ()
    tricks: tuple[Annotated[Trick, Choice(Trick)], ...] = ()
    generator: Annotated[Optimizer, Choice(Optimizer)] = Adam()
    discriminator: Annotated[Optimizer, Choice(Optimizer)] = Adam()
    batch_size: Annotated[Count, Field(le=MOST_SAMPLES)] = 64
    discriminator_steps: Count = 1
    simultaneous: bool = False
    average: Annotated[float, Field(ge=0, lt=1)] = 0.999
    precision: Precision = "auto"
    threads: Annotated[Count, Field(le=MOST_THREADS)] | None = None
    steps: Count = 20_000

    def check(self, source: Source) -> None:
        """Raise InputError, naming both, if two of its parts do not go together or one cannot serve `source`."""
        _refuse_twice("regularizers", self.regularizers)
        _refuse_twice("tricks", self.tricks)
        for trick in self.tricks:
            name = catalog.name_of(trick)
            if trick.relabels and not isinstance(self.game, Labelled):
                raise InputError(
                    f"the trick {name} and the game {catalog.name_of(self.game)} do not go together: it changes labels,"
                    f" which only these have: {', '.join(catalog.choices(Labelled))}"
                )
            if trick.reads_signs and not _says_by_sign(self.game):
                raise InputError(
                    f"the trick {name} and the game {catalog.name_of(self.game)} do not go together: it takes a logit "
                    "above 0 for the guess that a sample is real, which it is not there"
                )
            if trick.images_only and not source.is_images:
                raise InputError(f"the trick {name} is for images, and {source.name} has points")
            if trick.unlabelled_only and self.networks.conditional:
                raise InputError(
                    f"the trick {name} and networks.condition={self.networks.condition} do not go together: it forgets "
                    "the classes"
                )
            if self.simultaneous and type(trick).replay is not Trick.replay:
                raise InputError(
                    f"the trick {name} and simultaneous do not go together: both players learn from the same fakes"
                )
        if {MaxNorm, SpectralNorm} <= {type(each) for each in self.regularizers}:
            raise InputError(
                "the regularisers max-norm and spectral-norm do not go together: the weights that the first would "
                "rescale are made anew by the second"
            )
        if self.batch_size % self.networks.packing:
            raise InputError(
                f"networks.packing={self.networks.packing} and batch_size={self.batch_size} do not go together: a "
                "batch must be a whole number of packs"
            )
        if self.simultaneous and self.discriminator_steps > 1:
            raise InputError(
                f"simultaneous and discriminator_steps={self.discriminator_steps} do not go together: there is one "
                "update of each player at a time"
            )

    @property
    def papers(self) -> tuple[str, ...]:
        """Where everything in it was published, in words, each with its authors and year."""
        papers = [self.summary, *self.networks.papers, self.game.paper]
        papers += [regularizer.paper for regularizer in self.regularizers]
        papers += [trick.paper for trick in self.tricks]
        papers += [self.generator.paper, self.discriminator.paper]
        return *papers, *(["Yazici et al. 2019"] if self.average else [])

    def sizes(self, shape: tuple[int, ...], classes: int) -> tuple[int, int]:
        """How many parameters the generator and the discriminator have for samples of `shape`; none is made.

        Raises:
            InputError: the networks cannot serve such samples.
        """
        with torch.device("meta"):
            pair = self.networks.pair(shape, classes, seed=0)
        generator, discriminator = (sum(each.numel() for each in player.parameters()) for player in pair)
        return generator, discriminator

    def as_json(self) -> dict[str, Any]:
        """As a JSON-able mapping."""
        return dict(TypeAdapter(Recipe).dump_python(self, mode="json"))


def _refuse_twice(field: str, parts: tuple[Regularizer, ...] | tuple[Trick, ...]) -> None:
    """Parts of one kind would share what they remember."""
    names = [catalog.name_of(part) for part in parts]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"{field}: {twice[0]} is there twice; once is enough")


def _says_by_sign(game: Game) -> bool:
    """Whether the best discriminator's logit is above 0 where real samples are denser, and below 0 where fakes are."""
    best = None if game.relativistic else game.optimal_logit(torch.tensor([-1.0, 1.0]))
    return best is not None and best.sign().tolist() == [-1, 1]


def from_json(values: object) -> Recipe:
    """Read back what `as_json` gave.

    Raises:
        InputError: an unknown field, or a value of the wrong type.
    """
    if not isinstance(values, dict):
        raise InputError("a recipe is a JSON object")
    return catalog.build(Recipe, values)


def recipes() -> dict[str, Recipe]:
    """Every recipe that exists, by name."""
    found = [
        value for module in catalog.modules(__name__) for value in vars(module).values() if isinstance(value, Recipe)
    ]
    return {recipe.name: recipe for recipe in found}


def find(name: str | Path) -> Recipe:
    """The recipe called `name`, the one in the JSON file of that name, or that of the run in that folder.

    That of a run has the run's iterations, whatever was said instead of the recipe's own.

    Raises:
        InputError: there is none, and the message suggests the nearest; or the file is no recipe, or the run damaged.
    """
    path, name, known = Path(name).expanduser(), str(name), recipes()
    if path.name == RunFolder(path.parent).description.name:
        return _again(RunFolder.open(path.parent))
    if path.suffix == ".json":
        return _read(path)
    if name not in known:
        if RunFolder(path).description.exists():
            return _again(RunFolder(path))
        raise InputError(f"no recipe is called {name!r}: {did_you_mean(name, known)}")
    return known[name]


def of_run(folder: RunFolder) -> Recipe:
    """The recipe that the run was trained with, its changes included.

    Raises:
        InputError: the run is damaged, or parts of its recipe are not known here.
    """
    about = folder.describe()
    try:
        return from_json(about["recipe"])
    except InputError as error:
        raise InputError(f"{folder.description}: recipe: {error}") from None


def _again(folder: RunFolder) -> Recipe:
    return replace(of_run(folder), steps=folder.describe()["steps"])


def _read(path: Path) -> Recipe:
    try:
        return from_json(json.loads(path.read_bytes(), object_pairs_hook=_once))
    except OSError as error:
        raise InputError(f"the recipe {path} cannot be read: {error.strerror}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}") from None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object, of which each key is there once."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key in found if sum(key == other for other, _ in pairs) > 1)
        raise InputError(f"the field {twice!r} is there twice")
    return found


def measured() -> dict[str, str]:
    """What recipes scored where they were measured, in words, by name; written by `benchmarks/protocol.py`."""
    scores: dict[str, str] = json.loads(Path(__file__).with_name("measured.json").read_bytes())
    return scores


def change(recipe: Recipe, assignment: str) -> Recipe:
    """`recipe` with one field set, e.g. by `"generator.lr=1e-4"` or `"game=minimax"`.

    Raises:
        InputError: it is not of the form path=value, there is no such field, or the value is of the wrong type.
    """
    path, equals, text = assignment.partition("=")
    if not equals or not path:
        raise InputError(f"--set takes field=value, e.g. --set batch_size=32, not {assignment!r}")
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    try:
        changed = _replace(recipe, path.strip().split("."), value, path.strip())
    except FieldError as error:  # of the last field in `path`, or deeper
        deeper = FieldError(error.path[1:], error.problem)
        raise InputError(f"{path.strip()}: {deeper}") from None
    assert isinstance(changed, Recipe)  # noqa: S101  # _replace returns what it was given
    return changed


def _replace(component: Any, path: list[str], value: object, whole: str) -> object:
    """`component` with the field at `path` set; only that field, and the objects on the way to it, are made anew."""
    if isinstance(component, tuple) and path[0].isdigit() and int(path[0]) < len(component) and len(path) > 1:
        place = int(path[0])
        return (*component[:place], _replace(component[place], path[1:], value, whole), *component[place + 1 :])
    fields = [field.name for field in dataclasses.fields(component)] if dataclasses.is_dataclass(component) else []
    if path[0] not in fields:
        if path == ["name"] and "." in whole:
            raise InputError(f"--set {whole}: to choose another one, --set {whole.removesuffix('.name')}={value}")
        what = f"{catalog.name_of(component)} has no field {path[0]!r}" if fields else f"{path[0]!r} is not a field"
        raise InputError(f"--set {whole}: {what}: {did_you_mean(path[0], fields)}")
    if len(path) > 1:
        value = _replace(getattr(component, path[0]), path[1:], value, whole)
    current = {name: getattr(component, name) for name in fields}
    return catalog.build(type(component), {**current, path[0]: value})
