"""Mixed batches: the discriminator knows a sample by the company that it keeps."""

from typing import ClassVar

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence

MOST = 1.0


class MixedBatches(Diagnostic, name="mixed-batches"):
    """Compares the discriminator's logits for real samples alone with those in the batches that it is trained on."""

    live: ClassVar[bool] = True
    looks_for: ClassVar[str] = "a discriminator that knows samples by their batch"
    citation: ClassVar[str] = (
        "Chintala et al. 2016 (ganhacks, 4); Ioffe 2017 (a batch's statistics tell of its members)"
    )

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure how much the logits change, over their spread."""
        examination = evidence.need_examination()
        alone, together = examination.alone_logits, examination.together_logits
        change = float((alone - together).abs().mean() / alone.std().clamp(min=1e-6)) if len(alone) > 1 else 0.0
        words = "change of D's logits for real samples without fakes in their batch, over their spread"
        return (Measure.below(words, change, MOST),)

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that they change by more than they differ."""
        return self.find(
            "warning",
            "The discriminator knows samples by their batch: its logits for real ones are others where no fakes are in "
            "the same batch.",
            measures,
            "give it real samples and fakes in batches of their own",
            evidence.command("networks.mixed_batches=false"),
        )
