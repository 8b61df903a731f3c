"""Whatever happens to the bytes of a file, only documented errors come out, and each is one line."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.photos import encoded, picture
from zerosum.data.packs import annotations
from zerosum.data.packs.annotations import Box
from zerosum.data.packs.collection import Item, Skipped
from zerosum.data.packs.decode import decode
from zerosum.data.packs.headers import Unreadable, read_header
from zerosum.data.preparation import Preparation
from zerosum.data.readers import archive, open_source
from zerosum.errors import InputError

# Of odd metadata Pillow warns; packing silences it, for all threads at once.
pytestmark = pytest.mark.filterwarnings("ignore")

EXIF = Image.Exif()
EXIF[0x0112] = 6
SMALL = picture(0, (24, 20))
FILES = {
    "jpeg": encoded(SMALL, "JPEG", exif=EXIF),
    "jpeg, progressive": encoded(SMALL, "JPEG", progressive=True),
    "jpeg, cmyk": encoded(SMALL.convert("CMYK"), "JPEG"),
    "png": encoded(SMALL, "PNG", exif=EXIF),
    "png, palette": encoded(SMALL.quantize(16), "PNG", transparency=3),
    "png, 16 bits": encoded(Image.fromarray(np.asarray(SMALL.convert("L"), np.uint16) * 257), "PNG"),
    "webp": encoded(SMALL, "WEBP", exif=EXIF),
    "webp, alpha": encoded(SMALL.convert("RGBA"), "WEBP", lossless=True),
    "bmp": encoded(SMALL),
    "bmp, palette": encoded(SMALL.quantize(16)),
    "tiff": encoded(SMALL, "TIFF", exif=EXIF),
    "tiff, lzw": encoded(SMALL, "TIFF", compression="tiff_lzw"),
    "tiff, jpeg": encoded(SMALL, "TIFF", compression="jpeg"),
    "tiff, fractions": encoded(SMALL.convert("F"), "TIFF"),
    "gif": encoded(SMALL, "GIF", save_all=True, append_images=[picture(1, (24, 20))]),
}
ANNOTATION = (
    b'<?xml version="1.0" encoding="utf-8"?><!DOCTYPE annotation><annotation><filename>a.jpg</filename><object>'
    b"<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>31.5</xmax><ymax>42</ymax></bndbox></object></annotation>"
)


@st.composite
def mutations(draw: st.DrawFn, content: bytes) -> bytes:
    """`content` with up to six bytes changed, parts cut out, and bytes inserted; heads are hit as often as bodies."""
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, min(len(changed), 100)) | st.integers(0, len(changed)))
        kind = draw(st.sampled_from(("change", "cut", "insert")))
        if kind == "change":
            changed[place : place + 1] = bytes([draw(st.sampled_from((0, 1, 127, 128, 255)) | st.integers(0, 255))])
        elif kind == "cut":
            del changed[place : place + draw(st.integers(1, 4) | st.integers(1, len(content)))]
        else:
            changed[place:place] = draw(st.binary(min_size=1, max_size=8))
    return bytes(changed)


def one_line(error: Exception) -> None:
    assert str(error)
    assert "\n" not in str(error)


@settings(max_examples=40)
@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
def test_images(name: str, data: st.DataObject) -> None:
    content = data.draw(mutations(FILES[name]))
    crop = data.draw(st.sampled_from(("centre", "fit", "stretch", "random")))
    channels = data.draw(st.integers(1, 4))
    box = data.draw(st.none() | st.just(Box(2, 1, 19, 18)))
    try:
        assert min(read_header(content).size) > 0
    except Unreadable as error:
        one_line(error)
    try:
        pixels = decode(content, (8, 12), channels, Preparation(crop=crop), box)
    except Unreadable as error:
        one_line(error)
    else:
        assert (pixels.shape, pixels.dtype) == ((channels, 8, 12), np.uint8)


@settings(max_examples=100)
@given(data=st.data())
def test_annotations(data: st.DataObject) -> None:
    content = data.draw(mutations(ANNOTATION))
    try:
        found = annotations.read_boxes(content)
    except annotations.NotAnAnnotation as error:
        one_line(error)
    else:
        assert all(isinstance(side, int) for box in found for side in box)


def zipped(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name in ("a/0.bmp", "a/ä.bmp", "b/1.xml"):
            file.writestr(zipfile.ZipInfo(name), ANNOTATION, method)
    return buffer.getvalue()


@settings(max_examples=100)
@given(content=st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)).map(zipped).flatmap(mutations))
def test_archives(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.zip"
    path.write_bytes(content)
    try:
        found = list(archive.list_files(path))
    except InputError as error:
        one_line(error)
        return
    for each in found:
        if isinstance(each, Skipped):
            assert each.reason == "its name leads out of the archive"
            continue
        assert isinstance(each, Item)
        try:
            each.read()
        except OSError as error:
            one_line(error)


@settings(max_examples=100)
@given(
    place=st.integers(1, 120), form=st.sampled_from(("<H", "<I", "<Q")), value=st.sampled_from((0, 1, 2**15, 2**16 - 1))
)
def test_numbers_of_an_archives_directory(
    tmp_path_factory: pytest.TempPathFactory, place: int, form: str, value: int
) -> None:
    """Counted from its end: where the directory lies, how large it is, and what it says of the last entry."""
    content = bytearray(zipped(zipfile.ZIP_DEFLATED))
    struct.pack_into(form, content, len(content) - max(place, struct.calcsize(form)), value)
    path = tmp_path_factory.getbasetemp() / "fuzzed.zip"
    path.write_bytes(bytes(content))
    try:
        found = list(archive.list_files(path))
    except InputError as error:
        one_line(error)
        return
    assert len(found) <= 3  # it never claims more than was put in
    for each in found:
        if isinstance(each, Skipped):
            one_line(OSError(each.reason))
            continue
        try:
            content = each.read()
        except OSError as error:
            one_line(error)
        else:
            assert content == ANNOTATION[: len(content)]  # what is read is what was put in, at most cut short


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_folders(tmp_path: Path, data: st.DataObject) -> None:
    """Every kind of file at once, one in three of them mutated: a source, or one line."""
    for name, content in FILES.items():
        changed = data.draw(mutations(content)) if data.draw(st.integers(0, 2)) == 0 else content
        (tmp_path / f"{name}.{name.split(',')[0]}").write_bytes(changed)
    if data.draw(st.booleans()):
        (tmp_path / "jpeg.xml").write_bytes(data.draw(mutations(ANNOTATION)))
    else:
        (tmp_path / "jpeg.xml").unlink(missing_ok=True)
    try:
        source = open_source(str(tmp_path))
    except InputError as error:
        one_line(error)
    else:
        assert len(source.train) > 0
        assert len(source.test) > 0
