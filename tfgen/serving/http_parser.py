"""httptools' parser, which reads on where a client offers to speak another protocol."""

import httptools


class HttpParser:
    """A parser of requests that declines the header `Upgrade`.

    httptools takes all that follows such a header for the other protocol, the request's body too.
    Java's client offers HTTP/2 so with its first request, which is to be answered as any other.

    Args:
        protocol: what is called with a request's parts, see `httptools.HttpRequestParser`.
    """

    def __init__(self, protocol):
        self._protocol = protocol
        self._offered = False
        self._start()

    def __getattr__(self, name):
        return getattr(self._protocol if name.startswith("on_") else self._parser, name)

    def feed_data(self, data):
        """Parses bytes, and calls the protocol with what they complete."""
        while data:
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                if not self._offered:  # but the method CONNECT
                    raise
                data = self._head_without_offer() + data[upgrade.args[0] :]
                self._start()

    def close(self):
        """Lets go of the protocol, which without it would stay until garbage is collected."""
        self._protocol = self._parser = None

    def on_headers_complete(self):
        names = [name for name, _ in self._protocol.headers]
        self._offered = self._parser.should_upgrade() and b"upgrade" in names
        if not self._offered:
            self._protocol.on_headers_complete()

    def on_message_complete(self):
        if not self._offered:
            self._protocol.on_message_complete()

    def _start(self):
        self._parser = httptools.HttpRequestParser(self)
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does

    def _head_without_offer(self):
        """Returns a request's line and headers, to parse them again."""
        line = [self._parser.get_method(), self._protocol.url]
        line.append(f"HTTP/{self._parser.get_http_version()}".encode())
        headers = [b"%b: %b" % pair for pair in self._protocol.headers if pair[0] != b"upgrade"]
        return b"\r\n".join([b" ".join(line), *headers, b"", b""])
