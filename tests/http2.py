"""Frames of HTTP/2 as no client of gRPC would send them: https://www.rfc-editor.org/rfc/rfc9113."""

import socket
import struct
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, WINDOW_UPDATE, CONTINUATION = 0, 1, 4, 8, 9
END_STREAM, END_HEADERS = 1, 4


def connect(address):
    """Returns a socket on which streams can begin."""
    host, port = address.split(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    connection.sendall(PREFACE + frame(SETTINGS, 0, 0))
    return connection


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def begin_call(address, method, stream):
    """Returns the frame of headers with which a call of gRPC begins."""
    return frame(HEADERS, END_HEADERS, stream, call(address, method))


def call(address, method):
    """Returns the headers of a call of gRPC."""
    return headers(
        {
            ":method": "POST",
            ":scheme": "http",
            ":path": method,
            ":authority": address,
            "content-type": "application/grpc",
            "te": "trailers",
        }
    )


def begin_message(stream, size, content=b""):
    """Returns the frame with which a message of so many bytes begins."""
    return frame(DATA, 0, stream, struct.pack(">BI", 0, size) + content)


def received(connection, wanted, seconds):
    """Returns what the server sends in some time, until it holds certain bytes."""
    content, end = b"", time.monotonic() + seconds
    while wanted not in content and (left := end - time.monotonic()) > 0:
        connection.settimeout(left)
        if not (part := connection.recv(2**16)):
            break
        content += part
    return content


def headers(pairs):
    """Returns a block of headers, each a literal that is not indexed."""
    return b"".join(
        b"\0" + _text(name.encode()) + _text(value.encode()) for name, value in pairs.items()
    )


def _text(content):
    size, start = len(content), b""
    if size >= 127:
        size, start = size - 127, b"\x7f"
        while size >= 128:
            start, size = start + bytes([size & 127 | 128]), size >> 7
    return start + bytes([size]) + content
