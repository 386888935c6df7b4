"""What strangers send before a request is complete is bounded: bytes, time and connections."""

import asyncio
import contextlib
import gc
import json
import socket
import threading
import time

import pytest
import uvicorn

from tfgen.serving.http_parser import HttpParser
from tfgen.serving.http_protocol import HttpBounds, bounded_protocol, bounds_of_this_process

BOUNDS = HttpBounds(header_bytes=4096, header_seconds=0.4, body_seconds=0.8, connections=8)
ANSWER = bytes(8 * 2**20)


async def application(scope, receive, send):
    """Answers with the size of the body, or with more than fits in a connection's buffers."""
    size, more = 0, scope["path"] != "/early"
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    body = ANSWER if scope["path"] == "/large" else str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextlib.contextmanager
def served(bounds):
    """Yields the port of a server, and the server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        protocol = bounded_protocol(bounds)
        config = uvicorn.Config(
            application,
            http=protocol,
            ws="none",
            lifespan="off",
            log_level="critical",
            timeout_keep_alive=1,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1], server
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def port():
    with served(BOUNDS) as (port, _):
        yield port


@contextlib.contextmanager
def connected(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        yield client


def read_all(client):
    """Returns what comes until the connection is closed."""
    parts = []
    with contextlib.suppress(ConnectionError):
        while part := client.recv(2**16):
            parts.append(part)
    return b"".join(parts)


def send_all(client, content):
    with contextlib.suppress(ConnectionError):
        client.sendall(content)


def ask(port, content):
    with connected(port) as client:
        send_all(client, content)
        return read_all(client)


def post(body, *headers):
    lines = ["POST / HTTP/1.1", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def status(answer):
    return int(answer.split()[1])


def test_requests_are_answered(port):
    assert ask(port, post(b"ab", "Content-Length: 2")).endswith(b"\r\n\r\n2")
    with connected(port) as client:
        for _ in range(3):  # on one connection, and two at once
            client.sendall(b"GET / HTTP/1.1\r\n\r\n" * 2)
            found = b""
            while found.count(b"\r\n\r\n0") < 2:
                found += client.recv(2**16)


OFFER = ["Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAEA", "Upgrade: h2c"]


@pytest.mark.parametrize("pause", [None, 20, -2])
@pytest.mark.parametrize(
    ("size", "body"),
    [("Content-Length: 2", b"ab"), ("Transfer-Encoding: chunked", b"2\r\nab\r\n0\r\n\r\n")],
)
def test_an_offer_of_another_protocol_is_declined(port, size, body, pause):
    """Java's client makes it with each request; once its body was taken for that protocol's."""
    content = "\r\n".join(["POST / HTTP/1.1", *OFFER, size, "", ""]).encode() + body
    with connected(port) as client:
        for _ in range(2):
            client.sendall(content[:pause])
            if pause:
                time.sleep(0.05)
                client.sendall(content[pause:])
            answer = client.recv(2**16)
            assert (status(answer), answer[-5:]) == (200, b"\r\n\r\n2")


def test_many_offers_at_once_are_bounded_as_other_requests(port):
    content = "\r\n".join(["GET /slow HTTP/1.1", *OFFER, "", ""]).encode()
    assert ask(port, content * 2000) == b""
    assert status(ask(port, b"CONNECT a:1 HTTP/1.1\r\nUpgrade: h2c\r\n\r\n")) == 400


@pytest.mark.slow
def test_a_connection_that_is_gone_leaves_nothing_to_collect(port):
    """Garbage is collected seldom, and each connection may have 64 KiB of headers."""

    def parsers():
        return sum(isinstance(each, HttpParser) for each in gc.get_objects())

    gc.collect()
    before = parsers()
    gc.disable()
    try:
        for content in (
            post(b"ab", "Content-Length: 2"),
            b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 5000,
        ):
            for _ in range(10):
                ask(port, content)
        time.sleep(0.5)
        assert parsers() <= before + 1
    finally:
        gc.enable()


def test_a_large_body_in_small_chunks_has_small_headers(port):
    chunks = b"1\r\nx\r\n" * 10_000
    answer = ask(port, post(chunks + b"0\r\n\r\n", "Transfer-Encoding: chunked"))
    assert answer.endswith(b"\r\n\r\n10000")
    answer = ask(port, post(bytes(2**20), f"Content-Length: {2**20}"))
    assert answer.endswith(f"\r\n\r\n{2**20}".encode())


@pytest.mark.parametrize(
    "content",
    [
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 100_000,
        b"GET / HTTP/1.1\r\na: " + b"b" * 2**20,
        b"GET / HTTP/1.1\r\n" + b"a" * 2**20,
        b"GET /" + b"a" * 2**20,
        post(b"1\r\nx\r\n0\r\n" + b"a: b\r\n" * 100_000, "Transfer-Encoding: chunked"),
        post(b"1\r\nx\r\n0\r\na: " + b"b" * 2**20, "Transfer-Encoding: chunked"),
    ],
    ids=["many", "one", "a name", "a path", "many trailers", "one trailer"],
)
def test_headers_are_bounded(port, content):
    with connected(port) as client:
        sender = threading.Thread(target=send_all, args=(client, content))
        sender.start()
        answer = read_all(client)
        sender.join()
    if answer:  # it may be lost, where the client still sends as the connection is closed
        assert status(answer) == 431
        said = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
        assert said == "A request's headers may have at most 4096 bytes."


def test_headers_are_bounded_to_the_byte(port):
    start = b"GET / HTTP/1.1\r\nConnection: close\r\na: "
    fits = start + b"b" * (BOUNDS.header_bytes - len(start) - 4) + b"\r\n\r\n"
    assert status(ask(port, fits)) == 200
    assert status(ask(port, fits.replace(b"a: ", b"a: b"))) == 431


@pytest.mark.parametrize(
    ("content", "seconds", "what"),
    [
        (b"", BOUNDS.header_seconds, "headers"),
        (b"GET / HTTP/1.1\r\na: b\r\n", BOUNDS.header_seconds, "headers"),
        (post(b"a", "Content-Length: 2"), BOUNDS.body_seconds, "body"),
        (post(b"1\r\nx\r\n", "Transfer-Encoding: chunked"), BOUNDS.body_seconds, "body"),
    ],
    ids=["nothing", "headers", "body", "chunks"],
)
def test_what_does_not_arrive_in_time_is_refused(port, content, seconds, what):
    start = time.monotonic()
    answer = ask(port, content)
    assert seconds - 0.05 < time.monotonic() - start < seconds + 3
    assert status(answer) == 408
    assert f"A request's {what} must arrive within {seconds:g} seconds." in answer.decode()


@pytest.mark.parametrize("drop", [b"\r\n", b"a: b\r\n"])
def test_drops_do_not_prolong_the_time(port, drop):
    """Not even on a connection that had an answer, where blank lines begin no request."""
    with connected(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert status(client.recv(2**16)) == 200
        start = time.monotonic()
        if drop != b"\r\n":
            client.sendall(b"GET / HTTP/1.1\r\n")
        client.settimeout(0.1)
        while time.monotonic() - start < 5:
            send_all(client, drop)
            try:
                if not client.recv(2**16):
                    break
            except TimeoutError:
                pass
            except ConnectionError:
                break
        assert time.monotonic() - start < 3


def test_an_answer_that_is_not_read_is_given_up():
    bounds = HttpBounds(answer_seconds=0.3)
    with served(bounds) as (port, server), connected(port) as client:
        client.sendall(b"GET /large HTTP/1.1\r\n\r\n")
        deadline = time.monotonic() + 5
        while not server.server_state.connections and time.monotonic() < deadline:
            time.sleep(0.01)
        while server.server_state.connections and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not server.server_state.connections
        assert len(read_all(client)) < len(ANSWER)
        assert len(ask(port, b"GET /large HTTP/1.1\r\nConnection: close\r\n\r\n")) > len(ANSWER)


def test_silent_connections_make_room_for_those_that_ask():
    bounds = HttpBounds(connections=8)
    with served(bounds) as (port, server), contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connected(port)) for _ in range(40)]
        for client in silent[::2]:
            send_all(client, post(b"a", "Content-Length: 2"))
        start = time.monotonic()
        assert ask(port, post(b"", "Content-Length: 0")).endswith(b"\r\n\r\n0")
        assert time.monotonic() - start < 2
        assert len(server.server_state.connections) <= bounds.connections
        assert read_all(silent[0]) == b""  # the first to come had to go


def test_a_process_keeps_half_of_its_files_for_other_things(monkeypatch):
    resource = pytest.importorskip("resource")
    for files, connections in ((64, 32), (1_000_000, 512), (resource.RLIM_INFINITY, 512), (1, 1)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, files=files: (files, files))
        assert bounds_of_this_process().connections == connections


def test_a_body_that_comes_after_the_answer_leaves_no_connection_open():
    with served(BOUNDS) as (port, server), connected(port) as client:
        client.sendall(b"POST /early HTTP/1.1\r\nContent-Length: 5\r\n\r\n")
        assert client.recv(2**16).endswith(b"0")
        client.sendall(b"hello")
        start = time.monotonic()
        assert client.recv(2**16) == b""  # closed
        assert time.monotonic() - start < 3
        assert not server.server_state.connections


def test_a_large_answer_that_is_read_slowly_comes_whole(port):
    """It waits for its client for longer than the server waits for a next request."""
    with connected(port) as client:
        client.sendall(b"GET /large HTTP/1.1\r\n\r\n")
        time.sleep(2)
        found = b""
        while len(found) < len(ANSWER) and (part := client.recv(2**20)):
            found += part
            time.sleep(0.02)
        assert len(found) > len(ANSWER)


def test_requests_that_are_sent_without_waiting_are_bounded():
    with served(BOUNDS) as (port, server):
        for count, answered in ((BOUNDS.pipelined, True), (BOUNDS.pipelined + 2, False)):
            with connected(port) as client:
                send_all(client, b"GET /slow HTTP/1.1\r\n\r\n" + count * b"GET / HTTP/1.1\r\n\r\n")
                assert (read_all(client).count(b"HTTP/1.1 200") == count + 1) == answered


def test_half_of_the_next_request_does_not_end_the_one_that_is_answered(port):
    with connected(port) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHo")
        assert status(client.recv(2**16)) == 200
        client.sendall(b"st: a\r\n\r\n")
        assert status(client.recv(2**16)) == 200
