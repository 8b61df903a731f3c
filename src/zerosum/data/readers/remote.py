"""Read packs that lie on other machines, as far as they are looked at (the extra `remote`)."""

import hashlib
from typing import ClassVar

from zerosum.addresses import find_fault, is_address
from zerosum.atomic import write_atomically
from zerosum.data import Progress, Source, cache_folder
from zerosum.data.packs.blocks import digest
from zerosum.data.packs.mirror import Mirror
from zerosum.data.packs.pack import BLOCKS, DESCRIPTION, FILES, PackDescription, make_source, read_description
from zerosum.data.packs.rows import MirroredRows
from zerosum.data.packs.server import Piece, Server, Unreachable
from zerosum.data.preparation import Preparation
from zerosum.data.readers import Reader
from zerosum.data.readers.download import StderrProgress, announce
from zerosum.data.readers.pack import refuse_others
from zerosum.errors import InputError

MIRRORS = "mirrors"


class Remote(Reader, name="remote"):
    """A pack on a web server or in an object store, mirrored in the cache folder block by block."""

    summary: ClassVar[str] = "packs on other machines (https://HOST/PACK, s3://BUCKET/PACK)"

    def reads(self, data: str) -> bool:
        """Recognise an address."""
        return is_address(data)

    def open(self, data: str, preparation: Preparation, progress: Progress | None) -> Source:
        """Read the pack's description, and open its mirror; samples are fetched when they are looked at.

        If no server answers, go on with the description that was read the last time, and say so.

        Raises:
            InputError: the address is none, the packages are not installed, there is no pack, or it is of images
                prepared in another way than is asked for.
        """
        if fault := find_fault(data):
            raise InputError(fault)
        server = Server(data)
        content = _read_description(server)
        about = _understand(content, server.address)
        place = cache_folder() / MIRRORS / digest(content).hex()
        mirror = Mirror(place, about, server.fetch, StderrProgress())
        ends = (0, about.train), (about.train, about.train + about.test)
        train, test = (MirroredRows.of(mirror, *each) for each in ends)
        try:
            source = make_source(about, place, server.address.rpartition("/")[2], train, test)
        except (OSError, ValueError, EOFError):
            raise InputError(f"the mirror {place} of a pack is damaged: delete that folder") from None
        refuse_others(server.address, source, preparation)
        return source


def _read_description(server: Server) -> bytes:
    """Return what the server says of its pack, or said the last time."""
    key = hashlib.blake2b(server.address.encode(), digest_size=16).hexdigest()
    noted = cache_folder() / MIRRORS / f"{key}.json"
    try:
        (content,) = server.fetch([Piece(DESCRIPTION)], patient=False)
        server.fetch([Piece(BLOCKS, part=(0, 1))])
    except Unreachable as error:
        if not noted.is_file():
            raise
        announce(f"{error}; going on with what is mirrored in {noted.parent}")
        return noted.read_bytes()
    if not noted.is_file() or noted.read_bytes() != content:
        try:
            noted.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(noted, content)
        except OSError as error:
            raise InputError(
                f"cannot write the mirror of a pack to {noted.parent}: {error.strerror or error}"
            ) from None
    return content


def _understand(content: bytes, address: str) -> PackDescription:
    try:
        about = read_description(content)
    except ValueError:
        about = None
    if about is None or about.train + about.test == 0 or not {BLOCKS, FILES} <= about.digests.keys():
        raise InputError(
            f"the pack at {address} is of another version of zerosum, which cannot be read from there: make it again "
            "by zerosum pack IMAGES --out FOLDER"
        )
    return about
