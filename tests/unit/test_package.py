"""The package as a whole."""

import re
from pathlib import Path

import zerosum


def test_nothing_is_imported_that_only_unix_has() -> None:
    found = [
        f"{path.name}: {line}"
        for path in Path(zerosum.__file__).parent.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*(import|from) (fcntl|grp|pwd|resource|termios|tty)\b", line)
    ]
    assert found == []
