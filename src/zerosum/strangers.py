"""Name what a file is that cannot be used, by its name and first bytes, so that an error can say what to give instead.

Nothing is decoded here. Pickles are recognised and never read: loading one can run any program.
"""

import zipfile
from pathlib import Path

PICKLES = ".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib"
NAMES = {
    ".onnx": "an ONNX model",
    ".pb": "a TensorFlow model",
    ".tflite": "a TensorFlow model",
    ".keras": "a Keras model",
}
MAGIC = {
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"BM": "a picture",
    b"II*\x00": "a picture",
    b"MM\x00*": "a picture",
    b"\x93NUMPY": "an array",
    b"\x89HDF": "an HDF5 file",
    b"GGUF": "a GGUF model",
    b"PK\x03\x04": "a .zip archive",
    b"%PDF": "a PDF",
}
PROTOCOLS = range(2, 6)  # of pickles, whose first byte is 0x80 and the second the protocol
PICKLE = "a pickle, and pickles are never read: loading one can run any program"


def name_kind(path: Path) -> str:
    """Return in words what the file at `path` is; empty if that is not known, or it cannot be read."""
    try:
        with path.open("rb") as file:
            begin = file.read(9)
            size = path.stat().st_size
    except OSError:
        return ""
    if _is_safetensors(begin, size):
        return ""
    kind = next((kind for magic, kind in MAGIC.items() if begin.startswith(magic)), "")
    binary_pickle = begin[:1] == b"\x80" and len(begin) > 1 and begin[1] in PROTOCOLS
    if binary_pickle or (kind == "a .zip archive" and _holds_pickle(path)):
        return PICKLE
    if not kind and path.suffix.lower() in PICKLES:
        return PICKLE
    return kind or NAMES.get(path.suffix.lower(), "")


def is_model(path: Path) -> bool:
    """Whether the file holds the weights of some other program, or may do so."""
    kind = name_kind(path) if path.is_file() else ""
    return kind == PICKLE or kind.endswith((" model", " HDF5 file"))


def _is_safetensors(begin: bytes, size: int) -> bool:
    """Whether a file of `size` bytes begins with the length of a header that fits into it, and then with that header.

    The length may look like the beginning of a pickle.
    """
    return begin[8:] == b"{" and int.from_bytes(begin[:8], "little") <= size - 8


def _holds_pickle(path: Path) -> bool:
    """Whether it is an archive as `torch.save` writes them; only the list of its files is read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(Path(name).name == "data.pkl" for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
