"""Modes of stacked MNIST that a finished run covers, with its course.

Usage: python benchmarks/stacked.py RUN, after e.g. `zerosum train stacked-mnist --minutes 15 --out RUN`. What was
measured earlier for other recipes and seeds is kept.
"""

import json
import sys
from pathlib import Path

from protocol import RESULTS, write

METRICS = ("modes-covered", "reverse-kl")


def main(run: str) -> None:
    """Note what the run notes about itself."""
    about = json.loads((Path(run) / "run.json").read_text())
    lines = [json.loads(line) for line in (Path(run) / "metrics.jsonl").read_text().splitlines()]
    scores = [line for line in lines if line["kind"] == "score" and line["metric"] in METRICS]
    seconds = [line["seconds"] for line in lines if line["kind"] == "iteration"][-1]
    path = RESULTS / "stacked.json"
    figures = json.loads(path.read_text())["figures"] if path.exists() else {}
    figures[f"{about['recipe']['name']}, seed {about['seed']}"] = {
        "iterations": about["steps"],
        "training seconds": seconds,
        "threads": about["threads"],
        "course": [
            f"step {each['step']}: {each['metric']} {each['value']:.3f} ({each['low']:.3f} to {each['high']:.3f}) in "
            f"{each['samples']} samples" + (f", real stacks {each['real']:.3f}" if each["real"] is not None else "")
            for each in scores
        ],
    }
    write("stacked", "modes of 1,000 named by the classifier of single digits, reverse KL in nats", figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
