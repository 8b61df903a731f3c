"""Proposition 1: the best discriminator against a generator that is held still."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from matplotlib.figure import Figure
from torch import Tensor

from zerosum import randomness
from zerosum.data.distributions import Mixture
from zerosum.demonstrations import Demonstration, Findings, Table
from zerosum.demonstrations.densities import DensityPair
from zerosum.demonstrations.drawing import DATA, DISCRIMINATOR, FAINT, GENERATOR, create_figure, encode_png, label_axes
from zerosum.demonstrations.small_networks import build_discriminator
from zerosum.game.losses import value

LOG4 = math.log(4)
MASS = 0.99  # of (p_data + p_g) / 2: the places that count as having mass are the densest ones that hold so much
Discriminator = Callable[[Tensor], Tensor]


def line(*means: float, sigma: float = 1.0) -> Mixture:
    """Create a mixture on the line."""
    return Mixture(torch.tensor(means)[:, None], sigma)


# p_data and p_g
PAIRS = {
    "shifted": (line(0), line(1.5)),
    "narrow": (line(0), line(0, sigma=0.5)),
    "one mode of two": (line(-2, 2, sigma=0.7), line(2, sigma=0.7)),
    "three modes": (line(-3, 0, 3), line(-2, 1)),
    "hole in the middle": (line(-1.5, 1.5, sigma=0.6), line(0, sigma=1.2)),
    "plane": (Mixture(torch.tensor([[0.0, 0.0], [2.0, 0.0]]), 0.6), Mixture(torch.tensor([[1.0, 0.0]]), 0.8)),
}


@dataclass(frozen=True)
class OptimalDiscriminator(Demonstration, name="optimal-discriminator"):
    """A network climbs V(D, G) on samples, and is compared with D* and C(G), which are computed from the densities.

    Attributes:
        updates: the number of gradient steps.
        batch_size: new samples of each kind for every step.
        lr: Adam's learning rate at first; it falls linearly to 0.
    """

    claim: ClassVar[str] = "the best discriminator is D* = p_data / (p_data + p_g), and V(D*, G) is C(G)"
    paper: ClassVar[str] = "Goodfellow et al. 2014, Proposition 1 and Theorem 1, eq. 2 to 6"
    updates: int = 500
    batch_size: int = 512
    lr: float = 1e-2

    def show(self, seed: int) -> Findings:
        """Train one discriminator for each pair of densities."""
        trained = {name: self.train(*pair, seed) for name, pair in PAIRS.items()}
        rows = tuple((name, *measure(DensityPair.on_lattice(*pair), trained[name])) for name, pair in PAIRS.items())
        columns = {
            "p_data, p_g": "",
            "C(G)": ".4f",
            "V(D, G)": ".4f",
            "gap": ".4f",
            "gap, % of log 4": ".2f",
            "max |D - D*|": ".3f",
        }
        worst = max(row[4] for row in rows)
        return Findings(
            f"{len(rows)} pairs of known densities. C(G) = -log 4 + 2 JSD(p_data, p_g) is a sum over a lattice; V(D, "
            f"G) is that of a small network after {self.updates} steps of gradient ascent, which saw samples only.",
            (Table("The value a trained discriminator reaches, in nats", columns, rows),),
            (
                f"No D reaches more than C(G), and training comes close: the largest gap is {worst:.2f}% of log 4. "
                f"The last column is over the places that hold {MASS:.0%} of the mass; elsewhere there are no "
                "samples to learn from.",
            ),
            encode_png(_draw_picture(trained)),
        )

    def train(self, real: Mixture, fake: Mixture, seed: int) -> Discriminator:
        """Train a D by gradient ascent on V, as in Algorithm 1's inner loop; it maps points [N, d] to logits [N]."""
        with randomness.scope(seed, 0, "discriminator"):
            network = build_discriminator(real.means.shape[1], 64)
        optimizer = torch.optim.Adam(network.parameters(), lr=self.lr, fused=True)
        for update in range(self.updates):
            optimizer.param_groups[0]["lr"] = self.lr * (1 - update / self.updates)
            x, g = (
                density.draw(self.batch_size, randomness.rng(seed, update, kind))
                for density, kind in ((real, "real"), (fake, "fake"))
            )
            optimizer.zero_grad()
            (-value(network(x), network(g))).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        return network


def measure(densities: DensityPair, discriminator: Discriminator) -> tuple[float, float, float, float, float]:
    """Return C(G), V(D, G), their gap in nats and in percent of log 4, and the largest |D - D*| where there is mass."""
    reached = densities.value_of(discriminator)
    gap = densities.criterion - reached
    with torch.no_grad():
        error = (discriminator(densities.points.float()).sigmoid() - densities.optimal_logit.sigmoid()).abs()
    masses = (densities.log_p_data.exp() + densities.log_p_g.exp()) / 2 * densities.volume
    densest = masses.argsort(descending=True)
    enough = int((masses[densest].cumsum(0) < MASS).sum()) + 1
    return densities.criterion, reached, gap, 100 * gap / LOG4, float(error[densest[:enough]].max())


def _draw_picture(trained: dict[str, Discriminator]) -> Figure:
    figure = create_figure(11, 6)
    grid: Any = figure.subplots(2, 3).ravel()
    for axes, (name, pair) in zip(grid, PAIRS.items(), strict=True):
        _draw_panel(axes, name, pair, trained[name])
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def _draw_panel(axes: Any, name: str, pair: tuple[Mixture, Mixture], discriminator: Discriminator) -> None:
    """Draw densities and discriminators along the first coordinate; any other one is 0."""
    real, fake = pair
    means = torch.cat([real.means, fake.means])[:, 0]
    reach = 3.2 * max(real.sigma, fake.sigma)
    x = torch.linspace(float(means.min()) - reach, float(means.max()) + reach, 400)
    points = torch.zeros(len(x), real.means.shape[1])
    points[:, 0] = x
    p_data, p_g = (density.log_density(points) for density in pair)
    with torch.no_grad():
        logits = discriminator(points)
    axes.axhline(0.5, color=FAINT, linewidth=0.6)
    axes.plot(x, p_data.exp(), ":", color=DATA, label="p_data")
    axes.plot(x, p_g.exp(), color=GENERATOR, label="p_g")
    axes.plot(x, logits.sigmoid(), color=DISCRIMINATOR, linewidth=3, alpha=0.35, label="D, trained")
    axes.plot(x, (p_data - p_g).sigmoid(), "--", color=DISCRIMINATOR, label="D*, computed")
    axes.set_ylim(-0.03, 1.03)
    label_axes(axes, f"{name} (along its axis)" if real.means.shape[1] > 1 else name, "x")
