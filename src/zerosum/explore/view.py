"""What is looked at in a game of points at one moment; looking changes no bit of the game."""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from zerosum.explore.cells import Cells, best_answer, divergence, visibility
from zerosum.explore.match import Match, first_real
from zerosum.explore.watching import Line
from zerosum.game.losses import value
from zerosum.metrics.modes import NEAR

SHOWN, PUSHED = 400, 160  # points of each kind, and fakes with an arrow
COUNTED, MODE_SAMPLES = 4_096, 2_500  # fakes for the densities; of these, for modes as the metric `modes` counts them
SPREAD = 2.0  # in games without probabilities: logits of the means of both kinds are shown at -2 and 2


class Frame(NamedTuple):
    """What was seen: numbers and words, JSON-able, and arrays, float32 or uint8, by name."""

    about: dict[str, Any]
    arrays: dict[str, Tensor]


class View:
    """Looks at one match. The same latents are drawn at every moment, so that each fake can be followed.

    Attributes:
        match: the game.
        cells: the window.
    """

    def __init__(self, match: Match) -> None:
        """Draw the latents that are looked at; the data's cells and what real samples score are computed once."""
        self.match, self.cells = match, Cells.around(match.density)
        with match.players.random(match.settings.seed, 0, "explore latents"):
            networks = match.players.networks
            self._latents = networks.sample_latents(COUNTED, match.players.engine.device, None, 0)
        self._expected = self.cells.expected()
        self._real = first_real(match.source, COUNTED)
        self._floor = divergence(self._expected, self.cells.counted(self._real))

    def look(self, line: Line) -> Frame:
        """Look at both players as they are at a `line` of Algorithm 1; a function of settings, iteration and line."""
        match = self.match
        with match.players.random(match.settings.seed, match.step, "explore"):
            with torch.no_grad():
                fakes = match.players.engine.generate(match.players.generator.network, self._latents)
                of_real, of_fake = self._logits(self._real[:SHOWN]), self._logits(fakes[:SHOWN])
                of_cells = self._logits(self.cells.centres())
            pushes = self._pushes(fakes[:PUSHED])
        shares = self.cells.counted(fakes)
        arrays = {"real": self._real[:SHOWN], "fake": fakes[:SHOWN], "push": pushes}
        arrays |= self._answers(of_cells, of_real, of_fake, shares)
        if line in (Line.D_SAMPLES, Line.G_SAMPLES):
            arrays |= {f"drawn-{kind}": points[:SHOWN] for kind, points in match.players.drawn.items()}
            if line is Line.G_SAMPLES and not match.recipe.simultaneous and not match.recipe.game.relativistic:
                arrays.pop("drawn-real", None)
        about = {
            "step": match.step,
            "steps": match.steps,
            "line": line.value,
            "caption": match.caption(line),
            "middle": self.cells.middle.tolist(),
            "half": self.cells.half,
            "cells": self.cells.count,
            "dimension": self.cells.dimension,
            "probabilities": match.recipe.game.probabilistic,
            "push": float(pushes.norm(dim=1).mean()),
            **self._figures(fakes, of_real, of_fake, shares),
        }
        return Frame(about, arrays)

    def _logits(self, points: Tensor) -> Tensor:
        players = self.match.players
        return players.engine.predict(players.discriminator.network, points).logits

    def _pushes(self, fakes: Tensor) -> Tensor:
        """Compute where descending the generator's loss would move each of `fakes` [N, d]: -N dL/dG(z), [N, d]."""
        match = self.match
        fakes = fakes.detach().requires_grad_()
        done = match.step / match.steps
        game = match.recipe.game
        out = match.players.discriminate_fakes(
            self._real[: len(fakes)], fakes, None, done, relativistic=game.relativistic
        )
        (gradients,) = torch.autograd.grad(match.recipe.generator_loss(out), fakes)
        return -len(fakes) * gradients

    def _answers(self, of_cells: Tensor, of_real: Tensor, of_fake: Tensor, shares: Tensor) -> dict[str, Tensor]:
        """Return D and D* in every cell; in the plane as bytes, 0 to 255, on the line as float32, with both densities.

        In the plane, `seen` is how much of both densities lies there: where there is next to nothing, D* says little.
        In a game without probabilities D is shown on the scale from its mean for fakes to its mean for real samples.
        """
        if not self.match.recipe.game.probabilistic:
            low, high = float(of_fake.mean()), float(of_real.mean())
            half = max(abs(high - low) / 2, 1e-6)
            of_cells = (of_cells - (low + high) / 2) * (SPREAD / half)
        answers = {"d": of_cells.sigmoid(), "best": best_answer(self._expected, shares)[:-1].float()}
        if self.cells.dimension == 2:
            answers["seen"] = visibility(self._expected[:-1], shares[:-1]).float()
            return {name: (255 * each.nan_to_num(0.5)).round().to(torch.uint8) for name, each in answers.items()}
        densities = {"p-data": self._expected, "p-g": shares}
        return answers | {name: (each[:-1] / self.cells.width).float() for name, each in densities.items()}

    def _figures(self, fakes: Tensor, of_real: Tensor, of_fake: Tensor, shares: Tensor) -> dict[str, Any]:
        """Return the numbers of this moment; those of the losses are what the iteration before measured."""
        last, density = self.match.last, self.match.density
        js = divergence(self._expected, shares)
        distances, modes = torch.cdist(fakes[:MODE_SAMPLES], density.means).min(1)
        good = distances < NEAR * density.sigma
        figures: dict[str, Any] = {
            "divergence": js,
            "floor": self._floor,
            "modes": int(modes[good].bincount().count_nonzero()),
            "modes-in-all": len(density.means),
            "high-quality": float(good.float().mean()),
            "discriminator-loss": None if last is None else float(last.discriminator_loss),
            "penalty": None if last is None else float(last.penalty),
            "generator-loss": None if last is None else float(last.generator_loss),
        }
        if self.match.recipe.game.probabilistic:
            figures |= {
                "d-real": float(of_real.sigmoid().mean()),
                "d-fake": float(of_fake.sigmoid().mean()),
                "value": float(value(of_real, of_fake)),
                "best-value": 2 * js - math.log(4),
            }
        return figures

    @property
    def finite(self) -> bool:
        """Whether the losses of the last iteration are finite numbers."""
        last = self.match.last
        return last is None or bool(torch.stack([last.discriminator_loss, last.generator_loss]).isfinite().all())
