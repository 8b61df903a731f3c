"""Standard sets by name: what is downloaded, what is not, and what is left if the download fails."""

import dataclasses
import gzip
import hashlib
import io
import re
import struct
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zerosum.data.readers import download, make_readers, open_source, standard
from zerosum.data.readers.binaries import read_cifar10, read_stl10
from zerosum.data.readers.download import File, fetch
from zerosum.data.readers.standard import MNIST, STANDARD_SETS, Online
from zerosum.errors import InputError

NOWHERE = "http://127.0.0.1:9/"  # the port that discards, where nothing listens
CONTENT = np.random.default_rng(0).bytes(200_000)  # several chunks
IMAGES = np.random.default_rng(1).integers(0, 256, (60, 9, 8), dtype=np.uint8)
LABELS = np.arange(60, dtype=np.uint8) % 3


@dataclass
class Site:
    """A web server on the loopback that fails as it is told to."""

    pages: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # (path, its Range)
    ranges: bool = True
    lengths: bool = True
    cuts: list[int] = field(default_factory=list)  # break the next connections after so many bytes
    hold: threading.Event | None = None  # wait for it before any answer
    stall: threading.Event | None = None  # wait for it before breaking a connection
    shift: int = 0  # added to the start of a range
    port: int = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path, wanted = handler.path[1:], handler.headers.get("Range")
        self.requests.append((path, wanted))
        if self.hold is not None:
            self.hold.wait()
        if path not in self.pages:
            return handler.send_error(404)
        whole = self.pages[path]
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.ranges else 0
        handler.send_response(206 if start else 200)
        if start:
            start += self.shift
            handler.send_header("Content-Range", f"bytes {start}-{len(whole) - 1}/{len(whole)}")
        if self.lengths:
            handler.send_header("Content-Length", str(len(whole) - start))
        handler.end_headers()
        cut = self.cuts.pop(0) if self.cuts else None
        handler.wfile.write(whole[start:][:cut])
        if cut is not None and self.stall is not None:
            self.stall.wait()
        return None


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                served.answer(self)
            except ConnectionError:
                self.close_connection = True

        def log_message(self, *words: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield served
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a data folder for one test, and let no proxy stand between it and the loopback."""
    monkeypatch.setenv("ZEROSUM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "data"


def published(content: bytes, *urls: str, name: str = "a.bin") -> File:
    return File(name, len(content), hashlib.sha256(content).hexdigest(), urls)


def idx(array: np.ndarray) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


def tiny(site: Site) -> dict[str, bytes]:
    """Put small versions of MNIST's four files on the site."""
    parts = (IMAGES[:40], LABELS[:40], IMAGES[40:], LABELS[40:])
    site.pages |= {file.name: idx(part) for file, part in zip(MNIST.files, parts, strict=True)}
    return dict(site.pages)


def publish(monkeypatch: pytest.MonkeyPatch, entry: Online, pages: dict[str, bytes], *bases: str) -> None:
    """Make `entry` consist of `pages`, which lie below `bases`."""
    files = tuple(published(content, *(base + name for base in bases), name=name) for name, content in pages.items())
    monkeypatch.setitem(STANDARD_SETS, entry.name, dataclasses.replace(entry, files=files))


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def left(data: Path) -> set[str]:
    """List the files of the data folder, without locks."""
    return {str(path.relative_to(data)) for path in data.rglob("*") if path.is_file() and path.name != ".lock"}


def test_a_set_is_downloaded_once(
    site: Site, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = tiny(site)
    publish(monkeypatch, MNIST, pages, site.url(""))
    source = open_source("mnist")
    assert (source.name, source.shape, source.class_names) == ("mnist", (1, 9, 8), tuple("0123456789"))
    np.testing.assert_array_equal(source.train.samples[:, 0], IMAGES[:40])
    np.testing.assert_array_equal(source.test.samples[:, 0], IMAGES[40:])
    np.testing.assert_array_equal(source.train.labels, LABELS[:40])
    np.testing.assert_array_equal(source.test.labels, LABELS[40:])
    assert site.requests == [(name, None) for name in pages]
    assert left(data) == {f"mnist/{name}" for name in pages}
    said = capsys.readouterr().err
    assert re.match(r"mnist: fetching [\d.]+ kB to " + re.escape(str(data / "mnist")), said)
    assert said.count(MNIST.licence) == said.count(MNIST.citation) == 1
    assert all(f"{name}: 100% of" in said for name in pages)

    monkeypatch.setattr(download, "_compute_sha256", lambda place: pytest.fail(f"{place} is read again"))
    assert open_source("mnist").fingerprint == source.fingerprint
    assert len(site.requests) == len(pages)
    assert capsys.readouterr().err == ""


def test_only_what_is_missing_is_downloaded(site: Site, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = tiny(site)
    publish(monkeypatch, MNIST, pages, site.url(""))
    mine, *others = pages
    (data / "mnist").mkdir(parents=True)
    (data / "mnist" / mine).write_bytes(pages[mine])
    told: list[tuple[str, int, int]] = []
    open_source("mnist", progress=lambda *state: told.append(state))
    assert [path for path, _ in site.requests] == others
    assert {name for name, done, total in told if done == total} == set(others)


def test_the_cache_is_the_place_without_the_variable(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZEROSUM_DATA")
    site.pages["a.bin"] = CONTENT
    (place,) = fetch("set", (published(CONTENT, site.url("a.bin")),), "terms")
    assert place == tmp_path / "cache" / "data" / "set" / "a.bin"


def test_a_file_beside_the_sets_folder_is_used_if_it_is_the_right_one(site: Site, data: Path) -> None:
    site.pages["a.bin"] = CONTENT
    file = published(CONTENT, site.url("a.bin"))
    data.mkdir()
    (data / "a.bin").write_bytes(CONTENT)
    assert fetch("set", (file,), "terms") == (data / "a.bin",)
    assert site.requests == []
    (data / "a.bin").write_bytes(CONTENT[::-1])  # another set's file of the same name
    assert fetch("set", (file,), "terms") == (data / "set" / "a.bin",)
    assert (data / "a.bin").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("other", [CONTENT[:-1], CONTENT[::-1]], ids=["size", "content"])
def test_a_users_own_file_is_never_overwritten(site: Site, data: Path, other: bytes) -> None:
    file = published(CONTENT, site.url("a.bin"))
    (data / "set").mkdir(parents=True)
    (data / "set" / "a.bin").write_bytes(other)
    message = refused(lambda: fetch("set", (file,), "terms"))
    assert str(data / "set" / "a.bin") in message
    assert file.sha256 in message
    assert "move it away" in message
    assert (data / "set" / "a.bin").read_bytes() == other
    assert site.requests == []


@pytest.mark.parametrize("mine", [True, False], ids=["mine", "downloaded"])
def test_a_file_is_read_for_its_checksum_once(
    site: Site, data: Path, mine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["a.bin"] = CONTENT
    (data / "set").mkdir(parents=True)
    if mine:
        (data / "set" / "a.bin").write_bytes(CONTENT)
    read: list[Path] = []
    digest = download._compute_sha256
    monkeypatch.setattr(download, "_compute_sha256", lambda place: (read.append(place), digest(place))[1])
    for _ in range(3):
        fetch("set", (published(CONTENT, site.url("a.bin")),), "terms")
    assert len(read) == 1


def test_a_file_that_changed_since_it_was_checked_is_checked_again(site: Site) -> None:
    site.pages["a.bin"] = CONTENT
    file = published(CONTENT, site.url("a.bin"))
    (place,) = fetch("set", (file,), "terms")
    place.write_bytes(CONTENT[::-1])
    assert "is not what it should be" in refused(lambda: fetch("set", (file,), "terms"))


def test_a_wrong_checksum_leads_to_the_next_mirror(site: Site, data: Path) -> None:
    site.pages |= {"bad": CONTENT[::-1], "good": CONTENT}
    (place,) = fetch("set", (published(CONTENT, site.url("bad"), site.url("good")),), "terms")
    assert place.read_bytes() == CONTENT
    assert site.requests == [("bad", None), ("good", None)]
    assert left(data) == {"set/a.bin"}


def test_wrong_checksums_everywhere(site: Site, data: Path) -> None:
    site.pages |= {"one": CONTENT[::-1], "two": CONTENT[:5000]}
    file = published(CONTENT, site.url("one"), site.url("two"))
    message = refused(lambda: fetch("set", (file,), "terms"))
    assert "a.bin could not be downloaded" in message
    assert f"gave 200000 bytes with sha256 {hashlib.sha256(CONTENT[::-1]).hexdigest()}" in message
    assert "offers 5000 bytes" in message
    assert f"200000 bytes with sha256 {file.sha256}" in message
    assert f"get {site.url('one')} by hand" in message
    assert f"put it at {data / 'set' / 'a.bin'}" in message
    assert left(data) == set()


def test_content_without_an_end_is_not_stored(site: Site, data: Path) -> None:
    site.pages["a.bin"] = CONTENT * 20
    site.lengths = False
    message = refused(lambda: fetch("set", (published(CONTENT, site.url("a.bin")),), "terms"))
    gave = re.search(r"gave (\d+) bytes", message)
    assert gave is not None
    assert len(CONTENT) < int(gave[1]) <= len(CONTENT) + download.CHUNK
    assert left(data) == set()


def test_a_broken_connection_is_taken_up_again(site: Site, data: Path) -> None:
    site.pages["a.bin"] = CONTENT
    site.cuts = [100_000, 70_000]
    (place,) = fetch("set", (published(CONTENT, site.url("a.bin")),), "terms")
    assert site.requests == [("a.bin", None), ("a.bin", "bytes=100000-"), ("a.bin", "bytes=170000-")]
    assert place.read_bytes() == CONTENT
    assert left(data) == {"set/a.bin"}


def test_a_stalled_connection_is_taken_up_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TIMEOUT", 0.1)
    site.pages["a.bin"] = CONTENT
    site.cuts, site.stall = [100_000], threading.Event()
    (place,) = fetch("set", (published(CONTENT, site.url("a.bin")),), "terms")
    site.stall.set()
    assert place.read_bytes() == CONTENT
    assert len(site.requests) == 2
    assert site.requests[1][1] is not None


def test_a_server_that_sends_another_range(site: Site, data: Path) -> None:
    site.pages["a.bin"] = CONTENT
    site.cuts, site.shift = [100_000], 1
    site.lengths = False
    message = refused(lambda: fetch("set", (published(CONTENT, site.url("a.bin")),), "terms"))
    assert "sent another range than it was asked for" in message
    assert (data / "set" / "a.bin.part").read_bytes() == CONTENT[:100_000]


def test_the_next_mirror_goes_on_where_one_broke_off(site: Site) -> None:
    site.pages |= {"one": CONTENT, "two": CONTENT}
    site.cuts = [100_000, 0]
    (place,) = fetch("set", (published(CONTENT, site.url("one"), site.url("two")),), "terms")
    assert site.requests == [("one", None), ("one", "bytes=100000-"), ("two", "bytes=100000-")]
    assert place.read_bytes() == CONTENT


def test_without_ranges_it_starts_over_and_keeps_what_came_if_it_breaks_again(site: Site, data: Path) -> None:
    site.pages["a.bin"] = CONTENT
    site.ranges = False
    site.cuts = [100_000, 100_000]
    file = published(CONTENT, site.url("a.bin"))
    message = refused(lambda: fetch("set", (file,), "terms"))
    assert "the connection broke after 100000 of 200000 bytes; run again" in message
    assert (data / "set" / "a.bin.part").read_bytes() == CONTENT[:100_000]
    assert left(data) == {"set/a.bin.part"}

    (place,) = fetch("set", (file,), "terms")
    assert site.requests[-1] == ("a.bin", "bytes=100000-")
    assert place.read_bytes() == CONTENT
    assert left(data) == {"set/a.bin"}


def test_an_interruption_leaves_a_part_that_is_resumed(site: Site, data: Path) -> None:
    site.pages["a.bin"] = CONTENT
    file = published(CONTENT, site.url("a.bin"))
    seen: list[tuple[str, int, int]] = []

    def interrupt(*state: Any) -> None:
        seen.append(state)
        if state[1] > len(CONTENT) // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch("set", (file,), "terms", interrupt)
    assert left(data) == {"set/a.bin.part"}
    come = (data / "set" / "a.bin.part").stat().st_size
    assert len(CONTENT) // 2 < come < len(CONTENT)

    (place,) = fetch("set", (file,), "terms", lambda *state: seen.append(state))
    assert site.requests == [("a.bin", None), ("a.bin", f"bytes={come}-")]
    assert place.read_bytes() == CONTENT
    assert left(data) == {"set/a.bin"}
    assert seen == sorted(seen)
    assert seen[-1] == ("a.bin", len(CONTENT), len(CONTENT))


@pytest.mark.parametrize("ranges", [True, False])
def test_a_part_of_something_else_is_thrown_away(site: Site, data: Path, ranges: bool) -> None:
    site.pages["a.bin"] = CONTENT
    site.ranges = ranges
    (data / "set").mkdir(parents=True)
    (data / "set" / "a.bin.part").write_bytes(b"<html>")
    (place,) = fetch("set", (published(CONTENT, site.url("a.bin")),), "terms")
    assert place.read_bytes() == CONTENT
    assert left(data) == {"set/a.bin"}


def test_a_part_that_is_whole_needs_no_request(site: Site, data: Path) -> None:
    (data / "set").mkdir(parents=True)
    (data / "set" / "a.bin.part").write_bytes(CONTENT)
    (place,) = fetch("set", (published(CONTENT, site.url("a.bin")),), "terms")
    assert place.read_bytes() == CONTENT
    assert site.requests == []


def test_neither_found_nor_connected(site: Site, data: Path) -> None:
    file = published(CONTENT, site.url("a.bin"), f"{NOWHERE}a.bin")
    message = refused(lambda: fetch("set", (file,), "terms"))
    assert "HTTP 404 Not Found" in message
    assert "Connection refused" in message
    assert f"get {site.url('a.bin')} by hand" in message
    assert f"put it at {data / 'set' / 'a.bin'}" in message
    assert left(data) == set()


def test_a_server_that_never_answers(site: Site, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TIMEOUT", 0.1)
    site.hold = threading.Event()
    message = refused(lambda: fetch("set", (published(CONTENT, site.url("a.bin")),), "terms"))
    site.hold.set()
    assert "timed out" in message
    assert left(data) == set()


def test_nothing_can_be_written(site: Site, data: Path) -> None:
    site.pages["a.bin"] = CONTENT
    data.write_text("not a folder")
    message = refused(lambda: fetch("set", (published(CONTENT, site.url("a.bin")),), "terms"))
    assert f"cannot write to {data / 'set'}" in message
    assert "set ZEROSUM_DATA to another folder" in message
    assert site.requests == []


def test_two_at_once_download_once(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.pages["a.bin"] = CONTENT
    site.hold = threading.Event()
    file = published(CONTENT, site.url("a.bin"))
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(fetch, "set", (file,), "terms") for _ in range(2)]
        said = ""
        while "waiting for another process" not in said and len(site.requests) < 2:
            time.sleep(0.001)
            said += capsys.readouterr().err
        site.hold.set()
        places = {one.result() for one in both}
    assert len(places) == len(site.requests) == 1


@pytest.mark.parametrize(("terminal", "lines"), [(False, 11), (True, 1)])
def test_progress_in_tenths_or_on_one_line(
    terminal: bool, lines: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = download.StderrProgress()
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    for done in range(0, 2_000_001, 1000):
        report("a.bin", done, 2_000_000)
    said = capsys.readouterr().err
    assert said.count("\n") == lines
    assert said.count("\r") == (100 if terminal else 0)
    assert said.endswith("a.bin: 100% of 2.0 MB\n")


def test_mnist_itself(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sizes and digests are those of the real files."""
    away = tuple(dataclasses.replace(file, urls=(NOWHERE + file.name,)) for file in MNIST.files)
    monkeypatch.setitem(STANDARD_SETS, "mnist", dataclasses.replace(MNIST, files=away))
    monkeypatch.setenv("ZEROSUM_DATA", str(shared))
    source = open_source("mnist")
    assert (len(source.train), len(source.test), source.shape, source.classes) == (60_000, 10_000, (1, 28, 28), 10)
    assert source.fingerprint == open_source(str(shared / "mnist")).fingerprint


def test_something_of_that_name_on_disk_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, part in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
        (tmp_path / "mnist").mkdir(exist_ok=True)
        (tmp_path / "mnist" / f"train-{kind}-ubyte.gz").write_bytes(idx(part))
    monkeypatch.chdir(tmp_path)
    assert open_source("mnist").shape == (1, 9, 8)


@pytest.mark.parametrize("name", STANDARD_SETS)
def test_one_reader_answers_to_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (reader,) = [reader for reader in make_readers() if reader.reads(name)]
    assert isinstance(reader, standard.Standard)
    assert name in reader.names
    assert f"'{name}'" in reader.summary


@pytest.mark.parametrize("entry", STANDARD_SETS.values(), ids=lambda entry: entry.name)
def test_entries_are_well_formed(entry: standard.StandardSet) -> None:
    assert STANDARD_SETS[entry.name] is entry
    assert entry.licence
    assert re.search(r"(19|20)\d\d", entry.citation)
    for file in entry.files if isinstance(entry, Online) else ():
        assert file.size > 0
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert file.urls
        assert all(re.match("https?://", url) and url.endswith(f"/{file.name}") for url in file.urls)


@pytest.mark.parametrize("entry", [standard.CELEBA, standard.STANFORD_DOGS], ids=lambda entry: entry.name)
def test_sets_by_hand(entry: standard.ByHand, data: Path) -> None:
    message = refused(lambda: open_source(entry.name))
    assert f"get {entry.file} from {entry.page}" in message
    assert f"unpack it so that there is {data / entry.name / entry.folder}" in message
    assert ("or put it beside" in message) == (entry.file.endswith(".zip"))
    assert entry.licence in message
    folder = data / entry.name / entry.folder
    folder.mkdir(parents=True)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(idx(IMAGES))
    source = open_source(entry.name)
    assert (source.name, source.shape) == (entry.name, (1, 9, 8))


def tarball(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, target in (links or {}).items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


COLOURS = np.random.default_rng(2).integers(0, 256, (12, 3, 32, 32), dtype=np.uint8)
CIFAR_NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def cifar_files() -> dict[str, bytes]:
    """Make two images in each of the six batches; image n has the label n modulo 10."""

    def batch(number: int) -> bytes:
        return b"".join(bytes([n % 10]) + COLOURS[n].tobytes() for n in (2 * number, 2 * number + 1))

    batches = {f"cifar-10-batches-bin/data_batch_{number + 1}.bin": batch(number) for number in range(5)}
    return {
        "cifar-10-batches-bin/batches.meta.txt": ("\n".join(CIFAR_NAMES) + "\n\n").encode(),
        "cifar-10-batches-bin/readme.html": b"<html>",
        **batches,
        "cifar-10-batches-bin/test_batch.bin": batch(5),
    }


def test_cifar10_by_name(site: Site, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.pages["cifar-10-binary.tar.gz"] = tarball(cifar_files())
    publish(monkeypatch, standard.CIFAR_10, dict(site.pages), site.url(""))
    source = open_source("cifar10")
    assert (source.name, source.class_names) == ("cifar10", tuple(CIFAR_NAMES))
    np.testing.assert_array_equal(source.train.samples, COLOURS[:10])
    np.testing.assert_array_equal(source.test.samples, COLOURS[10:])
    assert source.train.labels is not None
    assert source.test.labels is not None
    assert source.train.labels.tolist() == list(range(10))
    assert source.test.labels.tolist() == [0, 1]
    assert left(data) == {"cifar10/cifar-10-binary.tar.gz"}


WIDE = np.random.default_rng(3).integers(0, 256, (5, 3, 96, 96), dtype=np.uint8)


def stl_files() -> dict[str, bytes]:
    columns = WIDE.transpose(0, 1, 3, 2)
    return {
        "stl10_binary/test_X.bin": columns[3:].tobytes(),
        "stl10_binary/test_y.bin": bytes([10, 1]),
        "stl10_binary/train_X.bin": columns[:3].tobytes(),
        "stl10_binary/train_y.bin": bytes([1, 2, 10]),
        "stl10_binary/unlabeled_X.bin": np.random.default_rng(4).bytes(50_000),
    }


def test_stl10_by_name(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.pages["stl10_binary.tar.gz"] = tarball(stl_files())[:-1000]  # nothing after the labels is read
    publish(monkeypatch, standard.STL_10, dict(site.pages), site.url(""))
    source = open_source("stl10")
    assert (source.name, len(source.class_names), source.class_names[9]) == ("stl10", 10, "truck")
    np.testing.assert_array_equal(source.train.samples, WIDE[:3])
    np.testing.assert_array_equal(source.test.samples, WIDE[3:])
    assert source.train.labels is not None
    assert source.test.labels is not None
    assert source.train.labels.tolist() == [0, 1, 9]
    assert source.test.labels.tolist() == [9, 0]


CIFAR, STL = tarball(cifar_files()), tarball(stl_files())
BATCH, META = "cifar-10-batches-bin/data_batch_3.bin", "cifar-10-batches-bin/batches.meta.txt"
LACKING = {name: content for name, content in cifar_files().items() if name != BATCH}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "truncated or damaged"),
        (b"<html>not found</html>", "truncated or damaged"),
        (gzip.compress(b"no tar", mtime=0), "truncated or damaged"),
        (CIFAR[: len(CIFAR) // 2], "truncated or damaged"),
        (CIFAR[:20_000] + bytes(100) + CIFAR[20_100:], "truncated or damaged"),
        (gzip.compress(gzip.decompress(CIFAR)[:20_000], mtime=0), "truncated or damaged"),
        (tarball(LACKING), f"it lacks {BATCH}"),
        (tarball(LACKING, {BATCH: "/etc/passwd"}), f"it lacks {BATCH}"),
        (tarball({f"../{name}": content for name, content in cifar_files().items()}), "it lacks"),
        (tarball(cifar_files() | {BATCH: b""}), f"{BATCH}: 0 bytes are no number of records of 3073 bytes"),
        (tarball(cifar_files() | {BATCH: bytes(3072)}), "3072 bytes are no number of records"),
        (tarball(cifar_files() | {BATCH: bytes([10]) * 3073}), "labels beyond the 10 classes"),
        (tarball(cifar_files() | {META: b""}), "labels beyond the 0 classes"),
    ],
)
def test_malformed_cifar10(tmp_path: Path, content: bytes, expected: str) -> None:
    archive = tmp_path / "cifar.tar.gz"
    archive.write_bytes(content)
    message = refused(lambda: read_cifar10(archive))
    assert expected in message
    assert str(archive) in message


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"stl10_binary/train_y.bin": bytes([1, 2])}, "train_y.bin: 2 labels for 3 images"),
        ({"stl10_binary/train_y.bin": b""}, "train_y.bin: 0 labels for 3 images"),
        ({"stl10_binary/test_y.bin": bytes([0, 1])}, "test_y.bin: there are labels beyond the 10 classes"),
        ({"stl10_binary/test_y.bin": bytes([11, 1])}, "test_y.bin: there are labels beyond the 10 classes"),
        ({"stl10_binary/test_X.bin": bytes(27_649)}, "test_X.bin: 27649 bytes are no number of records"),
    ],
)
def test_malformed_stl10(tmp_path: Path, changed: dict[str, bytes], expected: str) -> None:
    archive = tmp_path / "stl.tar.gz"
    archive.write_bytes(tarball(stl_files() | changed))
    assert expected in refused(lambda: read_stl10(archive))
