"""PNG files made by hand, chunk by chunk: https://www.w3.org/TR/png-3/."""

import struct
import zlib

_MUCH = zlib.compress(bytes(7_900_000), 9)
# Chunks of 7,700 bytes that unpack to a thousand times as much.
UNPACKED = {
    kind: start + _MUCH
    for kind, start in {
        b"zTXt": b"Comment\0\0",
        b"iTXt": b"Comment\0\1\0\0\0",
        b"iCCP": b"profile\0\0",
    }.items()
}


def chunk(kind, content=b""):
    """Returns a chunk with its length and checksum."""
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png(width, height, before=b"", after=b"", pixels=None):
    """Returns a grey file, with chunks before and after its pixels; black without other pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    if pixels is None:
        pixels = zlib.compress(bytes((width + 1) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), before, chunk(b"IDAT", pixels), after, chunk(b"IEND")]
    )
