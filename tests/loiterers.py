"""Clients that begin a request and do not go on, and begin again when they are sent away."""

import contextlib
import selectors
import socket
import threading

from tests import hostile_http, http2

_PREDICT = "/tensorflow.serving.PredictionService/Predict"
_SECONDS = 0.5  # between two looks for those who were sent away
REST = [
    b"",
    b"POST /v1/models/vae:predict HT",
    b"POST /v1/models/vae:predict HTTP/1.1\r\nHost: localhost\r\na: b\r\n",
    hostile_http.post(bytes(2**20), f"Content-Length: {2**23}"),
    hostile_http.post(b"100000\r\n" + bytes(2**19), "Transfer-Encoding: chunked"),
]


def _grpc_beginnings(address):
    start = http2.PREFACE + http2.frame(http2.SETTINGS, 0, 0)
    call = start + http2.begin_call(address, _PREDICT, 1)
    return [b"", start, call, call + http2.begin_message(1, 2**25, bytes(2**14))]


class Loiterers:
    """Keeps so many connections of each kind open, in a `with` block.

    Args:
        rest: the address for REST.
        grpc: that for gRPC.
        count: of each kind.

    Attributes:
        begun: how many connections were begun.
    """

    def __init__(self, rest, grpc, count):
        self._places = count * [
            *((rest, content) for content in REST),
            *((grpc, content) for content in _grpc_beginnings(grpc)),
        ]
        self._selector = selectors.DefaultSelector()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.begun = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._end.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()

    def _work(self):
        missing = list(self._places)
        while not self._end.wait(_SECONDS):
            missing = [place for place in missing if not self._begin(place)]
            for key, _ in self._selector.select(0):
                if not _goes_on(key.fileobj):
                    self._selector.unregister(key.fileobj)
                    key.fileobj.close()
                    missing.append(key.data)

    def _begin(self, place):
        """Opens a connection, and sends what is sent of its request; tells whether it could."""
        address, content = place
        host, port = address.split(":")
        with contextlib.suppress(OSError):
            connection = socket.create_connection((host, int(port)), timeout=1)
            with contextlib.suppress(OSError):
                connection.sendall(content)
            connection.setblocking(False)
            self._selector.register(connection, selectors.EVENT_READ, place)
            self.begun += 1
            return True
        return False


def _goes_on(connection):
    """Tells whether a connection that has something to read is not at its end."""
    try:
        return bool(connection.recv(2**16))
    except BlockingIOError:
        return True
    except OSError:
        return False
