"""Release files, see `tfgen.serving.manifest`: checked, and unpacked to the cache."""

import dataclasses
import hashlib
import os
import pathlib
import shutil
import tempfile

from tfgen.serving import archive
from tfgen.serving.manifest import (
    CARD,
    EXPORT,
    MANIFEST,
    MODEL,
    MOST_STREAM_BYTES,
    check_sizes,
    read_manifest,
)
from tfgen.utils.cache import cache_folder, locked
from tfgen.utils.files import check_writable, flush, unfinished

_PIECE = 2**20
_MOST_MANIFEST_BYTES = 2**20


@dataclasses.dataclass(frozen=True)
class Release:
    """A release file that was checked and unpacked.

    Args:
        folder: where its members are.
        manifest: what its `release.json` says, a dict.
    """

    folder: pathlib.Path
    manifest: dict

    @property
    def name(self):
        """The model's name."""
        return self.manifest["name"]

    @property
    def card(self):
        """The model's card, a file of Markdown."""
        return self.folder / CARD

    @property
    def model(self):
        """The `.keras` file."""
        return self.folder / MODEL

    @property
    def root(self):
        """A folder of models, ROOT/NAME/VERSION, with this one alone."""
        return self.folder / "models"

    @property
    def version(self):
        """The export's folder."""
        return self.root / self.name / "1"

    def place(self, member):
        """Returns the path of a member; those of the export lie as servers want them."""
        if member.startswith(EXPORT):
            return self.version / member.removeprefix(EXPORT)
        return self.folder / member


def open_release(path):
    """Checks a release file, and unpacks it to the cache unless that was done before.

    Args:
        path: the file.

    Returns:
        A `Release`.

    Raises:
        OSError: there is no such file, or the cache cannot be written to.
        ValueError: the file is damaged, no release file, or of another format.

    Example:
        >>> open_release("vae_fashion.tfgen").name
        'vae_fashion'
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no release file {path}. `python -m training.release NAME` packs a trained "
            "run as one."
        )
    return kept_release(digest_of(path), lambda folder: path, path)


def kept_release(digest, get, told):
    """Returns the release that the cache keeps under a digest; gets and unpacks it if need be.

    Of two processes that want the same at once, one unpacks and the other waits for it. What was
    damaged in the cache is unpacked anew.

    Args:
        digest: the file's SHA-256, hexadecimal.
        get: a function from a temporary folder to the path of the file.
        told: what to call the file in messages.

    Raises:
        OSError: the file cannot be got, or the cache cannot be written to.
        ValueError: see `open_release`.
    """
    folder = cache_folder() / "releases" / digest
    manifest = _read_unpacked(folder)  # nothing is written where it is there, not even a lock
    if manifest is None:
        _check_cache(folder.parent)
        with locked(folder):
            manifest = _read_unpacked(folder) or _keep(folder, get, told)
    return Release(folder, manifest)


def digest_of(path):
    """Returns the SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _check_cache(folder):
    try:
        check_writable(folder)
    except OSError as error:
        raise OSError(f"{error} The variable TFGEN_CACHE names the folder of the cache.") from error


def _keep(folder, get, told):
    """Unpacks a file beside a folder, and puts it in its place; returns the manifest."""
    shutil.rmtree(folder, ignore_errors=True)  # it is damaged, if it is there
    with unfinished(folder.parent) as work:
        manifest = _unpack(get(work), work / "release", told)
        os.rename(work / "release", folder)
    flush(folder.parent)
    return manifest


def _read_unpacked(folder):
    """Returns the manifest of an unpacked release; `None` unless all of it is there and right."""
    try:
        manifest = read_manifest((folder / MANIFEST).read_bytes())
        place = Release(folder, manifest).place
        right = all(digest_of(place(name)) == digest for name, digest in manifest["files"].items())
    except (OSError, ValueError):
        return None
    return manifest if right else None


def _unpack(path, folder, told):
    """Unpacks a release file into a new folder; returns its manifest."""
    try:
        with tempfile.TemporaryFile(dir=folder.parent) as stream:
            archive.unpack_stream(path, stream, MOST_STREAM_BYTES)
            members = archive.read_members(stream)
            text = _check_members(members, stream)
            manifest = read_manifest(text)
            place = Release(folder, manifest).place
            for name, digest in manifest["files"].items():
                _unpack_member(name, members[name], stream, place(name), digest)
            (folder / MANIFEST).write_bytes(text)
    except archive.DAMAGE as error:
        raise ValueError(
            f"{told} is damaged, or no release file ({error}). Get it again, and compare its "
            "SHA-256 with the one that was published."
        ) from error
    except ValueError as error:
        raise ValueError(f"{told} cannot be used as a release file: {error}.") from error
    for each in [folder, *folder.rglob("*")]:
        flush(each)
    return manifest


def _check_members(members, stream):
    """Checks all members before one is used; returns the manifest's text."""
    check_sizes([each.size for each in members.values()])
    if MANIFEST not in members:
        raise ValueError(f"it has no {MANIFEST}")
    if members[MANIFEST].size > _MOST_MANIFEST_BYTES:
        raise ValueError(f"its {MANIFEST} is too large")
    text = b"".join(_pieces(members[MANIFEST], stream))
    if members.keys() != {MANIFEST, *read_manifest(text)["files"]}:
        raise ValueError(f"its members are not those that its {MANIFEST} lists")
    return text


def _unpack_member(name, member, stream, path, expected):
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with open(path, "xb") as file:
        for piece in _pieces(member, stream):
            digest.update(piece)
            file.write(piece)
    if digest.hexdigest() != expected:
        raise ValueError(f"the checksum of its member {name} is wrong")


def _pieces(member, stream):
    """Yields the content of a member."""
    stream.seek(member.start)
    missing = member.size
    while missing:
        piece = stream.read(min(missing, _PIECE))
        if not piece:
            raise EOFError("its end is missing")
        missing -= len(piece)
        yield piece
