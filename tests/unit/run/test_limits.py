"""What a run needs is known before it is started."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from zerosum import catalog, recipes
from zerosum.data import Source, Split
from zerosum.errors import InputError
from zerosum.game.recipe import change
from zerosum.run import limits
from zerosum.run.limits import check_limits, describe_size, estimate_memory, find_free_memory

CPU = torch.device("cpu")
SPLIT = Split(torch.randint(0, 256, (64, 3, 32, 32), dtype=torch.uint8))
IMAGES = Source("noise", SPLIT, SPLIT)
RECIPE = change(recipes.find("dcgan"), "networks.width=16")


class Disk(NamedTuple):
    free: int


def test_what_is_kept_grows_with_the_part_of_a_batch() -> None:
    sizes = [estimate_memory(replace(RECIPE, batch_size=size), IMAGES) - limits.KERNELS for size in (8, 64, 256)]
    weights = sizes[0] - (sizes[1] - sizes[0]) * 8 / 56
    assert weights > 0
    assert sizes[2] - sizes[1] == pytest.approx(192 / 56 * (sizes[1] - sizes[0]), rel=1e-3)
    parts = estimate_memory(replace(RECIPE, batch_size=256, accumulate=4), IMAGES) - limits.KERNELS
    assert parts == pytest.approx(sizes[1], rel=1e-3)
    images = 256 * 3 * 32 * 32 * 4
    assert sizes[2] > 4 * images  # more than the images alone


@pytest.mark.parametrize("free", [10**8, 2 * 10**8])
def test_a_run_that_cannot_fit_is_refused(free: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "find_free_memory", lambda device: free)
    recipe = replace(RECIPE, batch_size=2_048)
    with pytest.raises(
        InputError, match=r"in batches of 2048 needs about .* of memory, and .* are free: make"
    ) as caught:
        check_limits(recipe, IMAGES, CPU, tmp_path / "run")
    (suggested,) = re.findall(r"--set batch_size=(\d+)", str(caught.value))
    assert 1 <= int(suggested) < 2_048
    assert describe_size(free) in str(caught.value)


def test_networks_that_cannot_be_built_are_refused_unbuilt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "estimate_memory", None)
    wide = change(RECIPE, "networks.width=30000")
    with pytest.raises(InputError, match=r"needs about \S+ GB of memory, and"):
        check_limits(wide, IMAGES, CPU, tmp_path)


def test_a_run_that_may_not_fit_is_warned_about(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    recipe = replace(RECIPE, batch_size=512)
    needed = estimate_memory(recipe, IMAGES)
    for free, warned in ((int(needed / 1.2), True), (2 * needed, False)):
        monkeypatch.setattr(limits, "find_free_memory", lambda device, free=free: free)
        warning = check_limits(recipe, IMAGES, CPU, tmp_path)
        assert bool(warning) == warned
        assert ("needs about" in warning) == warned


def test_small_runs_are_not_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "find_free_memory", lambda device: 10**10)
    monkeypatch.setattr(limits, "estimate_memory", None)
    assert check_limits(replace(RECIPE, batch_size=16), IMAGES, CPU, tmp_path) == ""


def test_a_full_disk_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "find_free_memory", lambda device: 5 * 10**8)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Disk(10**6))
    with pytest.raises(InputError, match=r"checkpoints and pictures need about .* MB, and 1 MB are free there"):
        check_limits(replace(RECIPE, batch_size=64), IMAGES, CPU, tmp_path / "a" / "b")


def test_a_container_has_less(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = find_free_memory(CPU)
    assert whole > 10**8
    limit, used = tmp_path / "max", tmp_path / "current"
    monkeypatch.setattr(limits, "CGROUPS", [(str(limit), str(used))])
    assert find_free_memory(CPU) == pytest.approx(whole, rel=0.2)  # no such files
    limit.write_text("max\n")
    used.write_text("1000\n")
    assert find_free_memory(CPU) == pytest.approx(whole, rel=0.2)
    limit.write_text("51000\n")
    assert find_free_memory(CPU) == 50_000


def test_packs_are_measured_whole() -> None:
    packed = change(RECIPE, "networks.packing=4")
    assert estimate_memory(replace(packed, batch_size=64), IMAGES) > limits.KERNELS


def test_a_full_disk_is_refused_to_small_runs_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Disk(10**6))
    with pytest.raises(InputError, match="and 1 MB are free there"):
        check_limits(replace(RECIPE, batch_size=4), IMAGES, CPU, tmp_path)


@pytest.mark.parametrize("name", sorted(recipes.recipes()))
def test_the_weights_of_every_recipe_are_counted_unbuilt(name: str) -> None:
    recipe = recipes.find(name)
    points = catalog.name_of(recipe.networks) == "mlp"
    split = (
        Split(torch.zeros(8, 2), torch.arange(8) % 2)
        if points
        else Split(torch.zeros(8, 1, 28, 28, dtype=torch.uint8), torch.arange(8) % 2)
    )
    source = Source("some", split, split, ("a", "b"))
    built = replace(recipe.networks, features="none").build_pair(source.shape, source.classes, 0)
    tensors = [each for network in built for each in (*network.parameters(), *network.buffers())]
    expected = sum(each.numel() * each.element_size() for each in tensors)
    assert recipe.networks.count_bytes(source.shape, source.classes) == expected


def test_sizes_in_words() -> None:
    assert [describe_size(each) for each in (1_500_000, 2_340_000_000)] == ["1.5 MB", "2.34 GB"]
