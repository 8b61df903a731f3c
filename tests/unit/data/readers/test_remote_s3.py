"""Packs in an object store: read from moto's S3 on loopback."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.photos import fill
from zerosum.data.packs import server
from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_source
from zerosum.data.readers.files import find_files
from zerosum.errors import InputError

s3fs = pytest.importorskip("s3fs", reason="no s3fs")
moto = pytest.importorskip("moto.server", reason="no server of moto's (moto, flask, flask-cors)")
KEYS = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A pack, in the bucket `photos` of an S3 too."""
    folder = tmp_path_factory.mktemp("s3")
    reader, name = find_files(str(fill(folder / "photos", 32)))
    reader.pack(name, folder / "cats", Preparation(), None)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    started = moto.ThreadedMotoServer("127.0.0.1", 0)
    with pytest.MonkeyPatch.context() as patched:
        for key, value in KEYS.items():
            patched.setenv(key, value)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patched.setenv(name, str(folder / "none"))
        patched.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patched.delenv("AWS_PROFILE", raising=False)
        started.start()
        host, port = started.get_host_and_port()
        patched.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        files = s3fs.S3FileSystem(skip_instance_cache=True)
        files.mkdir("photos")
        files.put(str(folder / "cats"), "photos/cats", recursive=True)
        yield folder / "cats"
        started.stop()


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(server, "PAUSE", 0.001)


def test_a_pack_in_a_bucket_is_the_same_data(store: Path) -> None:
    expected, found = open_source(str(store)), open_source("s3://photos/cats")
    assert (found.name, found.fingerprint) == ("cats", expected.fingerprint)
    assert torch.equal(found.train.minibatch(4, 0, 0).samples, expected.train.minibatch(4, 0, 0).samples)
    assert torch.equal(found.test.samples.float(), expected.test.samples.float())


@pytest.mark.parametrize("address", ["s3://photos/dogs", "s3://nobody/cats"])
def test_where_no_pack_is_is_one_line(store: Path, address: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(address)
    assert str(caught.value) == f"no pack at {address}: the server has no pack.json there"


def test_missing_credentials_are_one_line(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(InputError, match=r"s3://photos/cats cannot be read: there are no credentials for S3: say them"):
        open_source("s3://photos/cats")
