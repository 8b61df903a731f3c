"""A blind discriminator: it cannot tell samples from real data, though they plainly differ."""

from typing import ClassVar

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.comparisons import tell_apart
from zerosum.diagnostics.evidence import Evidence
from zerosum.game.recipe import Recipe

LAST = 0.2  # of the training
LEAST_RIGHT, MOST_APART = 0.6, 0.8
LEAST = 200


class BlindDiscriminator(Diagnostic, name="blind-discriminator"):
    """Compares the discriminator's answers with those of another judge, the nearest neighbour in features."""

    symptom: ClassVar[bool] = True
    looks_for: ClassVar[str] = "a generator that won against a blind discriminator"
    citation: ClassVar[str] = (
        "Goodfellow et al. 2014, section 3 (G must not be trained too much without D); Lopez-Paz & Oquab 2017"
    )

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure the pairs that D told apart, and how often nearest neighbours are of one kind."""
        right = float(evidence.need_curve("pair_accuracy", LAST).mean())
        evidence.need_samples(LEAST)
        apart = tell_apart(evidence.fake_features, evidence.need_evaluation().test.features.numpy())
        return (
            Measure.above("pairs that D told apart in the last fifth", right, LEAST_RIGHT),
            Measure.below("samples whose nearest neighbour is of their kind", apart, MOST_APART),
        )

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that D guesses while another judge does not have to."""
        right, apart = measures
        changes = strengthen(evidence.recipe)
        return self.find(
            "warning",
            f"The discriminator is blind: it tells {right.value:.0%} of the pairs apart, as if it guessed, while "
            f"the nearest neighbour gives {apart.value:.0%} of the samples away.",
            measures,
            "a higher learning rate of D, more updates of it, or a larger network",
            evidence.command(*changes) if changes else "",
        )


def strengthen(recipe: Recipe | None) -> list[str]:
    """Return the change of `recipe` that makes its discriminator learn faster; none if it is not known."""
    if recipe is None:
        return []
    ours, theirs = (getattr(each, "lr", None) for each in (recipe.discriminator_optimizer, recipe.generator_optimizer))
    if ours is None or theirs is None:
        return ["discriminator_steps=5"]
    return [f"discriminator_optimizer.lr={max(theirs, 4 * ours):g}"]
