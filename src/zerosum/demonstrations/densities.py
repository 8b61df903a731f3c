"""The theory of Goodfellow et al. 2014, section 4, for distributions whose densities are known.

Expectations are sums over a lattice, in float64. Logarithms are natural: values are in nats.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from zerosum.data.distributions import Mixture

REACH = 8.0  # sigmas around every mode
FINENESS = 4  # points per sigma
CELLS = 40  # per sigma of the data, where the generator's density has steps
MOST_POINTS = 4_000_000


@dataclass(frozen=True, eq=False)
class DensityPair:
    """The densities of the data and of a generator, on a lattice that covers all but nothing of either.

    Attributes:
        log_p_data: at every point, in nats, float64 [N].
        log_p_g: the same of the generator.
        points: the lattice, float64 [N, d].
        volume: of the cell around a point.
    """

    log_p_data: Tensor
    log_p_g: Tensor
    points: Tensor
    volume: float

    @classmethod
    def on_lattice(cls, real: Mixture, fake: Mixture) -> "DensityPair":
        """Evaluate both on a lattice as fine as the narrower of the two needs.

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
    def of_generator(cls, real: Mixture, inputs: Tensor, outputs: Tensor) -> "DensityPair":
        """Evaluate data on the line and a piecewise-linear generator of uniform noise, as for `push_forward`.

        The cells of the lattice hold exactly the generator's mass, and are a fortieth of a sigma of the data wide.
        """
        reach, width = REACH * real.sigma, real.sigma / CELLS
        low = min(float(real.means.min()) - reach, float(outputs.min()) - width)
        high = max(float(real.means.max()) + reach, float(outputs.max()) + width)
        edges = low + width * torch.arange(math.ceil((high - low) / width) + 1, dtype=torch.float64)
        points = (edges[:-1] + width / 2)[:, None]
        return cls(real.log_density(points), (push_forward(inputs, outputs, edges) / width).log(), points, width)

    @property
    def optimal_logit(self) -> Tensor:
        """The logit of D*(x) = p_data / (p_data + p_g), which is log p_data - log p_g (Proposition 1, eq. 2); [N]."""
        return self.log_p_data - self.log_p_g

    def value(self, logits: Tensor) -> float:
        """Compute V(D, G) = E_data log D(x) + E_g log(1 - D(x)) (eq. 1 and 3) of the D with these `logits` [N]."""
        return float(self.objective(logits))

    def objective(self, logits: Tensor) -> Tensor:
        """Compute the same as a scalar tensor: what a D maximises that knows both densities instead of samples."""
        return self._expect(self.log_p_data, F.logsigmoid(logits)) + self._expect(self.log_p_g, F.logsigmoid(-logits))

    def value_of(self, discriminator: Callable[[Tensor], Tensor]) -> float:
        """Compute V(D, G) of a discriminator that maps float32 points [N, d] to logits [N]."""
        with torch.no_grad():
            return self.value(discriminator(self.points.float()).double())

    @property
    def divergence(self) -> float:
        """The Jensen-Shannon divergence of p_data and p_g: 0 if they are equal, log 2 if they do not overlap."""
        mixture = torch.logaddexp(self.log_p_data, self.log_p_g) - math.log(2)
        return 0.5 * sum(float(self._expect(each, each - mixture)) for each in (self.log_p_data, self.log_p_g))

    @property
    def criterion(self) -> float:
        """The generator's virtual criterion C(G) = max_D V(D, G) = -log 4 + 2 JSD (Theorem 1, eq. 4 to 6)."""
        return -math.log(4) + 2 * self.divergence

    def _expect(self, log_density: Tensor, values: Tensor) -> Tensor:
        """Compute the mean of `values` [N] under a density; where that underflows to 0, infinities do not count."""
        density = log_density.exp() * self.volume
        return torch.where(density > 0, density * values, 0.0).sum()


def push_forward(inputs: Tensor, outputs: Tensor, edges: Tensor) -> Tensor:
    """Compute the mass of p_g in each cell between neighbouring `edges`: exact, for a piecewise-linear generator of z.

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
