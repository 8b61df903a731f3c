"""The real data that samples are compared with: those of a run, or others, prepared as the samples are."""

from collections.abc import Sequence

from zerosum import catalog
from zerosum.data import Progress, Source
from zerosum.data.packs.shape import TooSmall
from zerosum.data.preparation import Preparation
from zerosum.data.readers import make_absolute, open_source
from zerosum.data.recorded import open_recorded
from zerosum.errors import InputError
from zerosum.evaluation.candidate import RESIZER, Candidate, Reporter, was_resized
from zerosum.game.recipe import from_json

SMALLEST_SIDE = 8  # to which photos are brought
SAY_WHICH = "say which real data to compare with: --against DATA"


def open_real_data(
    candidates: Sequence[Candidate],
    against: str | None,
    size: str | None,
    progress: Progress | None,
    reporter: Reporter,
) -> Source:
    """Open the real data: those named, images prepared as those to be scored are; else those of the first run.

    Where there is no run, the built-in ones of the first generator that ships with zerosum, and it is said.

    Raises:
        InputError: nothing says which data, or they cannot be used.
    """
    run = next((each.run for each in candidates if each.run is not None), None)
    if against is None and run is not None:
        source = open_recorded(run, from_json(run["recipe"]).data, SAY_WHICH, progress)
        if source.fingerprint != run["fingerprint"]:
            raise InputError(
                f"the data at {run['data']} have changed since the run began, and its test samples may be others: "
                f"{SAY_WHICH}"
            )
        return source
    if against is None:
        against = _name_built_in(candidates, reporter)
    same = (each.run for each in candidates if each.run is not None and each.run["data"] == make_absolute(against))
    run = next(same, None)
    if run is not None:
        return open_source(against, from_json(run["recipe"]).data, progress)
    first = candidates[0]
    if len(first.shape) != 3 or min(first.shape[1:]) < SMALLEST_SIDE:
        return open_source(against, progress=progress)
    channels, height, width = first.shape
    values = {"size": (height, width), "channels": channels if channels in (1, 3) else None}
    try:
        source = open_source(against, catalog.build(Preparation, values), progress)
    except TooSmall as error:
        raise InputError(
            f"{first.name} has images of {height}x{width}, and no image in {against} is as large (the largest has a "
            f"shorter side of {error.largest} pixels): --size {error.largest} brings both to one size"
        ) from None
    if size is None and source.files is not None and was_resized(source):
        reporter.note(
            f"{against}: brought to {height}x{width}, the size of {first.name}; --size chooses another one ({RESIZER})"
        )
    return source


def _name_built_in(candidates: Sequence[Candidate], reporter: Reporter) -> str:
    """Name the data of the first generator that ships, and say so.

    Raises:
        InputError: there is none.
    """
    ships = next((each for each in candidates if each.trained_on), None)
    if ships is None:
        raise InputError(SAY_WHICH)
    reporter.note(
        f"compared with {ships.trained_on}, the built-in set that {ships.name} was trained on; "
        "--against chooses another"
    )
    return ships.trained_on
