"""Open the data that a run was trained on, where they lay then."""

from pathlib import Path

from zerosum.addresses import is_address
from zerosum.data import Progress, Source
from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_source
from zerosum.errors import InputError
from zerosum.run_description import Line


def open_recorded(about: Line, preparation: Preparation, elsewhere: str, progress: Progress | None = None) -> Source:
    """Open the data that `about`, the content of `run.json`, names; whether they are the same is for the caller to say.

    Raises:
        InputError: they are gone, or cannot be read; `elsewhere` says how to name another place.
    """
    data = about["data"]
    places = [Path(place) for place in (data, data.partition(":")[2]) if Path(place).is_absolute()]  # "stacked:/a/b"
    if places and not is_address(data) and not any(place.exists() for place in places):
        raise InputError(f"the data that the run was trained on are no longer at {data}: {elsewhere}")
    return open_source(data, preparation, progress, recorded=True)
