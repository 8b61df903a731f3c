"""Score images against statistics in a file, with the installed command."""

import json

import numpy as np
import pytest
import torch

from tests.end_to_end.conftest import Command
from tests.photos import fill

CHEAP = ("--features", "random-convolutions")


@pytest.fixture
def photos(in_process: Command) -> Command:
    fill(in_process.folder / "reals", 40, size=(24, 24))
    fill(in_process.folder / "fakes", 30, first=40, size=(24, 24))
    return in_process


def value(command: Command, *arguments: object) -> dict[str, object]:
    code, out, err = command("evaluate", *arguments, "--metric", "frechet-distance", "--json", "-")
    assert code == 0, err
    return dict(json.loads(out.splitlines()[0]))


def test_statistics_give_the_distance_that_the_images_give(photos: Command) -> None:
    code, out, err = photos("evaluate", "reals", "--save-reference", "ref.npz", *CHEAP)
    assert (code, err) == (0, "")
    assert "ref.npz: mean and covariance of 256 features of 40 images" in out
    against_file, against_images = (value(photos, "fakes", "--against", each, *CHEAP) for each in ("ref.npz", "reals"))
    assert against_file["value"] == pytest.approx(against_images["value"], rel=1e-6)
    assert against_file["reference_samples"] == against_images["reference_samples"] == 40
    assert against_file["real"] is None
    chosen = value(photos, "fakes", "--against", "ref.npz")  # the file says which features
    assert chosen == against_file
    code, out, _ = photos("evaluate", "fakes", "--against", "ref.npz")
    assert code == 0
    assert "the other metrics need the real images (" in out
    assert "40 stats" in out
    assert "the interval is of the generated samples only" in " ".join(out.split())


def refuse(command: Command, *arguments: object) -> str:
    """Return the one line of a command that has read its images when it refuses."""
    code, _, err = command(*arguments)
    assert (code, err.count("\n")) == (2, 1), err
    return err


def test_what_statistics_cannot_say_is_refused(photos: Command) -> None:
    photos("evaluate", "reals", "--save-reference", "ref.npz", *CHEAP)
    against = ("evaluate", "fakes", "--against", "ref.npz")
    for more, words in (
        (("--metric", "neighbours"), "neighbours needs the real images, and ref.npz holds their statistics"),
        (("--pairs", "pairs.png"), "--pairs needs the real images"),
        (("--report", "page.html"), "--report needs the real images"),
        (("--reference", "test"), "--reference chooses among real images"),
        (("--features", "efficientnet"), "measured in other features"),
        (("--size", 16), "was measured of images of 24x24: --size 24x24 brings"),
    ):
        assert words in refuse(photos, *against, *more)
    np.savez(photos.folder / "narrow.npz", mu=np.zeros(5), sigma=np.eye(5))
    refused = refuse(photos, "evaluate", "fakes", "--against", "narrow.npz")
    assert "statistics of 5 features, and Inception has 64, 192, 768, 2048" in refused
    refused = refuse(photos, "evaluate", "fakes", "--against", "narrow.npz", *CHEAP)
    assert "narrow.npz holds statistics of 5 features, and random-convolutions" in refused
    np.save(photos.folder / "points.npy", np.zeros((20, 5), np.float32))
    assert "points cannot be compared" in refuse(photos, "evaluate", "points.npy", "--against", "narrow.npz", *CHEAP)


def test_a_reference_is_made_of_one_set_of_images_and_replaces_nothing(photos: Command) -> None:
    for arguments, words in (
        (("fakes", "reals", "--save-reference", "ref.npz"), "measures one set of images, not 2"),
        (("fakes", "--against", "reals", "--save-reference", "ref.npz"), "leave out --against"),
        (("fakes", "--save-reference", "ref.npz", "--metric", "mifid"), "leave out --metric"),
        (("fakes", "--save-reference", "ref.npy"), "its name must end in .npz"),
        (("fakes", "--save-reference", "nowhere/ref.npz"), "nowhere is not a folder"),
    ):
        assert words in photos.refused("evaluate", *arguments)
    (photos.folder / "ref.npz").write_bytes(b"mine")
    assert "ref.npz exists already" in photos.refused("evaluate", "fakes", "--save-reference", "ref.npz")


def test_statistics_of_unknown_features_are_said_to_be_guessed(photos: Command) -> None:
    np.savez(photos.folder / "theirs.npz", mu=np.zeros(256, np.float32), sigma=np.eye(256))
    code, out, err = photos("evaluate", "fakes", "--against", "theirs.npz", *CHEAP)
    assert code == 0, err
    assert "theirs.npz does not say how it was measured: taken to be of random-convolutions" in out
    assert "? stats" in out
    torch.save({"mu": np.zeros(256, np.float32), "sigma": np.eye(256)}, photos.folder / "cache.pt")
    same = [value(photos, "fakes", "--against", each, *CHEAP)["value"] for each in ("theirs.npz", "cache.pt")]
    assert same[0] == same[1]
