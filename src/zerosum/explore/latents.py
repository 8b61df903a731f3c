"""A generator's latent space: samples, and what lies between, around and along directions from them.

A place in it is named by how its latent was drawn (seed, number, class, truncation), or as the one that was found for a
picture, and by how far it was moved along which directions, so that the page never holds a latent.
"""

import shlex
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import count
from typing import Any

import torch
from torch import Tensor

from zerosum import randomness
from zerosum.data import Progress, Split
from zerosum.errors import InputError
from zerosum.explore.cells import MARGIN
from zerosum.explore.directions import REGRESSED, factorise, follow_features
from zerosum.explore.inversion import Inversion, invert, is_comparable
from zerosum.explore.questions import MOST_UPLOAD, Along, Around, Draw, Kind, Move, Place, Way
from zerosum.generator import CHUNK, TrainedGenerator

NEIGHBOURS, NEAREST = 8, 6
BLOCK = 4_096  # training images compared at a time
WINDOWED, LEAST_HALF = 1_024, 1e-6  # points by which the window is chosen, and the least that it reaches to each side
MOST_FOUND = 1_000  # latents of pictures that are kept


class LatentSpace:
    """The latent space of one generator of images or of points; one request at a time is answered.

    Samples are uint8 [N, C, H, W] or float32 [N, d].

    Attributes:
        generator: whose it is.
        typed: what the user called it.
    """

    def __init__(self, generator: TrainedGenerator, typed: str, open_training: Callable[[], Split] | None) -> None:
        """`open_training` opens the training images when they are first asked for; None if they are not known."""
        self.generator, self.typed = generator, typed
        self._open_training = open_training
        self._turn = threading.RLock()
        self._found, self._numbers = dict[int, Tensor](), count()

    def describe(self) -> dict[str, Any]:
        """Return, JSON-able, what the page needs to know of the generator."""
        networks = self.generator.networks
        return {
            "shape": list(self.generator.shape),
            "classes": list(self.generator.classes),
            "latent": networks.latent,
            "prior": networks.prior,
            "truncates": networks.binary < networks.latent,
            "most-truncation": 1.0 if networks.prior == "uniform" else 3.0,
            "directions": {kind: self._count(kind) for kind in ("sefa", "ganspace")},
            "training": self._open_training is not None and self._makes_images,
            "finds": is_comparable(self.generator.shape),
            "most-bytes": MOST_UPLOAD,
            "window": None if self._makes_images else self._window,
        }

    def draw(self, wanted: Draw) -> Tensor:
        """Draw `count` samples, as `zerosum sample` does.

        Raises:
            InputError: there is no such class, or the truncation has no meaning.
        """
        place = wanted.place
        with self._turn:
            return self.generator.sample(wanted.count, place.number, place.label, place.truncation)

    def go(self, way: Way) -> Tensor:
        """Interpolate, `steps` samples, as `zerosum interpolate` does; the class is mixed on a straight line.

        Raises:
            InputError: an end cannot be drawn.
        """
        start, goal = (self.locate(each)[None] for each in (way.start, way.goal))
        return self._show(self.generator.connect(start, goal, way.steps)[0])

    def look_around(self, around: Around) -> Tensor:
        """Sample around a place, NEIGHBOURS + 1 samples; the first is the place itself.

        Raises:
            InputError: the place cannot be drawn.
        """
        place = around.place
        start = self.locate(place)[None]
        with self._turn, randomness.scope(place.number, place.index, "explore neighbours"):
            networks, device = self.generator.networks, self.generator.engine.device
            others = networks.sample_latents(NEIGHBOURS, device, None, 0, place.truncation)
        others = torch.cat([others, start[:, networks.latent :].expand(NEIGHBOURS, -1)], 1)
        share = round(around.share * 100)
        near = self.generator.connect(start.expand(NEIGHBOURS, -1), others, 101)[:, share]
        return self._show(torch.cat([start, near]))

    def go_along(self, along: Along) -> Tensor:
        """Move along a direction, `steps` samples.

        Raises:
            InputError: there is no such direction, or the place cannot be drawn.
        """
        amounts = torch.linspace(-along.reach, along.reach, along.steps).tolist()
        places = [
            replace(along.place, moves=(*along.place.moves, Move(along.kind, along.number, amount)))
            for amount in amounts
        ]
        return self._show(torch.stack([self.locate(each) for each in places]))

    def show(self, place: Place) -> Tensor:
        """Map a place to its sample, the only one of those returned.

        Raises:
            InputError: it cannot be drawn.
        """
        return self._show(self.locate(place)[None])

    def find_training(self, place: Place) -> tuple[Tensor, list[float]]:
        """Find the training images nearest to a sample, uint8 [NEAREST, C, H, W], and their distances.

        A distance is the root mean square difference of a pixel's value, of 255.

        Raises:
            InputError: the data are not known, or not where they were, or the samples are points.
        """
        if not self._makes_images:
            raise InputError("points are not compared with training data here")
        sample = self.show(place).float().flatten(1)
        with self._turn:
            images = self._training.samples
        if tuple(images.shape[1:]) != self.generator.shape:
            raise InputError(f"the data now have images of shape {list(images.shape[1:])}, which cannot be compared")
        blocks = [(block.float().flatten(1) - sample).square().mean(1).sqrt() for block in torch.split(images, BLOCK)]
        distances, places = torch.cat(blocks).topk(min(NEAREST, len(images)), largest=False)
        return images[places], distances.tolist()

    def find(self, picture: Tensor, place: Place, progress: Progress) -> tuple[int, Inversion]:
        """Find the latent of a picture, uint8 [C, H, W], by the seed and of the class of a place, and keep it.

        Return its number, which is `found` of the places there. Other questions are answered meanwhile. What `progress`
        raises ends the search.

        Raises:
            InputError: there is no such class.
        """
        inversion = invert(self.generator, picture, place.number, place.label, progress, self._turn)
        with self._turn:
            number = next(self._numbers)
            self._found[number] = inversion.latent
            self._found.pop(number - MOST_FOUND, None)
        return number, inversion

    def locate(self, place: Place) -> Tensor:
        """Return a place's latent and class, [inputs].

        Raises:
            InputError: there is no such class or direction, the truncation has no meaning, or what was found is not
                kept any more.
        """
        with self._turn:
            latent = self._draw(place) if place.found is None else self._recall(place.found)
            size = self.generator.networks.latent
            z = latent[:size]
            for move in place.moves:
                directions = self.directions(move.kind)
                if move.number >= len(directions):
                    raise InputError(f"there is no direction {move.number + 1}: there are {len(directions)}")
                z = z + move.amount * directions[move.number].to(z)
            return torch.cat([self.generator.networks.binarize(z), latent[size:]])

    def directions(self, kind: Kind) -> Tensor:
        """Return the directions of a kind, unit vectors [K, latent].

        Raises:
            InputError: this generator has none.
        """
        with self._turn:
            return self._sefa if kind == "sefa" else self._ganspace

    def _draw(self, place: Place) -> Tensor:
        drawn = self.generator.sample_latents(place.index + 1, place.number, place.label, place.truncation)
        return list(drawn)[place.index // CHUNK][place.index % CHUNK]

    def _recall(self, number: int) -> Tensor:
        if number not in self._found:
            raise InputError("what was found for this picture is not kept any more: look for it again")
        return self._found[number].to(self.generator.engine.device)

    def _count(self, kind: Kind) -> int:
        try:
            return len(self.directions(kind))
        except InputError:
            return 0

    @property
    def _makes_images(self) -> bool:
        return len(self.generator.shape) == 3

    @cached_property
    def _window(self) -> dict[str, Any]:
        """Choose the square that shows the first two coordinates of points, or the part of the line for one."""
        points = self.generator.sample(WINDOWED)[:, :2].nan_to_num(0, 0, 0)
        low, high = points.amin(0), points.amax(0)
        half = float((high - low).max()) / 2 * MARGIN
        return {"middle": ((low + high) / 2).tolist(), "half": max(half, LEAST_HALF)}

    @cached_property
    def _sefa(self) -> Tensor:
        return factorise(self.generator)

    @cached_property
    def _ganspace(self) -> Tensor:
        latents = torch.cat(list(self.generator.sample_latents(REGRESSED)))[:REGRESSED]
        return follow_features(self.generator, latents)

    @cached_property
    def _training(self) -> Split:
        if self._open_training is None:
            raise InputError("the data that this generator was trained on are not known here: explore its run's folder")
        return self._open_training()

    def _show(self, latents: Tensor) -> Tensor:
        with self._turn, randomness.scope(0, 0, "explore sample", device=self.generator.engine.device):
            return self.generator.generate(latents)


def describe_command(typed: str, place: Place, count: int) -> str:
    """Return the command that writes the same samples to a picture."""
    words = ["zerosum", "sample", typed, "--seed", place.seed, "--count", str(count)]
    options: Mapping[str, object] = {"--label": place.label, "--truncation": place.truncation}
    words += [str(word) for option, value in options.items() if value is not None for word in (option, value)]
    return shlex.join(words)
