"""Receives the bodies of requests, of all together no more than memory is meant for."""

import asyncio
import contextlib
import zlib

from tfgen.serving.errors import Code, ServingError, invalid

SMALL = 2**16  # bytes: such bodies are always received, and read beside others
_TOGETHER = 4  # times the largest body, of those that are not small


class Bodies:
    """Receives bodies within bounds.

    Args:
        largest: how many bytes a body may have, as it is sent and unpacked.
    """

    def __init__(self, largest):
        self.largest = largest
        self._free = _TOGETHER * largest
        # What is read of JSON takes many times the room of its text: of one text at a time.
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def receive(self, request):
        """Yields a request's body, unpacked; large ones one after the other.

        Args:
            request: a `starlette.requests.Request`.

        Raises:
            ServingError: the body is too large, or packed in a way that is not known, or too much
                of other bodies is held.
        """
        packed = _is_gzip(request.headers.get("content-encoding", ""))
        if int(request.headers.get("content-length", 0)) > self.largest:
            raise self._too_large()
        body, claimed = bytearray(), 0
        try:
            async for part in request.stream():
                body += part
                claimed += self._claim(len(body), claimed)
            if packed:
                body = await asyncio.to_thread(unpack, body, self.largest)
                claimed += self._claim(len(body), claimed)
            async with self._turn if len(body) > SMALL else contextlib.nullcontext():
                yield bytes(body)
        finally:
            self._free += claimed

    def _claim(self, size, claimed):
        """Returns by how many bytes a body that has grown to a size is to be counted anew."""
        if size > self.largest:
            raise self._too_large()
        more = max(size - claimed, 0) if size > SMALL else 0
        if more > self._free:
            raise ServingError(
                Code.RESOURCE_EXHAUSTED,
                f"The server holds at most {_TOGETHER * self.largest} bytes of requests' bodies "
                "at once. Try again later.",
            )
        self._free -= more
        return more

    def _too_large(self):
        return invalid(f"A request's body may have at most {self.largest} bytes.")


def unpack(body, largest):
    """Returns what a body in gzip holds, of which no more is unpacked than is allowed.

    Args:
        body: bytes.
        largest: how many bytes it may hold.

    Raises:
        ServingError: it holds more, or is no whole file of gzip.

    Example:
        >>> unpack(gzip.compress(b"{}"), 1024)
        b'{}'
    """
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)  # gzip alone
    try:
        unpacked = unpacker.decompress(body, largest + 1)
    except zlib.error as error:
        raise invalid(f"The body is not in gzip, as Content-Encoding says ({error}).") from error
    if len(unpacked) > largest:
        raise invalid(f"A request's body may have at most {largest} bytes when it is unpacked.")
    if not unpacker.eof or unpacker.unused_data:
        raise invalid("The body must be one whole member of gzip, with nothing behind it.")
    return unpacked


def _is_gzip(encoding):
    """Tells whether a body is packed, by its `Content-Encoding`."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return False
    if encoding in ("gzip", "x-gzip"):
        return True
    raise invalid(
        f"The server takes bodies in gzip or as they are. Received: Content-Encoding: "
        f"{encoding[:40]}."
    )
