"""zerosum trains generative adversarial networks and tells the truth about them.

import zerosum

gan = zerosum.train("digits", minutes=2, out="runs/digits")
images = gan.sample(64, seed=0)  # uint8 [64, C, H, W]
again = zerosum.load("runs/digits")
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zerosum.data.readers import open_source
    from zerosum.evaluation.evaluate import evaluate, save_reference
    from zerosum.evaluation.pilot import plan_evaluation
    from zerosum.evaluation.scorer import Scorer
    from zerosum.game.recipe import Recipe
    from zerosum.generator import TrainedGenerator
    from zerosum.generator.loading import load
    from zerosum.recipes import find as recipe
    from zerosum.run.api import resume, train

__all__ = [
    "Recipe",
    "Scorer",
    "TrainedGenerator",
    "evaluate",
    "load",
    "open_source",
    "plan_evaluation",
    "recipe",
    "resume",
    "save_reference",
    "train",
]

_HOME = {
    "Recipe": ("zerosum.game.recipe", "Recipe"),
    "Scorer": ("zerosum.evaluation.scorer", "Scorer"),
    "TrainedGenerator": ("zerosum.generator", "TrainedGenerator"),
    "evaluate": ("zerosum.evaluation.evaluate", "evaluate"),
    "load": ("zerosum.generator.loading", "load"),
    "open_source": ("zerosum.data.readers", "open_source"),
    "plan_evaluation": ("zerosum.evaluation.pilot", "plan_evaluation"),
    "recipe": ("zerosum.recipes", "find"),
    "resume": ("zerosum.run.api", "resume"),
    "save_reference": ("zerosum.evaluation.evaluate", "save_reference"),
    "train": ("zerosum.run.api", "train"),
}


def __getattr__(name: str) -> object:
    """Import what is asked for only then: torch takes seconds, and the command line's help needs none of it."""
    from importlib import import_module
    from importlib.util import find_spec

    if name in _HOME:
        module, attribute = _HOME[name]
        return getattr(import_module(module), attribute)
    if not name.startswith("_") and find_spec(f"zerosum.{name}") is not None:
        return import_module(f"zerosum.{name}")
    raise AttributeError(f"module 'zerosum' has no attribute {name!r}")


def __dir__() -> list[str]:
    """What there is to complete, whether or not it was asked for before."""
    return sorted({*globals(), *_HOME})
