"""Release files at an address: fetched once, checked, and kept in the cache."""

import hashlib
import http.client
import re
import time
import urllib.error
import urllib.parse
import urllib.request

from tfgen.serving.manifest import MOST_BYTES
from tfgen.serving.release import kept_release

_SCHEMES = ("http", "https", "file")
_MOST_SECONDS = 3600.0  # for all of a file
_SECONDS_OF_SILENCE = 30.0
_PIECE = 2**16
_FAILURES = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


def open_address(address):
    """Returns the release at an address, which is asked only if the cache does not have it.

    Args:
        address: `http`, `https` or `file`, with the file's SHA-256 behind it:
            "https://HOST/vae_fashion.tfgen#sha256=HEX".

    Returns:
        A `tfgen.serving.release.Release`.

    Raises:
        ConnectionError: the file cannot be fetched.
        OSError: the cache cannot be written to.
        ValueError: the address has no checksum, or what lies there is not the file that was meant.

    Example:
        >>> open_address("https://example.org/vae_fashion.tfgen#sha256=0f3c...").name
        'vae_fashion'
    """
    parts = urllib.parse.urlsplit(address)
    if parts.scheme not in _SCHEMES:
        raise ValueError(
            f"The address {address} must begin with {', '.join(f'{each}:' for each in _SCHEMES)}."
        )
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
    path, digest, received = folder / "downloaded", hashlib.sha256(), 0
    end = time.monotonic() + _MOST_SECONDS
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS_OF_SILENCE) as answer:
            size = answer.headers.get("Content-Length", "")
            with open(path, "wb") as file:
                while piece := answer.read1(_PIECE):
                    received += len(piece)
                    if received > MOST_BYTES or time.monotonic() > end:
                        raise ValueError(
                            f"{address} is too large or too slow: at most {MOST_BYTES:,} bytes are "
                            f"fetched in {_MOST_SECONDS:,.0f} seconds. Fetch it by other means, "
                            "and name the file."
                        )
                    digest.update(piece)
                    file.write(piece)
    except _FAILURES as error:
        raise ConnectionError(
            f"{address} cannot be fetched: {error}. Check the address."
        ) from error
    if size.isdecimal() and received < int(size):
        raise ConnectionError(
            f"{address} ended after {received:,} of {int(size):,} bytes. Try again."
        )
    if digest.hexdigest() != expected:
        raise ValueError(
            f"{address} is not the file that was meant: its SHA-256 is {digest.hexdigest()}. "
            f"Expected: {expected}. Ask whoever published it for the checksum."
        )
    return path
