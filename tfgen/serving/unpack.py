"""Release files for servers that know folders only."""

import pathlib
import shutil

from tfgen.serving.export import rename_to_next_version
from tfgen.serving.locate import find_release
from tfgen.utils.files import check_writable, flush, unfinished


def unpack(release, root):
    """Writes a release's export as its model's next version, ROOT/NAME/VERSION.

    Args:
        release: a release file, or its address with a checksum, see `tfgen.load`.
        root: a folder of models.

    Returns:
        The path of the version, which is written beside, then renamed.

    Raises:
        OSError: there is no such file, or nothing can be written to the folder.
        ValueError: it is no release file.

    Example:
        >>> unpack("vae_fashion.tfgen", "saved_models")
        PosixPath('saved_models/vae_fashion/1')
    """
    found = find_release(release)
    if found is None:
        raise ValueError(f"A release file `NAME.tfgen` is needed. Received: {release}.")
    directory = pathlib.Path(root, found.name)
    check_writable(directory)
    with unfinished(directory) as folder:
        version = shutil.copytree(found.version, folder / "version")
        for path in [version, *version.rglob("*")]:
            flush(path)
        return rename_to_next_version(version, directory)
