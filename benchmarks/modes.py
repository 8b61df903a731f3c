"""Mode coverage on the ring and the grid with the recipe that `auto` picks for points, three seeds.

The protocol is VEEGAN's and PacGAN's: 2,500 samples, a mode counts with at least one sample within 3 sigma.
"""

import json
import tempfile
import time
from pathlib import Path

from protocol import write
from protocol import zerosum as command

from zerosum.data import open_source
from zerosum.metrics import Evaluation

SEEDS, SAMPLES = (0, 1, 2), 2_500
METRICS = ("modes-covered", "high-quality", "reverse-kl", "spread-ratio")


def main() -> None:
    """Train, score, note."""
    figures: dict[str, object] = {}
    for name in ("ring", "grid"):
        source = open_source(name)
        real = Evaluation.of(source).scores(source.train.samples[:SAMPLES], seed=0)
        figures[f"{name}, real points"] = {
            score.metric: round(score.value, 4) for score in real if score.metric in METRICS
        }
        for seed in SEEDS:
            with tempfile.TemporaryDirectory() as folder:
                run, began = Path(folder) / "run", time.monotonic()
                command("train", name, "--seed", seed, "--out", run)
                whole = time.monotonic() - began
                lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
                last = [line for line in lines if line["kind"] == "iteration"][-1]
                scores = {
                    line["metric"]: round(line["value"], 4)
                    for line in lines
                    if line["kind"] == "score" and line["step"] == last["step"] and line["metric"] in METRICS
                }
                seconds = {"training seconds": last["seconds"], "seconds of the whole command": round(whole, 1)}
                figures[f"{name}, seed {seed}"] = {"iterations": last["step"], **seconds, **scores}
    write("modes", f"`zerosum train NAME --seed S`, scored on {SAMPLES} samples of the averaged generator", figures)


if __name__ == "__main__":
    main()
