"""A generator's own samples are found again; errors are what they are said to be."""

import threading
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image

from tests.unit.export.untrained import small, untrained
from zerosum.errors import InputError
from zerosum.explore import inversion
from zerosum.explore.inversion import invert, read_picture
from zerosum.networks import Networks


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inversion, "DRAWN", 64)
    monkeypatch.setattr(inversion, "STARTS", 8)
    monkeypatch.setattr(inversion, "STEPS", 150)


@pytest.mark.parametrize(
    "networks",
    [
        small("compact"),
        small("paper-mlp"),
        small("compact", condition="projection", binary=2),
        small("mlp", dropout=0.1),
    ],
    ids=["normal", "uniform", "classes and signs", "dropout"],
)
def test_a_sample_of_its_own_is_found(networks: Networks) -> None:
    generator = untrained(networks, 1, 8, 8)
    label = "b" if generator.classes else None
    picture = generator.sample(3, seed=9, label=label)[2]
    found = invert(generator, picture, seed=1, label=label)
    assert found.error < 0.5 * found.drawn_error or found.error < 2
    assert found.error == pytest.approx(float((found.sample.float() - picture.float()).square().mean().sqrt()))
    latent = found.latent[: networks.latent]
    assert found.length == pytest.approx(float(latent.square().mean().sqrt()))
    assert {abs(each) for each in latent[networks.latent - networks.binary :].tolist()} <= {1}
    assert networks.prior == "normal" or latent.abs().max() <= 3**0.5
    if generator.classes:
        assert found.latent[networks.latent :].tolist() == [0, 1, 0]
    if not networks.dropout:
        assert torch.equal(generator.generate(found.latent[None])[0], found.sample)
    again = invert(generator, picture, seed=1, label=label)
    assert torch.equal(again.latent, found.latent)


def test_nothing_to_optimise_is_the_best_of_those_that_were_drawn() -> None:
    generator = untrained(small("mlp", binary=8), 1, 8, 8)
    found = invert(generator, generator.sample(1, seed=5)[0])
    assert found.error == found.drawn_error
    assert found.length == 1
    assert found.usual_lengths == (1, 1)


def test_usual_lengths_are_those_of_the_prior() -> None:
    normal, uniform = (untrained(small(name, latent=64), 1, 8, 8) for name in ("compact", "paper-mlp"))
    for generator, spread in ((normal, 0.5**0.5), (uniform, 0.2**0.5)):  # of a length, times the root of the dimension
        low, high = invert(generator, generator.sample(1, seed=5)[0]).usual_lengths
        assert low < 1 < high
        assert (high - low) / (2 * 1.96) == pytest.approx(spread / 8, rel=0.35)


def test_steps_that_lead_away_are_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inversion, "RATE", 100.0)
    generator = untrained(small("compact"), 1, 8, 8)
    found = invert(generator, generator.sample(1, seed=5)[0])
    assert found.error <= found.drawn_error


def test_what_cannot_be_made_stays_far() -> None:
    generator = untrained(small("compact"), 1, 8, 8)
    noise = torch.randint(0, 256, (1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    found = invert(generator, noise)
    assert 10 < found.error <= found.drawn_error


def test_the_turn_is_held_in_every_part_and_what_progress_raises_ends_the_search() -> None:
    generator, turn, told = untrained(small("compact"), 1, 8, 8), threading.Lock(), list[tuple[str, int, int]]()
    picture, held = generator.sample(1)[0], list[bool]()
    generator.network.register_forward_pre_hook(lambda *_: held.append(turn.locked()))

    def tell(*at: object) -> None:
        assert not turn.locked()
        told.append(at)  # type: ignore[arg-type]
        if at == ("searching", 3, 150):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        invert(generator, picture, progress=tell, turn=turn)
    assert held
    assert all(held)
    assert told == [("comparing", 1, 1), *(("searching", step, 150) for step in (1, 2, 3))]


def test_values_of_16_bits_are_brought_to_bytes(tmp_path: Path) -> None:
    stored = numpy.array([[0, 65_535], [32_768, 13_107]], numpy.uint16).repeat(8, 0).repeat(8, 1)
    Image.fromarray(stored).save(tmp_path / "deep.png")
    corners = read_picture(tmp_path / "deep.png", (1, 16, 16))[0, ::15, ::15]
    assert corners.tolist() == [[0, 255], [128, 51]]
    Image.fromarray(stored // 4_096).save(tmp_path / "faint.png")
    with pytest.raises(InputError, match=r"faint.png has values that may be read in two ways: save it with 8 bits"):
        read_picture(tmp_path / "faint.png", (1, 16, 16))


def test_pictures_of_any_size_and_kind_are_read(tmp_path: Path) -> None:
    Image.new("RGBA", (30, 20), (255, 0, 0, 255)).save(tmp_path / "red.png")
    assert read_picture(tmp_path / "red.png", (3, 8, 12)).flatten(1).float().mean(1).tolist() == [255, 0, 0]
    assert read_picture(tmp_path / "red.png", (1, 8, 8)).shape == (1, 8, 8)
    (tmp_path / "text.png").write_text("no picture")
    for path, shape, words in [
        (tmp_path / "text.png", (1, 8, 8), "cannot be used as a picture"),
        (tmp_path / "none.png", (1, 8, 8), "none.png cannot be read: No such file"),
        (tmp_path, (1, 8, 8), "cannot be read: Is a directory"),
        (tmp_path / "red.png", (2,), "cannot be compared with samples of shape"),
        (tmp_path / "red.png", (5, 8, 8), "cannot be compared with samples of shape"),
    ]:
        with pytest.raises(InputError, match=words):
            read_picture(path, shape)
