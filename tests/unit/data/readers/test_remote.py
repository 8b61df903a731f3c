"""Packs on other machines: the same data as on this one, read from real servers on loopback, good ones and bad ones."""

import base64
import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.photos import fill
from tests.servers import Behaviour, serving
from zerosum.data import Source, cache_folder
from zerosum.data.packs import blocks, server
from zerosum.data.preparation import Preparation
from zerosum.data.readers import make_absolute, open_source
from zerosum.data.readers.files import find_files
from zerosum.errors import InputError

pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 8192)
    monkeypatch.setattr(server, "PAUSE", 0.001)
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of 48 photos, which are 144 kB in 18 blocks."""
    folder = tmp_path_factory.mktemp("pets")
    for number, kind in enumerate(("cats", "dogs")):
        fill(folder / "photos" / kind, 24, first=100 * number)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(blocks, "BLOCK", 8192)
        return make(folder / "photos", folder / "pets")


@pytest.fixture
def pack(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to break."""
    return Path(shutil.copytree(made, tmp_path / "www" / "pets"))


def make(photos: Path, place: Path) -> Path:
    reader, name = find_files(str(photos))
    reader.pack(name, place, Preparation(), None)
    return place


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


@pytest.fixture
def address(pack: Path, behaviour: Behaviour) -> Iterator[str]:
    with serving(pack.parent, behaviour) as root:
        yield f"{root}/pets"


def refused(address: str, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        look_at_all(open_source(address, Preparation(**options)))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def look_at_all(source: Source) -> torch.Tensor:
    return torch.cat([source.train.samples, source.test.samples])


def count_blocks(behaviour: Behaviour) -> int:
    return sum(name == "pets/images.bin" for name, _ in behaviour.asked)


def test_a_pack_elsewhere_is_the_same_data(pack: Path, address: str, behaviour: Behaviour) -> None:
    expected, found = open_source(str(pack)), open_source(address)
    assert (found.name, found.shape, found.class_names) == (expected.name, expected.shape, expected.class_names)
    assert (found.fingerprint, found.notes, found.prepared) == (expected.fingerprint, expected.notes, expected.prepared)
    assert found.train.labels is not None
    assert expected.train.labels is not None
    assert torch.equal(found.train.labels, expected.train.labels)
    assert found.files is not None
    assert expected.files is not None
    assert found.files.read_bytes() == expected.files.read_bytes()
    assert torch.equal(found.train.minibatch(4, 3, 1).samples, expected.train.minibatch(4, 3, 1).samples)
    assert count_blocks(behaviour) < 18
    assert torch.equal(look_at_all(found), look_at_all(expected))
    assert count_blocks(behaviour) == 18
    assert type(open_source(f"{address}/").train.samples) is torch.Tensor
    assert count_blocks(behaviour) == 18


def test_opening_and_a_minibatch_fetch_few_blocks(address: str, behaviour: Behaviour) -> None:
    source = open_source(address, Preparation(flip=True))
    source.train.minibatch(2, 0, 0)
    assert source.train.flip
    assert 0 < count_blocks(behaviour) <= 7  # two images lie in four blocks at most, the first two of a split in two


@pytest.mark.parametrize("status", [503, 429])
def test_a_server_that_fails_every_third_time_is_asked_again(
    pack: Path, address: str, behaviour: Behaviour, status: int
) -> None:
    behaviour.status = lambda number: status if number % 3 == 0 else 200
    assert torch.equal(look_at_all(open_source(address)), look_at_all(open_source(str(pack))))


def test_a_server_that_breaks_off_is_asked_again(pack: Path, address: str, behaviour: Behaviour) -> None:
    behaviour.cut = lambda number: number % 3 == 0
    assert torch.equal(look_at_all(open_source(address)), look_at_all(open_source(str(pack))))


def test_a_server_that_goes_on_failing_is_one_line(address: str, behaviour: Behaviour) -> None:
    source = open_source(address)
    behaviour.status = lambda number: 503
    with pytest.raises(InputError, match=rf"{address} cannot be read \(asked 5 times\): the server answers 503"):
        look_at_all(source)
    behaviour.status = lambda number: 200
    look_at_all(source)


def test_a_server_that_does_not_answer_is_one_line(
    address: str, behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "TIMEOUT", 0.1)
    behaviour.delay = 0.5
    assert refused(address) == f"the pack at {address} cannot be read: no answer within 0.1 seconds"


def test_other_bytes_than_those_of_the_digest_are_never_seen(address: str, behaviour: Behaviour) -> None:
    behaviour.change = lambda name, content: content if name != "pets/images.bin" else content[:-1] + b"!"
    assert refused(address).startswith(f"the pack at {address} changed since it was opened, or is damaged: images.bin")
    assert count_blocks(behaviour) % 5 == 0
    (mirror,) = (each for each in (cache_folder() / "mirrors").iterdir() if each.is_dir())
    assert not (mirror / "present.bin").read_bytes().strip(b"\0")
    behaviour.change = lambda name, content: content
    look_at_all(open_source(address))


@pytest.mark.parametrize("name", ["blocks.bin", "labels.npy", "files.jsonl"])
def test_a_changed_file_is_refused(pack: Path, address: str, name: str) -> None:
    (pack / name).write_bytes((pack / name).read_bytes() + b"\n")
    assert f"changed since it was opened, or is damaged: {name} of it" in refused(address)


def test_a_file_that_is_cut_off_is_refused(pack: Path, address: str) -> None:
    (pack / "images.bin").write_bytes((pack / "images.bin").read_bytes()[:20000])
    assert f"the pack at {address} changed since it was opened, or is damaged: images.bin" in refused(address)


@pytest.mark.parametrize("name", ["blocks.bin", "labels.npy", "images.bin"])
def test_a_missing_file_is_one_line(pack: Path, address: str, name: str) -> None:
    (pack / name).unlink()
    assert refused(address) == f"the pack at {address} is damaged: the server has no {name}; pack it again"


def test_a_pack_that_is_made_anew_is_read_anew(pack: Path, address: str, tmp_path: Path) -> None:
    before = open_source(address)
    shutil.rmtree(pack)
    make(fill(tmp_path / "photos", 48, first=500), pack)
    after = open_source(address)
    assert after.fingerprint != before.fingerprint
    assert torch.equal(look_at_all(after), look_at_all(open_source(str(pack))))
    with pytest.raises(InputError, match="changed since it was opened"):
        look_at_all(before)


def test_a_server_without_ranges_is_one_line(address: str, behaviour: Behaviour) -> None:
    behaviour.ranges = False
    assert refused(address).startswith(f"the server of {address} does not serve ranges of bytes")


def test_where_no_pack_is_is_one_line(address: str, pack: Path) -> None:
    assert refused(f"{address}-of-others") == (f"no pack at {address}-of-others: the server has no pack.json there")
    about = json.loads((pack / "pack.json").read_text())
    others: list[dict[str, object]] = [
        {"format": "zerosum pack 99"},
        {"format": "zerosum pack 8", "digests": {}},
        {"digests": about["digests"] | {"blocks.bin": "0x"}},
        {"train": "many"},
        {"train": 0, "test": 0},
    ]
    for other in others:
        (pack / "pack.json").write_text(json.dumps(about | other))
        assert refused(address).startswith(f"the pack at {address} is of another version of zerosum, which cannot be")
    (pack / "pack.json").write_text(json.dumps(about | {"digests": about["digests"] | {"labels.npy": "0" * 32}}))
    assert "labels.npy of it has not the bytes of its digest" in refused(address)
    (pack / "pack.json").write_text(json.dumps(about | {"train": 10**30}))
    assert "another number of blocks" in refused(address)
    (pack / "pack.json").write_text("<html>welcome</html>")
    assert refused(address).startswith(f"the pack at {address} is of another version of zerosum, which cannot be")


def test_a_host_that_is_not_there_is_one_line() -> None:
    assert "nowhere.invalid" in refused("http://nowhere.invalid/pets")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert "cannot be read: Cannot connect to host" in refused(f"http://127.0.0.1:{port}/pets")


def test_without_its_server_a_mirror_serves_what_it_has(
    pack: Path, behaviour: Behaviour, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(pack.parent, behaviour) as root:
        source = open_source(f"{root}/pets")
        source.train.minibatch(4, 0, 0)
    again = open_source(f"{root}/pets")
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"{root}/pets cannot be read" in err
    assert f"going on with what is mirrored in {cache_folder() / 'mirrors'}" in err
    expected = open_source(str(pack)).train.minibatch(4, 0, 0).samples
    assert torch.equal(again.train.minibatch(4, 0, 0).samples, expected)
    with pytest.raises(InputError, match=r"cannot be read \(asked 5 times\): Cannot connect"):
        look_at_all(again)


def test_other_pixels_than_those_of_the_pack_are_refused(address: str) -> None:
    assert refused(address, size="16").startswith(f"data.size=16x16: the images of the pack {address} were made with")


def test_credentials_come_from_netrc_and_not_from_the_address(
    address: str, behaviour: Behaviour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    behaviour.authorization = f"Basic {base64.b64encode(b'me:secret').decode()}"
    assert "the server denies access; it takes credentials from ~/.netrc" in refused(address)
    secret = refused(address.replace("//", "//me:secret@"))
    assert "has credentials in it" in secret
    assert "secret" not in secret
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    look_at_all(open_source(address))


def test_without_the_packages_it_says_what_to_install(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "aiohttp", None)
    assert refused(address) == "packs on other machines need more packages: pip install 'zerosum[remote]'"


def test_an_address_means_the_same_in_any_folder(tmp_path: Path) -> None:
    assert make_absolute("https://host/pets/") == "https://host/pets"
    (tmp_path / "pets").mkdir()
    assert make_absolute(f"s3:/{tmp_path}/pets") == f"s3:/{tmp_path}/pets"
