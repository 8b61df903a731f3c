"""Folders that appear when they are complete."""

import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from zerosum.atomic import PARTIAL, retry
from zerosum.errors import InputError


def check_free(path: Path, option: str) -> None:
    """Refuse a folder that cannot be written, before any work; `option` is the one that names it.

    Raises:
        InputError: its parent is no folder, or something is there already.
    """
    if not path.parent.is_dir():
        raise InputError(f"cannot write to {path}: {path.parent} is not a folder")
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} exists already and is not an empty folder: choose another {option}")


def write_folder(path: Path, content: Mapping[str, bytes]) -> None:
    """Write files by their paths within the folder `path`, which is new or empty: all or nothing.

    Raises:
        InputError: it cannot be written.
    """
    partial = path.with_name(f".{uuid.uuid4().hex}{PARTIAL}")
    try:
        for name, each in content.items():
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            (partial / name).write_bytes(each)
        if path.exists():
            path.rmdir()
        retry(lambda: partial.rename(path))
    except OSError as error:
        raise InputError(f"cannot write to {path}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
