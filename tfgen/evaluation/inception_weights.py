"""The weights of the Inception network of 2015-12-05, from whatever file holds them."""

import gzip
import io
import pathlib
import tarfile
import zipfile
import zlib

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from tfgen.evaluation.features import checksum_of
from tfgen.utils.cache import cache_folder, locked
from tfgen.utils.fetch import fetch
from tfgen.utils.files import atomic_write

ARCHIVE = "inception-2015-12-05.tgz"
URL = f"https://download.tensorflow.org/models/image/imagenet/{ARCHIVE}"
GRAPH = "classify_image_graph_def.pb"
# Of the arrays up to `pool_3`, in the order of their names: the same whatever file they are in.
CHECKSUM = "172ae7591683d2e91b788d301e504acb"
CLASS_WEIGHTS = "softmax/weights"

_MOST_BYTES = 2**28  # of a file, packed or unpacked: the archive has 89 MB, the graph in it 96 MB
_DAMAGE = (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, tarfile.TarError)


def read_weights(path, names):
    """Reads the network's weights, and makes sure that they are the right ones.

    Args:
        path: the official archive (`.tgz`), the frozen graph in it (`.pb`) or a NumPy archive of
            its constants (`.npz`). `None` downloads the official archive into the cache's folder,
            unless it is there.
        names: the graph's names of the arrays up to `pool_3`.

    Returns:
        A dict of arrays by name: those asked for and, unless the file ends at `pool_3`,
        `CLASS_WEIGHTS`, of which no checksum is known but the archive's own.

    Raises:
        ValueError: the file holds other weights, is damaged, or has another ending.
        FileNotFoundError: there is no such file.
        ConnectionError: the archive has to be downloaded, and cannot be.
    """
    path = _download() if path is None else pathlib.Path(path).expanduser()
    if path.suffix not in _READERS:
        raise ValueError(f"`weights` must be a file {', '.join(_READERS)}. Received: {path}.")
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}. {_WHERE}")
    try:
        _check_size(path.stat().st_size)
        arrays = _READERS[path.suffix](path)
        arrays = {name: arrays[name] for name in (*names, CLASS_WEIGHTS) if name in arrays}
    except _DAMAGE as error:
        raise _wrong_file(path, f"a file that cannot be read ({error})") from error
    found = checksum_of(arrays[name] for name in sorted(names) if name in arrays)
    if found != CHECKSUM:
        raise _wrong_file(path, found)
    return arrays


def _read_npz(path):
    with path.open("rb") as file, np.lib.npyio.NpzFile(file) as archive:
        _check_size(sum(member.file_size for member in archive.zip.infolist()))
        return dict(archive)


def _read_archive(path):
    # Unpacked as a whole: the archive's own checksum is at its end, and covers the classes too.
    with gzip.open(path) as file:
        unpacked = file.read(_MOST_BYTES + 1)
    _check_size(len(unpacked))
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
        for member in archive:
            if pathlib.PurePath(member.name).name == GRAPH:
                _check_size(member.size)  # of a sparse one it may be any
                return _constants(archive.extractfile(member).read())
    raise ValueError(f"there is no {GRAPH} in it")


def _read_graph(path):
    return _constants(path.read_bytes())


def _check_size(size):
    if size > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")


def _constants(serialized):
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(serialized)
    except DecodeError as error:
        raise ValueError(f"it is no graph: {error}") from error
    nodes = [node for node in graph.node if node.op == "Const"]
    return {node.name: tf.make_ndarray(node.attr["value"].tensor) for node in nodes}


_READERS = {".tgz": _read_archive, ".pb": _read_graph, ".npz": _read_npz}
_WHERE = (
    f"Get {URL} on a machine with a network, and pass its path: InceptionFeatures(weights=PATH). "
    "`tfgen.evaluation.ClassifierFeatures` needs no download."
)


def _wrong_file(path, found):
    return ValueError(
        f"{path} does not hold the Inception network of 2015-12-05, or is damaged. Expected: "
        f"weights with checksum {CHECKSUM}. Received: {found}. Delete the file and get it anew: "
        f"{URL}."
    )


def _download():
    """Returns the path of the official archive in the cache's folder."""
    path = cache_folder() / ARCHIVE
    with locked(path):
        if not path.exists():
            with atomic_write(path) as temporary:
                try:
                    fetch(URL, temporary, _MOST_BYTES)
                except (ConnectionError, ValueError) as error:
                    raise ConnectionError(
                        f"The Inception network cannot be downloaded ({error}). {_WHERE}"
                    ) from error
    return path
