"""Score samples against statistics of real features in a file, and make such a file."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from zerosum import catalog
from zerosum.data import Source, Split
from zerosum.errors import InputError
from zerosum.evaluation.candidate import Candidate, Reporter, match_shape
from zerosum.evaluation.options import EvaluationOptions
from zerosum.export.samples import check_free
from zerosum.game.engine import Engine
from zerosum.generator import TrainedGenerator
from zerosum.metrics import Metric, Score
from zerosum.metrics.features import FeatureExtractor, Request, open_features
from zerosum.metrics.features.cache import FeatureCache
from zerosum.metrics.features.given import GivenFeatures
from zerosum.metrics.features.inception import Inception
from zerosum.metrics.moment_scores import MomentEvaluation
from zerosum.metrics.moments import Moments, Origin, read_moments

FEATURES_OF = {tap: f"inception:{tap}" for tap in Inception.taps}  # what statistics of so many features are of


def write_reference(place: str, path: Path, asked: EvaluationOptions, reporter: Reporter) -> Moments:
    """Measure the images at `place` and write their statistics to `path`, an .npz; return them.

    Raises:
        InputError: they cannot be used, or `path` cannot be written.
    """
    candidate = Candidate.open(place, asked.size, asked.device, reporter)
    if not isinstance(candidate.content, Tensor) or len(candidate.shape) != 3:
        raise InputError(f"{place} holds no images: --save-reference takes the real images, a folder, .zip or array")
    source = stand_in(candidate.content, place)
    with reporter.phase("preparing the features") as progress:
        device = Engine.choose(asked.device).device
        default = "inception" if asked.protocol else ""
        network = default if asked.features == "auto" else asked.features
        extractor = open_features(
            source, Request(network, asked.weights, asked.download, device, progress, asked.find_protocol())
        )
    samples = candidate.samples(asked.count, source, extractor, asked.seed)
    origin = Origin(
        features=_name_request(extractor, samples),
        name=extractor.name,
        resizer=extractor.resizer,
        shape=candidate.shape,
        samples=len(samples),
        range=candidate.range,
        data=Path(place).name,
    )
    with reporter.phase(f"measuring {place}") as progress:
        moments = Moments.of(samples, extractor, origin, progress)
    moments.write(path)
    return moments


def check_reference_file(path: Path) -> None:
    """Refuse a file for statistics that cannot be written.

    Raises:
        InputError: its name does not end in .npz, its parent is no folder, or it would replace something.
    """
    if path.suffix.lower() != ".npz":
        raise InputError(f"cannot write statistics to {path}: its name must end in .npz")
    if path.exists():
        raise InputError(f"{path} exists already: choose another name for the statistics")
    check_free(path)


def check_for_statistics(against: Path, asked: EvaluationOptions, measures: Sequence[Metric]) -> None:
    """Refuse what needs real images where there are only statistics, before anything is read.

    Raises:
        InputError: see there.
    """
    for metric in measures:
        if not metric.takes_moments:
            raise InputError(
                f"{catalog.name_of(metric)} needs the real images, and {against} holds their statistics: "
                f"these suffice for {', '.join(names_for_statistics())}"
            )
    for option in (*asked.showing, *(("--by-class",) if asked.by_class else ())):
        raise InputError(f"{option} needs the real images, and {against} holds their statistics")
    if asked.reference != "auto":
        raise InputError(f"--reference chooses among real images, and {against} holds their statistics")


def names_for_statistics() -> list[str]:
    """Return the names of the metrics for which statistics suffice."""
    return [name for name, cls in catalog.choices(Metric).items() if cls.takes_moments]


def score_against(
    path: Path,
    candidates: Sequence[Candidate],
    asked: EvaluationOptions,
    measures: Sequence[Metric] | None,
    reporter: Reporter,
) -> tuple[dict[str, list[Score]], FeatureExtractor]:
    """Score the candidates against the statistics in `path`; return the scores by name, and the features.

    Raises:
        InputError: the statistics are no such, or were measured in other features or of images of another shape.
    """
    moments = read_moments(path)
    candidates = _match(candidates, moments, path)
    source = stand_in(_some(candidates[0]), path.name)
    with reporter.phase("preparing the features") as progress:
        network = choose_features(moments, asked, path)
        device = Engine.choose(asked.device).device
        request = Request(network, asked.weights, asked.download, device, progress, asked.find_protocol())
        extractor = open_features(source, request)
    moments.check_features(extractor, str(path))
    cache, evaluation = FeatureCache(extractor), MomentEvaluation(moments, GivenFeatures(extractor), str(path))
    if moments.origin is None:
        reporter.note(
            f"{path} does not say how it was measured: taken to be of {extractor.name}; resizer: {extractor.resizer}"
            f"{'' if asked.protocol else '; --protocol chooses another'}"
        )
    left_out = sorted(set(catalog.choices(Metric)) - set(names_for_statistics()))
    if measures is None:
        reporter.note(f"{path} holds statistics: the other metrics need the real images ({', '.join(left_out)})")
    found = {}
    for candidate in candidates:
        with reporter.phase(f"scoring {candidate.name}") as cache.progress:
            samples = candidate.samples(asked.count, source, extractor, asked.seed)
            features = cache.extract(samples, keep=candidate.on_disk)
            scores = evaluation.scores(features, asked.seed, measures)
        found[candidate.name] = [candidate.note_truncation(score) for score in scores]
    return found, extractor


def _match(candidates: Sequence[Candidate], moments: Moments, path: Path) -> list[Candidate]:
    """Bring the candidates to the shape of the images that were measured, if that is known.

    Raises:
        InputError: one of them is no image, or of another size.
    """
    if moments.origin is None:
        shapes = {candidate.shape for candidate in candidates}
        if any(len(shape) != 3 for shape in shapes):
            raise InputError(f"{path} holds statistics of images, and points cannot be compared with them")
        return list(candidates)
    height, width = moments.origin.shape[1:]
    for each in candidates:
        if len(each.shape) != 3 or each.shape[1:] != (height, width):
            raise InputError(
                f"{each.name} has samples of shape {list(each.shape)}, and {path} was measured of images of "
                f"{height}x{width}: --size {height}x{width} brings images made elsewhere to it"
            )
    return match_shape(candidates, moments.origin.shape, str(path))


def choose_features(moments: Moments, asked: EvaluationOptions, path: Path) -> str:
    """Return the features to open: those asked for, those of the file, or those of which there are as many.

    Raises:
        InputError: nothing says which.
    """
    if asked.features != "auto":
        return asked.features
    if moments.origin is not None:
        return moments.origin.features
    width = len(moments.gaussian.mean)
    if width not in FEATURES_OF:
        known = ", ".join(map(str, FEATURES_OF))
        raise InputError(
            f"{path} holds statistics of {width:,} features, and Inception has {known}: say which with --features"
        )
    return FEATURES_OF[width]


def _name_request(extractor: FeatureExtractor, samples: Tensor) -> str:
    """Return what `--features` takes to choose this extractor again."""
    name = catalog.name_of(extractor)
    return f"{name}:{extractor(samples[:1]).shape[1]}" if extractor.taps else name


def _some(candidate: Candidate) -> Tensor:
    content = candidate.content
    return content.sample(2, 0) if isinstance(content, TrainedGenerator) else content


def stand_in(samples: Tensor, name: str) -> Source:
    """Make a source of which features may look at the shape only."""
    return Source(name, Split(samples[:2]), Split(samples[:2]))
