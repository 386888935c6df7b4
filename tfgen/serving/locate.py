"""What a user types for a model: a path as it is, a release file, or a release's address."""

import os

from tfgen.serving.download import open_address
from tfgen.serving.manifest import SUFFIX
from tfgen.serving.release import open_release


def find_release(text):
    """Returns the release that a text means.

    Args:
        text: a path, or an address with a checksum, see `tfgen.serving.download.open_address`.

    Returns:
        A `tfgen.serving.release.Release`; `None` if the text means a path of something else.

    Raises:
        OSError: there is no such file, or it cannot be fetched.
        ValueError: it is no release file, or an address without a checksum.

    Example:
        >>> find_release("vae_fashion.tfgen").model
        PosixPath('/home/me/.cache/tfgen/releases/0f3c.../model.keras')
        >>> find_release("runs/vae_fashion") is None
        True
    """
    text = os.fspath(text)
    if "://" in text:
        return open_address(text)
    if text.endswith(SUFFIX) and not os.path.isdir(text):
        return open_release(text)
    return None
