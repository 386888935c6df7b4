"""The archive that a release file is: tar, packed by xz as one stream.

Of weights that are in two members, the second costs next to nothing that way. What is read comes
from strangers. So no more is unpacked than a bound, with no more memory than another, and of tar's
headers only those of plain files are taken.
"""

import dataclasses
import lzma
import tarfile

_PIECE = 2**20
_BLOCK = tarfile.BLOCKSIZE
_LARGEST_DICTIONARY = 2**26  # how far back xz finds what it has seen, at most
_MEMORY = 2 * _LARGEST_DICTIONARY  # for unpacking, some of it xz's own
# What is raised where an archive is damaged, or made to harm.
DAMAGE = (lzma.LZMAError, tarfile.TarError, EOFError)


@dataclasses.dataclass(frozen=True)
class Member:
    """Where a file lies in an unpacked archive: its first byte, and the number of bytes."""

    start: int
    size: int


def write_archive(path, files):
    """Writes an archive; the same files give the same bytes.

    Args:
        path: of the archive.
        files: a dict from the members' names, in order, to the paths of files.
    """
    total = sum(file.stat().st_size + _BLOCK for file in files.values())
    dictionary = min(max(2 ** total.bit_length(), 2**20), _LARGEST_DICTIONARY)
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": dictionary}]
    with (
        lzma.open(path, "wb", check=lzma.CHECK_SHA256, filters=filters) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, file in files.items():
            member = tarfile.TarInfo(name)  # of no user, and of the time 0
            member.size = file.stat().st_size
            with file.open("rb") as content:
                archive.addfile(member, content)


def unpack_stream(path, target, most):
    """Unpacks what xz has packed, tar's archive, to an open file.

    Args:
        path: of the packed archive.
        target: a file that is open for writing bytes.
        most: how many bytes may come out.

    Raises:
        lzma.LZMAError: it is damaged, of another kind, or wants much memory.
        EOFError: its end is missing.
        ValueError: more comes out, or more follows.
    """
    decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, _MEMORY)
    with open(path, "rb") as file:
        while not decompressor.eof:
            piece = file.read(_PIECE) if decompressor.needs_input else b""
            if decompressor.needs_input and not piece:
                raise EOFError("its end is missing")
            target.write(decompressor.decompress(piece, _PIECE))
            if target.tell() > most:
                raise ValueError(f"more than {most:,} bytes come out of it")
        if decompressor.unused_data or file.read(1):
            raise ValueError("more follows behind its end")


def read_members(archive):
    """Finds the members of tar's archive.

    Args:
        archive: a file that is open for reading bytes.

    Returns:
        A dict from the members' names, in order, to `Member`s.

    Raises:
        tarfile.TarError: it is damaged, or of another kind.
        ValueError: a member is no plain file, or there are two of one name.
    """
    found, start = {}, 0
    while True:
        archive.seek(start)
        try:
            header = tarfile.TarInfo.frombuf(archive.read(_BLOCK), "utf-8", "strict")
        except tarfile.EOFHeaderError:
            return found
        if not header.isreg() or header.size < 0:
            raise ValueError(f"its member {header.name!r} is no plain file")
        if header.name in found:
            raise ValueError(f"it has two members {header.name!r}")
        found[header.name] = Member(start + _BLOCK, header.size)
        start += _BLOCK + -(-header.size // _BLOCK) * _BLOCK
