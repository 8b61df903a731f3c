"""Where things are kept that were computed from data and can be computed again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """`$ZEROSUM_CACHE`, else `zerosum` in `$XDG_CACHE_HOME` or `~/.cache`. It need not exist."""
    if chosen := os.environ.get("ZEROSUM_CACHE"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zerosum"
