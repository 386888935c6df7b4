"""Bytes that no HTTP client would send: the third part of `python -m tests.hostile`."""

import contextlib
import functools
import gzip
import socket

from hypothesis import strategies as st

SIZES = [17 * 2**20, 64 * 2**20, 256 * 2**20]  # of what is packed; a body may have 16 MiB
LETTERS = "abcdefghijklmnopqrstuvwxyz"
NAMES = st.text(LETTERS, min_size=1, max_size=20)
BYTES = st.binary(min_size=1, max_size=60)


def post(body, *headers, to="/v1/models/vae:predict"):
    """Returns a request, with a host and its body's length unless the headers say otherwise."""
    lines = [f"POST {to} HTTP/1.1", "Connection: close", "Content-Type: application/json"]
    named = {header.partition(":")[0].lower() for header in headers}
    if "host" not in named:
        lines.append("Host: localhost")
    if not named & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def get(*headers):
    return "\r\n".join(["GET /v1/models/vae HTTP/1.1", *headers, "", ""]).encode()


def in_chunks(trailers):
    return post(b"2\r\n{}\r\n0\r\n" + trailers + b"\r\n", "Transfer-Encoding: chunked")


@functools.cache
def bomb(size):
    return gzip.compress(bytes(size))


def packed(body, *headers):
    return post(body, "Content-Encoding: gzip", *headers)


def lists(text, count):
    return post(b'{"inputs": {"latents": [' + text * count + b"0]}}")


KINDS = {
    "no HTTP": BYTES.map(lambda content: b"\0" + content),
    "many headers": st.integers(12_000, 10**6).map(lambda count: get(*["a: b"] * count)),
    "a large header": st.integers(2**16, 10**7).map(lambda size: get("a: " + "b" * size)),
    "a long path": st.integers(2**16, 10**6).map(lambda size: post(b"{}", to="/" + "a" * size)),
    "many trailers": st.integers(12_000, 10**6).map(lambda count: in_chunks(b"a: b\r\n" * count)),
    "a large trailer": st.integers(2**16, 10**7).map(
        lambda size: in_chunks(b"a: " + b"b" * size + b"\r\n")
    ),
    "no such chunk": BYTES.map(
        lambda content: post(b"xyz" + content + b"\r\n", "Transfer-Encoding: chunked")
    ),
    "length and chunks": st.integers(0, 10**6).map(
        lambda size: post(b"0\r\n\r\n", f"Content-Length: {size}", "Transfer-Encoding: chunked")
    ),
    "no length": NAMES.map(lambda name: post(b"{}", f"Content-Length: {name}")),
    "a large length": st.integers(16 * 2**20 + 1, 2**62).map(
        lambda size: post(b"", f"Content-Length: {size}")
    ),
    "other host": NAMES.map(lambda name: get(f"Host: {name}.example", "Connection: close")),
    "other origin": NAMES.map(lambda name: post(b"{}", f"Origin: https://{name}.example")),
    "bombs": st.tuples(st.sampled_from(SIZES), NAMES).map(
        lambda parts: packed(bomb(parts[0]), f"a: {parts[1]}")
    ),
    "a part of gzip": st.integers(1, 1000).map(lambda end: packed(bomb(SIZES[0])[:end])),
    "no gzip": BYTES.map(packed),
    "more than gzip": BYTES.map(lambda content: packed(gzip.compress(b"{}") + content)),
    "other packing": NAMES.filter(lambda name: name not in ("gzip", "identity")).map(
        lambda name: post(b"{}", f"Content-Encoding: {name}")
    ),
    "many lists": st.integers(1_200_001, 5_000_000).map(lambda count: lists(b"[],", count)),
    "many objects": st.integers(1_200_001, 5_000_000).map(lambda count: lists(b"{},", count)),
}


def ask(address, content, seconds):
    """Sends bytes on a connection of their own, and returns the status by which they were refused.

    It is "closed" where the server closed the connection while bytes still came.
    """
    host, port = address.split(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=seconds) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(content)
        with contextlib.suppress(ConnectionError):
            while len(answer) < 12 and (part := connection.recv(2**12)):
                answer += part
    if not answer:
        assert len(content) > 2**16, content
        return "closed"
    status = int(answer[9:12])
    assert 400 <= status < 500, (content[:500], answer)
    return status
