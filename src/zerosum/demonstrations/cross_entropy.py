"""From the cross-entropy of a classifier to the discriminator's loss."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from zerosum import randomness
from zerosum.demonstrations import Demonstration, Findings, Table
from zerosum.demonstrations.drawing import (
    DATA,
    DISCRIMINATOR,
    FAINT,
    GENERATOR,
    add_legend,
    create_figure,
    encode_png,
    label_axes,
)
from zerosum.game.losses import Minimax, NonSaturating

CLASSES = ("one", "two", "three")
TRUTH = torch.tensor([0, 0, 1, 2])  # the right class of each example
UNSURE = torch.tensor([[0.4, 0.3, 0.3], [0.5, 0.3, 0.2], [0.3, 0.4, 0.3], [0.5, 0.4, 0.1]], dtype=torch.float64)
SURE = torch.tensor([[0.7, 0.2, 0.1], [0.8, 0.1, 0.1], [0.05, 0.9, 0.05], [0.4, 0.3, 0.3]], dtype=torch.float64)


@dataclass(frozen=True)
class CrossEntropy(Demonstration, name="cross-entropy"):
    """Two classifiers with the same errors and unequal losses; then a discriminator, whose classes are real and fake.

    Attributes:
        samples: how many logits of each kind the discriminator's loss is computed on.
    """

    claim: ClassVar[str] = "the discriminator's loss is a cross-entropy: it counts bits, where the error rate is blind"
    paper: ClassVar[str] = "Goodfellow et al. 2014, section 3, eq. 1"
    samples: int = 1_000

    def show(self, seed: int) -> Findings:
        """Add up bits by hand and by the games' losses."""
        classifiers = tabulate_classifiers()
        totals = classifiers.rows[-2]
        return Findings(
            "A classifier that gives the right class the probability p pays -log2 p bits for it. Two classifiers judge "
            "the same four examples, and both are wrong about the last one. A discriminator is a classifier too: of "
            "two classes, real = 1 and fake = 0.",
            (classifiers, self._tabulate_losses(seed)),
            (
                f"Both classifiers err on 25% of the examples, yet one pays {totals[2]:.3f} bits and the other "
                f"{totals[4]:.3f}: the cross-entropy sees how sure each was, and has a gradient where the error rate "
                "has none.",
                "The discriminator's loss is the sum of two such means, one over real samples and one over fakes, and "
                "that sum is -V(D, G) of eq. 1. Where D knows nothing and says 1/2, every sample costs one bit: "
                "-V = 2 bits = log 4 nats, the value at the equilibrium of Theorem 1. What the generator minimises in "
                "practice is the cross-entropy of its fakes against the label real.",
            ),
            _draw(),
        )

    def _tabulate_losses(self, seed: int) -> Table:
        """Tabulate the games' losses beside cross-entropies computed from the probabilities, in nats and bits."""
        draw = randomness.rng(seed, 0, "cross-entropy")
        real, fake = (torch.randn(self.samples, generator=draw, dtype=torch.float64) + shift for shift in (1.0, -1.0))
        ignorant = torch.zeros(self.samples, dtype=torch.float64)
        one, zero = torch.ones_like(real), torch.zeros_like(fake)
        rows = [
            (
                "D's loss",
                Minimax().discriminator_loss(real, fake),
                cross_entropy(real, one) + cross_entropy(fake, zero),
            ),
            ("- log D(G(z))", NonSaturating().generator_loss(real, fake), cross_entropy(fake, one)),
            ("D = 1/2: a real sample", Minimax().label_loss(ignorant, one), cross_entropy(ignorant, one)),
            ("D = 1/2: a fake", Minimax().label_loss(ignorant, zero), cross_entropy(ignorant, zero)),
            (
                "D = 1/2: D's loss, -V",
                Minimax().discriminator_loss(ignorant, ignorant),
                cross_entropy(ignorant, one) + cross_entropy(ignorant, zero),
            ),
        ]
        return Table(
            "The games' losses beside cross-entropies taken from the probabilities D = sigmoid(logit)",
            {"mean of": "", "the game's loss, nats": ".4f", "cross-entropy, nats": ".4f", "in bits": ".4f"},
            tuple((name, float(loss), float(by_hand), float(loss) / math.log(2)) for name, loss, by_hand in rows),
        )


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the mean binary cross-entropy -(y log D + (1 - y) log(1 - D)) in nats, written out; all [N]."""
    p_real = logits.sigmoid()
    return -(labels * p_real.log() + (1 - labels) * (1 - p_real).log()).mean()


def bits(probabilities: Tensor) -> Tensor:
    """Compute the cost of each example, -log2 of the right class's probability, from `probabilities` [N, C]; [N]."""
    return F.nll_loss(probabilities.log2(), TRUTH, reduction="none")


def tabulate_classifiers() -> Table:
    """Tabulate both classifiers: p of the right class and bits, by class; their sums and error rates."""
    both = (UNSURE, SURE)
    rows: list[tuple[str | float, ...]] = []
    for number, label in enumerate(CLASSES):
        cells: list[str | float] = [label]
        members = TRUTH.eq(number)
        for each in both:
            right = each[members, number].tolist()
            cells += [", ".join(f"{p:.1f}" for p in right), float(bits(each)[members].sum())]
        rows.append(tuple(cells))
    rows.append(("all", "", float(bits(UNSURE).sum()), "", float(bits(SURE).sum())))
    errors = [f"{float((each.argmax(1) != TRUTH).double().mean()):.0%}" for each in both]
    rows.append(("error rate", "", errors[0], "", errors[1]))
    columns = {"class": "", "first: p": "", "bits": ".3f", "second: p": "", "bits ": ".3f"}
    return Table(
        "Four examples in three classes: the right class's probability, and what it costs", columns, tuple(rows)
    )


def _draw() -> bytes:
    figure = create_figure(10, 3.8)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    places = range(len(TRUTH))
    for shift, each, colour, name in ((-0.2, UNSURE, FAINT, "first"), (0.2, SURE, "tab:orange", "second")):
        costs = bits(each)
        label = f"{name} classifier: {float(costs.sum()):.3f} bits"
        bars = left.bar([place + shift for place in places], costs.tolist(), 0.38, color=colour, label=label)
        left.bar_label(bars, fmt="%.2f", fontsize=8)
    labels = [f"class {CLASSES[truth]}" for truth in TRUTH.tolist()]
    left.set_xticks(places, [*labels[:-1], f"{labels[-1]}\n(both wrong)"])
    label_axes(left, "Bits that each example costs", y="- log2 p(right class)")
    add_legend(left, loc="upper left")
    _draw_curves(right)
    return encode_png(figure)


def _draw_curves(axes: Any) -> None:
    """Draw the two costs of a discriminator's answer, which meet at one bit."""
    answers = torch.linspace(0.005, 0.995, 200)
    axes.plot(answers, -answers.log2(), color=DATA, linestyle=":", label="a real sample: - log2 D")
    axes.plot(answers, -(1 - answers).log2(), color=GENERATOR, label="a fake: - log2(1 - D)")
    axes.plot([0.5], [1.0], "o", color=DISCRIMINATOR)
    line = {"arrowstyle": "-", "color": DISCRIMINATOR}
    axes.annotate(
        "D = 1/2 costs 1 bit", (0.5, 1), (0.5, 2.2), ha="center", fontsize=8, color=DISCRIMINATOR, arrowprops=line
    )
    axes.set(xlim=(0, 1), ylim=(0, 5.5))
    label_axes(axes, "Bits that a discriminator's answer costs", x="D, the probability of real")
    add_legend(axes, loc="upper center")
