"""A folder of runs by one recipe, one for each seed, and the only code that writes and reads its `seeds.json`.

seeds.json  what all runs have in common, their seeds, and which of them diverged
seed-0/     a run like any other, see run_folder.py; and so on
"""

import itertools
import json
from dataclasses import asdict, field, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from pydantic.dataclasses import dataclass

from zerosum import catalog
from zerosum.atomic import write_atomically
from zerosum.errors import InputError
from zerosum.run_folder import SEEDS, RunFolder
from zerosum.types import Count, Whole

FORMAT = 1  # of seeds.json


@dataclass(frozen=True)
class Series:
    """What is trained once for each seed.

    Attributes:
        data: the name of the data, or their absolute path.
        fingerprint: of the data.
        seeds: in the order in which they are trained.
        recipe: of all runs, as JSON.
        device: as it was asked for.
        steps: iterations of each run; None leaves it to `minutes` or to the recipe.
        minutes: for each run.
        start: the weights that each begins with, as `run.json` describes them.
        diverged: what was found in runs whose numbers are no longer finite, by their seed.
    """

    data: str
    fingerprint: str
    seeds: Annotated[tuple[Whole, ...], Field(min_length=1)]
    recipe: dict[str, Any]
    device: str = "auto"
    steps: Count | None = None
    minutes: Annotated[float, Field(gt=0)] | None = None
    start: dict[str, Any] | None = None
    diverged: dict[int, str] = field(default_factory=dict)


class SeedsFolder:
    """A folder with a `seeds.json`."""

    def __init__(self, path: Path) -> None:
        """`path` need not exist yet."""
        self.path = path
        self.description = path / SEEDS

    @classmethod
    def create(cls, path: Path, series: Series, *, numbered: bool = False) -> "SeedsFolder":
        """Make the folder; if `numbered`, the first of `path`, `path-2`, `path-3` ... that does not exist.

        Raises:
            InputError: something is there already, or nothing can be written there.
        """
        for number in itertools.count(2):
            folder = cls(path)
            if not numbered:
                RunFolder(path).check()
            try:
                path.mkdir(parents=True, exist_ok=not numbered)
                folder.write(series)
            except FileExistsError:
                path = path.with_name(f"{path.name.removesuffix(f'-{number - 1}')}-{number}")
            except OSError as error:
                raise InputError(f"cannot write to {path}: {error.strerror}") from None
            else:
                break
        return folder

    def read(self) -> Series:
        """Read `seeds.json`.

        Raises:
            InputError: it is damaged, or of another version.
        """
        try:
            values = dict(json.loads(self.description.read_bytes()))
            version = values.pop("format", None)
            if version != FORMAT:
                raise InputError(f"it has format {version!r}, and this version of zerosum reads {FORMAT}")
            return catalog.build(Series, values)
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise InputError(f"{self.description} is damaged: {error}") from None

    def write(self, series: Series) -> None:
        """Write `seeds.json`."""
        write_atomically(self.description, json.dumps({"format": FORMAT, **asdict(series)}, indent=2).encode())

    def note_diverged(self, seed: int, what: str) -> None:
        """Note what was found in the run of `seed`; nothing, if `what` is empty."""
        series = self.read()
        others = {other: words for other, words in series.diverged.items() if other != seed}
        self.write(replace(series, diverged=others | ({seed: what} if what else {})))

    def run(self, seed: int) -> RunFolder:
        """Return the folder of the run with that seed, which need not exist."""
        return RunFolder(self.path / f"seed-{seed}")


def is_seeds_folder(path: Path) -> bool:
    """Return whether the folder at `path` holds runs that differ in their seed."""
    return (path / SEEDS).is_file()
