"""Shared by the benchmarks: note figures with their protocol, run the installed command, read what a run noted."""

import json
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from zerosum import recipes, records
from zerosum.records import IterationRecord
from zerosum.run_folder import RunFolder

RESULTS = Path(__file__).with_name("results")
MEASURED = Path(recipes.__file__).with_name("measured.json")
AS_IT_WAS = "regularizers=[]", "batch_size=32"  # the recipe `compact` when most figures were measured
COMMAND = Path(sys.executable).with_name("zerosum")


def describe_hardware() -> str:
    """Return the machine in words."""
    capabilities = torch.cpu.get_capabilities()
    tiles = "with" if capabilities.get("amx_bf16") else "without"
    cpu = f"{capabilities['cpu_name']}, {platform.machine()}, {os.cpu_count()} cores, {tiles} bfloat16 tiles"
    return f"{cpu}; torch {torch.__version__}"


def run_zerosum(*arguments: object) -> None:
    """Run the installed command as a user would."""
    subprocess.run([str(COMMAND), *map(str, arguments)], check=True)


def run_side_by_side(*calls: tuple[object, ...]) -> None:
    """Run the installed command several times at once, each on one thread, so that disturbances hit all alike."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    running = [subprocess.Popen([str(COMMAND), *map(str, call)], env=environment) for call in calls]
    assert all(process.wait() == 0 for process in running)


def last_iteration(run: Path) -> IterationRecord:
    """Read the last line on iterations in the metrics of the folder `run`."""
    return records.read(RunFolder(run), IterationRecord)[-1]


def read_figures(name: str) -> dict[str, Any]:
    """Return the figures that results/NAME.json holds; none if there is no such file."""
    file = RESULTS / f"{name}.json"
    return dict(json.loads(file.read_text())["figures"]) if file.exists() else {}


def note_measured(words: dict[str, str]) -> None:
    """Write what recipes scored, by their names, where `zerosum recipes` reads it."""
    known = json.loads(MEASURED.read_text()) | words
    MEASURED.write_text(json.dumps(dict(sorted(known.items())), indent=2, ensure_ascii=False) + "\n")


def write(name: str, protocol: str, figures: Any) -> None:
    """Write a result with its protocol into benchmarks/results/, and print it."""
    RESULTS.mkdir(exist_ok=True)
    words = [Path(word).name if Path(word).exists() else word for word in sys.argv[1:]]
    script = Path(sys.argv[0]).resolve().relative_to(RESULTS.parents[1])
    command = shlex.join(["python", str(script), *words])
    result = {"protocol": protocol, "command": command, "hardware": describe_hardware(), "figures": figures}
    text = json.dumps(result, indent=2, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    print(text)
