"""Fixtures: the installed command, run as by a user, and a small finished run to try commands on."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from zerosum.cli import main

COMMAND = Path(sys.executable).with_name("zerosum")
SMALL = ("--set", "networks.width=8", "--set", "batch_size=16")
FEW = """
import zerosum.metrics.evaluation

zerosum.metrics.evaluation.sample_count = lambda *_: 100  # few, where scores are not tested
zerosum.metrics.evaluation.INTERIM = zerosum.metrics.evaluation.INTERIM_SLOW = 100
zerosum.metrics.evaluation.REPLICATES = 8
"""
MAIN = "from zerosum.cli import main; main()"
Zerosum = Callable[..., subprocess.CompletedProcess[str]]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser that playwright drives: Debian's chromium; without one the test is skipped."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright")
    if CHROMIUM is None:
        pytest.skip("no chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def start(*arguments: object, cwd: Path, few: bool = False) -> subprocess.Popen[str]:
    """Start the command in the background, as it is installed, or with scores of `few` samples."""
    return subprocess.Popen(
        [*([sys.executable, "-c", f"{FEW}\n{MAIN}"] if few else [str(COMMAND)]), *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONWARNINGS": "default", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def installed(tmp_path: Path) -> Zerosum:
    """Run the installed command in an empty folder to its end; it takes seconds to import PyTorch."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        process = start(*arguments, cwd=tmp_path)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run


class InProcess:
    """The `zerosum` command in this process, which has PyTorch already, in a folder."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        monkeypatch.chdir(folder)
        monkeypatch.setenv("COLUMNS", "200")

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        words = ["zerosum", *map(str, arguments)]
        self._monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit) as ended:
            main()
        return subprocess.CompletedProcess(words, int(ended.value.code or 0), *self._capsys.readouterr())


@pytest.fixture
def zerosum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Zerosum:
    """Run the command in this process, in an empty folder."""
    return InProcess(tmp_path, monkeypatch, capsys).run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Train a run on the digits to its end, and return it with what the command printed."""
    folder = tmp_path_factory.mktemp("trained")
    process = start("train", "digits", "--steps", 60, "--out", "run", *SMALL, cwd=folder)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert err == ""
    return folder / "run", out


class Command(InProcess):
    """The same in an empty folder, with an empty cache."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(folder, monkeypatch, capsys)
        self.folder = folder
        monkeypatch.setenv("ZEROSUM_CACHE", str(folder.parent / "cache"))

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        """Run the command and return exit code, output and error output."""
        done = self.run(*arguments)
        return done.returncode, done.stdout, done.stderr

    def refused(self, *arguments: object) -> str:
        """Return the one line of a command, which has to end with exit 2 and leave nothing behind."""
        before = sorted(self.folder.rglob("*"))
        code, _, err = self(*arguments)
        assert (code, err.count("\n")) == (2, 1), err
        assert err.startswith("error: ")
        assert sorted(self.folder.rglob("*")) == before
        packs = self.folder.parent / "cache" / "packs"
        assert not packs.exists() or list(packs.iterdir()) == []
        return err


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let scores in this process be of few samples, as those of a command that was started with `few`."""
    for name, value in {"sample_count": lambda *_: 100, "INTERIM": 100, "INTERIM_SLOW": 100, "REPLICATES": 8}.items():
        monkeypatch.setattr(f"zerosum.metrics.evaluation.{name}", value)


@pytest.fixture
def in_process(
    few: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run the command in this process with scores of few samples, in an empty folder, with an empty cache."""
    (tmp_path / "here").mkdir()
    return Command(tmp_path / "here", monkeypatch, capsys)
