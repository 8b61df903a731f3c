"""What is explored: a toy's game, a generator's latent space, a run, or several of these."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from zerosum import recipes
from zerosum.data import Split
from zerosum.data.distributions import DISTRIBUTIONS
from zerosum.data.readers import open_source
from zerosum.errors import InputError
from zerosum.explore.latents import LatentSpace
from zerosum.explore.session import Session
from zerosum.explore.settings import Settings
from zerosum.game.engine import Engine
from zerosum.generator.loading import load
from zerosum.places import find_shipped
from zerosum.run_folder import RunFolder


@dataclass(frozen=True, eq=False)
class Subject:
    """What the page shows.

    Attributes:
        name: its title.
        session: a game of points, if it is a toy, or a run of one.
        space: a latent space, if there is a generator.
        why_no_space: why there is none, in a line, if one might be expected.
        run: the folder of a run.
    """

    name: str
    session: Session | None = None
    space: LatentSpace | None = None
    why_no_space: str = ""
    run: Path | None = None

    def close(self) -> None:
        """End what goes on in threads."""
        if self.session is not None:
            self.session.close()


def is_toy(what: str) -> bool:
    """Whether `what`, as the user typed it, names a toy distribution: one is chosen before a shipped generator.

    A path of that name comes first.
    """
    return what in DISTRIBUTIONS and not Path(what).exists()


def open_subject(what: str, device: str = "auto") -> Subject:
    """Open a toy by its name, a run's folder, or a generator as `zerosum.load` takes it.

    Raises:
        InputError: it is nothing of these, or the device is not there.
    """
    Engine.choose(device)  # which refuses one that is not there, also where nothing is played on it
    if is_toy(what):
        return Subject(what, session=Session(Settings(data=what)))
    place = Path(what).expanduser()
    if place.is_dir():
        return _open_run(what, RunFolder.open(place), device)
    generator = load(what, device)
    data = generator.metadata.get("data") if find_shipped(place) is not None else None
    training = None if data is None else partial(_open_built_in, str(data))
    return Subject(place.name, space=LatentSpace(generator, what, training))


def _open_run(what: str, folder: RunFolder, device: str) -> Subject:
    """Open a run; it need not have a generator yet, and then has a page without a latent space.

    Of a run of a toy, the game is played anew by its recipe and from its seed.
    """
    about, name = folder.describe(), folder.path.resolve().name
    space, why = _open_space(what, folder, device)
    session = None
    if about["data"] in DISTRIBUTIONS:
        session = Session(Settings(about["data"], recipe=str(folder.path), seed=about["seed"]))
    return Subject(name, session, space, why, folder.path)


def _open_space(what: str, folder: RunFolder, device: str) -> tuple[LatentSpace | None, str]:
    """Open the latent space of a run's generator, or say in a line why there is none."""
    file = folder.generator if folder.generator.exists() else folder.best
    if not file.exists():
        return None, (
            "The run has no generator yet: it is written at the end of the training, or where it is stopped; then "
            "start 'zerosum explore' again."
        )
    try:
        return LatentSpace(load(file, device), what, partial(_open_recorded, folder)), ""
    except InputError as error:
        return None, str(error)


def _open_built_in(data: str) -> Split:
    return open_source(data, recorded=True).train


def _open_recorded(folder: RunFolder) -> Split:
    """Open what the run was trained on, where it lay then."""
    return open_source(folder.describe()["data"], recipes.of_run(folder).data, recorded=True).train
