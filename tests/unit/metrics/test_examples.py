"""The examples are those that precision and coverage count, the most telling ones first."""

import pytest
import torch

from tests.unit.metrics.sets import normal
from zerosum.metrics import SampleSet
from zerosum.metrics.examples import Examples
from zerosum.metrics.neighbours import NEIGHBOURS, overlap

COUNT = 8


def numbered(features: torch.Tensor) -> SampleSet:
    """Make images of which each shows its number."""
    numbers = torch.arange(len(features), dtype=torch.uint8).view(-1, 1, 1, 1)
    return SampleSet(numbers.expand(-1, 1, 2, 2).clone(), features)


def numbers(images: torch.Tensor) -> list[int]:
    return images[:, 0, 0, 0].tolist()


@pytest.fixture(scope="module")
def sets() -> tuple[SampleSet, SampleSet]:
    """Real images around two places, the last 50 around the second; samples around the first, the last 10 nowhere."""
    far = torch.arange(1, 11).view(-1, 1) * torch.tensor([[0.0, 100.0]])
    fake = torch.cat([normal(90, 2, 0), far])
    real = torch.cat([normal(50, 2, 1), normal(50, 2, 2, shift=30.0)])
    return numbered(fake), numbered(real)


def test_examples_are_what_precision_and_coverage_miss(sets: tuple[SampleSet, SampleSet]) -> None:
    fake, real = sets
    found = Examples.choose(fake, real, real, None, COUNT)
    parts = overlap(fake.features.numpy(), real.features.numpy(), NEIGHBOURS)
    assert found.missed_share == pytest.approx(1 - parts["coverage"].mean())
    assert found.lonely_share == pytest.approx(1 - parts["precision"].mean())
    assert all(parts["coverage"][number] == 0 for number in numbers(found.missed))
    assert all(parts["precision"][number] == 0 for number in numbers(found.lonely))
    assert set(numbers(found.missed)) <= set(range(50, 100))
    assert numbers(found.lonely) == list(range(99, 99 - COUNT, -1))


def test_pairs_are_the_nearest_with_the_real_image_of_each(sets: tuple[SampleSet, SampleSet]) -> None:
    fake, real = sets
    copied = SampleSet(fake.samples, fake.features.clone())
    copied.features[3] = real.features[70]
    alike = Examples.choose(copied, real, real, None, COUNT).alike
    assert numbers(alike)[:2] == [3, 70]
    assert len(alike) == COUNT


def test_what_there_is_none_of_is_empty(sets: tuple[SampleSet, SampleSet]) -> None:
    fake, real = sets
    found = Examples.choose(real, real, real, None, COUNT)
    assert (found.missed_share, found.lonely_share) == (0, 0)
    assert (len(found.missed), len(found.lonely)) == (0, 0)
    few = Examples.choose(fake.take(3), real, real, None, COUNT)
    assert (len(few.fake), len(few.alike)) == (3, 6)
