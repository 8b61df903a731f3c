"""The options of an evaluation: what `zerosum evaluate` takes on the command line and `zerosum.evaluate` in Python."""

from pathlib import Path

from pydantic.dataclasses import dataclass

from zerosum import catalog
from zerosum.metrics.protocols import Protocol


@dataclass(frozen=True)
class EvaluationOptions:
    """How samples are scored.

    Attributes:
        metrics: the names of metrics; else all that have a meaning here.
        features: `auto` (the best that are here) or the name of features.
        weights: a file with the weights of Inception, or DINOv2's folder.
        download: whether such weights may be fetched.
        reference: compare with the `test` split, the `train` split, or `all`; `auto` is `test` for what was trained
            here, which never saw it, and `all` for images made elsewhere, which may have been learned from any.
        count: samples of each; else 2,500 to 10,000, or all that are there.
        size: resize images: `64`, or height x width; those made elsewhere, and the real ones beside them.
        seed: of the samples and of every choice that a metric makes.
        truncation: of the generators' latents, as `TrainedGenerator.sample` takes it; said in the protocol.
        pairs: how many of the samples nearest to training images to return; only for one thing at a time.
        examples: how many images of each kind to return that should be looked at (`Examples`).
        device: where generators and features run.
        by_class: whether to score each class by itself too, where the samples and the real data have classes.
        protocol: the name of another program, whose way from the decoded image to the figure is taken; empty for ours.
    """

    metrics: tuple[str, ...] = ()
    features: str = "auto"
    weights: Path | None = None
    download: bool = False
    reference: str = "auto"
    count: int | None = None
    size: str | None = None
    seed: int = 1
    truncation: float | None = None
    pairs: int = 0
    examples: int = 0
    device: str = "auto"
    by_class: bool = False
    protocol: str = ""

    @property
    def showing(self) -> tuple[str, ...]:
        """The options of the command that were asked for and show images."""
        return tuple(name for name, count in (("--pairs", self.pairs), ("--report", self.examples)) if count)

    def find_protocol(self) -> Protocol | None:
        """Return the protocol of that name; None if there is none.

        Raises:
            InputError: no protocol has that name; the message suggests the nearest one.
        """
        return catalog.lookup(Protocol, self.protocol)() if self.protocol else None
