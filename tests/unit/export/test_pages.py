"""Static pages: where their runtime comes from, and what lies in the folder."""

import io
import json
import re
import tarfile
from pathlib import Path

import pytest

from tests.unit.export.untrained import CLASSES, small, untrained
from zerosum.errors import InputError
from zerosum.export import deployed, pages

FILES = {"package.json": b'{"name": "onnxruntime-web", "version": "1.2.3"}'} | {
    f"dist/{name}": name.encode() for name in pages.RUNTIME
}
RUNTIME = pages.Runtime({name: name.encode() for name in pages.RUNTIME}, "1.2.3")


def put(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def pack(path: Path, files: dict[str, bytes] = FILES) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_the_runtime_is_found_wherever_npm_puts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    put(project / "node_modules" / pages.PACKAGE)
    archive = pack(tmp_path / "onnxruntime-web-1.2.3.tgz")
    for place in (project, project / "node_modules", project / "node_modules" / pages.PACKAGE, archive):
        assert pages.read_runtime(place) == RUNTIME
    monkeypatch.chdir(project)
    assert pages.read_runtime(None) == RUNTIME


def test_a_runtime_that_is_missing_is_one_line_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    get = re.escape("run 'npm install onnxruntime-web' here, or 'npm pack onnxruntime-web'")
    lacking = {name: content for name, content in FILES.items() if not name.endswith(".wasm")}
    other = FILES | {"package.json": b'{"name": "other", "version": "1"}'}
    (tmp_path / "no.tgz").write_bytes(b"no archive")
    for place, words in (
        (None, "a page needs the files of onnxruntime-web, which are not in node_modules: "),
        (tmp_path, "which are not in "),
        (Path("nowhere"), "--runtime nowhere: no such file or folder; "),
        (put(tmp_path / "lacking", lacking), "lacking lacks files of onnxruntime-web"),
        (pack(tmp_path / "lacking.tgz", lacking), "lacking.tgz lacks files of onnxruntime-web"),
        (pack(tmp_path / "other.tgz", other), "other.tgz is the package 'other', not onnxruntime-web"),
        (pack(tmp_path / "damaged.tgz", FILES | {"package.json": b"[]"}), "damaged.tgz lacks files"),
        (tmp_path / "no.tgz", "no.tgz cannot be read as a .tgz"),
    ):
        with pytest.raises(InputError, match=f"{words}.*{get}"):
            pages.read_runtime(place)


def test_a_page_is_complete_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = untrained(small("mlp", condition="projection", dropout=0.5), 1, 8, 9)
    traced = deployed.trace(generator)
    monkeypatch.setattr("zerosum.export.onnx.convert", lambda *_: (b"model", 0.5))
    assert pages.write(traced, generator, tmp_path / "page", "<b>mine</b>", RUNTIME) == 0.5
    found = sorted(path.relative_to(tmp_path / "page").as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert found == sorted([*pages.OWN, "about.json", "generator.onnx", *(f"runtime/{name}" for name in pages.RUNTIME)])
    about = json.loads((tmp_path / "page" / "about.json").read_text())
    assert (about["name"], about["noise"], about["channels"], about["classes"]) == ("<b>mine</b>", 16, [0], CLASSES)
    with pytest.raises(InputError, match="exists already and is not an empty folder: choose another --page"):
        pages.write(traced, generator, tmp_path / "page", "again", RUNTIME)
    broken = pages.Runtime({"a/b": b"", "a": b""}, "0")
    with pytest.raises(InputError, match="cannot write to"):
        pages.write(traced, generator, tmp_path / "other", "mine", broken)
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_many_channels_show_three_and_points_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerosum.export.onnx.convert", lambda *_: (b"model", 0))
    generator = untrained(small("mlp"), 5, 8, 8)
    pages.write(deployed.trace(generator), generator, tmp_path / "page", "five", RUNTIME)
    assert json.loads((tmp_path / "page" / "about.json").read_text())["channels"] == [0, 1, 2]
    with pytest.raises(InputError, match="a page shows images, and these samples are points of 2 numbers: use --onnx"):
        pages.check_destination(tmp_path / "points", (2,))
