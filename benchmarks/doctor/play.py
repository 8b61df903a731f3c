"""Play the cases of the doctor, and write down what every diagnostic measured.

Usage: python benchmarks/doctor/play.py SHARED OUT SET [PART OF_PARTS]

SHARED holds mnist/, cifar10/ and pets/ (docs/photos.md says what they are); OUT takes the runs, which count.py and
cure.py read; SET is `calibration` or `count`. Several processes may share the cases: 0 2 and 1 2 play one half each.
Runs that lie in OUT are not played again.
"""

import sys
import time
from pathlib import Path

import torch
from cases import CALIBRATION, COUNT, Case, prepare, resolve

import zerosum
from zerosum.diagnostics import Diagnosis, diagnose
from zerosum.errors import RunFailed
from zerosum.game.recipe import change
from zerosum.metrics.evaluation import Evaluation
from zerosum.run import restoring
from zerosum.run.evidence import gather

SETS = {"calibration": CALIBRATION, "count": COUNT}


def play(case: Case, shared: Path, out: Path) -> None:
    """Train a case, unless its run is there already; one that diverges leaves its folder all the same."""
    name, changes, steps = resolve(case)
    recipe = zerosum.recipe(name)
    for each in changes:
        recipe = change(recipe, each)
    data = prepare(case, shared, out / "data")
    folder = out / case.key
    if not (folder / "run.json").exists():
        began = time.monotonic()
        try:
            zerosum.train(data, recipe, steps=steps, seed=case.seed, out=folder)
        except RunFailed as error:
            (folder / "failed.txt").write_text(str(error))
        print(f"{case.key}: {time.monotonic() - began:.0f} s", flush=True)


def examine(case: Case, out: Path, folder: Path | None = None) -> Diagnosis:
    """Diagnose the run of a case, or another one in that `folder`."""
    run = restoring.look(folder or out / case.key)
    return diagnose(gather(run, Evaluation.of(run.source)))


def main(shared: str, out: str, name: str, part: str = "0", parts: str = "1") -> None:
    """Play the cases of a set, or a part of them."""
    torch.set_num_threads(1)
    (Path(out) / "data").mkdir(parents=True, exist_ok=True)
    for case in SETS[name][int(part) :: int(parts)]:
        play(case, Path(shared), Path(out))
        diagnosis = examine(case, Path(out))
        (Path(out) / case.key / "diagnosis.json").write_bytes(diagnosis.to_bytes())
        found = [finding.name for finding in diagnosis.serious]
        print(f"{case.key}: {found}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
