"""A run that was stopped in any way and resumed ends bit for bit as one that was not stopped."""

import contextlib
import html
import json
import os
import platform
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import COMMAND, FEW, MAIN, SMALL, Command, Zerosum, start
from zerosum.game.engine import Engine
from zerosum.run.probe import Probe

STEPS = 400
pytestmark = pytest.mark.usefixtures("few")


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err


def answer(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    code, _, err = finish(start("train", "digits", "--steps", STEPS, "--out", "run", *SMALL, cwd=folder, few=True))
    assert code == 0, err
    return folder / "run"


def lines(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def without_clock(run: Path) -> list[dict[str, Any]]:
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines(run)]


def wait_for(what: Path, process: subprocess.Popen[str]) -> None:
    limit = time.monotonic() + 120
    while not what.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_resumed_runs_end_bit_identical(
    number: signal.Signals, uninterrupted: Path, zerosum: Zerosum, tmp_path: Path
) -> None:
    process = start("train", "digits", "--steps", STEPS, "--out", "run", *SMALL, cwd=tmp_path, few=True)
    run = tmp_path / "run"
    # the first interim score and a checkpoint come at a quarter, a picture at three tenths: kill after that
    wait_for(run / "samples" / f"{STEPS * 3 // 10:06d}.png", process)
    process.send_signal(number)
    code, out, err = finish(process)
    assert (run / "best.safetensors").exists()
    if number is signal.SIGKILL:
        assert code == -number
        assert not (run / "generator.safetensors").exists()
        code, _, err = answer(zerosum("sample", "run"))
        assert (code, err.count("\n")) == (2, 1)
        assert "finish it with 'zerosum resume run'; its best one so far is run/best.safetensors" in err
    else:
        assert (code, err) == (128 + number, "")
        assert "zerosum resume run" in out
        code, _, err = answer(zerosum("sample", "run", "--count", 4))
        assert (code, err) == (0, "")
    code, out, err = answer(zerosum("resume", "run"))
    assert code == 0, err
    assert "going on after" in out
    assert (run / "generator.safetensors").read_bytes() == (uninterrupted / "generator.safetensors").read_bytes()
    final = f"{STEPS:06d}.safetensors"
    assert (run / "checkpoints" / final).read_bytes() == (uninterrupted / "checkpoints" / final).read_bytes()
    assert (run / "best.safetensors").read_bytes() == (uninterrupted / "best.safetensors").read_bytes()
    assert without_clock(run) == without_clock(uninterrupted)
    seconds = [line["seconds"] for line in lines(run) if line["kind"] == "iteration"]
    assert seconds == sorted(seconds)


def test_a_closed_terminal_stops_a_run_with_its_state(tmp_path: Path) -> None:
    ours, terminal = pty.openpty()
    words = ["train", "digits", "--steps", str(100 * STEPS), "--out", "run", *SMALL]
    process = subprocess.Popen(
        [str(COMMAND), *words], cwd=tmp_path, stdout=terminal, stderr=terminal, stdin=terminal, start_new_session=True
    )
    os.close(terminal)
    run = tmp_path / "run"
    try:
        limit = time.monotonic() + 120
        while not (run / "metrics.jsonl").exists() or not (run / "metrics.jsonl").stat().st_size:
            assert time.monotonic() < limit
            assert select.select([ours], [], [], 0.05) is not None
            os.set_blocking(ours, False)
            with contextlib.suppress(BlockingIOError):
                os.read(ours, 100_000)
        os.close(ours)
        process.send_signal(signal.SIGHUP)
        assert process.wait(timeout=120) == 128 + signal.SIGHUP
    finally:
        process.kill()
    assert (run / "generator.safetensors").exists()
    assert (run / "report.html").exists()


LIMITED = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
{FEW}
{MAIN}
"""


def test_a_disk_that_is_full_is_one_line_and_the_run_goes_on(
    uninterrupted: Path, zerosum: Zerosum, tmp_path: Path
) -> None:
    """No file may become larger than the first checkpoint; the next one is, by the losses since the last line."""
    first = tmp_path / "run" / "checkpoints" / "000000.safetensors"
    words = ["train", "digits", "--steps", str(STEPS), "--out", "run", *SMALL]
    size = (uninterrupted / "checkpoints" / f"{STEPS:06d}.safetensors").stat().st_size
    command = [sys.executable, "-c", LIMITED, str(size - 1_000), *words]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    code, _, err = finish(process)
    assert (code, err.count("\n")) == (1, 1)
    assert re.match(r"error: cannot write run/\S+: file too large; make room, and a run goes on", err)
    assert first.exists()
    code, _, err = answer(zerosum("resume", "run"))
    assert code == 0, err
    final = f"{STEPS:06d}.safetensors"
    assert (first.parent / final).read_bytes() == (uninterrupted / "checkpoints" / final).read_bytes()


def test_the_command_in_the_report_repeats_the_run(uninterrupted: Path, zerosum: Zerosum, tmp_path: Path) -> None:
    (typed,) = re.findall(r"<pre>(zerosum train .*?)</pre>", (uninterrupted / "report.html").read_text())
    words = shlex.split(html.unescape(typed))[1:]
    code, _, err = answer(zerosum(*words, "--out", tmp_path / "again"))
    assert code == 0, err
    assert without_clock(tmp_path / "again") == without_clock(uninterrupted)
    final = f"checkpoints/{STEPS:06d}.safetensors"
    assert (tmp_path / "again" / final).read_bytes() == (uninterrupted / final).read_bytes()


def test_a_run_in_use_is_refused_to_a_second_process(zerosum: Zerosum, tmp_path: Path) -> None:
    process = start("train", "digits", "--steps", 100_000, "--out", "run", *SMALL, cwd=tmp_path, few=True)
    try:
        wait_for(tmp_path / "run" / "samples" / "000000.png", process)
        code, _, err = answer(zerosum("resume", "run"))
        assert code == 2
        owner = f"process {process.pid} on {platform.node()}"
        assert err == f"error: run is in use by {owner}: wait for it or stop it\n"
    finally:
        process.kill()
        process.communicate()


def test_runs_that_nobody_named_do_not_meet(in_process: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run begins while the probe measures the speed."""

    def measure(*_: object, **lengths: object) -> Probe:
        (in_process.folder / "runs" / "ring").mkdir(parents=True)
        (in_process.folder / "runs" / "ring" / "run.json").touch()
        return Probe(Engine.choose("cpu"), 1.0)

    monkeypatch.setattr("zerosum.run.plan.probe", measure)
    monkeypatch.setattr("zerosum.cli._training.train_and_show", lambda trainer, *_: trainer.folder.close())
    code, out, err = in_process("train", "ring", "--minutes", 1, *SMALL)
    assert (code, err) == (0, "")
    assert "in runs/ring-2\n" in out
    assert (in_process.folder / "runs" / "ring-2" / "run.json").exists()


def test_changed_data_are_refused(uninterrupted: Path, zerosum: Zerosum, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(uninterrupted, run)
    about = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**about, "fingerprint": "0" * 32}))
    code, _, err = answer(zerosum("resume", "run", "--steps", STEPS + 1))
    assert code == 2
    assert (
        "the data at digits have changed since the run began; 'zerosum resume' goes on with --allow-changed-data" in err
    )


def test_resuming_a_finished_run_is_refused_and_changes_nothing(
    uninterrupted: Path, zerosum: Zerosum, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(uninterrupted, run)
    code, out, err = answer(zerosum("resume", "run"))
    assert (code, out) == (2, "")
    assert f"run is finished after {STEPS} iterations: to train longer, 'zerosum resume run --steps {2 * STEPS}'" in err
    for name in ("generator.safetensors", "metrics.jsonl", "closest.png"):
        assert (run / name).read_bytes() == (uninterrupted / name).read_bytes()
        assert (run / name).stat().st_mtime == (uninterrupted / name).stat().st_mtime


def test_verify_resume_says_what_was_compared(in_process: Command) -> None:
    small = ("--set", "networks.width=8", "--set", "batch_size=16", "--set", "threads=1", "--steps", 6)
    code, out, err = in_process("verify-resume", "digits", *small)
    assert (code, err) == (0, "")
    assert "6 iterations at a stretch, and 3, a stop, 3 in another process" in out
    assert re.search(r"identical, bit for bit: \d+ tensors .* and 6 lines of metrics", out)
    assert list(in_process.folder.iterdir()) == []
