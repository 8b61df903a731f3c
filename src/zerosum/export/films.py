"""Films: animated GIF and WebP, and MP4 through ffmpeg where it is installed."""

import contextlib
import io
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from zerosum.atomic import write_atomically
from zerosum.errors import InputError
from zerosum.export import pictures, samples
from zerosum.run_folder import RunFolder

FORMATS = (".gif", ".webp", ".mp4")
LEAST_SIDE = 256  # smaller pictures are enlarged
MOST_PIXELS = 200_000_000  # in all frames together, of which Pillow keeps up to four bytes each
MOST_SIDE = 8_192
CAPTION_HEIGHT, BAR_HEIGHT, CAPTION_MARGIN = 28, 4, 8
DONE, TO_DO = (31, 119, 180), (220, 220, 220)
UNREADABLE = OSError, ValueError, SyntaxError, Image.DecompressionBombError  # what Pillow raises


@dataclass(frozen=True)
class Film:
    """What a film shows, apart from its pictures.

    Attributes:
        frames: how many there are.
        height, width: of each, in pixels.
        rate: frames a second.
        rest: for how many seconds the last frame stays.
    """

    frames: int
    height: int
    width: int
    rate: float
    rest: float = 0.0

    @property
    def seconds(self) -> float:
        """Until it repeats."""
        return self.frames / self.rate + self.rest

    def describe(self) -> str:
        """Say how long and how large it is."""
        return f"{self.frames:,} frames of {self.height}x{self.width} pixels, {self.seconds:.1f} seconds, then again"


def enlargement(height: int, width: int) -> int:
    """Return the whole factor that brings the shorter side of a picture to at least LEAST_SIDE pixels."""
    return max(1, -(-LEAST_SIDE // min(height, width)))


def check_destination(path: Path, film: Film) -> None:
    """Refuse a destination that cannot take the film, before any frame is made.

    Raises:
        InputError: its extension is that of no film, ffmpeg is needed and not installed, the film is too large, its
            parent is no folder, or something may not be replaced.
    """
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise InputError(f"cannot write a film as {kind or path.name}: use {', '.join(FORMATS)}")
    if kind == ".mp4":
        _find_ffmpeg()
    if max(film.height, film.width) > MOST_SIDE or film.frames * film.height * film.width > MOST_PIXELS:
        raise InputError(
            f"a film of {film.frames:,} frames of {film.height}x{film.width} pixels is too large: at most "
            f"{MOST_PIXELS:,} pixels in all its frames, and {MOST_SIDE:,} on a side"
        )
    samples.check_free(path)


def _find_ffmpeg() -> str:
    found = shutil.which("ffmpeg")
    if found is None:
        raise InputError(
            "writing .mp4 needs the program ffmpeg, which is not installed: use .gif or .webp, or get it with 'apt "
            "install ffmpeg', 'brew install ffmpeg' or from https://ffmpeg.org"
        )
    return found


def write(frames: Iterable[Image.Image], film: Film, path: Path, about: str = "") -> None:
    """Write the frames, all of one size, as the extension of `path` says; it repeats for ever where the format can.

    Raises:
        InputError: nothing can be written there, or ffmpeg fails.
    """
    kind = path.suffix.lower()
    content = _encode_mp4(frames, film, about) if kind == ".mp4" else _animate(frames, film, kind, about)
    try:
        write_atomically(path, content)
    except OSError as error:
        raise InputError(f"cannot write to {path}: {error.strerror or error}") from None


def _animate(frames: Iterable[Image.Image], film: Film, kind: str, about: str) -> bytes:
    """Encode an animated GIF, of 256 colours a frame, or an animated WebP without loss."""
    kind = pictures.FORMATS[kind]
    ready = map(_to_palette if kind == "GIF" else _to_colour, frames)
    duration = 1000 / film.rate
    durations = [round(duration)] * (film.frames - 1) + [round(duration + 1000 * film.rest)]
    options = {"lossless": True} if kind == "WEBP" else {"optimize": False}
    buffer = io.BytesIO()
    next(ready).save(
        buffer,
        kind,
        save_all=True,
        append_images=ready,
        duration=durations,
        loop=0,
        **options,
        **pictures.mark(kind, about),
    )
    return buffer.getvalue()


def _to_colour(frame: Image.Image) -> Image.Image:
    return frame.convert("RGBA" if "A" in frame.getbands() else "RGB")


def _to_palette(frame: Image.Image) -> Image.Image:
    """Reduce a frame to what a GIF holds: gray as it is, 256 colours without a pattern, transparency on white."""
    flat = flatten(frame)
    return flat if flat.mode == "L" else flat.quantize(256, dither=Image.Dither.NONE)


def flatten(frame: Image.Image) -> Image.Image:
    """Return the frame as gray or RGB, what is transparent blended with white."""
    if frame.mode in ("L", "RGB"):
        return frame
    colour = frame.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", frame.size, "white"), colour).convert(
        "L" if frame.mode == "LA" else "RGB"
    )


def _encode_mp4(frames: Iterable[Image.Image], film: Film, about: str) -> bytes:
    """Encode by ffmpeg, which reads the frames one by one; odd sizes get one more row or column of white."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "film.mp4")
        command = [_find_ffmpeg(), "-loglevel", "error", "-f", "rawvideo", "-pixel_format", "rgb24"]
        command += ["-video_size", f"{film.width}x{film.height}", "-framerate", f"{film.rate:g}", "-i", "-"]
        padding = "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white"
        rest = f",tpad=stop_mode=clone:stop_duration={film.rest:g}" if film.rest else ""
        command += ["-vf", padding + rest, "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
        command += ["-metadata", f"comment={pictures.describe(about)}", str(target)]
        with (
            tempfile.TemporaryFile() as errors,
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=errors, stderr=errors) as process,  # noqa: S603
        ):
            _feed(process, frames)
            if process.wait() != 0 or not target.exists():
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip().splitlines() or ["no reason given"]
                raise InputError(f"ffmpeg could not make the film: {said[-1]}; use .gif or .webp")
        return target.read_bytes()


def _feed(process: "subprocess.Popen[bytes]", frames: Iterable[Image.Image]) -> None:
    """Give ffmpeg all frames; if it ends before, its exit code and its words say why."""
    pipe = process.stdin
    assert pipe is not None  # noqa: S101  # asked for above
    try:
        for frame in frames:
            pipe.write(flatten(frame).convert("RGB").tobytes())
    except BrokenPipeError:
        pass
    except BaseException:
        process.kill()
        raise
    finally:
        with contextlib.suppress(BrokenPipeError):
            pipe.close()


def enlarge(frames: Iterable[Image.Image], factor: int) -> Iterator[Image.Image]:
    """Enlarge each frame by a whole factor, each pixel to a square."""
    for frame in frames:
        yield frame.resize((frame.width * factor, frame.height * factor), Image.Resampling.NEAREST)


def open_training(folder: RunFolder, rate: float, rest: float) -> tuple[Film, Iterator[Image.Image]]:
    """Return the film of a run's training, and its frames: its pictures of samples with the step written below.

    Raises:
        InputError: there are fewer than two pictures, one cannot be read, or they differ in their size.
    """
    found = folder.pictures()
    if len(found) < 2:
        raise InputError(
            f"{folder.path} has {len(found)} pictures of its training in samples/: a film needs at least 2"
        )
    steps = folder.describe()["steps"]
    sizes = {_open(file).size for _, file in found}
    if len(sizes) > 1:
        raise InputError(f"the pictures in {folder.samples} are not all of one size")
    width, height = sizes.pop()
    factor = enlargement(height, width)
    film = Film(len(found), height * factor + CAPTION_HEIGHT, width * factor, rate, rest)
    drawn = enlarge((_open(file) for _, file in found), factor)
    frames = (_add_caption(frame, step, steps) for frame, (step, _) in zip(drawn, found, strict=True))
    return film, frames


def _open(file: Path) -> Image.Image:
    try:
        with Image.open(file) as picture:
            picture.load()
            return picture
    except UNREADABLE as error:
        raise InputError(f"the picture {file} cannot be read: {error}") from None


def _add_caption(frame: Image.Image, step: int, steps: int) -> Image.Image:
    """Write below a frame at which step of how many it was drawn, over a bar that is as far."""
    frame = flatten(frame).convert("RGB")
    canvas = Image.new("RGB", (frame.width, frame.height + CAPTION_HEIGHT), "white")
    canvas.paste(frame)
    draw, bottom = ImageDraw.Draw(canvas), canvas.height - 1
    draw.rectangle((0, bottom - BAR_HEIGHT, canvas.width, bottom), TO_DO)
    if step:
        draw.rectangle((0, bottom - BAR_HEIGHT, round(canvas.width * step / steps), bottom), DONE)
    text = f"iteration {step:,} of {steps:,}"
    draw.text((CAPTION_MARGIN, frame.height + 2), text, "black", font=ImageFont.load_default())
    return canvas
