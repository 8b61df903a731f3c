"""Two densities of points compared in cells: how much of each lies where, and what the best discriminator answers.

The data's share of a cell is exact, the generator's is counted from samples; both are then blurred by the same narrow
Gaussian. What is computed from them holds for what can be seen at that resolution: the Jensen-Shannon divergence is at
most that of the densities themselves, apart from the noise of counting.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.data.distributions import Mixture

CELLS = {1: 128, 2: 64}  # along each axis, by dimension
MARGIN, SIGMAS = 1.35, 5.0  # times the modes' half extent, and deviations beside that
BLUR, REACH = 1.0, 3  # the Gaussian's deviation in cells, and how many cells to each side it reaches


@dataclass(frozen=True, eq=False)
class Cells:
    """A window on the line or in the plane, cut into equal cells; all that lies outside is one cell more, the last.

    Attributes:
        middle: of the window, float32 [d].
        half: its half width along each axis.
        density: of the data.
    """

    middle: Tensor
    half: float
    density: Mixture

    @classmethod
    def around(cls, density: Mixture) -> "Cells":
        """Choose the window that shows all modes of a mixture on the line or in the plane."""
        low, high = density.means.amin(0), density.means.amax(0)
        half = float((high - low).max()) / 2 * MARGIN + SIGMAS * density.sigma
        return cls((low + high) / 2, half, density)

    @property
    def dimension(self) -> int:
        """1 or 2."""
        return len(self.middle)

    @property
    def count(self) -> int:
        """The number of cells along each axis."""
        return CELLS[self.dimension]

    @property
    def width(self) -> float:
        """The width of a cell."""
        return 2 * self.half / self.count

    def centres(self) -> Tensor:
        """Return the middles of all cells, float32 [count^d, d]; the last axis varies fastest."""
        steps = (torch.arange(self.count) + 0.5) * self.width - self.half
        axes = [steps + start for start in self.middle]
        return torch.cartesian_prod(*axes).reshape(-1, self.dimension)

    def expected(self) -> Tensor:
        """Compute the data's share of every cell, blurred, float64 [count^d + 1]: exact but for the blur."""
        edges = (torch.arange(self.count + 1, dtype=torch.float64) * self.width - self.half) + self.middle[:, None]
        means, sigma = self.density.means.double(), self.density.sigma
        below = torch.special.ndtr((edges[None] - means[:, :, None]) / sigma)  # [K, d, count + 1]
        along = below.diff(dim=2)
        inside = along[:, 0] if self.dimension == 1 else along[:, 0, :, None] * along[:, 1, None, :]
        return self._blur(inside.mean(0))

    def counted(self, points: Tensor) -> Tensor:
        """Count the share of `points` [N, d] in every cell, blurred, float64 [count^d + 1]."""
        places = ((points - self.middle + self.half) / self.width).floor().long()
        within = ((places >= 0) & (places < self.count)).all(1)
        flat = places[within, 0] if self.dimension == 1 else places[within] @ torch.tensor([self.count, 1])
        counts = flat.bincount(minlength=self.count**self.dimension).double() / len(points)
        return self._blur(counts.reshape([self.count] * self.dimension))

    def _blur(self, inside: Tensor) -> Tensor:
        """Blur shares [count, ...] along each axis; what is not within the window then is outside."""
        offsets = torch.arange(-REACH, REACH + 1, dtype=torch.float64)
        kernel = (-(offsets**2) / (2 * BLUR**2)).exp()
        kernel = (kernel / kernel.sum())[None, None]
        for axis in range(self.dimension):
            rows = inside.movedim(axis, -1)
            blurred = torch.nn.functional.conv1d(rows.reshape(-1, 1, self.count), kernel, padding=REACH)
            inside = blurred.reshape(rows.shape).movedim(-1, axis)
        shares = inside.flatten()
        return torch.cat([shares, (1 - shares.sum()).clamp(min=0)[None]])


def best_answer(p_data: Tensor, p_g: Tensor) -> Tensor:
    """Compute D* = p_data / (p_data + p_g) (Proposition 1) of shares [N]; 1/2 where both are 0."""
    total = p_data + p_g
    return torch.where(total > 0, p_data / total, 0.5)


def visibility(p_data: Tensor, p_g: Tensor) -> Tensor:
    """Compute how much there is of both shares [N], as the root of their sum over the largest one, 0 to 1."""
    total = p_data + p_g
    return (total / total.max()).sqrt()


def divergence(p_data: Tensor, p_g: Tensor) -> float:
    """Compute the Jensen-Shannon divergence of shares [N], in nats: 0 if equal, log 2 if they do not overlap."""
    middle = (p_data + p_g) / 2
    both = [torch.special.xlogy(each, each / middle).nan_to_num(0.0).sum() for each in (p_data, p_g)]
    return min(max(0.5 * float(both[0] + both[1]), 0.0), math.log(2))
