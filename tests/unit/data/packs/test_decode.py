"""Image files of every kind become upright 8-bit pixels of the wanted size, and bad ones say why not."""

import io
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, TiffImagePlugin

from tests.photos import encoded, picture
from zerosum.data.packs.annotations import Box
from zerosum.data.packs.decode import Outside, decode, read_values
from zerosum.data.packs.headers import Header, Unreadable, read_header, read_pages
from zerosum.data.preparation import Preparation
from zerosum.data.values import Range

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
Pixels = NDArray[np.uint8]


def prepared(
    content: bytes, size: tuple[int, int] = (32, 32), channels: int = 3, box: Box | None = None, **changes: object
) -> Pixels:
    return decode(content, size, channels, Preparation(**changes), box)  # type: ignore[arg-type]


def scaled(content: bytes, values: Range, size: tuple[int, int] = (32, 32)) -> Pixels:
    return decode(content, size, 1, Preparation(), None, values)


def rows(image: Image.Image) -> Pixels:
    """Decode to [C, H, W]."""
    return np.asarray(image.convert("RGB")).transpose(2, 0, 1)


def stripes(*colours: tuple[int, int, int], width: int = 40, height: int = 40, upright: bool = False) -> Image.Image:
    """Draw them side by side, or with `upright` one above the other."""
    image = Image.new("RGB", (width * len(colours), height))
    for number, colour in enumerate(colours):
        image.paste(colour, (number * width, 0, (number + 1) * width, height))
    return image.transpose(Image.Transpose.ROTATE_270) if upright else image


def reason(content: bytes, **changes: object) -> str:
    with pytest.raises(Unreadable) as caught:
        prepared(content, **changes)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_lossless_formats_come_out_as_they_went_in(kind: str, options: dict[str, object]) -> None:
    image = picture(0, (32, 32))
    np.testing.assert_array_equal(prepared(encoded(image, kind, **options)), rows(image))


def test_gif() -> None:
    image = stripes(RED, GREEN, BLUE, (12, 34, 56), width=8, height=32)
    np.testing.assert_array_equal(prepared(encoded(image, "GIF")), rows(image))


@pytest.mark.parametrize(
    ("kind", "options"), [("JPEG", {"quality": 100, "subsampling": 0}), ("WEBP", {"quality": 100})]
)
def test_lossy_formats_keep_flat_colours(kind: str, options: dict[str, object]) -> None:
    """Rounded Y, Cb, Cr are wrong by 0.5 and their mean by 1/16, so red by 0.56 * 2.4, blue by 0.56 * 2.8; rounded: 2.

    WebP's narrower range of Y and its 8-bit arithmetic add the same again.
    """
    found = prepared(encoded(Image.new("RGB", (32, 32), (200, 90, 30)), kind, **options)).astype(int)
    worst = np.abs(found - np.array([200, 90, 30])[:, None, None]).max()
    assert worst <= (2 if kind == "JPEG" else 4)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_of_several_frames_the_first_counts(kind: str) -> None:
    lossless = {"lossless": True} if kind == "WEBP" else {}
    content = encoded(stripes(RED), kind, save_all=True, append_images=[stripes(BLUE)], **lossless)
    np.testing.assert_array_equal(prepared(content), rows(stripes(RED, width=32, height=32)))


def as_stored(upright: Pixels, orientation: int) -> Pixels:
    """Return rows as the EXIF standard stores them, by where 0th row and 0th column lie in the upright [H, W, C]."""
    turned = upright.transpose(1, 0, 2)
    return {
        1: upright,  # top, left
        2: upright[:, ::-1],  # top, right
        3: upright[::-1, ::-1],  # bottom, right
        4: upright[::-1],  # bottom, left
        5: turned,  # left, top
        6: turned[::-1],  # right, top
        7: turned[::-1, ::-1],  # right, bottom
        8: turned[:, ::-1],  # left, bottom
    }[orientation]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_becomes_the_upright_picture(kind: str, orientation: int) -> None:
    """Draw four flat quarters of whole 16x16 blocks: an encoder treats each alike, wherever it lies."""
    top, bottom = stripes(RED, GREEN, width=32, height=16), stripes(BLUE, (90, 90, 90), width=32, height=16)
    upright = np.concatenate([np.asarray(top), np.asarray(bottom)])
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    plain = encoded(Image.fromarray(upright), kind, **options)
    stored = Image.fromarray(np.ascontiguousarray(as_stored(upright, orientation)))
    turned = encoded(stored, kind, exif=exif, **options)
    for size in ((32, 64), (16, 16)):
        np.testing.assert_array_equal(prepared(turned, size), prepared(plain, size))


def test_a_box_is_in_pixels_as_stored_and_its_content_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the 0th column is the top
    stored = Image.new("RGB", (64, 32), WHITE)
    stored.paste(RED, (40, 0, 60, 10))
    stored.paste(BLUE, (40, 10, 60, 20))
    found = prepared(encoded(stored, "PNG", exif=exif), (20, 20), box=Box(40, 0, 60, 20))
    np.testing.assert_array_equal(found, rows(stripes(BLUE, RED, width=10, height=20)))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_damaged_metadata_do_not_cost_the_picture(kind: str) -> None:
    content = encoded(picture(1, (32, 32)), kind, exif=b"Exif\0\0II*\0garbage that is no directory of tags")
    assert prepared(content).shape == (3, 32, 32)


def test_palettes() -> None:
    image = stripes(RED, GREEN, (1, 2, 3), WHITE, width=8, height=32).quantize(4)
    assert image.mode == "P"
    np.testing.assert_array_equal(prepared(encoded(image, "PNG")), rows(image))


@pytest.mark.parametrize("transparency", [1, b"\xff\0"])
def test_transparent_entries_of_a_palette_are_white_or_kept(transparency: int | bytes) -> None:
    image = Image.new("P", (32, 32), 1)
    image.putpalette([*RED, *BLACK])
    image.paste(0, (0, 0, 16, 32))
    content = encoded(image, "PNG", transparency=transparency)
    np.testing.assert_array_equal(prepared(content), rows(stripes(RED, WHITE, width=16, height=32)))
    np.testing.assert_array_equal(prepared(content, channels=4)[3], np.repeat([[255] * 16 + [0] * 16], 32, 0))


@pytest.mark.parametrize(("mode", "key"), [("RGB", BLACK), ("L", 0), ("1", 0)])
def test_a_transparent_colour_is_white(mode: str, key: object) -> None:
    content = encoded(Image.new(mode, (32, 32)), "PNG", transparency=key)
    assert read_header(content).transparent
    assert (prepared(content) == 255).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_one_bit(kind: str) -> None:
    image = stripes(BLACK, WHITE, width=16, height=32).convert("1")
    np.testing.assert_array_equal(prepared(encoded(image, kind), channels=1)[0], rows(image)[0])
    np.testing.assert_array_equal(prepared(encoded(image, kind), channels=3), rows(image))


def test_gray_as_colour_and_colour_as_gray() -> None:
    gray, colour = picture(2, (32, 32), "L"), picture(2, (32, 32))
    np.testing.assert_array_equal(prepared(encoded(gray, "PNG"), channels=1)[0], np.asarray(gray))
    np.testing.assert_array_equal(prepared(encoded(gray, "PNG")), np.repeat(np.asarray(gray)[None], 3, 0))
    luma = np.tensordot([0.299, 0.587, 0.114], rows(colour).astype(float), 1)  # ITU-R BT.601
    assert np.abs(prepared(encoded(colour, "PNG"), channels=1)[0] - luma).max() <= 1


@pytest.mark.parametrize(("mode", "channels"), [("LA", 1), ("LA", 3), ("RGBA", 3), ("RGBA", 1)])
def test_alpha_is_laid_over_white(mode: str, channels: int) -> None:
    image = Image.new("RGBA", (32, 32), (60, 60, 60, 51))
    found = prepared(encoded(image.convert(mode), "PNG"), channels=channels)
    assert set(np.unique(found).tolist()) == {255 - (255 - 60) * 51 // 255}


@pytest.mark.parametrize(("mode", "channels"), [("LA", 2), ("RGBA", 4), ("L", 2), ("RGB", 4), ("CMYK", 4), ("1", 2)])
def test_alpha_can_be_kept(mode: str, channels: int) -> None:
    image = Image.new("RGBA", (32, 32), (60, 60, 60, 51)).convert(mode)
    found = prepared(encoded(image, "TIFF"), channels=channels)
    assert found.shape == (channels, 32, 32)
    assert set(np.unique(found[-1]).tolist()) == {51 if mode.endswith("A") else 255}


def test_hidden_colours_do_not_bleed_into_resized_ones() -> None:
    """Under full transparency the file has red; resizing must not mix it into its black neighbours."""
    image = Image.new("RGBA", (64, 64), (*RED, 0))
    image.paste((*BLACK, 255), (0, 0, 33, 64))
    content = encoded(image, "PNG")
    over_white, kept = prepared(content, (8, 8)), prepared(content, (8, 8), 4)
    np.testing.assert_array_equal(over_white[0], over_white[1])
    assert kept[:3, kept[3] > 128].max() == 0


def test_cmyk() -> None:
    image = Image.new("CMYK", (32, 32), (0, 0, 0, 0))
    image.paste((255, 0, 0, 0), (16, 0, 32, 32))
    expected = rows(stripes(WHITE, (0, 255, 255), width=16, height=32)).astype(int)
    for kind, worst in (("TIFF", 0), ("JPEG", 1)):  # at quality 100 a flat block's mean is wrong by 1/16, then rounded
        found = prepared(encoded(image, kind, **({"quality": 100} if kind == "JPEG" else {})))
        assert np.abs(found - expected).max() <= worst


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_of_gray(kind: str) -> None:
    values = np.repeat(np.arange(32, dtype=np.uint16)[None] * 2114, 32, 0)
    values[:, -1] = 65535
    content = encoded(Image.fromarray(values), kind)
    assert read_header(content).gray
    np.testing.assert_array_equal(scaled(content, (0, 65535))[0], (values / 257).round())


@pytest.mark.parametrize(
    ("values", "known", "expected"),
    [
        (np.array([[0, 65535]], np.int32), (0, 65535), [0, 255]),
        (np.array([[-1000, 40]], np.int32), (-1000, 3000), [0, 66]),
        (np.array([[-1, 131070]], np.int32), (0, 65535), [0, 255]),
        (np.array([[0, 0.2]], np.float32), (0, 1), [0, 51]),
        (np.array([[-1, 1]], np.float32), (-1, 1), [0, 255]),
        (np.array([[0, 20]], np.uint8), (0, 20), [0, 255]),
    ],
)
def test_one_range_decides_whatever_else_is_in_the_file(
    values: NDArray[np.float32], known: Range, expected: list[int]
) -> None:
    content = encoded(Image.fromarray(values.repeat(16, 0).repeat(8, 1)), "TIFF")
    assert read_header(content).gray
    np.testing.assert_array_equal(scaled(content, known, (16, 16))[0, 0], np.repeat(expected, 8))


def test_what_is_not_a_number_is_refused() -> None:
    values = np.zeros((32, 32), np.float32)
    values[3, 3] = np.nan
    content = encoded(Image.fromarray(values), "TIFF")
    with pytest.raises(Unreadable, match="it has pixels that are not finite numbers"):
        read_values(content, 0)
    with pytest.raises(Unreadable, match="it has pixels that are not finite numbers"):
        scaled(content, (0, 1))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *((kind, "RGB") for kind in ("PPM", "TGA", "AVIF", "JPEG2000", "PCX", "QOI", "SGI", "ICO")),
        *((kind, "L") for kind in ("PPM", "TGA", "AVIF", "JPEG2000", "PCX", "SGI")),
    ],
)
def test_further_formats_come_out_as_they_went_in(kind: str, mode: str) -> None:
    """AVIF's chroma and its matrix of colours lose a little even at best quality, at most 4 levels as WebP."""
    image = Image.new(mode, (32, 32), 77) if kind == "AVIF" else picture(0, (32, 32), mode)
    options = {"quality": 100, "subsampling": "4:4:4"} if kind == "AVIF" else {}
    found = prepared(encoded(image, kind, **options)).astype(int)
    assert np.abs(found - rows(image)).max() <= (4 if kind == "AVIF" else 0)


@pytest.mark.parametrize("options", [{}, {"compression": "tga_rle"}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
def test_targa_is_told_by_its_header_alone(options: dict[str, str], mode: str) -> None:
    image = picture(0, (32, 32), mode)
    content = encoded(image, "TGA", **options).removesuffix(b"TRUEVISION-XFILE.\0")
    np.testing.assert_array_equal(prepared(content), rows(image))


def test_pages_of_a_tiff_are_told_from_its_thumbnails_and_masks() -> None:
    pages = [picture(number, (32, 32)) for number in range(3)]
    content = encoded(pages[0], "TIFF", save_all=True, append_images=[*pages[1:], picture(9, (8, 8))])
    assert [number for number, header in read_pages(content, "auto") if isinstance(header, Header)] == [0, 1, 2]
    assert "another size than the first page (data.pages=all takes it)" in str(read_pages(content, "auto")[3][1])
    assert len(read_pages(content, "all")) == 4
    assert len(read_pages(content, "first")) == 1
    np.testing.assert_array_equal(decode(content, (32, 32), 3, Preparation(), None, None, 2), rows(pages[2]))
    frame = TiffImagePlugin.ImageFileDirectory_v2()
    frame[0x00FE] = 4
    masked = encoded(pages[0], "TIFF", save_all=True, append_images=[pages[1]], tiffinfo=frame)
    assert str(read_pages(masked, "auto")[1][1]) == "it is a thumbnail or a mask (data.pages=all takes it)"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_taken_unless_all_are_asked_for(kind: str) -> None:
    content = encoded(stripes(RED), kind, save_all=True, append_images=[stripes(BLUE), stripes(GREEN)])
    ((_, header),) = read_pages(content, "auto")
    assert isinstance(header, Header)
    assert header.frames == 3
    assert [number for number, _ in read_pages(content, "all")] == [0, 1, 2]


def test_a_file_damaged_after_its_first_page_says_so() -> None:
    pages = [picture(number, (64, 64)) for number in range(3)]
    content = bytearray(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert [number for number, _ in read_pages(bytes(content), "auto")] == [0, 1, 2]
    (_, first), (number, reason) = read_pages(bytes(content[: len(content) // 2]), "auto")
    assert isinstance(first, Header)
    assert number == 1
    assert str(reason).startswith("it is damaged from page 2 on: ")


def swapped_profile() -> bytes:
    """Return sRGB's profile with the primaries of red and green exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {bytes(profile[place : place + 4]): place for place in range(132, 132 + 12 * profile[131], 12)}
    profile[tags[b"rXYZ"] : tags[b"rXYZ"] + 4], profile[tags[b"gXYZ"] : tags[b"gXYZ"] + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colour_profiles_are_applied(mode: str) -> None:
    """Off by two at most: the curves of both profiles are interpolated, and either result is rounded to 8 bits."""
    image = stripes(RED, (0, 0, 128), width=16, height=32)
    image = image.quantize(4) if mode == "P" else image.convert(mode)
    content = encoded(image, "PNG", icc_profile=swapped_profile())
    expected = rows(stripes(GREEN, (0, 0, 128), width=16, height=32)).astype(int)
    assert np.abs(prepared(content) - expected).max() <= 2


def test_colour_profiles_leave_transparency_alone() -> None:
    key = encoded(stripes(RED, BLACK, width=16, height=32), "PNG", icc_profile=swapped_profile(), transparency=BLACK)
    assert (prepared(key)[:, :, 16:] == 255).all()
    half = encoded(Image.new("RGBA", (32, 32), (*RED, 128)), "PNG", icc_profile=swapped_profile())
    assert (prepared(half, channels=4)[3] == 128).all()


@pytest.mark.parametrize("profile", [b"no profile", swapped_profile()[:300]])
def test_a_broken_profile_is_ignored(profile: bytes) -> None:
    content = encoded(stripes(RED, width=32, height=32), "PNG", icc_profile=profile)
    np.testing.assert_array_equal(prepared(content), rows(stripes(RED, width=32, height=32)))


@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize(
    ("crop", "expected"),
    [
        ("centre", [GREEN] * 30),
        ("fit", [WHITE] * 10 + [None] * 10 + [WHITE] * 10),
        ("stretch", [RED] * 10 + [GREEN] * 10 + [BLUE] * 10),
    ],
)
def test_crops_of_an_image_that_is_not_square(crop: str, expected: list[object], upright: bool) -> None:
    """Along the stripes for `fit`, across them for the others; away from edges, which Lanczos blurs by three pixels."""
    content = encoded(stripes(RED, GREEN, BLUE, upright=upright), "PNG")
    found = prepared(content, (30, 30), crop=crop)
    line = found[:, 15] if upright == (crop == "fit") else found[:, :, 15]
    for place in (1, 5, 14, 15, 24, 28):
        if expected[place] is not None:
            assert tuple(line[:, place].tolist()) == expected[place]


def test_the_centre_is_the_centre_to_the_pixel() -> None:
    image = picture(3, (50, 32))
    np.testing.assert_array_equal(prepared(encoded(image, "PNG")), rows(image)[:, :, 9:41])


def test_height_comes_first() -> None:
    assert prepared(encoded(picture(4, (100, 100)), "PNG"), (48, 64)).shape == (3, 48, 64)


@pytest.mark.parametrize("size", [(1, 1), (1, 1000), (1000, 1), (7, 3), (1, 20)])
@pytest.mark.parametrize("crop", ["centre", "fit", "stretch", "random"])
def test_extreme_shapes(size: tuple[int, int], crop: str) -> None:
    for channels in (1, 2, 3, 4):
        found = prepared(encoded(Image.new("RGB", size, BLACK), "PNG"), (16, 16), channels, crop=crop)
        assert found.shape == (channels, 16, 16)
        assert found[0].min() == 0  # however thin, it is seen


def test_random_crops_are_a_function_of_the_content() -> None:
    """Each pixel of a ramp tells its place: a crop starts at a whole place or between two, and lies inside."""
    ramp = Image.fromarray(np.repeat(np.arange(200, dtype=np.uint8)[None], 20, 0))
    contents = [encoded(ramp, "TIFF", description=str(number)) for number in range(12)]
    starts = [int(prepared(content, (20, 20), 1, crop="random")[0, 10, 10]) - 10 for content in contents]
    assert starts == [int(prepared(content, (20, 20), 1, crop="random")[0, 10, 10]) - 10 for content in contents]
    assert len(set(starts)) > 6
    assert 0 <= min(starts) <= max(starts) <= 180


def lanczos(signal: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Resize along one axis by the definition: a window of three lobes, as wide as the reduction."""
    scale = len(signal) / count
    centres = (np.arange(count) + 0.5) * scale - 0.5
    distance = (np.arange(len(signal))[None] - centres[:, None]) / max(scale, 1)
    weights = np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0)
    return np.asarray((weights / weights.sum(1, keepdims=True)) @ signal)


@pytest.mark.parametrize("count", [16, 40, 100])
def test_resizing_is_by_lanczos(count: int) -> None:
    """Rows are equal, so only one direction weighs: its weights and its result are rounded, which is one level."""
    signal = np.random.default_rng(0).integers(60, 196, 64).astype(float)
    content = encoded(Image.fromarray(np.repeat(signal[None].astype(np.uint8), 64, 0)), "PNG")
    assert np.abs(prepared(content, (count, count), 1)[0] - lanczos(signal, count)).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_fine_checkerboard_becomes_gray(kind: str) -> None:
    """Not a coarser one. JPEG keeps it within a level: of a block's coefficients all are stored at quality 100."""
    board = (np.indices((512, 512)).sum(0) % 2 * 255).astype(np.uint8)
    options = {"quality": 100} if kind == "JPEG" else {}
    found = prepared(encoded(Image.fromarray(board), kind, **options), (16, 16), 1).astype(int)
    assert np.abs(found - 127.5).max() <= 1.5


def test_large_jpegs_are_decoded_at_a_reduced_scale_that_is_hardly_seen() -> None:
    """A wave of 256 pixels, 1024 to 64: decoding at 1/8 averages over 8 pixels, which weakens it by 1 - sinc(8/256).

    That is 0.16 of 100 levels; rounding the decoded pixels, and the result, adds half a level each to either way.
    """
    x = np.arange(1024)
    wave = 127.5 + 100 * np.sin(2 * np.pi * x / 256)
    content = encoded(Image.fromarray(np.repeat(wave[None].round().astype(np.uint8), 1024, 0)), "JPEG", quality=95)
    with Image.open(io.BytesIO(content)) as image:
        in_full = encoded(image.convert("L"), "PNG")
    reduced, full = (prepared(each, (64, 64), 1)[0].astype(int) for each in (content, in_full))
    assert np.abs(reduced - full).max() <= 2


def test_a_reduced_scale_is_used_and_is_at_least_twice_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []

    def plain(image: Image.Image) -> Image.Image:
        decoded.append(image.size)
        return image.convert("RGB")

    monkeypatch.setattr("zerosum.data.packs.decode._to_resizable", plain)
    prepared(encoded(picture(5, (1600, 1200)), "JPEG"), (64, 64))
    prepared(encoded(picture(5, (1600, 1200)), "JPEG"), (64, 128), crop="stretch")
    prepared(encoded(picture(5, (1600, 1200)), "JPEG"), (64, 64), box=Box(800, 600, 1300, 1200))
    assert decoded == [(200, 150), (400, 300), (250, 300)]


@pytest.mark.parametrize("box", [Box(0, 0, 40, 32), Box(3, 5, 23, 25), Box(7, 0, 40, 32), Box(24, 16, 40, 32)])
def test_boxes_are_cut_where_they_are(box: Box) -> None:
    image = picture(6)
    size = (box.bottom - box.top, box.right - box.left)
    found = prepared(encoded(image, "PNG"), size, box=box)
    np.testing.assert_array_equal(found, rows(image)[:, box.top : box.bottom, box.left : box.right])


def test_boxes_past_the_border_are_cut_there() -> None:
    image = picture(7)
    found = prepared(encoded(image, "PNG"), (32, 20), box=Box(20, -50, 70, 32))
    np.testing.assert_array_equal(found, rows(image)[:, :, 20:])


@pytest.mark.parametrize("box", [Box(50, 0, 90, 30), Box(-60, 0, -20, 30), Box(0, 40, 30, 80), Box(-30, 0, 9, 30)])
def test_of_a_box_enough_must_lie_inside(box: Box) -> None:
    with pytest.raises(Outside, match=r"less than data\.smallest_box=10 lies inside its 40 x 32 pixels"):
        prepared(encoded(picture(8), "PNG"), box=box, smallest_box=10)


@pytest.mark.parametrize("size", [(4001, 3003), (1999, 2998), (1280, 1024)])
@pytest.mark.parametrize("place", [(0.1, 0.2), (0.65, 0.7), (0.9, 0.9)])
def test_boxes_in_large_jpegs_decoded_at_a_reduced_scale(size: tuple[int, int], place: tuple[float, float]) -> None:
    """A black box on white, cut out as a quarter of a megapixel is decoded: no edge is off by half a decoded pixel.

    That is a quarter of a resulting one, as decoding is at twice the size or more, so a pixel at the border takes at
    most a quarter of white; Lanczos overshoots by a tenth of a step, and JPEG's blocks add a few levels.
    """
    image = Image.new("L", size, 255)
    left, top = round(size[0] * place[0]), round(size[1] * place[1])
    box = Box(left, top, min(left + 803, size[0]), min(top + 801, size[1]))
    image.paste(0, tuple(box))
    found = prepared(encoded(image, "JPEG", quality=95), (16, 16), 1, box=box, crop="stretch")[0]
    assert found.max() <= 255 * (0.25 + 0.1) + 5
    assert found[2:-2, 2:-2].max() <= 5
    wide = Box(box.left - 50, box.top - 50, box.right, box.bottom)  # a resulting pixel more at two sides
    seen = prepared(encoded(image, "JPEG", quality=95), (17, 17), 1, box=wide, crop="stretch")[0]
    assert seen[0].min() >= 255 * (1 - 0.25 - 0.1) - 5
    assert seen[:, 0].min() >= 255 * (1 - 0.25 - 0.1) - 5


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def five_bands() -> bytes:
    """Write a TIFF of 8x8 pixels of five channels."""
    tags = {256: 8, 257: 8, 259: 1, 262: 1, 273: 200, 277: 5, 278: 8, 279: 8 * 8 * 5}
    entries = {tag: struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in tags.items()}
    entries[258] = struct.pack("<HHII", 258, 3, 5, 180)
    directory = struct.pack("<H", len(entries)) + b"".join(entries[tag] for tag in sorted(entries)) + bytes(4)
    head = b"II*\0" + struct.pack("<I", 8) + directory
    return head.ljust(180, b"\0") + struct.pack("<5H", 8, 8, 8, 8, 8).ljust(20, b"\0") + bytes(8 * 8 * 5)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "it is empty"),
        (b"just some words", "it is text, not an image"),
        (b"<!DOCTYPE html><title>404</title>", "it is a web page, not an image"),
        (b"\n <HTML><body>", "it is a web page, not an image"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "it is XML, not an image"),
        (b"\0\1\2\3" * 100, "it is data of another kind, not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n", "it is text, not an image"),
        (five_bands(), "it is a TIFF that is not read: damaged, or of other channels than gray, colour and"),
        (png_header(60_000, 60_000), "it claims more pixels than is safe to decode"),
        (png_header(13_377, 13_377), "it claims 13377 x 13377 pixels: none, or more than is safe to decode"),
        (png_header(100, 100), "it is damaged: image file is truncated"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_is_no_usable_image_says_why(content: bytes, expected: str) -> None:
    assert reason(content).startswith(expected)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_truncated_files_are_refused(kind: str, share: float) -> None:
    content = encoded(picture(9, (200, 200)), kind)
    assert reason(content[: int(len(content) * share)]).startswith("it is ")


def test_a_survey_looks_at_the_head_only() -> None:
    content = encoded(picture(10, (200, 100), "L"), "PNG")
    for each in (content, content[:200]):
        header = read_header(each)
        assert (header.size, header.gray, header.transparent) == ((100, 200), True, False)
    with pytest.raises(Unreadable):
        prepared(content[:200])
