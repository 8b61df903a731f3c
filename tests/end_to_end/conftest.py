"""The installed command, run as a user would, and a small finished run to try commands on."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("zerosum")
SMALL = ("--set", "networks.width=8", "--set", "batch_size=16")
Zerosum = Callable[..., subprocess.CompletedProcess[str]]


def start(*arguments: object, cwd: Path) -> subprocess.Popen[str]:
    """The command in the background."""
    return subprocess.Popen(
        [str(COMMAND), *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONWARNINGS": "default", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def zerosum(tmp_path: Path) -> Zerosum:
    """Run the command in an empty folder to its end."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        process = start(*arguments, cwd=tmp_path)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A finished run on the digits, and what the command printed."""
    folder = tmp_path_factory.mktemp("trained")
    process = start("train", "digits", "--steps", 60, "--out", "run", *SMALL, cwd=folder)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert err == ""
    return folder / "run", out
