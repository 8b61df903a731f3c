"""The discriminator won: it tells every pair apart, and the generator learns little from it."""

from collections.abc import Iterator
from typing import ClassVar

from zerosum import catalog
from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.comparisons import compare_pairs
from zerosum.diagnostics.evidence import Evidence, Unsaid
from zerosum.game.recipe import Recipe

LAST = 0.2  # of the training
MOST_RIGHT, MOST_MARGIN = 0.998, 0.95


class DiscriminatorWon(Diagnostic, name="discriminator-won"):
    """Looks at how many pairs of a real and a generated sample the discriminator puts in order."""

    live: ClassVar[bool] = True
    symptom: ClassVar[bool] = True
    looks_for: ClassVar[str] = "a discriminator that has won"
    citation: ClassVar[str] = (
        "Goodfellow et al. 2014, section 3; Arjovsky & Bottou 2017, section 2 (vanishing gradients)"
    )

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure the pairs that D put in order, or else its mean answers, and what that leaves for G."""
        return (self._measure_answers(evidence), *self._measure_rest(evidence))

    def _measure_answers(self, evidence: Evidence) -> Measure:
        try:
            right = evidence.need_curve("pair_accuracy", LAST)
            return Measure.below("pairs that D told apart in the last fifth", float(right.mean()), MOST_RIGHT)
        except Unsaid:
            margin = evidence.need_curve("d_real", LAST).mean() - evidence.need_curve("d_fake", LAST).mean()
            return Measure.below("D(x) - D(G(z)) in the last fifth", float(margin), MOST_MARGIN)

    def _measure_rest(self, evidence: Evidence) -> Iterator[Measure]:
        """Yield whether it holds for unseen samples too, and what illustrates it.

        A D that knows its training samples by heart tells these from any fake, without having won.
        """
        if evidence.examination is not None:
            logits = evidence.examination.unseen_logits, evidence.examination.fake_logits
            unseen = compare_pairs(*(each.double().numpy() for each in logits))
            yield Measure.below("pairs of an unseen real sample and a fake that D tells apart", unseen, MOST_RIGHT)
        if {"fake_as_real", "fake_as_fake"} <= evidence.curves.keys():
            taken, seen_through = (evidence.need_curve(name, LAST).sum() for name in ("fake_as_real", "fake_as_fake"))
            yield Measure("share of fakes that D took for real", float(taken / max(taken + seen_through, 1)))
        if evidence.examination is not None:
            gradients = evidence.examination.gradients
            layer = min(gradients, key=lambda name: gradients[name])
            yield Measure(f"norm of the generator's gradient, least in its layer {layer}", gradients[layer])

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that hardly a pair is left that D does not tell apart."""
        right = measures[0]
        changes, advice = weaken(evidence.recipe)
        return self.find(
            "warning",
            f"The discriminator has won: in the training's last fifth it told {right.value:.1%} of the pairs apart, "
            "and its gradient says little to the generator."
            if right.bound == MOST_RIGHT
            else "The discriminator has won: it is all but sure of every sample, and its gradient says little to the "
            "generator.",
            measures,
            advice,
            evidence.command(*changes, steps=keep_updates(evidence) if "discriminator_steps=1" in changes else None),
        )


def keep_updates(evidence: Evidence) -> int:
    """Return the iterations of one update of each player that take as long as those of the run, with its k of D."""
    k = 1 if evidence.recipe is None else evidence.recipe.discriminator_steps
    return max(1, evidence.steps * (k + 1) // 2)


def weaken(recipe: Recipe | None) -> tuple[list[str], str]:
    """Return the changes of `recipe` that make its discriminator weaker, or its gradient larger, and what they are."""
    if recipe is None:
        return (
            [],
            "the non-saturating loss, one update of D to one of G, a penalty on D's gradient (R1), a lower rate of D",
        )
    if recipe.discriminator_steps > 1 and catalog.name_of(recipe.game) != "wasserstein":
        return ["discriminator_steps=1"], "one update of D to one of G"
    if catalog.name_of(recipe.game) == "minimax":
        return ["game=non-saturating"], "the non-saturating loss, whose gradient does not vanish"
    if not recipe.regularizers:
        return ['regularizers=["r1"]'], "a penalty on D's gradient (R1)"
    rate = getattr(recipe.discriminator_optimizer, "lr", None)
    if rate is None:
        return [], "a lower learning rate of D"
    return [f"discriminator_optimizer.lr={rate / 4:g}"], "a quarter of D's learning rate"
