"""Is this a Nash equilibrium, at which neither player can do better alone? The duality gap says how far off it is.

What is found of the gap is a lower bound: copies that were trained longer may find more. The proximal gap may come out
on either side, as there the discriminator's answer, which lowers it, is only searched too.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from zerosum.diagnostics.contest import Contest
from zerosum.diagnostics.proximal import held, lowest_answered
from zerosum.metrics.student import student

NEGLIGIBLE = 0.01  # of the payoff
RUNAWAY = 1.0  # more than there is to gain among the data, where a fair D's payoff is near its solution
PROXIMITY = 0.1


@dataclass(frozen=True)
class Interval:
    """A mean over batches with its 95% interval by Student's t; in nats for the paper's games.

    The interval is that of the measurement; where the search went is not in it.
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Tensor) -> "Interval":
        """Of a mean over `values` [batches], at least two."""
        error = float(values.std()) / len(values) ** 0.5
        mean, margin = float(values.mean()), student(len(values) - 1) * error
        return cls(mean, mean - margin, mean + margin)

    @property
    def negligible(self) -> bool:
        """Whether so little was found that it does not count."""
        return self.value < NEGLIGIBLE

    @property
    def clear(self) -> bool:
        """Whether it counts, and is not the noise of the measurement."""
        return not self.negligible and self.low > 0

    def __str__(self) -> str:
        """For people."""
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class Equilibrium:
    """How far two players are from an equilibrium.

    Attributes:
        payoff: M(G, D) of the players as they are.
        solution: M where the discriminator cannot tell; -log 2 in the game of the 2014 paper.
        discriminator_gain: by how much the best discriminator found raises it.
        generator_gain: by how much the best generator found lowers it.
        gap: the sum of the two, the duality gap (Grnarova et al. 2019, eq. 3). In the 2014 paper's game the exact one
            is at least the Jensen-Shannon divergence of the generated distribution from the data's.
        proximal_gap: the gap if the discriminator may answer the generator's move, near where it stands; or None.
        samples: how many real samples, and as many fakes, were measured.
        steps: how many updates the copies had.
    """

    payoff: Interval
    solution: float
    discriminator_gain: Interval
    generator_gain: Interval
    gap: Interval
    proximal_gap: Interval | None
    samples: int
    steps: int

    @property
    def in_words(self) -> str:
        """What the figures say, a sentence or two."""
        if self.gap.negligible:
            return (
                f"Together the players found less than {NEGLIGIBLE} to gain alone in {self.steps} updates: no sign "
                "against a Nash equilibrium, and no proof of one, since a longer search may find more."
            )
        if not self.gap.clear:
            return (
                f"Undecided: together the players found {self.gap} to gain alone in {self.steps} updates, which the "
                f"{self.samples:,} samples that it was measured on do not tell from nothing."
            )
        gains = {"discriminator": self.discriminator_gain, "generator": self.generator_gain}
        able = [f"the {name} alone gains {gain.value:.3f}" for name, gain in gains.items() if gain.low > 0]
        text = f"Not a Nash equilibrium: {' and '.join(able) or 'the players gain'} in {self.steps} updates."
        if self.generator_gain.value > RUNAWAY:
            text += (
                " So much is gained by running to where the discriminator never learned, away from the data: a held "
                "discriminator cannot answer. In the proximal game (--proximal) it can."
            )
        if self.proximal_gap is not None and self.proximal_gap.negligible:
            text += f" Where the discriminator may answer, less than {NEGLIGIBLE} is left: a proximal equilibrium."
        elif self.proximal_gap is not None and not self.proximal_gap.clear:
            text += f" Where the discriminator may answer, {self.proximal_gap} is left, which may be nothing."
        return text


def equilibrium(contest: Contest, proximity: float | None = None) -> Equilibrium:
    """Measure the duality gap max_D' M(G, D') - min_G' M(G', D) by training copies of each player against the other.

    As in Grnarova et al. 2019, section 3: the copies start from the players, have a fixed number of updates, and three
    disjoint parts of the data serve to train, to choose and to measure. With `proximity`, lambda, the proximal gap of
    Sidheekh et al. 2021b is measured as well.
    """
    generator, discriminator = contest.players.generator.network, contest.players.discriminator.network
    better_d = contest.improve(
        contest.players.discriminator, lambda d, meeting: -held(contest, generator, d, meeting), "discriminator"
    )
    better_g = contest.improve(
        contest.players.generator,
        lambda g, meeting: contest.payoff(discriminator, contest.fakes(g, meeting), meeting),
        "generator",
    )

    def measured(g: nn.Module, d: nn.Module) -> Tensor:
        return contest.measure(lambda meeting: held(contest, g, d, meeting), "scoring")

    now, highest, lowest = (
        measured(generator, discriminator),
        measured(generator, better_d),
        measured(better_g, discriminator),
    )
    return Equilibrium(
        Interval.of(now),
        contest.solution,
        Interval.of(highest - now),
        Interval.of(now - lowest),
        Interval.of(highest - lowest),
        None if proximity is None else Interval.of(highest - lowest_answered(contest, proximity)),
        len(now) * contest.batch_size,
        contest.protocol.steps,
    )
