"""Each diagnostic finds its fault where it is planted in the evidence, and nothing where all is well."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import points
from zerosum import catalog, recipes
from zerosum.data import Source, Split
from zerosum.diagnostics import SHOWN, Diagnosis, Diagnostic, Finding, Measure, Unknown, diagnose, illustrate
from zerosum.diagnostics.checkerboard import SMALLEST
from zerosum.diagnostics.evidence import Again, Evidence, Unsaid
from zerosum.diagnostics.examination import Examination
from zerosum.game.recipe import change
from zerosum.metrics import Score
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request
from zerosum.metrics.statistics import ConfidenceInterval
from zerosum.records import GapRecord, ScoreRecord, Search

LINES = 100
CLASSES = 4
SIZE = 16


def images(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw noisy images of four kinds, a bright quarter each, and their labels."""
    rng = torch.Generator().manual_seed(seed)
    labels = torch.randint(CLASSES, (count,), generator=rng)
    found = torch.randint(0, 120, (count, 1, SIZE, SIZE), generator=rng, dtype=torch.uint8)
    half = SIZE // 2
    for kind in range(CLASSES):
        rows, columns = (kind // 2) * half, (kind % 2) * half
        found[labels == kind, :, rows : rows + half, columns : columns + half] += 135
    return found, labels


def make_source() -> Source:
    (train, labels), (test, test_labels) = images(1_200, 0), images(600, 1)
    return Source("squares", Split(train, labels), Split(test, test_labels), tuple("abcd"))


def score(name: str, value: float, real: float | None = None) -> Score:
    return Score(
        metric=name,
        value=value,
        low=0.95 * value,
        high=1.05 * value,
        better="lower",
        real=real,
        real_samples=600,
        features="f",
        resizer="none",
        samples=1_000,
        reference="test split of squares",
        reference_samples=600,
        seed=0,
        comparable="",
    )


def distances(*values: float, copies: float = 0.4) -> list[ScoreRecord]:
    found = [ScoreRecord(25 * (place + 1), score("frechet-distance", value, 1.0)) for place, value in enumerate(values)]
    return [*found, ScoreRecord(25 * len(values), score("nearer-than-real", copies))]


def gap(step: int, value: float, margin: float = 0.02, seed: int = 0) -> GapRecord:
    search = Search(updates=300, rate=1e-3, perturbation=0.01, seed=seed, samples=600)
    return GapRecord(step=step, gap=ConfidenceInterval.around(value, margin), search=search)


def make_examination() -> Examination:
    rng = torch.Generator().manual_seed(2)
    (fakes, _), (reals, _) = images(256, 3), images(256, 4)
    logits = torch.randn(4, 256, generator=rng)
    return Examination(
        trained_logits=logits[0],
        unseen_logits=logits[1],
        fake_logits=logits[2] - 1,
        alone_logits=logits[3],
        together_logits=logits[3].clone(),
        fakes=fakes.flatten(1).float(),
        reals=reals.flatten(1).float(),
        gradients={"0": 1.0},
        step_sizes={"generator": 3e-3, "discriminator": 3e-3},
        moved={"generator": 0.8, "discriminator": 0.8},
        dead={"generator": 0.0, "discriminator": 0.0},
    )


@pytest.fixture(scope="module")
def healthy() -> Evidence:
    source = make_source()
    rng = np.random.default_rng(0)
    noise = 0.05 * rng.normal(size=(3, LINES))
    return Evidence(
        step=100,
        steps=100,
        curves={
            "step": np.arange(1.0, LINES + 1),
            "pair_accuracy": 0.85 + noise[0],
            "discriminator_loss": 1.1 + noise[1],
            "generator_loss": 1.0 + noise[2],
            "d_real": np.full(LINES, 0.7),
            "d_fake": np.full(LINES, 0.3),
        },
        scores=distances(9.0, 5.0, 3.0, 2.5),
        recipe=recipes.find("compact"),
        source=source,
        evaluation=Evaluation.of(source, Request("random-convolutions")),
        samples=images(1_000, 5)[0],
        examination=make_examination(),
        again=Again("squares/", "runs/squares"),
        gaps=[gap(20, 0.1), gap(70, 0.5), gap(100, 0.4)],
    )


Planted = Callable[[Evidence], Evidence]


def curve(name: str, values: np.ndarray) -> Planted:
    return lambda good: replace(good, curves={**good.curves, name: values})


def examined(**changes: object) -> Planted:
    def plant(good: Evidence) -> Evidence:
        assert good.examination is not None
        return replace(good, examination=replace(good.examination, **changes))

    return plant


def with_data(alter: Callable[[Split], Split]) -> Planted:
    def plant(good: Evidence) -> Evidence:
        assert good.source is not None
        source = replace(good.source, train=alter(good.source.train), digest="")
        return replace(good, source=source, evaluation=Evaluation.of(source, Request("random-convolutions")))

    return plant


def played(*changes: str) -> Planted:
    def plant(good: Evidence) -> Evidence:
        recipe = good.recipe
        assert recipe is not None
        for each in changes:
            recipe = change(recipe, each)
        return replace(good, recipe=recipe)

    return plant


def blind(good: Evidence) -> Evidence:
    samples = torch.randint(0, 255, (1_000, 1, SIZE, SIZE), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    return replace(curve("pair_accuracy", np.full(LINES, 0.5))(good), samples=samples)


def leave_out(good: Evidence) -> Evidence:
    samples, labels = images(1_500, 6)
    return replace(good, samples=samples[labels < 2])


def invert_test(good: Evidence) -> Evidence:
    assert good.source is not None
    source = replace(good.source, test=Split(255 - good.source.test.samples, good.source.test.labels))
    return replace(good, source=source, evaluation=Evaluation.of(source, Request("random-convolutions")))


def draw_checkerboard(good: Evidence) -> Evidence:
    assert good.samples is not None
    samples = good.samples.clone()
    samples[..., ::2, ::2] //= 2
    return replace(good, samples=samples)


def few_test(good: Evidence) -> Evidence:
    assert good.source is not None
    return replace(
        good, source=replace(good.source, test=Split(good.source.test.samples[:30], good.source.test.labels))
    )


LINE = np.linspace(0, 1, LINES)
PLANTED: dict[str, Planted] = {
    "batch-size": played("batch_size=2"),
    "blind-discriminator": blind,
    "checkerboard": draw_checkerboard,
    "collapse": examined(fakes=torch.full((256, SIZE * SIZE), 0.3) + 1e-3 * torch.randn(256, SIZE * SIZE)),
    "constant-images": with_data(
        lambda one: Split(
            torch.where((torch.arange(len(one)) % 8 == 0)[:, None, None, None], 90, one.samples).to(torch.uint8),
            one.labels,
        )
    ),
    "copies": lambda good: replace(good, scores=distances(9.0, 5.0, 3.0, 2.5, copies=0.97)),
    "dead-units": examined(dead={"generator": 0.6, "discriminator": 0.0}),
    "discriminator-won": lambda good: examined(fake_logits=torch.randn(256) - 20)(
        curve("pair_accuracy", np.full(LINES, 0.9999))(good)
    ),
    "divergence": curve("generator_loss", np.exp(7 * LINE)),
    "duplicates": with_data(lambda one: Split(one.samples[:300].repeat(4, 1, 1, 1), one.labels[:300].repeat(4))),  # type: ignore[index]
    "few-images": with_data(lambda one: Split(one.samples[:100], one.labels[:100])),  # type: ignore[index]
    "few-test": few_test,
    "meaningless-labels": with_data(
        lambda one: Split(one.samples, one.labels[torch.randperm(len(one), generator=torch.Generator().manual_seed(0))])
    ),  # type: ignore[index]
    "memorising-discriminator": examined(trained_logits=torch.randn(256) + 3),
    "missing-modes": leave_out,
    "mixed-batches": lambda good: played("networks.mixed_batches=true")(
        examined(together_logits=torch.randn(256) + 4)(good)
    ),
    "narrow-range": with_data(lambda one: Split(one.samples // 32, one.labels)),
    "oscillation": curve("discriminator_loss", 1 + np.sin(2 * np.pi * 11 * LINE)),
    "rare-class": with_data(lambda one: Split(one.samples[one.labels > 0], one.labels[one.labels > 0])),  # type: ignore[operator,index]
    "rate-too-high": examined(step_sizes={"generator": 0.2, "discriminator": 0.2}),
    "rate-too-low": examined(
        step_sizes={"generator": 1e-5, "discriminator": 1e-5}, moved={"generator": 1e-3, "discriminator": 1e-3}
    ),
    "rising-gap": lambda good: replace(good, gaps=[gap(70, 0.5), gap(85, 0.4), gap(100, 0.46)]),
    "splits-differ": invert_test,
    "stagnation": lambda good: replace(good, scores=distances(9.0, 2.0, 4.0, 6.0)),
    "too-short": lambda good: replace(good, scores=distances(800.0, 400.0, 150.0, 50.0)),
}


def look(name: str, evidence: Evidence) -> Finding | None:
    diagnostic = catalog.lookup(Diagnostic, name)()
    measures = diagnostic.measure(evidence)
    return diagnostic.explain(evidence, *measures) if diagnostic.is_there(evidence, *measures) else None


def test_every_diagnostic_is_planted_here() -> None:
    assert PLANTED.keys() == catalog.choices(Diagnostic).keys()


def test_nothing_is_found_where_all_is_well(healthy: Evidence) -> None:
    diagnosis = diagnose(healthy)
    assert diagnosis.findings == ()
    assert diagnosis.unknown == ()
    assert {check.name for check in diagnosis.checks} == PLANTED.keys()
    assert diagnosis.verdict.startswith("Healthy")


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(name: str, healthy: Evidence) -> None:
    found = look(name, PLANTED[name](healthy))
    assert found is not None
    assert found.name == name
    assert found.sentence.endswith(".")
    assert found.advice
    assert all(measure.origin for measure in found.measures)
    if found.command:
        words = shlex.split(found.command)
        assert words[:3] == ["zerosum", "train", "squares/"]
        recipe = PLANTED[name](healthy).recipe
        assert recipe is not None
        for place, word in enumerate(words):
            if word == "--set":
                assert change(recipe, words[place + 1]) != recipe, "the remedy changes nothing"


@pytest.mark.parametrize("name", PLANTED)
def test_images_show_the_faults_that_have_a_caption(name: str, healthy: Evidence) -> None:
    evidence = PLANTED[name](healthy)
    finding = look(name, evidence)
    assert finding is not None
    found = illustrate(Diagnosis(1, 1, (finding,)), evidence)
    caption = catalog.lookup(Diagnostic, name).caption
    assert list(found) == ([name] if caption else [])
    for rows in found.values():
        assert len(rows) == (CLASSES if name == "meaningless-labels" else caption.count(";") + 1)
        assert all(row.dtype == torch.uint8 and row.ndim == 4 and 0 < len(row) <= SHOWN for row in rows)


def shown(name: str, healthy: Evidence) -> tuple[Evidence, Sequence[torch.Tensor]]:
    evidence = PLANTED[name](healthy)
    return evidence, catalog.lookup(Diagnostic, name)().illustrate(evidence)


def test_the_images_are_those_that_the_captions_name(healthy: Evidence) -> None:
    evidence, (left_out, _) = shown("missing-modes", healthy)
    source = evidence.need_source()
    assert source.test.labels is not None
    places = [int((source.test.samples == each).flatten(1).all(1).nonzero()[0, 0]) for each in left_out]
    assert set(source.test.labels[places].tolist()) == {2, 3}  # what `leave_out` leaves out
    _, (flat, others) = shown("constant-images", healthy)
    assert bool((flat == 90).all())
    assert not bool((others == 90).flatten(1).all(1).any())
    evidence, (training, test) = shown("splits-differ", healthy)
    source = evidence.need_source()
    for row, split in ((training, source.train), (test, source.test)):
        assert all(bool((split.samples == each).flatten(1).all(1).any()) for each in row)
    _, (samples, real) = shown("checkerboard", healthy)
    assert samples.shape[2:] == real.shape[2:] == (SMALLEST, SMALLEST)


def test_points_are_not_shown_as_images(healthy: Evidence) -> None:
    evidence = PLANTED["collapse"](healthy)
    found = diagnose(evidence)
    assert "collapse" in illustrate(found, evidence)
    assert illustrate(found, replace(evidence, source=points(2))) == {}


def test_a_gap_rises_where_intervals_are_apart_and_the_search_was_the_same(healthy: Evidence) -> None:
    def rises(*gaps: GapRecord) -> bool:
        return look("rising-gap", replace(healthy, gaps=gaps)) is not None

    assert rises(gap(80, 0.40), gap(100, 0.451))
    assert not rises(gap(80, 0.40), gap(100, 0.449))  # by less than .01 more than both margins
    assert not rises(gap(80, 0.40, 0.06), gap(100, 0.46))
    assert rises(gap(80, 0.30), gap(80, 0.40), gap(100, 0.46), gap(120, 0.30))  # one was measured anew, one is of later
    for others in ([gap(60, 0.4)], [gap(80, 0.4, seed=1)], []):
        with pytest.raises(Unsaid, match=r"1 duality gap was measured in the last 33% .*'zerosum equilibrium runs/squ"):
            rises(*others, gap(100, 0.46))
    with pytest.raises(Unsaid, match="no duality gap was measured"):
        rises()


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_missing_is_said_and_not_guessed(name: str) -> None:
    diagnosis = diagnose(Evidence(step=5, steps=10))
    assert diagnosis.verdict == "Nothing could be looked at."
    (unknown,) = [each for each in diagnosis.unknown if each.name == name]
    assert unknown.reason


def test_a_diagnosis_reads_back_equal(healthy: Evidence, tmp_path: Path) -> None:
    diagnosis = diagnose(PLANTED["dead-units"](healthy))
    file = tmp_path / "diagnosis.json"
    assert Diagnosis.read(file) is None
    file.write_bytes(diagnosis.to_bytes())
    assert Diagnosis.read(file) == diagnosis
    file.write_bytes(b'{"step": 1')
    assert Diagnosis.read(file) is None
    assert replace(diagnosis, unknown=(Unknown("a", "b"),)) != diagnosis


def test_the_worst_comes_first_and_is_the_verdict(healthy: Evidence) -> None:
    diagnosis = diagnose(PLANTED["collapse"](PLANTED["dead-units"](PLANTED["few-test"](healthy))))
    names = [finding.name for finding in diagnosis.findings]
    assert names[0] == "collapse"
    assert names[-1] == "few-test"
    assert diagnosis.verdict == f"{diagnosis.findings[0].sentence} (1 more.)"


def test_another_programs_curves_suffice_for_what_they_show() -> None:
    curves = {"step": np.arange(1.0, 101), "d_real": np.full(100, 0.99), "d_fake": np.full(100, 0.01)}
    diagnosis = diagnose(Evidence(step=100, steps=100, curves=curves))
    assert [finding.name for finding in diagnosis.findings] == ["discriminator-won"]
    assert diagnosis.findings[0].command == ""
    few = {name: values[:3] for name, values in curves.items()}
    reasons = {each.name: each.reason for each in diagnose(Evidence(step=3, steps=3, curves=few)).unknown}
    assert "a number as d_real" in reasons["discriminator-won"]


@pytest.mark.parametrize("lost", [np.nan, np.inf])
def test_a_loss_that_is_no_number_at_the_end_is_a_divergence(lost: float) -> None:
    loss = np.where(np.arange(100) < 50, 0.7, lost)
    curves = {"step": np.arange(1.0, 101), "discriminator_loss": loss, "generator_loss": np.full(100, 0.7)}
    (finding,) = diagnose(Evidence(step=100, steps=100, curves=curves)).findings
    assert (finding.name, finding.severity) == ("divergence", "failure")
    assert "10 losses in the last tenth are NaN or infinite" in finding.sentence
    curves["discriminator_loss"] = np.roll(loss, 50)  # in the middle of the training only
    assert not diagnose(Evidence(step=100, steps=100, curves=curves)).findings


def test_an_empty_log_is_no_error() -> None:
    empty = {name: np.zeros(0) for name in ("step", "d_real", "d_fake", "generator_loss", "discriminator_loss")}
    diagnosis = diagnose(Evidence(step=0, steps=60, curves=empty))
    assert diagnosis.verdict == "Nothing could be looked at."
    assert "the log has no line of iterations" in {each.reason for each in diagnosis.unknown}


def test_data_alone_make_no_samples_healthy(healthy: Evidence) -> None:
    alone = Evidence(step=0, steps=0, source=healthy.source, evaluation=healthy.evaluation)
    verdict = diagnose(alone).verdict
    assert verdict.startswith("Of the samples nothing could be said. The real data: ")


def test_a_number_beyond_its_bound_is_owned_up_to(healthy: Evidence) -> None:
    (check, *checks) = diagnose(healthy).checks
    beyond = Measure.below("something", 9.0, 1.0)
    doubted = replace(diagnose(healthy), checks=(replace(check, measures=(*check.measures, beyond)), *checks))
    assert doubted.verdict.endswith(
        "none found. Beyond the healthy bound, but no finding: 1 number (marked in the list)."
    )
    assert beyond.describe() == "something: 9; healthy: below 1 - beyond it"


def test_what_is_needed_to_judge_is_missing_too(healthy: Evidence) -> None:
    still = played("game=minimax")(PLANTED["rate-too-low"](healthy))
    few = replace(still, curves={name: values[:3] for name, values in still.curves.items()})
    diagnosis = diagnose(few)
    assert "rate-too-low" in [each.name for each in diagnosis.unknown]
    assert "rate-too-low" not in [each.name for each in diagnosis.findings]


def test_rates_are_not_blamed_for_a_gradient_that_has_vanished(healthy: Evidence) -> None:
    still = played("game=minimax")(PLANTED["rate-too-low"](healthy))
    assert look("rate-too-low", still) is not None
    assert look("rate-too-low", PLANTED["discriminator-won"](still)) is None


def test_a_discriminator_that_knows_its_samples_by_heart_has_not_won(healthy: Evidence) -> None:
    sure = curve("pair_accuracy", np.full(LINES, 0.9999))(PLANTED["memorising-discriminator"](healthy))
    assert [finding.name for finding in diagnose(sure).findings] == ["memorising-discriminator"]


def test_the_verdict_of_a_healthy_run_names_what_was_noted(healthy: Evidence) -> None:
    assert diagnose(healthy).verdict.endswith("none found.")
    noted = diagnose(PLANTED["memorising-discriminator"](healthy)).verdict
    assert noted.endswith("none found that does harm; noted: memorising-discriminator.")


@pytest.mark.parametrize(
    ("count", "tricks", "severity", "remedy"),
    [(400, "[]", "warning", "diff-augment"), (400, '["diff-augment"]', "warning", "r1"), (600, "[]", "note", "r1")],
)
def test_a_memorising_discriminator_is_a_warning_only_where_images_are_few(
    healthy: Evidence, count: int, tricks: str, severity: str, remedy: str
) -> None:
    assert healthy.source is not None
    samples, labels = images(count, 6)
    source = replace(healthy.source, train=replace(healthy.source.train, samples=samples, labels=labels))
    sure = played(f"tricks={tricks}")(PLANTED["memorising-discriminator"](replace(healthy, source=source)))
    finding = look("memorising-discriminator", sure)
    assert finding is not None
    assert finding.severity == severity
    assert remedy in finding.command
