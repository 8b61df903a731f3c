"""Write docs/tricks.md: the seventeen tricks, where they are here, and what benchmarks/tricks.py measured of them."""

import json
import sys
from pathlib import Path
from statistics import mean
from typing import NamedTuple

PAGE = Path(__file__).with_name("tricks.md")
RESULTS = Path(__file__).parents[1] / "benchmarks" / "results" / "tricks.json"
METRICS = ("frechet-distance", "precision", "coverage")


class Item(NamedTuple):
    """One row: what is claimed, where it lives, and the variants of the benchmark that speak of it."""

    claim: str
    here: str
    variants: tuple[str, ...] = ()


SEVENTEEN = (
    Item(
        "Images in [-1, 1], tanh as the generator's last layer",
        "the range always: `data/pixels.py`; tanh in `compact`, `dcgan`, `resnet` and `mlp`, while `paper-mlp` ends in "
        "a sigmoid and `r3gan` is clipped",
    ),
    Item(
        "The generator maximises log D(G(z)) instead of minimising log(1 - D(G(z)))",
        "`game=non-saturating`, in half of the recipes; the measured other way is `game=minimax`",
        ("saturating",),
    ),
    Item(
        "Latents from a normal, not a uniform, distribution; interpolate along great circles",
        "`networks.prior=normal` is the default, measured: `uniform`; `zerosum interpolate` takes great circles",
        ("uniform",),
    ),
    Item(
        "Real and fake samples in separate batches, where there is batch normalisation",
        "always, where the discriminator has batch normalisation or minibatch features; measured the other way, with "
        "`networks.mixed_batches=true`: both kinds in one batch in the discriminator's update",
        ("mixed-batches",),
    ),
    Item(
        "No sparse gradients: leaky rectifiers, strides for max pooling, pixel shuffle or transposed convolution",
        "no family has max pooling; leaky rectifiers in both players of `r3gan` and the discriminators of `compact`, "
        "`dcgan` and `mlp`, plain ones in the other generators and in both of `resnet`; transposed convolutions in "
        "`compact` (with pixel shuffle) and `dcgan`",
    ),
    Item(
        "Soft labels (0.7 to 1.2 and 0 to 0.3), and now and then flipped ones",
        "`label-smoothing` (one-sided, 0.9), `soft-labels` (as the list says), `noisy-labels` (5% flipped)",
        ("label-smoothing", "soft-labels", "noisy-labels"),
    ),
    Item("DCGAN if you can, else a hybrid with a VAE", "`dcgan`; hybrids are another model, not built"),
    Item(
        "Tricks of reinforcement learning: replay of past fakes, old checkpoints",
        "`replay`; playing against old checkpoints is not built",
        ("replay",),
    ),
    Item(
        "Adam for the generator, SGD for the discriminator",
        '`discriminator={"name": "sgd", ...}`; measured at learning rate 0.02 without momentum, not tuned',
        ("sgd",),
    ),
    Item(
        "Track failures early: losses, gradient norms",
        "every run's `metrics.jsonl` and report: losses, D(x), D(G(z)); not the gradients' norms",
    ),
    Item("Do not balance the players by their losses", "nothing here does"),
    Item(
        "If there are labels, use them (auxiliary classifier)",
        "`networks.condition=auxiliary`; also `projection`, which `auto` takes where there are labels enough",
        ("auxiliary", "projection"),
    ),
    Item(
        "Noise on the discriminator's inputs that fades, noise in the generator's layers",
        "`instance-noise`; noise in the generator: item 17",
        ("instance-noise",),
    ),
    Item(
        "More discriminator steps (the list: not sure)",
        "`discriminator_steps=2`; measured at as many generator steps, so at nearly twice the time",
        ("two-steps",),
    ),
    Item(
        "Minibatch discrimination (the list: not sure)",
        "`networks.minibatch=discrimination`, or the later `standard-deviation`",
        ("discrimination", "standard-deviation"),
    ),
    Item(
        "Discrete conditions through an embedding, as further channels",
        "`networks.condition=concatenation`: one-hot planes, which the first layer embeds",
        ("concatenation",),
    ),
    Item(
        "Dropout of 50% in the generator, in training and after it",
        "`networks.dropout=0.5`",
        ("dropout",),
    ),
)

FURTHER = (
    Item(
        "Two time scales (Heusel et al. 2017)",
        "each player has an optimiser; `compact` has 5e-4 and 1e-3, measured without: both 5e-4, which is better here; "
        "whether by the ratio or by the discriminator's smaller rate was not separated",
        ("one-rate",),
    ),
    Item("PacGAN: judge two samples at once (Lin et al. 2018)", "`networks.packing=2`", ("packing",)),
    Item("Differentiable augmentation (Zhao et al. 2020)", "`diff-augment`; made for few images", ("diff-augment",)),
    Item(
        "Adaptive augmentation (Karras et al. 2020)", "`adaptive-augment`; made for few images", ("adaptive-augment",)
    ),
)


def page() -> str:
    """The whole page."""
    results = json.loads(RESULTS.read_text())
    measured = sum(bool(item.variants) for item in SEVENTEEN)
    figures: dict[str, dict[str, float]] = results["figures"]
    seeds = sorted({key.rsplit(" ", 1)[1] for key in figures})
    lines = [
        f"# The seventeen tricks, {measured} of them measured",
        "",
        "Made by `make docs` from `benchmarks/results/tricks.json`. The list is *How to Train a GAN? Tips and tricks "
        "to make GANs work* (Chintala et al. 2016). Everything that is a choice here is off unless a recipe names it; "
        "switch it on with `--set`, e.g. `zerosum train mnist --recipe compact --set 'tricks=[\"label-smoothing\"]'` "
        "or `--set networks.packing=2`.",
        "",
        f"Measured: {results['protocol']}; seeds {', '.join(seeds)}; {results['hardware']}. Each cell: Fréchet "
        "distance in the classifier's features (lower is better; not FID), precision / coverage (higher is better), as "
        "means over the seeds, with the smallest and largest distance in brackets. It was measured before dropout drew "
        "its numbers in another way and before cutout's hole was moved by half a pixel: items 12, 17, 20 and 21 might "
        "come out a little different now.",
        "",
        f"**Without any of them: {cell(figures, 'without')}**",
        "",
        "Read it as what a trick does to *this* pair in *this* short training on easy data: a small network with batch "
        "normalisation in both players, a moving average and falling learning rates. Differences smaller than the "
        "bracket of the row without tricks say nothing.",
        "",
        *table(SEVENTEEN, figures, first=1),
        "",
        "## Further ones",
        "",
        *table(FURTHER, figures, first=18),
    ]
    return "\n".join(lines) + "\n"


def table(items: tuple[Item, ...], figures: dict[str, dict[str, float]], first: int) -> list[str]:
    """Rows of Markdown."""
    rows = ["| | the claim | here | measured |", "|---|---|---|---|"]
    for number, item in enumerate(items, first):
        cells = "<br>".join(f"{variant}: {cell(figures, variant)}" for variant in item.variants) or "-"
        rows.append(f"| {number} | {item.claim} | {item.here} | {cells} |")
    return rows


def cell(figures: dict[str, dict[str, float]], variant: str) -> str:
    """Means over the seeds that there are."""
    found = [scores for key, scores in figures.items() if key.startswith(f"{variant}, seed ")]
    if not found:
        return "not measured"
    distances, precisions, coverages = ([scores[metric] for scores in found] for metric in METRICS)
    spread = f"{min(distances):.0f} to {max(distances):.0f}"
    return f"{mean(distances):.0f} ({spread}), {mean(precisions):.2f} / {mean(coverages):.2f}"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if not PAGE.exists() or PAGE.read_text() != page():
            sys.exit("docs/tricks.md is not what the benchmark measured: run 'make docs'")
    else:
        PAGE.write_text(page())
