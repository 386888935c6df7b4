"""What strangers may send over gRPC, and what it may cost: the token, sizes, time and memory."""

import asyncio
import concurrent.futures
import contextlib
import gc
import pathlib
import re
import time
import weakref

import grpc
import httpx2
import numpy as np
import psutil
import pytest
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    predict_pb2,
    regression_pb2,
)

from tests import hostile_grpc, http2
from tests.hostile_grpc import MODEL, PREDICTION
from tests.servables import half_plus, spec, write
from tests.test_server import started
from tfgen.serving import grpc_tensors
from tfgen.serving.backend import Backend
from tfgen.serving.grpc_api import methods_of
from tfgen.serving.grpc_guard import MOST_ARRIVING, MOST_CALLS, Guard
from tfgen.serving.metrics import Metrics
from tfgen.serving.models import Models
from tfgen.serving.scheduler import Limits, Scheduler
from tfgen.serving.wire_format import check_message

PREDICT = f"{PREDICTION}/Predict"
BEARER = (("authorization", "Bearer secret"),)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write(folder, "half", 1, half_plus(1))
    (folder / "token").write_text("secret\n")
    return folder


@pytest.fixture(scope="module")
def open_server(folder):
    with started(folder) as server:
        yield server


@pytest.fixture(scope="module")
def closed_server(folder):
    with started(folder, f"--token-file={folder / 'token'}") as server:
        yield server


@contextlib.contextmanager
def channel_to(server):
    with grpc.insecure_channel(server[2], [("grpc.max_metadata_size", 2**30)]) as channel:
        yield channel


def ask(server, method, request, **options):
    """Returns the name of a call's status and what it says, and the answer's bytes."""
    content = request if isinstance(request, bytes) else request.SerializeToString()
    with channel_to(server) as channel:
        try:
            answer = channel.unary_unary(method)(content, timeout=60, **options)
        except grpc.RpcError as error:
            return error.code().name, error.details()
        return "OK", answer


def half(values=(0,)):
    """Returns the bytes of a request that is answered."""
    _, request = hostile_grpc.predict("", x=np.float32(values))
    request.model_spec.name = "half"
    return request.SerializeToString()


@contextlib.contextmanager
def memory_of(server, megabytes):
    """Fails if the server ever takes so much more memory within the context."""
    process, _, _ = server
    status = pathlib.Path(f"/proc/{process.pid}/status")
    if not status.exists():
        pytest.skip("the system does not tell the most memory that a process took")
    before = psutil.Process(process.pid).memory_info().rss
    pathlib.Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # forget the most so far
    yield
    most = 1024 * int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1])
    assert most - before < megabytes * 1e6, f"{(most - before) / 1e6:.0f} MB"


@contextlib.contextmanager
def others_are_answered(server, seconds):
    """Fails if, within the context, the server once took longer to tell that it lives."""
    _, url, _ = server
    done, times = [], []

    def look():
        with httpx2.Client(timeout=60) as client:
            while not (done and times):
                start = time.monotonic()
                client.get(f"{url}/healthz")
                times.append(time.monotonic() - start)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        looking = pool.submit(look)
        try:
            yield
        finally:
            done.append(True)
            looking.result()
    assert max(times) < seconds, f"{max(times):.1f} s"


def test_a_message_without_the_token_is_not_read(closed_server):
    _, sizes = hostile_grpc.with_dims(5 * 2**20)
    with memory_of(closed_server, megabytes=100), others_are_answered(closed_server, seconds=2):
        for _ in range(10):
            code, message = ask(closed_server, PREDICT, sizes)
            assert code == "UNAUTHENTICATED" and "Authorization: Bearer" in message


def test_no_method_tells_anything_without_the_token(closed_server):
    for method in (PREDICT, f"{MODEL}/GetModelStatus", "/any/Method"):
        assert ask(closed_server, method, b"")[0] == "UNAUTHENTICATED"
    code, _ = ask(closed_server, PREDICT, half(), metadata=BEARER)
    assert code == "OK"
    assert ask(closed_server, "/any/Method", b"", metadata=BEARER)[0] == "UNIMPLEMENTED"


@pytest.mark.parametrize(
    ("method", "content", "message"),
    [
        (*hostile_grpc.with_dims(30 * 2**20 - 50), "more than 65536 fields"),
        (*hostile_grpc.with_configs(30 * 2**20 - 50), "at most 1048576 bytes"),
        (*hostile_grpc.with_configs(400_000), "more than 65536 fields"),
        (*hostile_grpc.with_configs(1001), "at most 1000 models"),
        (*hostile_grpc.status("a" * 2**20), "GetModelStatusRequest may have at most 65536 bytes"),
        (f"{PREDICTION}/Classify", bytes(2**20), "ClassificationRequest may have at most"),
        (PREDICT, b"\x07\x07", "no PredictRequest"),
    ],
    ids=["sizes", "models", "fewer models", "few models", "status", "classify", "no message"],
)
def test_a_message_costs_little_more_than_its_bytes(open_server, method, content, message):
    if not isinstance(content, bytes):
        content = content.SerializeToString()
    with memory_of(open_server, megabytes=300), others_are_answered(open_server, seconds=2):
        code, found = ask(open_server, method, content)
    assert code == "INVALID_ARGUMENT" and message in found


def test_a_packed_message_is_bounded_as_it_is_unpacked(open_server):
    """200 MiB of zeros are packed into 200 KB."""
    with memory_of(open_server, megabytes=150):
        code, _ = ask(open_server, PREDICT, bytes(200 * 2**20), compression=grpc.Compression.Gzip)
    assert code == "RESOURCE_EXHAUSTED"
    assert ask(open_server, PREDICT, half(), compression=grpc.Compression.Gzip)[0] == "OK"


@pytest.mark.parametrize("number", [-1, 1, 300])
def test_packed_numbers_are_counted_one_by_one(number):
    """A negative one is sent as ten bytes."""
    content = tensor_pb2.TensorProto(int_val=[number] * 1000).SerializeToString()
    check_message(content, tensor_pb2.TensorProto.DESCRIPTOR, 4000)
    with pytest.raises(ValueError, match="more than 3999 bytes"):
        check_message(content, tensor_pb2.TensorProto.DESCRIPTOR, 3999)


@pytest.mark.parametrize(
    "metadata",
    [
        [("x-large", "a" * 100_000)],
        [("x-large", "a" * 40 * 2**20)],
        [(f"x-{index}", "a" * 40) for index in range(100_000)],
    ],
    ids=["100 KB", "40 MiB", "many"],
)
def test_metadata_are_bounded(closed_server, metadata):
    with memory_of(closed_server, megabytes=100), others_are_answered(closed_server, seconds=2):
        assert ask(closed_server, PREDICT, b"", metadata=metadata)[0] == "RESOURCE_EXHAUSTED"


@pytest.mark.parametrize("where", ["headers", "trailers"])
def test_headers_without_an_end_take_no_memory(closed_server, where):
    """20 MiB of small ones, as no client of gRPC sends them."""
    process, _, address = closed_server
    small = http2.headers({f"x-{index}": "a" * 100 for index in range(140)})
    before = psutil.Process(process.pid).memory_info().rss
    with http2.connect(address) as connection:
        if where == "headers":
            connection.sendall(http2.frame(http2.HEADERS, 0, 1, http2.call(address, PREDICT)))
        else:
            connection.sendall(http2.begin_call(address, PREDICT, 1))
            connection.sendall(http2.frame(http2.HEADERS, http2.END_STREAM, 1, small))
        with contextlib.suppress(OSError):  # the server may hang up
            for _ in range(1300):
                connection.sendall(http2.frame(http2.CONTINUATION, 0, 1, small))
        assert psutil.Process(process.pid).memory_info().rss - before < 150e6
        assert ask(closed_server, PREDICT, half(), metadata=BEARER)[0] == "OK"


@contextlib.contextmanager
def unfinished(server, count):
    """Begins calls with messages of 60 MiB, a connection each, that never end."""
    _, _, address = server
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(http2.connect(address)) for _ in range(count)]
        for connection in connections:
            connection.sendall(
                http2.begin_call(address, PREDICT, 1)
                + http2.begin_message(1, 60 * 2**20, bytes(10_000))
            )
        yield connections


def test_messages_that_never_end_keep_nobody_waiting(open_server):
    with unfinished(open_server, MOST_ARRIVING + 4) as connections:
        start = time.monotonic()
        assert ask(open_server, PREDICT, half())[0] == "OK"
        assert time.monotonic() - start < 5
        # Which ones were read first, nobody knows: the others have until the timeout.
        ended = 0
        for connection in connections:
            with contextlib.suppress(TimeoutError):
                said = http2.received(connection, b"grpc-message", 0.5)
                ended += b"did not come in time" in said
        assert ended >= MOST_ARRIVING - 1


@pytest.mark.slow
def test_a_message_has_until_the_timeout_to_come(folder):
    with started(folder, "--timeout=1") as server, unfinished(server, 1) as connections:
        assert b"did not come in time" in http2.received(connections[0], b"grpc-message", 10)
        assert ask(server, PREDICT, half())[0] == "OK"


@pytest.mark.slow
def test_more_calls_than_there_may_be_are_refused_and_others_answered_later(open_server):
    _, _, address = open_server
    calls = [
        http2.begin_call(address, PREDICT, 2 * index + 1) + http2.begin_message(2 * index + 1, 1000)
        for index in range(100)
    ]
    with contextlib.ExitStack() as stack:
        for _ in range(MOST_CALLS // 100 + 1):
            stack.enter_context(http2.connect(address)).sendall(b"".join(calls))
        time.sleep(1)
        assert ask(open_server, PREDICT, half())[0] == "RESOURCE_EXHAUSTED"
        end = time.monotonic() + 40
        while ask(open_server, PREDICT, half())[0] != "OK":
            assert time.monotonic() < end
            time.sleep(0.5)


@pytest.mark.slow
def test_silent_connections_are_closed(folder):
    """As many as there may be: the next client is answered once they are closed."""
    with started(folder) as server, contextlib.ExitStack() as stack:
        host, port = server[2].split(":")
        for _ in range(MOST_CALLS):
            stack.enter_context(http2.socket.create_connection((host, int(port))))
        end = time.monotonic() + 25
        while ask(server, PREDICT, half())[0] != "OK":
            assert time.monotonic() < end
            time.sleep(0.5)


@pytest.mark.parametrize(
    ("method", "request_type"),
    [
        ("Predict", predict_pb2.PredictRequest),
        ("Classify", classification_pb2.ClassificationRequest),
        ("Regress", regression_pb2.RegressionRequest),
        ("GetModelMetadata", get_model_metadata_pb2.GetModelMetadataRequest),
        ("GetModelStatus", get_model_status_pb2.GetModelStatusRequest),
    ],
)
def test_a_request_without_a_model_is_wrong(open_server, method, request_type):
    path = f"{MODEL if method == 'GetModelStatus' else PREDICTION}/{method}"
    request = request_type()
    assert ask(open_server, path, request) == ("INVALID_ARGUMENT", "Missing ModelSpec")
    request.model_spec.SetInParent()
    code, message = ask(open_server, path, request)
    assert (code, message) == ("INVALID_ARGUMENT", "ModelSpec has no name specified.")


def test_an_output_that_is_named_twice_or_unknown_is_refused(open_server):
    _, request = hostile_grpc.predict("", ["y", "y"], x=np.float32([0]))
    request.model_spec.name = "half"
    code, message = ask(open_server, PREDICT, request)
    assert (code, message) == ("INVALID_ARGUMENT", "duplicate output tensor alias: y")
    request.output_filter[:] = ["z" * 10**6]
    code, message = ask(open_server, PREDICT, request)
    assert code == "INVALID_ARGUMENT" and len(message) == 1000 and "not found in sig" in message


def test_several_inferences_at_once_are_refused_in_a_sentence(open_server):
    request = inference_pb2.MultiInferenceRequest()
    request.tasks.add().model_spec.name = "half"
    for each in (request, b""):
        code, message = ask(open_server, f"{PREDICTION}/MultiInference", each)
        assert code == "UNIMPLEMENTED" and "answers Predict alone" in message


class Call:
    """A call of gRPC, as a handler sees it."""

    def __init__(self, content):
        self.content = content
        self.told = {}

    async def read(self):
        return self.content

    def time_remaining(self):
        return None

    def set_code(self, code):
        self.told["code"] = code.name

    def set_details(self, details):
        self.told["details"] = details


def refuse(x):
    import tensorflow as tf

    tf.debugging.assert_non_negative(x, "x must not be negative")
    return {"y": x}


@pytest.mark.slow
def test_memory_of_a_refused_request_is_given_back_at_once(tmp_path, monkeypatch):
    """Without a look for garbage, which may not come for long."""
    write(tmp_path, "half", 1, {"serving_default": (refuse, [spec("x")])})
    models, scheduler = Models(tmp_path), Scheduler(Limits())
    models.refresh()
    backend = Backend(models, scheduler, Metrics(models, scheduler))
    arrays, read = [], grpc_tensors.read

    def remember(*arguments):
        inputs = read(*arguments)
        arrays.append(weakref.ref(inputs["x"]))
        return inputs

    async def ask_all(contents):
        guard = Guard(backend, methods_of(backend))
        handler = guard._handlers[PREDICT].stream_unary
        calls = [Call(content) for content in contents]
        for call in calls:
            assert await handler(None, call) == b""
        return [call.told for call in calls]

    monkeypatch.setattr(grpc_tensors, "read", remember)
    gc.collect()
    gc.disable()
    try:
        # The last stays until the scheduler takes the next.
        told = asyncio.run(ask_all([half([-1.0] * 1000), half(np.zeros(5000)), half([-1.0])]))
        assert [ref() is None for ref in arrays[:2]] == [True, True]
    finally:
        gc.enable()
        scheduler.close()
    assert {each["code"] for each in told} == {"INVALID_ARGUMENT"}
    assert ["must not be negative" in each["details"] for each in told] == [True, False, True]
