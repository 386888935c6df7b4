"""Release files at an address: fetched once, checked, and kept in the cache."""

import re
import urllib.parse

from tfgen.serving.manifest import MOST_BYTES
from tfgen.serving.release import kept_release
from tfgen.utils.fetch import check_encrypted, fetch

_MOST_SECONDS = 3600.0  # for all of a file
_SECONDS_OF_SILENCE = 30.0


def open_address(address):
    """Returns the release at an address, which is asked only if the cache does not have it.

    Args:
        address: `https` or `file`, with the file's SHA-256 behind it:
            "https://HOST/vae_fashion.tfgen#sha256=HEX"; `http` of this machine only.

    Returns:
        A `tfgen.serving.release.Release`.

    Raises:
        ConnectionError: the file cannot be fetched.
        OSError: the cache cannot be written to.
        ValueError: the address is not encrypted, or has no checksum; or what lies there is not the
            file that was meant.

    Example:
        >>> open_address("https://example.org/vae_fashion.tfgen#sha256=0f3c...").name
        'vae_fashion'
    """
    parts = urllib.parse.urlsplit(address)
    check_encrypted(address)
    checksum = re.fullmatch(r"sha256=([0-9a-fA-F]{64})", parts.fragment)
    plain = urllib.parse.urlunsplit(parts._replace(fragment=""))
    if checksum is None:
        raise ValueError(
            f"The address {address} must end with the file's checksum: {plain}#sha256=HEX, with "
            "the 64 digits that were published with it. `sha256sum FILE` prints those of a file "
            "that you have."
        )
    digest = checksum[1].lower()
    return kept_release(digest, lambda folder: _download(plain, digest, folder), plain)


def _download(address, expected, folder):
    """Fetches a file into a folder; returns its path."""
    path = folder / "downloaded"
    found = fetch(address, path, MOST_BYTES, _MOST_SECONDS, _SECONDS_OF_SILENCE)
    if found != expected:
        raise ValueError(
            f"{address} is not the file that was meant: its SHA-256 is {found}. "
            f"Expected: {expected}. Ask whoever published it for the checksum."
        )
    return path
