"""`zerosum.evaluate`: the same scores as an Evaluation gives, of whatever can be scored."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import zerosum
from tests.conftest import images
from tests.photos import fill
from zerosum.data import Progress, Source
from zerosum.errors import InputError
from zerosum.evaluation.candidate import Candidate, Reporter
from zerosum.evaluation.evaluate import save_reference
from zerosum.evaluation.real_data import open_real_data
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request, open_features
from zerosum.metrics.features.cache import draw_probe
from zerosum.metrics.features.random_convolutions import RandomConvolutions
from zerosum.metrics.frechet import FrechetDistance


def test_samples_in_memory_and_in_a_file_score_alike(digits: Source, tmp_path: Path) -> None:
    images = digits.train.samples[:200]
    np.save(tmp_path / "made.npy", images.numpy())
    result = zerosum.evaluate(
        [images, tmp_path / "made.npy"], "digits", metrics=["frechet-distance"], features="pixels", seed=3
    )
    assert list(result.scores) == ["samples 1", str(tmp_path / "made.npy")]
    in_memory, in_file = (scores[0] for scores in result.scores.values())
    expected = Evaluation.of(digits, Request("pixels"), "all").scores(images, 3, [FrechetDistance()])[0]
    assert in_memory.value == expected.value
    assert in_file.value == pytest.approx(expected.value, rel=1e-9)
    assert result.pairs is None


def test_pairs_are_the_samples_nearest_to_training_images(digits: Source) -> None:
    images = digits.train.samples[:40]
    result = zerosum.evaluate(images, "digits", metrics=["frechet-distance"], features="pixels", pairs=4)
    assert result.pairs is not None
    assert result.pairs.shape == (8, 1, 8, 8)
    assert torch.equal(result.pairs[0::2], result.pairs[1::2])  # copies


class Told(Reporter):
    """Listens to the progress of all phases."""

    def __init__(self) -> None:
        self.told = list[tuple[str, int, int]]()

    def phase(self, what: str) -> AbstractContextManager[Progress | None]:
        return nullcontext(lambda *words: self.told.append(words))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """How many samples random convolutions, costly ones, see in each call, those of probes aside; an empty cache."""
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(RandomConvolutions, "costly", True)
    for module in ("evaluation", "moment_scores"):
        monkeypatch.setattr(f"zerosum.metrics.{module}.REPLICATES", 4)
    compute, counts = RandomConvolutions.__call__, list[int]()

    def watch(extractor: RandomConvolutions, samples: torch.Tensor) -> torch.Tensor:
        counts.append(0 if torch.equal(samples, draw_probe(samples.shape[1:])) else len(samples))
        return compute(extractor, samples)

    monkeypatch.setattr(RandomConvolutions, "__call__", watch)
    return counts


def test_features_of_both_sides_are_kept_and_scores_stay_the_same(seen: list[int], tmp_path: Path) -> None:
    """Against images and against their statistics: the second time, no sample goes through the network."""
    source, made = images((3, 8, 8), count=40), images((3, 8, 8), count=50).train.samples
    np.savez(tmp_path / "real.npz", images=source.train.samples.numpy())
    np.save(tmp_path / "made.npy", made.numpy())
    fill(tmp_path / "folder", 12)
    asked = {"features": "random-convolutions", "size": "8", "metrics": ["frechet-distance", "memorisation"]}
    moments = {**asked, "metrics": ["frechet-distance"]}
    names, found = [tmp_path / "made.npy", tmp_path / "folder"], list[object]()
    for reporter in (Told(), Told()):
        against_images = zerosum.evaluate(names, tmp_path / "real.npz", reporter=reporter, **asked)
        found.append({name: [each.as_json() for each in scores] for name, scores in against_images.scores.items()})
        assert ("features of 50 samples", 50, 50) in reporter.told or found[1:]
        assert sum(seen) == (2 * 40 + 50 + 12 if not found[1:] else 0)
        seen.clear()
        save_reference(tmp_path / "real.npz", tmp_path / f"{len(found)}.npz", features="random-convolutions")
        zerosum.evaluate(names, tmp_path / f"{len(found)}.npz", **moments)
        assert sum(seen) == (40 if not found[1:] else 0)
        seen.clear()
    assert found[0] == found[1]
    zerosum.evaluate(made.flip(0), tmp_path / "real.npz", **moments)
    assert sum(seen) == 50
    zerosum.evaluate(made.flip(0), tmp_path / "real.npz", **moments)
    assert sum(seen) == 100


def test_a_protocol_keeps_the_features_of_both_sides(
    seen: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    extractor = RandomConvolutions((3, 8, 8), torch.device("cpu"))
    monkeypatch.setattr("zerosum.evaluation.protocols.open_features", lambda *_: extractor)
    for name, count in (("real.npy", 40), ("made.npy", 50)):
        np.save(tmp_path / name, images((3, 8, 8), count=count).train.samples.numpy())
    reporter, values = Told(), list[float]()
    for expected in (90, 0):
        seen.clear()
        options = {"protocol": "pytorch-fid", "reporter": reporter}
        (scores,) = zerosum.evaluate(tmp_path / "made.npy", tmp_path / "real.npy", **options).scores.values()
        values.append(scores[0].value)
        assert sum(seen) == expected
    assert values[0] == values[1]
    assert [each for each in reporter.told if each[0].startswith("features") and each[1]] == [
        ("features of 40 samples", 40, 40),
        ("features of 50 samples", 50, 50),
    ]


@pytest.mark.parametrize(
    ("what", "options", "message"),
    [
        ([], {}, "nothing to evaluate"),
        (["a", "a"], {"against": "digits"}, "the same name is given twice"),
        (["a", "b"], {"pairs": 4}, "--pairs is for one thing at a time"),
        ("a", {"reference": "tset"}, "choose one of: auto, test, train, all"),
        ("a", {"metrics": ["frechet"]}, "unknown metric 'frechet'"),
        ("a", {"metrics": ["fid"]}, "fid is the Fréchet distance in Inception's features"),
        ("a", {"metrics": ["mind"]}, "mind is the Monge distance in Inception's features: --metric monge-distance"),
        ("nowhere", {}, "no run and no images at nowhere"),
        (torch.zeros(4, 1, 8, 8, dtype=torch.uint8), {}, "say which real data to compare with"),
        (torch.zeros(4, 1, 9, 9, dtype=torch.uint8), {"against": "digits"}, "cannot be compared"),
    ],
)
def test_what_cannot_be_scored_is_refused(what: object, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        zerosum.evaluate(what, **options)  # type: ignore[arg-type]


def test_gray_pictures_and_colour_ones_without_colour_match_each_other() -> None:
    gray = torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    alike, colour = gray.expand(-1, 3, -1, -1), gray.expand(-1, 3, -1, -1).clone()
    colour[0, 1, 0, 0] += 1
    for content, wanted, expected in (
        (gray, 3, alike),
        (alike, 3, alike),
        (alike, 1, gray),
        (colour, 1, colour),
        (gray.expand(-1, 4, -1, -1), 1, gray.expand(-1, 4, -1, -1)),
        (gray, 4, gray),
    ):
        matched = Candidate("a", content).match_channels((wanted, 8, 8)).content
        assert isinstance(matched, torch.Tensor)
        assert torch.equal(matched, expected)


def test_a_part_that_is_drawn_keeps_its_classes(digits: Source) -> None:
    content = torch.arange(40, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 8, 8)
    features = open_features(digits, Request("pixels"))
    candidate = Candidate("made", content, labels=content[:, 0, 0, 0].long() % 4, class_names=("3", "x", "1", "0"))
    for count in (None, 25):
        drawn = candidate.samples(count, digits, features, 7)[:, 0, 0, 0]
        labels = candidate.find_labels(count, digits, features, 7)
        assert labels.numbers.tolist() == [(3, -1, 1, 0)[value % 4] for value in drawn.tolist()]
        assert labels.strangers == {"x": sum(value % 4 == 1 for value in drawn.tolist())}


def test_photos_are_brought_to_the_least_size_that_pictures_may_have(tmp_path: Path) -> None:
    fill(tmp_path / "photos", 16)
    pictures = torch.randint(0, 256, (20, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    result = zerosum.evaluate(pictures, tmp_path / "photos", metrics=["kernel-distance"], features="pixels")
    assert result.scores["samples 1"][0].reference_samples == 16


def test_drawn_samples_are_a_random_part_that_does_not_depend_on_their_order(digits: Source) -> None:
    images = digits.train.samples[:40]
    features = open_features(digits, Request("pixels"))
    one, turned, other = (
        Candidate("a", content).samples(10, digits, features, seed)
        for content, seed in ((images, 1), (images.flip(0), 1), (images, 2))
    )
    assert torch.equal(one, turned)
    assert not torch.equal(one, other)
    assert len(one.flatten(1).unique(dim=0)) == 10


@pytest.mark.parametrize(("sizes", "noted"), [((40, 40), False), ((40, 48), True), ((48, 48), True)])
def test_photos_that_were_brought_to_another_size_are_said_to_be(
    sizes: tuple[int, int], noted: bool, tmp_path: Path
) -> None:
    for half, side in enumerate(sizes):
        fill(tmp_path / "photos", 8, first=8 * half, size=(side, side))
    pictures = torch.randint(0, 256, (20, 3, 40, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    notes: list[str] = []

    class Listener(Reporter):
        def note(self, text: str) -> None:
            notes.append(text)

    open_real_data([Candidate("made", pictures)], str(tmp_path / "photos"), None, None, Listener())
    assert any("brought to 40x40, the size of made" in note for note in notes) == noted


@pytest.mark.parametrize(
    ("mine", "theirs", "unlike"),
    [
        ((0.0, 20.0), (0.0, 30.0), True),
        ((0.0, 20.0), (0.0, 20.0), False),
        ((0.0, 1.0), (0.0, 30.0), False),
        ((0.0, 20.0), (-1.0, 1.0), False),
        (None, (0.0, 30.0), False),
    ],
)
def test_ranges_are_unlike_if_both_are_unusual(
    mine: tuple[float, float] | None, theirs: tuple[float, float], unlike: bool
) -> None:
    source = replace(images((1, 8, 8)), range=theirs)
    assert Candidate("a", source.test.samples, range=mine).reads_unlike(source) == unlike
