"""Write RECORDS.md: what generators are worth after so many minutes, from benchmarks/records/.

With --check, fail if it is not up to date.
"""

import itertools
import json
from typing import Any

from generated_pages import DOCS, fill_template, table, write_or_check

RECORDS = DOCS.parent / "benchmarks" / "records"
RIGHT, LEFT_OUT = "---:", "density"  # which says little that precision does not
TITLES = {
    "digits-2min": "Digits, two minutes",
    "mnist-5min": "MNIST, five minutes, told the classes",
    "mnist-untold-5min": "MNIST, five minutes, not told",
    "cifar10-part-5min": "CIFAR-10's first 4,000 images, five minutes",
    "cats-15min": "Cats of 64x64, fifteen minutes",
}
SEEN = {  # in the pictures, by people
    ("digits-2min", "auto"): "digits, some of them broken",
    ("mnist-5min", "auto"): "digits; two of the 32 cannot be read",
    ("mnist-untold-5min", "auto"): "digits, a quarter of them broken or between two",
    ("mnist-untold-5min", "example"): "strokes like digits, a third of which can be read",
    ("cats-15min", "auto"): "no cats yet: coats and grounds, hatched",
}
SCALES = {"kernel-distance": 1_000}  # of photos, in Inception's features
Record = dict[str, Any]


def values(record: Record, metric: str) -> list[float]:
    """Return the values of a metric, one of each seed, sorted."""
    found = [each for seed in record["seeds"] for each in seed["scores"] if each["metric"] == metric]
    return sorted(SCALES.get(metric, 1) * each["value"] for each in found)


def name_column(metric: str) -> str:
    """Name a metric, with what its values are multiplied by."""
    return metric.replace("-", " ") + (f" x {SCALES[metric]:,}" if metric in SCALES else "")


def rank(record: Record) -> float:
    """Return the value by which records of a task are compared: the middle one of the first metric, a distance."""
    return values(record, record["seeds"][0]["scores"][0]["metric"])[1]


def write_values(found: list[float]) -> str:
    """Write the middle one, and the others in brackets."""
    low, middle, high = (f"{value:.3g}" for value in found)
    return f"{middle} ({low}, {high})"


def write_task(name: str, records: list[Record]) -> str:
    """Write the table of a task, the best entrant first, with pictures."""
    records = sorted(records, key=rank)
    scores = [each for each in records[0]["seeds"][0]["scores"] if each["metric"] != LEFT_OUT]
    metrics = [score["metric"] for score in scores]
    rows = [
        [
            f"[`{each['entrant']}`](benchmarks/records/{name}-{each['entrant']}.json)",
            *(write_values(values(each, metric)) for metric in metrics),
            f"{min(seed['iterations'] for seed in each['seeds']):,}",
            f"{max(seed['seconds'] for seed in each['seeds']):.0f}",
            describe_networks(each),
        ]
        for each in records
    ]
    floors = [f"{SCALES.get(score['metric'], 1) * score['real']:.3g}" for score in scores]
    rows.append(["real", *floors, "", "", ""])
    pictures = [
        f"![{each['entrant']}'s first 32 samples](docs/records/{name}-{each['entrant']}.png)\n\n"
        f"`{each['entrant']}`: {SEEN[name, each['entrant']]}"
        for each in records
    ]
    about = f"{records[0]['data']}. {records[0]['protocol'].removesuffix('.')}. {records[0]['hardware']}."
    heads = [
        "entrant",
        *map(name_column, metrics),
        "iterations, the fewest",
        "seconds, the most",
        "networks",
    ]
    return "\n\n".join([f"## {TITLES[name]}", table(heads, rows, align=RIGHT), about, *pictures])


def describe_networks(record: Record) -> str:
    """Say which recipe and width were taken, where zerosum chose."""
    chosen = {f"`{seed['recipe']}`, width {seed['width']}" for seed in record["seeds"] if "recipe" in seed}
    return " or ".join(sorted(chosen)) or "DCGAN, width 64"


def make_records() -> str:
    """Fill in all tasks."""
    found: list[Record] = [json.loads(path.read_text()) for path in sorted(RECORDS.glob("*.json"))]
    found.sort(key=lambda record: list(TITLES).index(record["task"]))
    tasks = [write_task(name, list(group)) for name, group in itertools.groupby(found, lambda record: record["task"])]
    return fill_template("records", {"tasks": "\n\n".join(tasks)})


if __name__ == "__main__":
    write_or_check("RECORDS", make_records, DOCS.parent)
