"""Receives the bodies of requests, of all together no more than memory is meant for."""

import asyncio
import zlib

from starlette.requests import ClientDisconnect

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
        self.turn = asyncio.Lock()

    def receive(self, headers, receive):
        """Returns an asynchronous context of a request's body, unpacked; large ones in turn.

        Args:
            headers: a dict of its headers, bytes.
            receive: ASGI's function from which it comes.

        Raises:
            ClientDisconnect: the client has gone.
            ServingError: the body is too large, or packed in a way that is not known, or too much
                of other bodies is held.
        """
        return _Body(self, headers, receive)

    def claim(self, size):
        """Counts bytes that are held."""
        if size > self._free:
            raise ServingError(
                Code.RESOURCE_EXHAUSTED,
                f"The server holds at most {_TOGETHER * self.largest} bytes of requests' bodies "
                "at once. Try again later.",
            )
        self._free -= size

    def give_back(self, size):
        """Counts bytes that are held no more."""
        self._free += size


class _Body:
    """A context, since a generator's takes longer than the rest of this for a small body."""

    def __init__(self, bodies, headers, receive):
        self._bodies = bodies
        self._headers = headers
        self._receive = receive
        self._claimed = 0
        self._in_turn = False

    async def __aenter__(self):
        try:
            return await self._read()
        except BaseException:
            self._release()
            raise

    async def __aexit__(self, *error):
        self._release()

    async def _read(self):
        packed = _is_gzip(self._headers.get(b"content-encoding", b""))
        self._check(int(self._headers.get(b"content-length", 0)))
        body, more = bytearray(), True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            more = message.get("more_body", False)
            body += message.get("body", b"")
            self._hold(len(body))
        if packed:
            body = await asyncio.to_thread(unpack, body, self._bodies.largest)
            self._hold(len(body))
        if len(body) > SMALL:
            self._in_turn = await self._bodies.turn.acquire()
        return bytes(body)

    def _hold(self, size):
        self._check(size)
        if size > SMALL and size > self._claimed:
            self._bodies.claim(size - self._claimed)
            self._claimed = size

    def _check(self, size):
        if size > self._bodies.largest:
            raise invalid(f"A request's body may have at most {self._bodies.largest} bytes.")

    def _release(self):
        self._bodies.give_back(self._claimed)
        if self._in_turn:
            self._bodies.turn.release()


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
    if encoding in (b"", b"identity"):
        return False
    if encoding in (b"gzip", b"x-gzip"):
        return True
    raise invalid(
        "The server takes bodies in gzip or as they are. Received: Content-Encoding: "
        f"{encoding[:40].decode('latin-1')}."
    )
