"""What an evaluation refuses before anything is read: words that are unknown, places that are not there, and both."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from zerosum import catalog
from zerosum.data.preparation import Preparation
from zerosum.data.readers import find_reader
from zerosum.errors import InputError
from zerosum.evaluation.candidate import check_kind, may_know_data
from zerosum.evaluation.options import EvaluationOptions
from zerosum.evaluation.protocols import check_protocol
from zerosum.evaluation.real_data import SAY_WHICH
from zerosum.evaluation.statistics import check_for_statistics
from zerosum.metrics import Metric, Reference
from zerosum.metrics.features import Request, find_extractor
from zerosum.metrics.moments import holds_moments
from zerosum.names import check_metric, check_pictures, is_metric
from zerosum.places import find_shipped


def check_names(names: Sequence[str], asked: EvaluationOptions) -> None:
    """Refuse what does not go together before anything is read.

    Raises:
        InputError: see there.
    """
    if not names:
        raise InputError("nothing to evaluate")
    known = "auto", *get_args(Reference)
    if asked.reference not in known:
        raise InputError(f"--reference {asked.reference!r}: choose one of: {', '.join(known)}")
    if len(set(names)) < len(names):
        raise InputError("the same name is given twice")
    if asked.pairs and len(names) > 1:
        raise InputError("--pairs is for one thing at a time")
    for name in asked.metrics:
        find_metric(name)


def check_places(things: Sequence[object], against: str | None, asked: EvaluationOptions) -> None:
    """Refuse what is not there, and data or a size that cannot be, before anything is read.

    Raises:
        InputError: see there.
    """
    if asked.size is not None:
        catalog.build(Preparation, {"size": asked.size})
    places = [thing for thing in things if isinstance(thing, str | Path)]
    check_pictures(place for place in places if find_shipped(Path(place)) is None)
    for place in places:
        check_kind(Path(place).expanduser())
    if against is not None and holds_moments(Path(against).expanduser()):
        check_for_statistics(Path(against), asked, [find_metric(name) for name in asked.metrics])
    elif against is not None:
        find_reader(against)
    elif not any(may_know_data(Path(place).expanduser()) for place in places):
        raise InputError(SAY_WHICH)


def check_protocol_fits(asked: EvaluationOptions, against: str | None) -> None:
    """Refuse what the protocol that is asked for has no place for.

    Raises:
        InputError: see there.
    """
    protocol = asked.find_protocol()
    if protocol is not None:
        check_protocol(protocol, asked)
        if against is None:
            raise InputError(f"--protocol {asked.protocol}: {SAY_WHICH}")


def check_features(asked: EvaluationOptions) -> None:
    """Refuse features that do not exist, before anything is read.

    Raises:
        InputError: see there.
    """
    if asked.features != "auto":
        find_extractor(asked.features.partition(":")[0], Request(asked.features, asked.weights))


def find_metric(name: str) -> Metric:
    """Return the metric called `name`, with or without its dashes.

    Raises:
        InputError: there is none.
    """
    check_metric(name)
    return next(cls() for known, cls in catalog.choices(Metric).items() if is_metric(name, known))
