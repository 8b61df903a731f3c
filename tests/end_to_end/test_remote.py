"""Packs on another machine, by the installed command: the bits of the same pack here, also without its server."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.end_to_end.conftest import SMALL, Command, Zerosum
from tests.photos import fill
from tests.servers import Behaviour, serving
from zerosum import recipes
from zerosum.data import Source
from zerosum.data.readers import open_source
from zerosum.game.algorithm import play
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe
from zerosum.run.restoring import look
from zerosum.run_folder import RunFolder

pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")
FEW = ("--steps", 2, *SMALL, "--set", "batch_size=4", "--set", "threads=1")


def draw_nights_and_days(folder: Path, count: int) -> None:
    """Gray images of 8 x 8 pixels, in two classes that a classifier tells apart at once: it makes scoring quick."""
    draw = np.random.default_rng(0)
    for number in range(count):
        name, darkest = (("day", 150), ("night", 0))[number % 2]
        (folder / name).mkdir(parents=True, exist_ok=True)
        pixels = draw.integers(darkest, darkest + 100, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name / f"{number:04d}.bmp")


def test_a_run_on_a_pack_elsewhere_has_the_bits_of_one_here_and_goes_on_without_its_server(
    in_process: Command, installed: Zerosum, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_nights_and_days(in_process.folder / "photos", 200)
    assert in_process("pack", "photos", "--out", "www/cats")[0] == 0
    run = RunFolder(in_process.folder / "run")
    with serving(in_process.folder / "www", Behaviour(status=lambda number: 503 if number % 3 == 0 else 200)) as root:
        trained = installed("train", f"{root}/cats/", "--out", run.path, *FEW)
        assert trained.returncode == 0, trained.stderr
    about, recipe, source = run.describe(), recipes.of_run(run), open_source(in_process.folder / "www" / "cats")
    assert (about["data"], about["fingerprint"]) == (f"{root}/cats", source.fingerprint)
    there = look(run.path)
    here = Players.build(recipe, source, there.engine, 0)
    learn(here, recipe, source, 0, 2)
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"{root}/cats cannot be read" in err
    assert "going on with what is mirrored in" in err
    assert weights(there.players) == weights(here)
    learn(here, recipe, source, 2, 4)
    learn(there.players, recipe, there.source, 2, 4)
    assert weights(there.players) == weights(here)


def learn(players: Players, recipe: Recipe, source: Source, start: int, end: int) -> None:
    for _ in play(players, recipe, source.train, steps=end, seed=0, start=start):
        pass


def weights(players: Players) -> list[bytes]:
    networks = players.generator.network, players.discriminator.network
    return [tensor.numpy().tobytes() for network in networks for tensor in network.state_dict().values()]


def test_data_and_evaluate_read_packs_elsewhere(in_process: Command) -> None:
    photos = fill(in_process.folder / "photos", 32, size=(16, 16), mode="L")
    assert in_process("pack", photos, "--out", "www/cats")[0] == 0
    with serving(in_process.folder / "www", Behaviour()) as root:
        code, told, err = in_process("data", f"{root}/cats", "--sheet", "sheet.png")
        assert (code, err) == (0, "")
        assert "32 images used, 0 left out" in told
        assert (in_process.folder / "sheet.png").exists()
        code, told, err = in_process("evaluate", photos, "--against", f"{root}/cats", "--features", "pixels")
        assert code == 0, err
        assert "all 32 images are also in cats, pixel by pixel" in " ".join(told.split())


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://me:secret@host/cats", "the address of data at host has credentials in it"),
        ("https://host/cats?token=secret", "the address of data at host has a '?' or '#'"),
        ("ftp://host/cats", "ftp:// is not read; packs are read over http, https and s3"),
        ("https:///cats", "an address of data names no host: write https://HOST/PACK"),
        ("https://[secret/cats", "an address of data cannot be read: write https://HOST/PACK or s3://BUCKET/PACK"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_line_without_secrets(
    in_process: Command, address: str, expected: str
) -> None:
    for command in (("train", address), ("data", address)):
        line = in_process.refused(*command)
        assert expected in line
        assert "secret" not in line


def test_a_pack_elsewhere_needs_no_packing(in_process: Command) -> None:
    assert "needs no packing" in in_process.refused("pack", "https://host/cats", "--out", "cats")
