"""The run folder: what lies where, and the only code that writes and reads `run.json`.

run.json               all that is needed to repeat the run
metrics.jsonl          a line per logging window or score, see records.py
samples/               the same latents through time, a PNG now and then
checkpoints/           see run/checkpoint.py
generator.safetensors  the averaged generator where the training ended or was stopped
best.safetensors       the one with the smallest Fréchet distance of those that were scored on the way
closest.png            the samples nearest to training images, each beside that image
diagnosis.json         what the doctor found at the end, or where the training was stopped
findings/              pictures of what it found, a PNG for each finding that images show
equilibrium.jsonl      a line per duality gap that `zerosum equilibrium` measured, see records.py
report.html            what was found, pictures, curves, scores
"""

import contextlib
import errno
import itertools
import json
import os
import platform
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from zerosum.atomic import PARTIAL, write_atomically
from zerosum.errors import InputError
from zerosum.run_description import Line, find_damage
from zerosum.strangers import name_kind

LOCK = ".lock"
SEEDS = "seeds.json"  # in a folder of runs that differ in their seed: see seeds.py
NAMED = 3  # runs, in an error
FORMAT = 2  # of a run folder; version 0.1.0 wrote no number


def describes_run(content: bytes) -> bool:
    """Return whether a file called `run.json` is zerosum's, whole or not, rather than another program's."""
    return b'"zerosum"' in content


def check_writable(path: Path) -> None:
    """Refuse a folder, which need not exist, in which nothing could be written.

    Raises:
        InputError: see there.
    """
    there = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        why = os.strerror(errno.EACCES if there.is_dir() else errno.ENOTDIR)
        raise InputError(f"cannot write to {path}: {why}")


class Taken(InputError):
    """A folder is another run's, or holds something else."""


class RunFolder:
    """One run's folder."""

    def __init__(self, path: Path) -> None:
        """`path` need not exist yet."""
        self.path = path
        self.description = path / "run.json"
        self.metrics = path / "metrics.jsonl"
        self.samples = path / "samples"
        self.checkpoints = path / "checkpoints"
        self.generator = path / "generator.safetensors"
        self.best = path / "best.safetensors"
        self.closest = path / "closest.png"
        self.diagnosis = path / "diagnosis.json"
        self.findings = path / "findings"
        self.gaps = path / "equilibrium.jsonl"
        self.report = path / "report.html"
        self._lock: FileLock | None = None

    @classmethod
    def create(cls, path: Path, description: Line, *, numbered: bool = False) -> "RunFolder":
        """Make and lock the folder of a new run.

        If `numbered`, it is the first of `path`, `path-2`, `path-3` ... that is free at this moment.

        Raises:
            InputError: something is there already, or nothing can be written there.
        """
        folder = cls(path)
        for number in itertools.count(2):
            try:
                folder._claim()
                break
            except Taken:
                if not numbered:
                    raise
                folder = cls(path.with_name(f"{path.name}-{number}"))
        try:
            write_atomically(folder.description, json.dumps(description, indent=2).encode())
            folder.samples.mkdir()
            folder.checkpoints.mkdir()
            folder.metrics.touch()
        except OSError as error:
            folder.discard()
            raise InputError(f"cannot write to {folder.path}: {error.strerror}") from None
        return folder

    def _claim(self) -> None:
        """Lock the folder, which is made if it is not there.

        Raises:
            Taken: something is there already, or another process is about to put something there.
            InputError: nothing can be written there.
        """
        try:
            self._check_free()  # before a file for the lock is put among a stranger's
            self.path.mkdir(parents=True, exist_ok=True)
            self.lock()
            self._check_free()  # of a run that began, and maybe ended, in the meantime
        except Taken:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise InputError(f"cannot write to {self.path}: {error.strerror}") from None

    def check(self) -> None:
        """Refuse, before any work, a folder that a new run could not be created in.

        Raises:
            Taken: something is there already.
            InputError: nothing can be written there.
        """
        try:
            self._check_free()
        except OSError as error:
            raise InputError(f"cannot write to {self.path}: {error.strerror}") from None
        check_writable(self.path)

    def _check_free(self) -> None:
        """Raise Taken if anything is there but an empty folder, a lock, or what a killed process left."""
        if self.path.exists() and (not self.path.is_dir() or any(map(_is_content, self.path.iterdir()))):
            hint = (
                f"continue it with 'zerosum resume {shlex.quote(str(self.path))}' or"
                if self.description.exists() or (self.path / SEEDS).exists()
                else "please"
            )
            raise Taken(f"{self.path} exists already: {hint} choose another --out")

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Open an existing run.

        Raises:
            InputError: `path` is not a run folder.
        """
        folder = cls(path)
        if not path.exists():
            raise InputError(f"no run at {path}: no such folder")
        if not folder.description.is_file():
            raise InputError(f"{path} is not a run folder: {_what_is_there(path)}")
        return folder

    def pictures(self) -> list[tuple[int, Path]]:
        """List the pictures of samples with their steps, in order, and ignore files that were put beside them."""
        return sorted((int(file.stem), file) for file in self.samples.glob("*.png") if file.stem.isdecimal())

    def lock(self) -> None:
        """Lock the folder for this process until `close`; the system unlocks it if the process ends before.

        Raises:
            Taken: another process is running in this folder.
            InputError: nothing can be written there.
        """
        lock = FileLock(self.path / LOCK, thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise Taken(f"{self.path} is in use by {self._read_owner()}: wait for it or stop it") from None
        except OSError as error:
            raise InputError(f"cannot write to {self.path}: {error.strerror}") from None
        self._lock = lock
        with contextlib.suppress(OSError):
            (self.path / LOCK).write_text(f"{os.getpid()} {platform.node()}\n")
        for partial in self.checkpoints.glob(f"*{PARTIAL}"):  # of a process that was killed
            partial.unlink(missing_ok=True)

    def _read_owner(self) -> str:
        """Name the process that holds the lock, as it wrote it there."""
        with contextlib.suppress(OSError, ValueError):
            number, host = (self.path / LOCK).read_text().split()
            return f"process {int(number)} on {host}"
        return "another process"

    def close(self) -> None:
        """Release the folder."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def discard(self) -> None:
        """Empty and release the folder of a run that could not begin, so that another one can take it."""
        for file in (self.description, self.metrics):
            file.unlink(missing_ok=True)
        for folder in (self.samples, self.checkpoints):
            shutil.rmtree(folder, ignore_errors=True)
        self.close()

    def describe(self) -> Line:
        """Read `run.json`.

        Raises:
            InputError: it is gone, damaged, or of another version.
        """
        try:
            about = dict(json.loads(self.description.read_bytes()))
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(f"no run at {self.path} any more") from None
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise InputError(f"{self.description} is damaged: {error}") from None
        if about.get("format") != FORMAT:
            raise InputError(
                f"{self.path} was written by zerosum {about.get('zerosum', 'of unknown version')}, whose runs this "
                "version cannot read: use that version, or train anew; its generator.safetensors can still be loaded"
            )
        if problem := next(find_damage(about), None):
            raise InputError(f"{self.description} is damaged: {problem}")
        return about

    def note_data(self, data: str, fingerprint: str, step: int) -> None:
        """Note in `run.json` the data that the run goes on with after `step`, if they or their place changed."""
        about = self.describe()
        before = {"data": about["data"], "fingerprint": about["fingerprint"]}
        now = {"data": data, "fingerprint": fingerprint}
        if before != now:
            self._write({**about, **now, "earlier_data": [*about.get("earlier_data", ()), {**before, "until": step}]})

    def note_lengths(self, lengths: Sequence[tuple[int, int]]) -> None:
        """Note in `run.json` how many iterations the run has, from which one on: (step, iterations in all)."""
        self.note(steps=lengths[-1][1], lengths=list(lengths))

    def note(self, **values: object) -> None:
        """Note `values` in `run.json`, instead of what it said under these names."""
        self._write({**self.describe(), **values})

    def _write(self, about: Line) -> None:
        write_atomically(self.description, json.dumps(about, indent=2).encode())

    def replace_findings(self, pictures: Mapping[str, bytes]) -> None:
        """Write the pictures of findings, PNGs by the findings' names, instead of those that are there."""
        for old in self.findings.glob("*.png"):
            old.unlink()
        for name, picture in pictures.items():
            self.findings.mkdir(exist_ok=True)
            write_atomically(self.findings / f"{name}.png", picture)

    def rewind(self, length: int) -> None:
        """Cut the metrics back to `length` bytes, where they stood when a checkpoint was written."""
        if not self.metrics.is_file():
            raise InputError(f"{self.metrics} is gone: without it the run cannot go on")
        if self.metrics.stat().st_size > length:
            os.truncate(self.metrics, length)


def enclosing_run(path: Path) -> Path | None:
    """Return the run's folder that the file or folder at `path` lies in, if it lies in one."""
    return next((folder for folder in path.parents if (folder / "run.json").is_file()), None)


def list_runs(path: Path) -> list[Path]:
    """List the runs' folders directly in the folder at `path`, in order; none if it is no folder."""
    return sorted(file.parent for file in path.glob("*/run.json")) if path.is_dir() else []


def name_runs(runs: Sequence[Path]) -> str:
    """Name the first of `runs`, and how many more there are."""
    names = ", ".join(map(str, runs[:NAMED]))
    return f"{names} and {len(runs) - NAMED:,} more" if len(runs) > NAMED else names


def _what_is_there(path: Path) -> str:
    """Say what lies at `path` instead of a run, and which run may be meant."""
    if runs := list_runs(path):
        return f"it holds runs, {name_runs(runs)}: name one of them"
    if path.is_file() and (kind := name_kind(path)):
        return f"it is {kind}"
    run = enclosing_run(path)
    return "it has no run.json" if run is None else f"give the run that it lies in, {run}"


def lengths(about: Line) -> list[tuple[int, int]]:
    """Return how many iterations the run has, from which one on: (step, iterations in all), the first from 0."""
    return [(step, steps) for step, steps in about.get("lengths", [[0, about["steps"]]])]


def _is_content(file: Path) -> bool:
    return file.name != LOCK and not (file.name.startswith(".") and file.suffix == PARTIAL)
