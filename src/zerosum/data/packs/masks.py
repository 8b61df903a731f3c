"""Find the masks among images: files that say of each pixel of another file what it shows.

A mask is called as its image with a word such as `_mask` added, or lies in a folder of such a name beside its image's.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from zerosum.data.packs.headers import Unreadable, has_few_colours

WORDS = (
    "mask|masks|seg|segmentation|segmentations|label|labels|labelids|gt|groundtruth|ground_truth|trimap|trimaps|matte"
)
ADDED = re.compile(rf"^(?P<image>.+?)[-_. ](?:{WORDS})$", re.IGNORECASE)
FOLDER = re.compile(rf"^(?:{WORDS}|segmentationclass|segmentationobject)(?:[-_ ].*)?$", re.IGNORECASE)
LOOKED_AT = 3  # files of a folder
Read = Callable[[], bytes]


def find_masks(images: Mapping[str, Read]) -> dict[str, str]:
    """Find the masks among files, given as the function that reads each by its name: return the image of each mask."""
    places: dict[PurePosixPath, dict[str, str]] = defaultdict(dict)
    for name in images:
        path = PurePosixPath(name)
        places[path.parent].setdefault(path.stem, name)
    return _find_by_name(places) | _find_by_folder(places, images)


def _find_by_name(places: dict[PurePosixPath, dict[str, str]]) -> dict[str, str]:
    """Find `x_mask.png` beside `x.jpg`: return the name of the image by that of the mask."""
    return {
        name: stems[match["image"]]
        for stems in places.values()
        for stem, name in stems.items()
        if (match := ADDED.match(stem)) and match["image"] in stems
    }


def _find_by_folder(places: dict[PurePosixPath, dict[str, str]], files: Mapping[str, Read]) -> dict[str, str]:
    """Find `masks/x.png` beside `images/x.jpg`, if every file of `masks` has an image and few colours.

    Both may lie deeper, in folders of the same names: `masks/train/x.png` and `images/train/x.jpg`.
    """
    found: dict[str, str] = {}
    for folder, stems in places.items():
        for other in places if any(map(FOLDER.match, folder.parts)) else ():
            if not _is_counterpart(folder.parts, other.parts):
                continue
            images = places[other]
            pairs = {name: images.get(_remove_word(stem)) or images.get(stem) for stem, name in stems.items()}
            complete = {name: image for name, image in pairs.items() if image is not None}
            if len(complete) == len(pairs) and all(_is_flat(files[name]) for name in list(pairs)[:LOOKED_AT]):
                found |= complete
    return found


def _is_counterpart(masks: tuple[str, ...], images: tuple[str, ...]) -> bool:
    """Return whether two folders differ in one name, and of the two that of the first alone is a word for masks."""
    if len(masks) != len(images):
        return False
    different = [(one, other) for one, other in zip(masks, images, strict=True) if one != other]
    return len(different) == 1 and bool(FOLDER.match(different[0][0])) and not FOLDER.match(different[0][1])


def _remove_word(stem: str) -> str:
    match = ADDED.match(stem)
    return match["image"] if match else stem


def _is_flat(read: Read) -> bool:
    try:
        return has_few_colours(read())
    except (Unreadable, OSError):
        return False
