"""Score as another program does: each image goes to the network from its own size, and all of them count."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from zerosum.data import Source, Split
from zerosum.errors import InputError
from zerosum.evaluation.candidate import Candidate, Reporter
from zerosum.evaluation.options import EvaluationOptions
from zerosum.evaluation.overlap import describe_copies, warn_of
from zerosum.evaluation.statistics import stand_in
from zerosum.game.engine import Engine
from zerosum.metrics import Metric, Score
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import FeatureExtractor, Request, open_features
from zerosum.metrics.features.cache import FeatureCache
from zerosum.metrics.features.given import GivenFeatures
from zerosum.metrics.protocols import Protocol
from zerosum.names import is_metric

FEATURES = "inception"


def check_protocol(protocol: Protocol, asked: EvaluationOptions) -> None:
    """Refuse what the program does not do.

    Raises:
        InputError: see there.
    """
    name = asked.protocol
    if asked.features != "auto" and asked.features.partition(":")[0] != FEATURES:
        raise InputError(f"--protocol {name} sees images through Inception: leave out --features {asked.features}")
    for metric in asked.metrics:
        if not any(is_metric(metric, known) for known in protocol.metrics):
            known = ", ".join(protocol.metrics)
            raise InputError(f"--protocol {name}: {protocol.program} measures {known}, not {metric}")
    if asked.reference not in ("auto", "all"):
        raise InputError(f"--protocol {name} compares with all images: leave out --reference {asked.reference}")
    if asked.by_class:
        raise InputError(f"--protocol {name} measures all classes together: leave out --by-class or --protocol")
    for option in asked.showing:
        raise InputError(f"--protocol {name} shows no images: leave out {option} or --protocol")


def make_request(asked: EvaluationOptions, network: str, reporter: Reporter) -> Request:
    """Ask for Inception, seen as the protocol wants it."""
    with reporter.phase("preparing the features") as progress:
        device = Engine.choose(asked.device).device
        return Request(network, asked.weights, asked.download, device, progress, asked.find_protocol())


def score_by_protocol(
    against: str,
    candidates: Sequence[Candidate],
    asked: EvaluationOptions,
    measures: Sequence[Metric],
    reporter: Reporter,
) -> tuple[dict[str, list[Score]], FeatureExtractor]:
    """Score the candidates against all images at `against`; return the scores by name, and the features.

    Raises:
        InputError: something cannot be used or measured.
    """
    protocol = asked.find_protocol()
    assert protocol is not None  # noqa: S101  # the caller's promise
    real = Candidate.open(against, asked.size, asked.device, reporter)
    images = real.content
    if not isinstance(images, Tensor) or images.ndim != 4:
        raise InputError(f"{against} holds no images, which --protocol {asked.protocol} is for")
    if asked.size is not None:
        reporter.note(f"--size resized all images first, by Lanczos, which {protocol.program} does not do")
    network = FEATURES if asked.features == "auto" else asked.features
    extractor = open_features(stand_in(images, real.name), make_request(asked, network, reporter))
    cache = FeatureCache(extractor)
    with reporter.phase(f"measuring {real.name}") as cache.progress:
        features = cache.extract(images)
    source = Source(Path(real.name).name, Split(features), Split(features[:0]))
    evaluation = Evaluation(source, GivenFeatures(extractor), "all", made_elsewhere=True)
    found = {}
    for candidate in candidates:
        with reporter.phase(f"scoring {candidate.name}") as cache.progress:
            samples = candidate.samples(_count(candidate, protocol, asked), stand_in(images, ""), extractor, asked.seed)
            if samples.ndim != 4 or samples.shape[1] not in (1, 3):
                raise InputError(f"{candidate.name} holds no gray or colour images")
            features = cache.extract(samples, keep=candidate.on_disk)
            scores = evaluation.scores(features, asked.seed, _possible(measures, asked, source, extractor))
            scores = warn_of(describe_copies(samples, (images,), source.name), scores)
        found[candidate.name] = [candidate.note_truncation(score) for score in scores]
    return found, extractor


def _count(candidate: Candidate, protocol: Protocol, asked: EvaluationOptions) -> int | None:
    """Return how many samples to take: those asked for, or as many as the program does, or all."""
    if asked.count is not None or protocol.samples is None:
        return asked.count
    there = len(candidate.content) if isinstance(candidate.content, Tensor) else protocol.samples
    return min(there, protocol.samples)


def _possible(
    measures: Sequence[Metric], asked: EvaluationOptions, source: Source, extractor: FeatureExtractor
) -> list[Metric]:
    """Leave out, of metrics that nobody named, those that these features cannot have."""
    return [each for each in measures if asked.metrics or not each.refusal(source, extractor)]
