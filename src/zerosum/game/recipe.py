"""The recipe: everything that makes a training what it is, as one value.

A recipe is a frozen dataclass of components. It is printed and stored as JSON and reads back equal; any field can be
set from the command line by its path, e.g. `--set generator_optimizer.lr=1e-4`. The recipes that exist
lie in `zerosum.recipes`.
"""

import dataclasses
import json
from functools import reduce
from typing import Annotated, Any

import torch
from pydantic import AfterValidator, Field, TypeAdapter
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from zerosum import catalog, randomness
from zerosum.catalog import Choice, FieldError
from zerosum.data import Source
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError, did_you_mean
from zerosum.game.losses import Game, LabelledGame, NonSaturating
from zerosum.game.optimizers import Adam, OptimizerConfig
from zerosum.game.predictions import DiscriminatorPass, GeneratorPass
from zerosum.game.regularizers import Regularizer, total_penalty
from zerosum.game.tricks import Trick
from zerosum.networks import Networks
from zerosum.networks.dcgan import DCGAN
from zerosum.types import BelowOne, Count, Precision, Whole

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
        generator_optimizer: how the generator's parameters follow the gradient.
        discriminator_optimizer: how the discriminator's do.
        batch_size: m of Algorithm 1, for real and fake samples each.
        accumulate: parts into which each minibatch is cut, each a pass of its own, whose gradients are added (gradient
            accumulation): less memory, and the unit that processes share. What looks at a whole batch, as batch
            normalisation, minibatch features, packs and relativistic pairs, then looks at a part.
        discriminator_steps: k of Algorithm 1.
        simultaneous: both players learn from one pass, before either has moved; Algorithm 1 lets D go first.
        same_fakes: the generator learns from the fakes that the discriminator has just learned from, which saves making
            others; Algorithm 1 draws new ones.
        ema_decay: decay of the generator's moving average, per iteration; 0 keeps none.
        frozen_layers: how many of the discriminator's first layers, those nearest the samples, do not learn; for a
            start from trained weights (FreezeD, Mo et al. 2020).
        precision: `auto` computes in bfloat16 on GPUs that multiply it natively, and on CPUs where it is measured to be
            faster.
        threads: how many CPU threads; None takes all, or one where that is measured to be faster.
        steps: iterations, if neither `--steps` nor `--minutes` is given.
    """

    name: Annotated[str, AfterValidator(_printable)]
    summary: str = ""
    data: Preparation = Preparation()
    networks: Annotated[Networks, Choice(Networks)] = DCGAN()
    game: Annotated[Game, Choice(Game)] = NonSaturating()
    regularizers: tuple[Annotated[Regularizer, Choice(Regularizer)], ...] = ()
    tricks: tuple[Annotated[Trick, Choice(Trick)], ...] = ()
    generator_optimizer: Annotated[OptimizerConfig, Choice(OptimizerConfig)] = Adam()
    discriminator_optimizer: Annotated[OptimizerConfig, Choice(OptimizerConfig)] = Adam()
    batch_size: Annotated[Count, Field(le=MOST_SAMPLES)] = 64
    accumulate: Count = 1
    discriminator_steps: Count = 1
    simultaneous: bool = False
    same_fakes: bool = False
    ema_decay: BelowOne = 0.999
    frozen_layers: Whole = 0
    precision: Precision = "auto"
    threads: Annotated[Count, Field(le=MOST_THREADS)] | None = None
    steps: Count = 20_000

    def check(self, source: Source) -> None:
        """Refuse parts that do not go together, or cannot serve `source`.

        Raises:
            InputError: the message names both parts and says why.
        """
        _refuse_twice("regularizers", [role for each in self.regularizers for role in each.roles])
        _refuse_twice("tricks", [catalog.name_of(trick) for trick in self.tricks])
        for trick in self.tricks:
            if why := trick.refusal(self.game, self.networks, source):
                raise InputError(f"the trick {catalog.name_of(trick)} cannot be used here: {why}")
            if self.simultaneous and type(trick).replay is not Trick.replay:
                raise InputError(
                    f"the trick {catalog.name_of(trick)} and simultaneous do not go together: both players learn from "
                    "the same fakes"
                )
        used = {catalog.name_of(each) for each in self.regularizers}
        for each in self.regularizers:
            for other in used & each.excludes.keys():
                raise InputError(
                    f"the regularisers {catalog.name_of(each)} and {other} do not go together: {each.excludes[other]}"
                )
        self._check_parts()
        if self.simultaneous and self.same_fakes:
            raise InputError("simultaneous and same_fakes do not go together: players who move at once share all fakes")
        if self.simultaneous and self.discriminator_steps > 1:
            raise InputError(
                f"simultaneous and discriminator_steps={self.discriminator_steps} do not go together: there is one "
                "update of each player at a time"
            )

    def _check_parts(self) -> None:
        """Refuse a minibatch that cannot be cut into `accumulate` parts, or those into packs."""
        if self.batch_size % self.accumulate:
            raise InputError(
                f"accumulate={self.accumulate} and batch_size={self.batch_size} do not go together: a minibatch is cut "
                "into equal parts"
            )
        if self.batch_size // self.accumulate % self.networks.packing:
            parts = f", accumulate={self.accumulate}" if self.accumulate > 1 else ""
            raise InputError(
                f"networks.packing={self.networks.packing} and batch_size={self.batch_size}{parts} do not go together: "
                f"a {'part' if parts else 'batch'} must be a whole number of packs"
            )
        if self.accumulate > 1 and any(type(trick).replay is not Trick.replay for trick in self.tricks):
            raise InputError("the trick replay and accumulate do not go together: the store is of whole minibatches")

    @property
    def papers(self) -> tuple[str, ...]:
        """Where everything in it was published, in words, each with its authors and year."""
        papers = [self.summary, *self.networks.papers, self.game.paper]
        papers += [regularizer.paper for regularizer in self.regularizers]
        papers += [trick.paper for trick in self.tricks]
        papers += [self.generator_optimizer.paper, self.discriminator_optimizer.paper]
        papers += ["Yazici et al. 2019"] if self.ema_decay else []
        papers += ["Mo et al. 2020"] if self.frozen_layers else []
        return tuple(papers)

    def build_networks(self, source: Source, seed: int) -> tuple[nn.Module, nn.Module]:
        """Build G and D for samples like those of `source`, D with what its regularisers need.

        Raises:
            InputError: the networks cannot serve such samples.
        """
        generator, discriminator = self.networks.build_pair(source.shape, source.classes, seed)
        with randomness.scope(seed, 0, "regularizers"):
            for regularizer in self.regularizers:
                regularizer.prepare(discriminator)
        return generator, discriminator

    def sizes(self, shape: tuple[int, ...], classes: int) -> tuple[int, int]:
        """Count the parameters of generator and discriminator for samples of `shape`, without making any.

        Raises:
            InputError: the networks cannot serve such samples.
        """
        with torch.device("meta"):
            pair = self.networks.build_pair(shape, classes, seed=0)
        generator, discriminator = (sum(each.numel() for each in player.parameters()) for player in pair)
        return generator, discriminator

    def discriminator_loss(self, out: DiscriminatorPass) -> Tensor:
        """Return the game's loss of D, a scalar; tricks that relabel change the labels real = 1 and fake = 0 first."""
        game = self.game
        if not isinstance(game, LabelledGame) or not any(trick.relabels for trick in self.tricks):
            return game.discriminator_loss(out.real_logits, out.fake_logits)
        ones_and_zeros = torch.ones_like(out.real_logits), torch.zeros_like(out.fake_logits)
        real, fake = reduce(lambda labels, trick: trick.labels(*labels), self.tricks, ones_and_zeros)
        return game.label_loss(out.real_logits, real) + game.label_loss(out.fake_logits, fake)

    def penalty(self, out: DiscriminatorPass, update: int) -> Tensor:
        """Return what is added to D's loss at its update number `update`, a scalar: penalties and `further_loss`."""
        return total_penalty(self.regularizers, out, update) + self.further_loss(out)

    def further_loss(self, out: DiscriminatorPass) -> Tensor:
        """Return what D loses besides the game for its logits, a scalar: for its classes and its heads on features."""
        if out.real_head_logits is None or out.fake_head_logits is None:
            return out.class_loss
        heads = out.real_head_logits.flatten(), out.fake_head_logits.flatten()
        return out.class_loss + self.game.discriminator_loss(*heads)

    def generator_loss(self, out: GeneratorPass) -> Tensor:
        """Return what G loses, a scalar: the game for D's logits, the class loss, and the game of heads on features."""
        loss = self.game.generator_loss(out.real_logits, out.fake_logits) + out.class_loss
        if out.real_head_logits is None or out.fake_head_logits is None:
            return loss
        return loss + self.game.generator_loss(out.real_head_logits.flatten(), out.fake_head_logits.flatten())

    def as_json(self) -> dict[str, Any]:
        """Return the recipe as a JSON-able mapping."""
        return dict(TypeAdapter(Recipe).dump_python(self, mode="json"))


def _refuse_twice(field: str, names: list[str]) -> None:
    """Refuse two parts of one name: they would share what they remember, or do the same work twice."""
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"{field}: {twice[0]} is there twice; once is enough")


def from_json(values: object) -> Recipe:
    """Read back what `as_json` gave.

    Raises:
        InputError: an unknown field, or a value of the wrong type.
    """
    if not isinstance(values, dict):
        raise InputError("a recipe is a JSON object")
    return catalog.build(Recipe, values)


class NoSuchField(InputError):
    """A field that is to be changed is not there."""


def change(recipe: Recipe, assignment: str) -> Recipe:
    """Return `recipe` with one field set, e.g. by `"generator_optimizer.lr=1e-4"` or `"game=minimax"`.

    Raises:
        NoSuchField: there is no such field.
        InputError: it is not of the form path=value, or the value is of the wrong type.
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
        deeper = FieldError(error.path[1 + path.strip().rpartition(".")[2].isdigit() :], error.problem)
        raise InputError(f"{path.strip()}: {deeper}") from None
    assert isinstance(changed, Recipe)  # noqa: S101  # _replace returns what it was given
    return changed


def _explain_missing(component: object, name: str, fields: list[str], parent: str) -> str:
    """Say why `component`, the value of the field at `parent`, has no field `name`, and what there is instead."""
    if fields:
        return f"{catalog.name_of(component)} has no field {name!r}: {did_you_mean(name, fields)}"
    if isinstance(component, tuple):
        parts = ", ".join(f"{number} ({catalog.name_of(part)})" for number, part in enumerate(component))
        return f"{parent} has no part {name!r}, but {parts or 'none'}; the whole list: --set '{parent}=[\"NAME\"]'"
    return f"{parent} is {component!r} and has no fields: --set {parent}=VALUE"


def _replace(component: Any, path: list[str], value: object, whole: str) -> object:
    """Return `component` with the field at `path` set; remake only the objects on the way to it."""
    if isinstance(component, tuple) and path[0].isdecimal() and int(path[0]) < len(component):
        place = int(path[0])
        part = _replace(component[place], path[1:], value, whole) if len(path) > 1 else value
        return (*component[:place], part, *component[place + 1 :])
    fields = [field.name for field in dataclasses.fields(component)] if dataclasses.is_dataclass(component) else []
    if path[0] not in fields:
        if path == ["name"] and "." in whole:
            raise InputError(f"--set {whole}: to choose another one, --set {whole.removesuffix('.name')}={value}")
        parent = ".".join(whole.split(".")[: -len(path)])
        raise NoSuchField(f"--set {whole}: {_explain_missing(component, path[0], fields, parent)}")
    if len(path) > 1:
        value = _replace(getattr(component, path[0]), path[1:], value, whole)
    current = {name: getattr(component, name) for name in fields}
    return catalog.build(type(component), {**current, path[0]: value})
