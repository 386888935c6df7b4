"""Bounds on what clients send before a request is complete, which uvicorn has none of.

Needs httptools, which the extra `serve` installs: without it `tfgen serve` names what to install.
(uvicorn itself would fall back to h11, which bounds headers but no time.)
"""

import dataclasses
import enum
import functools
import json

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from tfgen.serving.http_parser import HttpParser

try:
    import resource
except ImportError:  # on Windows, which does not count sockets among files
    resource = None


@dataclasses.dataclass(frozen=True)
class HttpBounds:
    """What the server takes of HTTP connections.

    Args:
        header_bytes: bytes of a request's line and headers together, and of its trailers.
        header_seconds: seconds from the first byte of a request to its last header, and that a
            connection may be silent at first.
        body_seconds: seconds from the last header to the end of the body.
        answer_seconds: seconds that a client may leave more of an answer unread than the
            connection's buffers hold.
        pipelined: requests that a connection may send before their turn to be answered.
        connections: connections at once. One more closes the one that kept the server waiting for
            longest.
    """

    header_bytes: int = 2**16
    header_seconds: float = 10.0
    body_seconds: float = 60.0
    answer_seconds: float = 60.0
    pipelined: int = 16
    connections: int = 512


def bounds_of_this_process():
    """Returns the default bounds, with no more connections than half of the files allowed here."""
    bounds = HttpBounds()
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if resource else -1
    if files < 0:  # as many as one likes
        return bounds
    return dataclasses.replace(bounds, connections=min(bounds.connections, max(1, files // 2)))


def bounded_protocol(bounds):
    """Returns what makes a connection's protocol, for `uvicorn.Config(http=...)`.

    Args:
        bounds: `HttpBounds`.
    """
    return functools.partial(BoundedHttpProtocol, bounds, {})


class _Awaited(enum.Enum):
    """What a connection waits for."""

    HEADERS = enum.auto()
    BODY = enum.auto()
    ANSWER = enum.auto()  # from us
    REQUEST = enum.auto()  # the next one: uvicorn's `timeout_keep_alive` bounds the time


class BoundedHttpProtocol(HttpToolsProtocol):
    """uvicorn's connection, closed if its headers are too large or its client is too slow.

    Args:
        bounds: `HttpBounds`.
        waiting: a dict that all connections share; its keys are those that wait for their client,
            the longest first.
        **arguments: uvicorn's.
    """

    def __init__(self, bounds, waiting, **arguments):
        super().__init__(**arguments)
        self.parser = HttpParser(self)
        self._bounds = bounds
        self._waiting = waiting
        self._awaited = self._watched = None
        self._deadline = self._unread = None  # timers
        self._in_headers = True
        self._header_bytes = 0

    def connection_made(self, transport):
        super().connection_made(transport)
        if len(self.connections) > self._bounds.connections and self._waiting:
            next(iter(self._waiting)).drop()
        self._await(_Awaited.HEADERS)

    def connection_lost(self, exc):
        self._await(_Awaited.ANSWER)
        self._stop_unread()
        parser = self.parser
        super().connection_lost(exc)
        parser.close()

    def drop(self):
        """Closes the connection at once, without a word."""
        self._waiting.pop(self, None)
        self.transport.abort()

    def data_received(self, data):
        if self._awaited is _Awaited.REQUEST:
            self._awaited = _Awaited.HEADERS
        # In parts, so that the parser holds no more of headers than is allowed.
        while data and not self.transport.is_closing():
            room = self._bounds.header_bytes - self._header_bytes
            part, data = data[:room], data[room:]
            if self._in_headers:
                self._header_bytes += len(part)
            super().data_received(part)
            if self._header_bytes >= self._bounds.header_bytes:
                self._refuse(
                    431, f"A request's headers may have at most {self._bounds.header_bytes} bytes."
                )
        if self._awaited is not self._watched:
            self._await(self._awaited)

    def on_message_begin(self):
        super().on_message_begin()
        if self.cycle is None or self.cycle.response_complete:
            self._awaited = _Awaited.HEADERS

    def on_headers_complete(self):
        super().on_headers_complete()
        # One that waits in the pipeline keeps nobody waiting: an earlier one is being answered.
        self._awaited = _Awaited.ANSWER if self.pipeline else _Awaited.BODY
        self._count_headers(False)
        if len(self.pipeline) > self._bounds.pipelined:
            self.drop()

    def on_chunk_header(self):
        """Counts what follows, which after the last chunk are trailers."""
        self._count_headers(True)

    def on_body(self, body):
        super().on_body(body)
        self._count_headers(False)

    def on_message_complete(self):
        super().on_message_complete()
        self._awaited = _Awaited.ANSWER
        if self.cycle.response_complete:  # before its body had come, which ended uvicorn's timer
            self._awaited = _Awaited.REQUEST
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        self._count_headers(True)

    def on_response_complete(self):
        super().on_response_complete()
        if self._awaited is _Awaited.ANSWER and not self.pipeline:
            if self.cycle.response_complete:
                self._await(_Awaited.REQUEST)
            elif self.cycle.more_body:
                self._await(_Awaited.BODY)

    def pause_writing(self):
        super().pause_writing()
        self._unread = self.loop.call_later(self._bounds.answer_seconds, self.transport.abort)

    def resume_writing(self):
        super().resume_writing()
        self._stop_unread()

    def _count_headers(self, on):
        self._in_headers, self._header_bytes = on, 0

    def _await(self, awaited):
        """Starts to wait: within a time limit, and behind those that waited before."""
        self._awaited = self._watched = awaited
        self._waiting.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if awaited is not _Awaited.ANSWER:
            self._waiting[self] = None
        if awaited in (_Awaited.HEADERS, _Awaited.BODY):
            what = awaited.name.lower()
            seconds = (
                self._bounds.header_seconds if what == "headers" else self._bounds.body_seconds
            )
            message = f"A request's {what} must arrive within {seconds:g} seconds."
            self._deadline = self.loop.call_later(seconds, self._refuse, 408, message)

    def _stop_unread(self):
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _refuse(self, status, message):
        """Closes the connection, with an error if the request has no answer yet."""
        answered = self._awaited is _Awaited.BODY and self.cycle.response_started
        if answered or self.transport.is_closing():
            self.transport.abort()
            return
        body = json.dumps({"error": message}).encode()
        headers = "content-type: application/json\r\nconnection: close\r\ncontent-length"
        self.transport.write(
            b"%b%b: %d\r\n\r\n%b" % (STATUS_LINE[status], headers.encode(), len(body), body)
        )
        self.transport.close()
