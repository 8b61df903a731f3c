"""The theory of Goodfellow et al. 2014, section 4, for distributions whose densities are known.

Expectations are sums over a lattice, in float64. Logarithms are natural: values are in nats.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from zerosum.data.mixture import Mixture

REACH = 8.0  # sigmas around every mode
FINENESS = 4  # points per sigma
CELLS = 40  # per sigma of the data, where the generator's density has steps
MOST_POINTS = 4_000_000


@dataclass(frozen=True, eq=False)
class Matchup:
    """The data's distribution against a generator's, both on a lattice that covers all but nothing of either.

    Attributes:
        real: log p_data at every point, in nats, float64 [N].
        fake: log p_g, the same.
        points: the lattice, float64 [N, d].
        volume: of the cell around a point.
    """

    real: Tensor
    fake: Tensor
    points: Tensor
    volume: float

    @classmethod
    def of(cls, real: Mixture, fake: Mixture) -> "Matchup":
        """On a lattice as fine as the narrower of the two needs.

        Raises:
            ValueError: that would be too many points, as in many dimensions.
        """
        means = torch.cat([real.means, fake.means]).double()
        reach, step = REACH * max(real.sigma, fake.sigma), min(real.sigma, fake.sigma) / FINENESS
        low, high = means.amin(0) - reach, means.amax(0) + reach
        counts = ((high - low) / step).ceil().long() + 1
        if math.prod(counts.tolist()) > MOST_POINTS:
            raise ValueError(f"{math.prod(counts.tolist()):,} points are too many for a sum over a lattice")
        axes = [start + step * torch.arange(int(n), dtype=torch.float64) for start, n in zip(low, counts, strict=True)]
        points = torch.cartesian_prod(*axes).reshape(-1, len(axes))
        return cls(real.log_density(points), fake.log_density(points), points, step ** len(axes))

    @classmethod
    def of_generator(cls, real: Mixture, inputs: Tensor, outputs: Tensor) -> "Matchup":
        """Data on the line against a piecewise-linear generator of uniform noise, as `pushforward` describes it.

        The cells of the lattice hold exactly the generator's mass, and are a fortieth of a sigma of the data wide.
        """
        reach, width = REACH * real.sigma, real.sigma / CELLS
        low = min(float(real.means.min()) - reach, float(outputs.min()) - width)
        high = max(float(real.means.max()) + reach, float(outputs.max()) + width)
        edges = low + width * torch.arange(math.ceil((high - low) / width) + 1, dtype=torch.float64)
        points = (edges[:-1] + width / 2)[:, None]
        return cls(real.log_density(points), (pushforward(inputs, outputs, edges) / width).log(), points, width)

    @property
    def optimal_logit(self) -> Tensor:
        """The logit of D*(x) = p_data / (p_data + p_g), which is log p_data - log p_g (Proposition 1, eq. 2); [N]."""
        return self.real - self.fake

    def value(self, logits: Tensor) -> float:
        """V(D, G) = E_data log D(x) + E_g log(1 - D(x)) (eq. 1 and 3), of the D with these `logits` at the points."""
        return float(self.objective(logits))

    def objective(self, logits: Tensor) -> Tensor:
        """The same as a scalar tensor: what a discriminator climbs that knows both densities instead of samples."""
        return self._expected(self.real, F.logsigmoid(logits)) + self._expected(self.fake, F.logsigmoid(-logits))

    def value_of(self, discriminator: Callable[[Tensor], Tensor]) -> float:
        """V(D, G) of a discriminator that maps float32 points [N, d] to logits [N]."""
        with torch.no_grad():
            return self.value(discriminator(self.points.float()).double())

    @property
    def divergence(self) -> float:
        """The Jensen-Shannon divergence of p_data and p_g: 0 if they are equal, log 2 if they do not overlap."""
        mixture = torch.logaddexp(self.real, self.fake) - math.log(2)
        return 0.5 * sum(float(self._expected(each, each - mixture)) for each in (self.real, self.fake))

    @property
    def criterion(self) -> float:
        """The generator's virtual criterion C(G) = max_D V(D, G) = -log 4 + 2 JSD (Theorem 1, eq. 4 to 6)."""
        return -math.log(4) + 2 * self.divergence

    def _expected(self, log_density: Tensor, values: Tensor) -> Tensor:
        """The mean of `values` [N] under a density; where that is 0 to the last bit, infinities do not count."""
        density = log_density.exp() * self.volume
        return torch.where(density > 0, density * values, 0.0).sum()


def pushforward(inputs: Tensor, outputs: Tensor, edges: Tensor) -> Tensor:
    """How much of p_g lies in each cell between neighbouring `edges`: exactly, for a piecewise-linear generator of z.

    On a straight piece of G, uniform z stay uniform; what a cell holds is the sum over the pieces of their parts in it.
    A generator of rectifiers on the line is piecewise linear, and bends only where a rectifier does.

    Args:
        inputs: the z where G begins, bends and ends, ascending, float64 [K + 1]; p_z is uniform between the ends.
        outputs: G there, float64 [K + 1]; the mass of a flat piece is in the cell that ends at or after it.
        edges: ascending, float64 [N + 1].

    Returns:
        float64 [N]; it sums to 1 if the first edge lies below all outputs and the last one above.
    """
    masses = inputs.diff() / (inputs[-1] - inputs[0])
    low, high = torch.minimum(outputs[:-1], outputs[1:]), torch.maximum(outputs[:-1], outputs[1:])
    above = edges[:, None] - low
    below = torch.where(high > low, (above / (high - low)).clamp(0, 1), (above >= 0).to(above))  # [N + 1, K]
    return (below @ masses).diff().clamp(min=0)  # products that should be equal may differ in their last bit
