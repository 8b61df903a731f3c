"""Modes of stacked MNIST that a finished run covers, at the end and on the way.

Usage: python benchmarks/stacked.py RUN, after e.g. `zerosum train stacked-mnist --minutes 15 --out RUN`. Earlier
figures of other recipes and seeds are kept.
"""

import sys
from pathlib import Path

from protocol import last_iteration, read_figures, write

from zerosum import records
from zerosum.records import ScoreRecord
from zerosum.run_folder import RunFolder

METRICS = ("modes-covered", "reverse-kl")


def main(run: str) -> None:
    """Write what the run noted about itself into the figures."""
    folder, figures = RunFolder(Path(run)), read_figures("stacked")
    about = folder.describe()
    scores = [each for each in records.read(folder, ScoreRecord) if each.score.metric in METRICS]
    figures[f"{about['recipe']['name']}, seed {about['seed']}"] = {
        "iterations": about["steps"],
        "training seconds": last_iteration(Path(run)).seconds,
        "threads": about["threads"],
        "course": [describe_score(each) for each in scores],
    }
    write("stacked", "modes of 1,000 named by the classifier of single digits, reverse KL in nats", figures)


def describe_score(record: ScoreRecord) -> str:
    """Put a score into words."""
    score = record.score
    real = "" if score.real is None else f", real stacks {score.real:.3f}"
    interval = f"{score.low:.3f} to {score.high:.3f}"
    return f"step {record.step}: {score.metric} {score.value:.3f} ({interval}) in {score.samples} samples{real}"


if __name__ == "__main__":
    main(*sys.argv[1:])
