"""The claims of the theory, on the numbers that `zerosum theory` prints."""

import math

import pytest
import torch

from zerosum import catalog, references
from zerosum.data.readers import open_source
from zerosum.demonstrations import Demonstration, Table
from zerosum.demonstrations.cross_entropy import CrossEntropy, tabulate_classifiers
from zerosum.demonstrations.densities import DensityPair
from zerosum.demonstrations.equilibrium import Equilibrium, normal, tabulate_equilibrium, tabulate_family
from zerosum.demonstrations.figure_1 import QUANTILES, Figure1, Polyline
from zerosum.demonstrations.optimal_discriminator import PAIRS, OptimalDiscriminator, measure
from zerosum.demonstrations.saturation import LOGITS, Saturation, tabulate_curves

LOG4 = math.log(4)
NAMES = {"cross-entropy", "dirac", "equilibrium", "figure-1", "optimal-discriminator", "saturation"}


def numbers(table: Table, heading: str) -> list[float]:
    return [float(cell) for cell in table.column(heading)]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_demonstration_says_in_a_line_what_it_shows_and_where_that_is_from(name: str) -> None:
    demonstration = catalog.lookup(Demonstration, name)  # type: ignore[type-abstract]
    assert "\n" not in demonstration.claim
    assert not demonstration.claim.endswith(".")
    assert references.find_references(demonstration.paper)


def test_all_are_found_by_name() -> None:
    assert set(catalog.choices(Demonstration)) == NAMES  # type: ignore[type-abstract]


@pytest.mark.parametrize("name", PAIRS)
def test_a_trained_discriminator_comes_within_a_hundredth_of_log_4_of_the_criterion(name: str) -> None:
    """Maximising V by gradient ascent on samples, as Algorithm 1's inner loop does, with the generator held still."""
    real, fake = PAIRS[name]
    trained = OptimalDiscriminator().train(real, fake, seed=0)
    pair = DensityPair.on_lattice(real, fake)
    criterion, reached, gap, percent, error = measure(pair, trained)
    assert criterion == pair.criterion
    assert reached == pair.value_of(trained)
    assert 0 <= gap < 0.01 * LOG4
    assert percent == pytest.approx(100 * gap / LOG4)
    assert error < 0.25


def test_the_largest_error_is_taken_where_there_is_mass() -> None:
    """A D that is wrong by a constant logit: the largest difference of the probabilities is known at D* = 1/2."""
    pair = DensityPair.on_lattice(*PAIRS["shifted"])
    *_, gap, percent, error = measure(pair, lambda points: torch.full((len(points),), 0.0))
    assert gap == pytest.approx(LOG4 + pair.criterion)
    assert percent > 1
    assert error == pytest.approx(0.5, abs=0.02)  # far out on either side D* is nearly 0 or 1


def test_the_criterion_is_least_at_the_data() -> None:
    table = tabulate_family()
    rows = [[float(cell) for cell in row[1:]] for row in table.rows]
    assert rows[2][1] == pytest.approx(-LOG4, abs=1e-9)
    assert sorted(cell for row in rows for cell in row)[1] > -1.21


def test_the_game_ends_at_the_equilibrium() -> None:
    """A cheaper game than the one that is shown: two updates of D an iteration instead of five."""
    snapshots, discriminator = Equilibrium(steps=500, discriminator_steps=2, batch_size=128).train(
        open_source("gaussian"), seed=0
    )
    first, last = snapshots[0], snapshots[-1]
    assert first.divergence > 0.6
    assert last.divergence < 5e-3
    assert (last.mean, last.deviation) == (pytest.approx(3, abs=0.2), pytest.approx(1, abs=0.1))
    assert last.value == pytest.approx(-LOG4, abs=1e-2)
    assert 0.4 < last.lowest < last.highest < 0.6
    table = tabulate_equilibrium(discriminator)
    assert numbers(table, "V(D, G)")[1] == pytest.approx(-LOG4, abs=1e-6)
    assert numbers(table, "max |D - 1/2|")[1] < 1e-3


def test_the_first_snapshot_is_the_generator_s_start() -> None:
    snapshots, _ = Equilibrium(steps=1).train(open_source("gaussian"), seed=0)
    pair = DensityPair.on_lattice(normal(3, 1), normal(0, 0.5))
    assert snapshots[0].divergence == pytest.approx(pair.divergence)


def test_the_gradients_are_those_of_the_losses() -> None:
    """D log(1 - D) / d logit = -D, and d (-log D) / d logit = D - 1."""
    table = tabulate_curves()
    for logit, answer, saturating, gradient, other, its in table.rows:
        exact = 1 / (1 + math.exp(-float(logit)))
        assert answer == pytest.approx(exact)
        assert (saturating, other) == (pytest.approx(math.log(1 - exact)), pytest.approx(-math.log(exact)))
        assert (gradient, its) == (pytest.approx(-exact), pytest.approx(exact - 1))
    assert numbers(table, "logit") == list(LOGITS)


def test_the_saturating_generator_starves_and_the_other_does_not() -> None:
    shown = Saturation(steps=60).show(0)
    course, ends = shown.tables[1:]
    starved, fed = (numbers(course, f"{name}\ngradient") for name in ("log(1 - D)", "-log D"))
    assert fed[0] > 100 * starved[0]
    assert max(starved) < 0.1 * fed[0]
    stuck, moved = (numbers(course, f"{name}\nscore") for name in ("log(1 - D)", "-log D"))
    assert stuck[0] == moved[0]
    assert stuck[-1] > 0.95 * stuck[0]
    assert moved[-1] < 0.75 * moved[0]
    assert numbers(ends, "log(1 - D)\nfirst gradient")[1] == pytest.approx(
        numbers(ends, "-log D\nfirst gradient")[1], rel=0.1
    )


def test_the_polyline_is_straight_between_its_knots_and_can_make_the_data() -> None:
    generator = Polyline()
    middles = (generator.knots[1:] + generator.knots[:-1])[:, None] / 2
    with torch.no_grad():
        at_knots, between = generator(generator.knots[:, None]), generator(middles)
        torch.testing.assert_close(between, (at_knots[1:] + at_knots[:-1]) / 2, rtol=1e-4, atol=1e-4)
        generator.mix.weight.copy_(torch.tensor([[1.0, 0.0, 0.0]]))
        generator.mix.bias.fill_(3.0)
        outputs = generator(generator.knots[:, None])[:, 0].double()
    torch.testing.assert_close(outputs, 3 + QUANTILES, rtol=0, atol=1e-5)
    pair = DensityPair.of_generator(normal(3, 1), generator.knots.double(), outputs)
    assert pair.divergence < 3e-4  # of 0.05% of the data that lie farther out than the last knots


def test_figure_1_ends_where_the_discriminator_cannot_tell() -> None:
    snapshots = list(Figure1().train(seed=0))
    paused = [snapshot for snapshot in snapshots if snapshot.iteration == Figure1().pause]
    before, taught, followed, last = paused[0], paused[8], paused[16], snapshots[-1]
    assert taught.densities.divergence == before.densities.divergence
    assert before.densities.criterion - before.value > taught.densities.criterion - taught.value >= 0
    assert torch.equal(followed.answers, taught.answers)
    assert followed.densities.divergence < taught.densities.divergence
    assert last.densities.divergence < 2e-3
    assert last.value == pytest.approx(-LOG4, abs=2e-3)
    assert (last.answers[80:161] - 0.5).abs().max() < 0.05  # within two deviations of the data's mean


def test_cross_entropy_tells_apart_what_the_error_rate_does_not() -> None:
    table = tabulate_classifiers()
    first, second = (numbers(Table("", table.columns, table.rows[:4]), heading) for heading in ("bits", "bits "))
    assert first == pytest.approx([2.322, 1.322, 3.322, 6.966], abs=5e-4)
    assert second[-1] == pytest.approx(2.725, abs=1e-3)
    assert [table.rows[4][column] for column in (2, 4)] == ["25%", "25%"]


def test_the_discriminator_s_loss_is_the_sum_of_two_cross_entropies() -> None:
    table = CrossEntropy(samples=50).show(seed=3).tables[1]
    assert numbers(table, "the game's loss, nats") == pytest.approx(numbers(table, "cross-entropy, nats"), abs=1e-12)
    assert numbers(table, "in bits")[2:] == pytest.approx([1, 1, 2])
    assert numbers(table, "the game's loss, nats")[-1] == pytest.approx(LOG4)


def test_tables_are_written_as_their_columns_say() -> None:
    table = Table("t", {"what": "", "how much": ".2f"}, (("a", 1 / 3), ("b", "none")))
    assert table.format_rows() == [["a", "0.33"], ["b", "none"]]
