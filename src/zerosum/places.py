"""Where is the generator that a word names? At a path, on the Hugging Face hub, or in the package itself."""

import importlib
import re
import types
from pathlib import Path

from zerosum.errors import InputError
from zerosum.run_folder import RunFolder

HUB = "hub:"
MODEL = "model.safetensors"
SHIPPED = Path(__file__).parent / "shipped"
SHIPS = "no path has this name; this is the generator that ships with zerosum (shipped/README.md)"
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
PICKLES = ".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"


def check_generator(place: Path) -> None:
    """Refuse a place at which there is neither a run nor a generator's file, without asking the hub.

    Raises:
        InputError: see there.
    """
    if name := hub_name(place):
        check_repository(name)
    elif find_shipped(place) is not None:
        return
    elif not place.exists():
        raise InputError(f"no run and no generator at {place}: no such file or folder")
    elif place.is_dir():
        RunFolder.open(place)


def find_shipped(place: Path) -> Path | None:
    """Return the file of the generator that ships with the package under the name `place`; a path comes first."""
    if place.exists() or place.name != str(place) or place.suffix:
        return None
    file = SHIPPED / f"{place.name}.safetensors"
    return file if file.is_file() else None


def hub_name(place: Path | str) -> str:
    """Return the OWNER/NAME of hub:OWNER/NAME; empty if `place` is something else."""
    text = str(place)
    return text.removeprefix(HUB) if text.startswith(HUB) else ""


def check_repository(name: str) -> None:
    """Refuse what cannot be the name of a repository.

    Raises:
        InputError: it is not of the form OWNER/NAME.
    """
    if not REPOSITORY.fullmatch(name):
        raise InputError(f"{name!r} names no repository of the hub: write OWNER/NAME")


def fetch(name: str) -> Path:
    """Fetch the generator of the repository `name` on the hub, unless it is in the hub's cache; return its file.

    Only `model.safetensors` is read, never a pickle.

    Raises:
        InputError: huggingface_hub is not installed, there is no such repository, or it has no such file.
    """
    check_repository(name)
    library = import_hub()
    try:
        return Path(library.hf_hub_download(name, MODEL))
    except library.errors.RemoteEntryNotFoundError:
        raise InputError(f"{HUB}{name} has no {MODEL}{_name_pickles(library, name)}") from None
    except library.errors.RepositoryNotFoundError:
        raise InputError(f"{HUB}{name}: the hub has no such repository, or it is private: 'hf auth login'") from None
    except Exception as error:  # what it raises is not documented
        raise InputError(f"{HUB}{name} cannot be had: {shorten(error)}") from None


def _name_pickles(library: types.ModuleType, name: str) -> str:
    """Say which pickled weights a repository has, which are refused."""
    try:
        found = [file for file in library.list_repo_files(name) if Path(file).suffix in PICKLES]
    except Exception:  # only the reason for an error is looked for
        found = []
    return f", but {found[0]}: pickles can run code, and zerosum reads none" if found else ""


def import_hub() -> types.ModuleType:
    """Import huggingface_hub.

    Raises:
        InputError: it is not installed.
    """
    try:
        return importlib.import_module("huggingface_hub")
    except ImportError:
        raise InputError("the hub needs the package huggingface_hub: pip install 'zerosum[hub]'") from None


def shorten(error: Exception) -> str:
    """Return the first line of an error's text, or its name."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
