"""The clients, where servers do not do as they should."""

import contextlib
import http.server
import json
import socket
import threading
import time

import numpy as np
import pytest
import tensorflow as tf

from tfgen.serving.client import GrpcClient, RestClient, ServedError, ServerUnavailable

AWAY = b'{"error": "away"}'


@contextlib.contextmanager
def answering(respond):
    """Starts a server; `respond` answers its requests. Yields its address and what it was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.rfile.read(int(self.headers.get("content-length", 0))))
            with contextlib.suppress(ConnectionError):  # of a client that no longer waits
                respond(self, asked)

        do_GET = do_POST

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def send(handler, status, body):
    handler.send_response(status)
    handler.end_headers()
    handler.wfile.write(body)


def refused_within(seconds, client, message):
    start = time.monotonic()
    with pytest.raises(ServedError, match=message):
        client.predict("any", x=1)
    assert time.monotonic() - start < seconds


def test_a_request_that_may_be_at_work_is_not_repeated():
    with answering(lambda handler, asked: time.sleep(1)) as (url, asked):
        refused_within(0.9, RestClient(url, timeout=0.3), "does not answer")
        assert len(asked) == 1
    with answering(lambda handler, asked: None) as (url, asked):  # ends without a word
        refused_within(5, RestClient(url), "does not answer")
        assert len(asked) == 1


def test_all_tries_together_end_in_time():
    def late(handler, asked):
        time.sleep(0.15)
        send(handler, 503, AWAY)

    with answering(late) as (url, asked):
        refused_within(1.2, RestClient(url, timeout=0.8, retries=20), "503: away")
        assert len(asked) == 2  # at 0 and 0.35 s; the next would be at 0.9


@pytest.mark.parametrize("body", [AWAY, b"<html>"])
def test_tries_are_counted(body):
    with answering(lambda handler, asked: send(handler, 429, body)) as (url, asked):
        refused_within(5, RestClient(url, retries=2), "429")
        assert len(asked) == 3


def test_what_is_wrong_is_not_asked_again():
    with answering(lambda handler, asked: send(handler, 400, AWAY)) as (url, asked):
        refused_within(5, RestClient(url), "400: away")
        assert len(asked) == 1


def test_a_server_that_starts_meanwhile_is_found():
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]

    def start():
        time.sleep(0.1)
        with socket.create_server(("127.0.0.1", port)) as server:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b'HTTP/1.0 200 OK\r\n\r\n{"model_version_status": []}')

    threading.Thread(target=start, daemon=True).start()
    assert RestClient(f"http://127.0.0.1:{port}").status("any") == {}
    refused_within(0.5, RestClient(f"http://127.0.0.1:{port}", timeout=0.3), "does not answer")


@pytest.mark.parametrize("kind", [RestClient, GrpcClient])
def test_a_refused_connection_names_the_address_and_what_to_start(kind):
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        address = f"127.0.0.1:{reserved.getsockname()[1]}"
    with pytest.raises(ConnectionError, match=f"no server at .*{address}.*refused") as raised:
        kind(address, retries=0).status("any")
    assert "python -m tfgen serve" in str(raised.value)
    assert type(raised.value) is ServerUnavailable


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("127.0.0.1:8501", "http://127.0.0.1:8501"),
        ("localhost:8501/", "http://localhost:8501"),
        ("https://host/below/", "https://host/below"),
    ],
)
def test_a_url_needs_no_scheme(url, taken):
    assert RestClient(url).url == taken


def test_addresses_of_another_protocol_are_refused():
    with pytest.raises(ValueError, match="`url` must be .* Received: 'grpc://localhost:8500'"):
        RestClient("grpc://localhost:8500")
    with pytest.raises(ValueError, match="without 'http://'. Received: 'http://localhost:8500'"):
        GrpcClient("http://localhost:8500")


def test_the_old_name_of_the_timeout_is_taken():
    with pytest.warns(FutureWarning, match="`seconds=` is now called `timeout=`"):
        assert RestClient("localhost:8501", seconds=3.0).timeout == 3.0


BYTES = [
    [b"ab\0", b"c"],
    b"ab\0",
    [[b"ab\0"], [b"c"]],
    (b"ab\0", b"c"),
    np.array([b"ab\0", b"c"], object),
    np.array(b"ab\0", object),
    np.array([[b"ab\0", b"\0"], [b"", b"c"]], object),
]


METADATA = {"signature_def": {"signature_def": {"serving_default": {"outputs": {"b64": {}}}}}}


def echo(handler, asked):
    """Answers as a signature whose single output is its input."""
    answer = {"metadata": METADATA}
    if handler.command == "POST":
        answer = {"outputs": json.loads(asked[-1])["inputs"]["x"]}
    send(handler, 200, json.dumps(answer).encode())


@pytest.fixture(scope="module")
def mirror():
    with answering(echo) as (url, _):
        yield RestClient(url)


@pytest.mark.parametrize("value", BYTES, ids=repr)
def test_bytes_are_sent_and_read_as_they_are(value, mirror):
    expected = np.array(value, object)
    answer = mirror.predict("any", x=value)
    np.testing.assert_array_equal(answer.pop("b64"), expected, strict=True)
    assert answer == {}
    sent = tf.make_ndarray(tf.make_tensor_proto(value))  # over gRPC
    np.testing.assert_array_equal(sent, expected, strict=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32([[0.1, 2]]), np.float32([[0.1, 2]])),
        ([np.float64(0.5), np.float32(1.5)], np.float32([0.5, 1.5])),
        (np.int32(3), np.array(3)),
        ([True, np.bool_(False)], np.array([True, False])),
        (["a", "\u00e9\0"], np.array(["a", "\u00e9\0"], object)),
        (np.array("a"), np.array("a", object)),
        ([float("nan"), np.inf], np.float32([np.nan, np.inf])),
        ([[], []], np.zeros([2, 0], np.float32)),
    ],
    ids=repr,
)
def test_numbers_and_text_are_sent_and_read(value, expected, mirror):
    np.testing.assert_array_equal(mirror.predict("any", x=value)["b64"], expected, strict=True)
