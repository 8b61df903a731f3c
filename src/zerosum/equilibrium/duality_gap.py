"""Is this a Nash equilibrium, at which neither player can do better alone? The duality gap says how far off it is.

What is found of the gap is a lower bound: copies that were trained longer may find more. The proximal gap may come out
on either side, as there the discriminator's answer, which lowers it, is only searched too.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from zerosum.equilibrium.proximal import measure_lowest_payoff
from zerosum.equilibrium.zero_sum_game import ZeroSumGame
from zerosum.metrics.statistics import ConfidenceInterval

NEGLIGIBLE = 0.01  # of the payoff
RUNAWAY = 1.0  # more than there is to gain among the data, where a fair D's payoff is near its solution
PROXIMITY = 0.1


@dataclass(frozen=True)
class DualityGap:
    """How far two players are from an equilibrium; in nats for the games of the 2014 paper.

    The 95% intervals are those of the measurement, over its batches; where the search went is not in them.

    Attributes:
        payoff: M(G, D) of the players as they are.
        solution: M where the discriminator cannot tell; -log 2 in the game of the 2014 paper.
        discriminator_gain: by how much the best discriminator found raises it.
        generator_gain: by how much the best generator found lowers it.
        gap: the sum of the two, the duality gap (Grnarova et al. 2019, eq. 3). In the 2014 paper's game the exact one
            is at least the Jensen-Shannon divergence of the generated distribution from the data's.
        proximal_gap: the gap if the discriminator may answer the generator's move, near where it stands; or None.
        samples: the number of real samples that were measured, and of fakes.
        steps: the number of updates of each copy.
    """

    payoff: ConfidenceInterval
    solution: float
    discriminator_gain: ConfidenceInterval
    generator_gain: ConfidenceInterval
    gap: ConfidenceInterval
    proximal_gap: ConfidenceInterval | None
    samples: int
    steps: int

    @property
    def summary(self) -> str:
        """What the figures say, a sentence or two."""
        if is_negligible(self.gap):
            return (
                f"Together the players found less than {NEGLIGIBLE} to gain alone in {self.steps} updates: no sign "
                "against a Nash equilibrium, and no proof of one, since a longer search may find more."
            )
        if not is_clear(self.gap):
            return (
                f"Undecided: together the players found {_write(self.gap)} to gain alone in {self.steps} updates, "
                f"which the {self.samples:,} samples that it was measured on do not tell from nothing."
            )
        gains = {"discriminator": self.discriminator_gain, "generator": self.generator_gain}
        able = [f"the {name} alone gains {gain.value:.3f}" for name, gain in gains.items() if gain.low > 0]
        text = f"Not a Nash equilibrium: {' and '.join(able) or 'the players gain'} in {self.steps} updates."
        if self.generator_gain.value > RUNAWAY:
            text += (
                " So much is gained by running to where the discriminator never learned, away from the data: a held "
                "discriminator cannot answer. In the proximal game (--proximal) it can."
            )
        if self.proximal_gap is not None and is_negligible(self.proximal_gap):
            text += f" Where the discriminator may answer, less than {NEGLIGIBLE} is left: a proximal equilibrium."
        elif self.proximal_gap is not None and not is_clear(self.proximal_gap):
            text += f" Where the discriminator may answer, {_write(self.proximal_gap)} is left, which may be nothing."
        return text


def is_negligible(gain: ConfidenceInterval) -> bool:
    """Say whether so little was found that it does not count."""
    return gain.value < NEGLIGIBLE


def is_clear(gain: ConfidenceInterval) -> bool:
    """Say whether it counts, and is not the noise of the measurement."""
    return not is_negligible(gain) and gain.low > 0


def _write(interval: ConfidenceInterval) -> str:
    return f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def measure_duality_gap(game: ZeroSumGame, proximity: float | None = None) -> DualityGap:
    """Measure the duality gap max_D' M(G, D') - min_G' M(G', D) by training copies of each player against the other.

    As in Grnarova et al. 2019, section 3: the copies start from the players, have a fixed number of updates, and three
    disjoint parts of the data serve to train, to choose and to measure. With `proximity`, lambda, the proximal gap of
    Sidheekh et al. 2021b is measured as well.
    """
    generator, discriminator = game.players.generator.network, game.players.discriminator.network
    best_d = game.train_best_response(
        game.players.discriminator,
        lambda d, batch: -game.payoff_on_fixed_fakes(generator, d, batch),
        "discriminator",
    )
    best_g = game.train_best_response(
        game.players.generator,
        lambda g, batch: game.payoff(g, discriminator, batch),
        "generator",
    )

    def measure(g: nn.Module, d: nn.Module) -> Tensor:
        return game.measure(lambda batch: game.payoff_on_fixed_fakes(g, d, batch), "scoring")

    now, highest, lowest = measure(generator, discriminator), measure(generator, best_d), measure(best_g, discriminator)
    mean = ConfidenceInterval.of_mean
    return DualityGap(
        payoff=mean(now),
        solution=game.solution,
        discriminator_gain=mean(highest - now),
        generator_gain=mean(now - lowest),
        gap=mean(highest - lowest),
        proximal_gap=None if proximity is None else mean(highest - measure_lowest_payoff(game, proximity)),
        samples=len(now) * game.batch_size,
        steps=game.protocol.steps,
    )
