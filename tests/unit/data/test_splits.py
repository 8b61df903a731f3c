from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from zerosum.data import (
    LEAST,
    Source,
    Split,
    count_sides,
    divide_groups,
    select_test,
    shuffle_indices,
    split_by_content,
)
from zerosum.data.readers import open_source
from zerosum.errors import InputError


@given(count=st.integers(1, 50), size=st.integers(1, 120), seed=st.integers(0, 5))
def test_every_epoch_shows_each_sample_once(count: int, size: int, seed: int) -> None:
    batches = [shuffle_indices(count, size, number, seed) for number in range(3 * count // size + 3)]
    assert all(len(batch) == size for batch in batches)
    stream = torch.cat(batches)
    for epoch in range(len(stream) // count):
        assert sorted(stream[epoch * count : (epoch + 1) * count].tolist()) == list(range(count))


def test_a_minibatch_is_a_function_of_its_number_and_the_seed() -> None:
    assert torch.equal(shuffle_indices(100, 32, 7, 1), shuffle_indices(100, 32, 7, 1))
    assert not torch.equal(shuffle_indices(100, 32, 7, 1), shuffle_indices(100, 32, 7, 2))
    assert not torch.equal(shuffle_indices(100, 100, 0, 1), shuffle_indices(100, 100, 1, 1))


def test_added_samples_move_no_old_one_between_the_splits() -> None:
    pixels = torch.randint(0, 256, (400, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    few_train, few_test = split_by_content(pixels[:300], None)
    all_train, all_test = split_by_content(pixels, None)
    assert 0.1 < len(few_test) / 300 < 0.3

    def rows(split: Split) -> set[bytes]:
        return {sample.numpy().tobytes() for sample in split.samples}

    assert rows(few_train) <= rows(all_train)
    assert rows(few_test) <= rows(all_test)
    assert not rows(all_train) & rows(all_test)


@given(content=st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=40, unique=True))
def test_both_splits_of_few_samples_have_a_spread(content: list[int]) -> None:
    """Four that differ are enough, unless chance keeps all for testing, which happens to one set of four in 625."""
    testing = select_test(np.array(content))
    assert testing.sum() >= 2
    assert testing.sum() == 2 or (np.array(content)[testing] < 0.2 * 2**32).all()
    assert max(np.array(content)[testing]) < min(np.array(content)[~testing], default=2**32)


@pytest.mark.parametrize("seed", range(20))
def test_eight_photos_can_be_split(seed: int) -> None:
    train, test = split_by_content(torch.from_numpy(_noise(8, seed)), None)
    assert min(len(train), len(test)) >= 2


@given(hashes=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=60, unique=True))
def test_without_groups_the_hashes_alone_decide(hashes: list[int]) -> None:
    content = np.array(hashes)
    np.testing.assert_array_equal(divide_groups(content, np.arange(len(content)), content), select_test(content))


@given(sizes=st.lists(st.integers(1, 30), min_size=4, max_size=40), seed=st.integers(0, 99))
def test_groups_stay_whole_and_both_sides_have_different_pictures(sizes: list[int], seed: int) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    hashes = np.random.default_rng(seed).choice(2**32, len(groups), replace=False)
    testing = divide_groups(hashes, groups, hashes)
    assert not set(groups[testing]) & set(groups[~testing])
    assert min(count_sides(testing, hashes)) >= LEAST
    order = np.random.default_rng(seed).permutation(len(groups))
    np.testing.assert_array_equal(divide_groups(hashes[order], groups[order], hashes[order]), testing[order])


@given(count=st.integers(10, 40), size=st.integers(2, 30), seed=st.integers(0, 99))
def test_of_groups_of_one_size_about_a_fifth_of_the_samples_is_for_testing(count: int, size: int, seed: int) -> None:
    groups = np.repeat(np.arange(count), size)
    hashes = np.random.default_rng(seed).choice(2**32, len(groups), replace=False)
    assert divide_groups(hashes, groups, hashes).mean() <= 0.3 + 1e-9
    if size > 6:  # else the hashes of the members may decide, and chance
        assert divide_groups(hashes, groups, hashes).mean() >= 0.2


@pytest.mark.parametrize("different", [4, 5, 9])
def test_copies_in_an_array_are_on_one_side(different: int) -> None:
    train, test = split_by_content(torch.from_numpy(_noise(different, 0)).repeat(20, 1, 1), None)
    sides = [{sample.numpy().tobytes() for sample in split.samples} for split in (train, test)]
    assert not sides[0] & sides[1]
    assert min(map(len, sides)) >= LEAST


@pytest.mark.parametrize(
    ("different", "words"),
    [
        (1, "all 40 samples are the same: there is nothing to learn from one of them, 40 times; at least 4 different"),
        (2, "40 usable samples, but only 2 different ones: at least 4 different ones are needed, 2 to train with"),
    ],
)
def test_few_pictures_many_times(different: int, words: str, tmp_path: Path) -> None:
    np.save(tmp_path / "few.npy", np.tile(_noise(different, 0), (40 // different, 1, 1)))
    with pytest.raises(InputError, match=words):
        open_source(str(tmp_path / "few.npy"))


def test_labels_stay_with_their_samples() -> None:
    samples = torch.arange(500, dtype=torch.float32).unsqueeze(1)
    for part in split_by_content(samples, torch.arange(500)):
        assert part.labels is not None
        assert torch.equal(part.samples[:, 0].long(), part.labels)


def test_too_few_samples_for_two_splits(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.zeros((1, 2)))
    with pytest.raises(
        InputError,
        match="1 usable sample is too few: at least 4 different ones are needed, 2 to train with and 2 to test with",
    ):
        open_source(str(tmp_path / "one.npy"))
    np.save(tmp_path / "three.npy", np.arange(6.0).reshape(3, 2))
    with pytest.raises(InputError, match="3 usable samples are too few"):
        open_source(str(tmp_path / "three.npy"))


@pytest.mark.parametrize(("train", "test"), [(1, 5), (5, 1)])
def test_one_sample_of_a_split_has_no_spread(tmp_path: Path, train: int, test: int) -> None:
    np.savez(tmp_path / "few.npz", train_images=_noise(train, 0), test_images=_noise(test, 1))
    with pytest.raises(InputError, match="6 usable samples are too few"):
        open_source(str(tmp_path / "few.npz"))
    np.savez(tmp_path / "few.npz", train_images=_noise(2, 0), test_images=_noise(2, 1))
    assert len(open_source(str(tmp_path / "few.npz")).test) == 2


def _noise(count: int, seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, 8, 8), dtype=np.uint8)


def test_the_fingerprint_is_of_the_content() -> None:
    def source(value: int, name: str = "a", label: int = 0) -> Source:
        split = Split(torch.full((3, 1, 8, 8), value, dtype=torch.uint8), torch.full((3,), label))
        return Source(name, split, split)

    assert source(1).fingerprint == source(1, name="b").fingerprint
    assert len({source(1).fingerprint, source(2).fingerprint, source(1, label=1).fingerprint}) == 3
