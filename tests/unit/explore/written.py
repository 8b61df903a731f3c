"""A run's folder with a generator of random weights, written without training."""

import json
from dataclasses import replace
from pathlib import Path

from tests.unit.export.untrained import small, untrained
from tests.unit.test_run_report import ITERATION, SCORE
from zerosum import recipes, records
from zerosum.records import FindingRecord, Record, ScoreRecord
from zerosum.run_folder import FORMAT, RunFolder

PICTURE = b"\x89PNG of nothing"
FINDING = FindingRecord(step=2, finding="collapse", severity="failure", began=True, sentence="All are <the same>.")


def write_run(path: Path, *, iterations: int = 3, generator: bool = True, data: str = "digits") -> RunFolder:
    """Write a run at `path`, of the digits or the ring, of so many iterations of 4 planned ones."""
    folder = RunFolder(path)
    folder.samples.mkdir(parents=True)
    about = {
        "format": FORMAT,
        "data": data,
        "steps": 4,
        "seed": 5,
        "zerosum": "0",
        "fingerprint": "",
        "device": "cpu",
        "precision": "float32",
        "threads": 1,
        "recipe": recipes.find("toy-vanilla" if data == "ring" else data).as_json(),
    }
    folder.description.write_text(json.dumps(about))
    further: list[Record] = [ScoreRecord(iterations, SCORE), FINDING]
    for record in (*(replace(ITERATION, step=step + 1) for step in range(iterations)), *further):
        records.append(folder, record)
    for step in (1, 3):
        (folder.samples / f"{step:06d}.png").write_bytes(PICTURE + bytes([step]))
    if generator:
        made = untrained(small("mlp"), 2) if data == "ring" else untrained(small("compact"), 1, 8, 8)
        made.save(folder.generator)
    return folder
