"""Run as a script: one picture's size and RGB bytes on stdin, faces as JSON on stdout.

``animeface`` was built against Pillow 4 and reads that version's ``Imaging`` structure behind the
object that it is given; later versions of Pillow lay it out differently, so that it finds nothing
or crashes. Here it gets such a structure made for it: an instance of a ctypes structure keeps the
address of its memory where the old image object kept that of its picture.
"""

import ctypes
import json
import sys


class _OldImaging(ctypes.Structure):
    """``struct ImagingMemoryInstance``. Source: libImaging/Imaging.h of Pillow 4.2.1."""

    _fields_ = (
        ("mode", ctypes.c_char * 7),
        ("type", ctypes.c_int),
        ("depth", ctypes.c_int),
        ("bands", ctypes.c_int),
        ("xsize", ctypes.c_int),
        ("ysize", ctypes.c_int),
        ("palette", ctypes.c_void_p),
        ("image8", ctypes.c_void_p),
        ("image32", ctypes.c_void_p),
        ("image", ctypes.c_void_p),
        ("block", ctypes.c_void_p),
        ("pixelsize", ctypes.c_int),
        ("linesize", ctypes.c_int),
        ("destroy", ctypes.c_void_p),
    )


def detect(width: int, height: int, rgb: bytes) -> list[dict[str, object]]:
    """Faces in an RGB picture of ``width × height × 3`` bytes.

    Raises:
        ValueError: the bytes are not of that size.
    """
    from animeface import _nvxs

    if len(rgb) != width * height * 3:
        raise ValueError("size and bytes do not fit")
    pixels = bytearray(b"\xff" * (width * height * 4))
    for band in range(3):
        pixels[band::4] = rgb[band::3]
    held = (ctypes.c_char * len(pixels)).from_buffer(pixels)
    start, line = ctypes.addressof(held), 4 * width
    rows = (ctypes.c_void_p * height)(*(start + y * line for y in range(height)))
    table = ctypes.cast(rows, ctypes.c_void_p)
    image = _OldImaging(
        b"RGB", 0, 0, 3, width, height, None, None, table, table, None, 4, line, None
    )
    return _nvxs.detect(image)


if __name__ == "__main__":
    wide, high = json.loads(sys.stdin.buffer.readline())
    json.dump(detect(wide, high, sys.stdin.buffer.read()), sys.stdout)
