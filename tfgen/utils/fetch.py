"""Files of other machines: fetched by https, within bounds, with a checksum of all their bytes."""

import hashlib
import http.client
import ipaddress
import time
import urllib.error
import urllib.parse
import urllib.request

_PIECE = 2**16
_FAILURES = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


def fetch(address, path, most_bytes, most_seconds=3600.0, seconds_of_silence=30.0):
    """Fetches a file.

    Args:
        address: `https` or `file`; `http` of this machine only.
        path: where to write it.
        most_bytes: how many bytes it may have.
        most_seconds: how long all of it may take.
        seconds_of_silence: how long to wait for its next bytes.

    Returns:
        The file's SHA-256, hexadecimal.

    Raises:
        ConnectionError: it cannot be fetched, or its end is missing.
        ValueError: the address is not encrypted, or the file is too large or too slow.

    Example:
        >>> fetch("https://example.org/vae_fashion.tfgen", "downloaded", most_bytes=2**31)
        '0f3c...'
    """
    check_encrypted(address)
    digest, received = hashlib.sha256(), 0
    end = time.monotonic() + most_seconds
    try:
        with _OPENER.open(address, timeout=seconds_of_silence) as answer:
            size = answer.headers.get("Content-Length", "")
            with open(path, "wb") as file:
                while piece := answer.read1(_PIECE):
                    received += len(piece)
                    if received > most_bytes or time.monotonic() > end:
                        raise ValueError(
                            f"{address} is too large or too slow: at most {most_bytes:,} bytes are "
                            f"fetched in {most_seconds:,.0f} seconds. Fetch it by other means, "
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
    return digest.hexdigest()


def check_encrypted(address):
    """Raises a ValueError unless what comes from an address cannot be changed on its way."""
    parts = urllib.parse.urlsplit(address)
    if parts.scheme in ("https", "file") or parts.scheme == "http" and is_loopback(parts.hostname):
        return
    if parts.scheme == "http":
        raise ValueError(
            f"The address {address} is not encrypted: others could read and change the file on its "
            "way. Use https: instead; http: is for this machine only, such as "
            "http://127.0.0.1:8000/."
        )
    raise ValueError(f"The address {address} must begin with https: or file:.")


def is_loopback(host):
    """Tells whether a host's name or address is this machine, as only its own programs reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _EncryptedRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, file, code, message, headers, address):
        check_encrypted(address)
        return super().redirect_request(request, file, code, message, headers, address)


_OPENER = urllib.request.build_opener(_EncryptedRedirects)
