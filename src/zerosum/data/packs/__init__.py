"""Packs: image files, decoded and resized once, in one memory-mapped array.

The path of a photo, file by file:

1. `collection.py`: find the images among the files that a reader lists; read split and class from their folders.
   `masks.py` finds the files among them that are masks of others.
2. `annotations.py`: cut each image into the boxes of its Pascal VOC annotation, if it has one.
3. `cache.py`: look for a pack of these files and options in the cache folder; if there is none, make it (4 to 8).
4. `writing.py`: take the images through the steps below and write the pack; `headers.py` reads what the files are, and
   `journal.py` notes what is decoded, for the next process if this one is ended.
5. `shape.py`: choose the size and channels of all images, as asked for or by the headers of the files.
   `ranges.py`: find the one range of values that becomes black to white, where files are no bytes.
6. `decode.py`: decode, turn upright, crop, resize and convert to sRGB or gray.
7. `duplicates.py`: group images that are nearly the same, by thumbnails.
8. `splits.py`: divide the images into training and test images; a group stays together.
9. `pack.py`: map the pack into memory and return it as a `Source`.

Of a pack on another machine, `server.py` asks for pieces, verified by the digests of `blocks.py`; `mirror.py` keeps
them, and `rows.py` has those fetched that are looked at.
"""
