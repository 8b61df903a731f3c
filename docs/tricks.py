"""Write docs/tricks.md: its template, filled with what benchmarks/tricks.py measured; with --check, only compare."""

import json
from statistics import mean

from generated_pages import DOCS, fill_template, write_or_check

METRICS = ("frechet-distance", "precision", "coverage")


def page() -> str:
    """Fill the template: a part for each variant, its mean scores over the seeds."""
    results = json.loads((DOCS.parent / "benchmarks" / "results" / "tricks.json").read_text())
    runs: dict[str, list[dict[str, float]]] = {}
    seeds = set()
    for key, scores in results["figures"].items():
        variant, seed = key.split(", seed ")
        runs.setdefault(variant, []).append(scores)
        seeds.add(seed)
    cells = {variant: summarize(scores) for variant, scores in runs.items()}
    return fill_template("tricks", {**cells, "seeds": ", ".join(sorted(seeds)), "hardware": results["hardware"]})


def summarize(runs: list[dict[str, float]]) -> str:
    """Write the mean scores of a variant's runs, with the smallest and the largest distance."""
    distances, precisions, coverages = ([scores[metric] for scores in runs] for metric in METRICS)
    spread = f"{min(distances):.0f} to {max(distances):.0f}"
    return f"{mean(distances):.0f} ({spread}), {mean(precisions):.2f} / {mean(coverages):.2f}"


if __name__ == "__main__":
    write_or_check("tricks", page)
