"""What a server must answer that says it speaks as TensorFlow Serving does.

The embedded server is always asked. A real TensorFlow Serving is if TF_SERVING_URL is set, such as
http://localhost:8501; it must serve what `python -m tests.servables FOLDER` writes.
"""

import asyncio
import contextlib
import gzip
import json
import os
import re
import tracemalloc
import types

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.servables import write_all
from tests.serving_cases import CASES, HALF, PARTS, STRICTER
from tfgen.serving.backend import Backend
from tfgen.serving.bodies import Bodies
from tfgen.serving.errors import Code, ServingError
from tfgen.serving.metrics import Metrics
from tfgen.serving.models import Models
from tfgen.serving.scheduler import Limits, Scheduler
from tfgen.serving.server import application

REAL = os.environ.get("TF_SERVING_URL")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_all(folder)
    return folder


@pytest.fixture(scope="module")
def embedded(folder):
    models, scheduler = Models(folder), Scheduler(Limits())
    models.refresh()
    backend = Backend(models, scheduler, Metrics(models, scheduler))
    yield TestClient(application(backend))
    scheduler.close()


@pytest.fixture(
    params=[
        "embedded",
        pytest.param(
            "real", marks=pytest.mark.skipif(not REAL, reason="TF_SERVING_URL is not set")
        ),
    ]
)
def client(request):
    if request.param == "real":
        return httpx2.Client(base_url=REAL)
    return request.getfixturevalue("embedded")


def answer(client, path, body):
    if body is None:
        return client.get(path)
    return client.post(path, content=body if isinstance(body, str | bytes) else json.dumps(body))


def ordered(document):
    """Returns JSON to compare: NaN is itself there, and 1 is not 1.0."""
    return json.dumps(document, sort_keys=True)


@pytest.mark.parametrize(
    ("path", "body", "status", "expected"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_a_request_is_answered_as_by_tensorflow_serving(client, path, body, status, expected):
    response = answer(client, path, body)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    found = json.loads(response.text)
    if status == 200:
        assert ordered(found) == ordered(expected)
    else:
        assert found.keys() == {"error"} and expected in found["error"]


def test_metadata_are_those_of_the_saved_model(client):
    found = client.get(f"{PARTS}/metadata").json()
    assert found["model_spec"] == {"name": "parts", "signature_name": "", "version": "7"}
    signatures = found["metadata"]["signature_def"]["signature_def"]
    two = signatures["two"]
    assert two["method_name"] == "tensorflow/serving/predict"
    assert two["inputs"]["x"]["dtype"] == "DT_FLOAT" and set(two["outputs"]) == {"scaled", "label"}
    sizes = [dim["size"] for dim in two["inputs"]["x"]["tensor_shape"]["dim"]]
    assert sizes == ["-1", "2"] and two["inputs"]["x"]["tensor_shape"]["unknown_rank"] is False


def test_the_newest_version_is_served(client):
    found = client.get(HALF).json()["model_version_status"]
    assert ("2", "AVAILABLE") in [(each["version"], each["state"]) for each in found]


def test_requests_are_counted_by_model_and_not_by_whatever_is_asked(embedded):
    embedded.post(f"{PARTS}:predict", json={"instances": [1]})
    embedded.post("/v1/models/anything:predict", json={"instances": [1]})
    text = embedded.get("/monitoring/prometheus/metrics").text
    assert 'tfgen_requests_total{code="OK",model="parts",protocol="rest"}' in text
    assert 'tfgen_requests_total{code="NOT_FOUND",model="",protocol="rest"}' in text
    assert "tfgen_rows_waiting 0.0" in text and "anything" not in text


@pytest.mark.parametrize(
    ("path", "body", "message"), [case[1:] for case in STRICTER], ids=[case[0] for case in STRICTER]
)
def test_a_shape_that_is_not_the_signature_s_is_refused_here_alone(client, path, body, message):
    response = answer(client, path, body)
    if client.base_url == REAL:
        assert response.status_code == 200, response.text
    else:
        assert response.status_code == 400 and message in response.json()["error"]


def test_a_preflight_is_answered_with_nothing(client):
    response = client.options(f"{PARTS}:predict", headers={"origin": "http://elsewhere"})
    assert response.status_code == 200 and not response.content
    assert "access-control-allow-origin" not in response.headers
    assert client.options(PARTS).status_code == 400


def ask_packed(client, body, encoding="gzip"):
    headers = {"content-encoding": encoding}
    return client.post(f"{PARTS}:predict", content=body, headers=headers)


def test_a_body_in_gzip_is_unpacked(client):
    packed = gzip.compress(b'{"inputs": [2]}', mtime=0)
    for encoding in ("gzip", "GZIP", "x-gzip"):
        assert ask_packed(client, packed, encoding).json() == {"outputs": [3.0]}
    assert ask_packed(client, b'{"inputs": [2]}', "identity").json() == {"outputs": [3.0]}


@pytest.mark.parametrize(
    ("body", "encoding", "message"),
    [
        (b'{"inputs": [2]}', "gzip", "not in gzip"),
        (gzip.compress(b'{"inputs": [2]}', mtime=0)[:-1], "gzip", "one whole member"),
        (gzip.compress(b"{}", mtime=0) * 2, "gzip", "one whole member"),
        (b'{"inputs": [2]}', "br", "takes bodies in gzip .* Received: Content-Encoding: br"),
        (
            gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0),
            "gzip, gzip",
            "Content-Encoding: gzip, gzip",
        ),
    ],
)
def test_other_packings_are_refused(embedded, body, encoding, message):
    response = ask_packed(embedded, body, encoding)
    assert response.status_code == 400 and re.search(message, response.json()["error"])


def test_a_bomb_is_refused_before_it_is_unpacked(embedded):
    bomb = gzip.compress(bytes(2**28), mtime=0)
    assert len(bomb) < 2**19
    tracemalloc.start()
    response = ask_packed(embedded, bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert response.status_code == 400
    assert "at most 16777216 bytes when it is unpacked" in response.json()["error"]
    assert peak < 5 * 2**24


def test_rows_are_counted_before_arrays_are_made(embedded):
    for body in (
        b'{"inputs": [' + b"1," * 100_000 + b"1]}",
        b'{"instances": [' + b"1," * 10_000 + b"1]}",
    ):
        response = embedded.post(f"{PARTS}:predict", content=body)
        assert response.status_code == 400 and "at most 4096 rows" in response.json()["error"]


def test_a_body_s_length_is_refused_before_it_is_read(embedded):
    headers = {"content-length": str(2**24 + 1)}
    response = embedded.post(f"{PARTS}:predict", content=b"{}", headers=headers)
    assert response.status_code == 400
    assert response.json()["error"] == "A request's body may have at most 16777216 bytes."


def test_bodies_together_are_bounded_and_small_ones_always_fit():
    async def acquire():
        return True

    bodies = Bodies(2**20)
    # Or the second large one would wait for the first.
    bodies.turn = types.SimpleNamespace(acquire=acquire, release=lambda: None)

    def request(size):
        async def receive():
            return {"type": "http.request", "body": bytes(size), "more_body": False}

        return {}, receive

    async def hold(count):
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(count):
                await stack.enter_async_context(bodies.receive(*request(2**20)))
            await stack.enter_async_context(bodies.receive(*request(2**16)))
            with pytest.raises(ServingError, match="holds at most 4194304 bytes") as raised:
                await stack.enter_async_context(bodies.receive(*request(2**16 + 1)))
            assert raised.value.code is Code.RESOURCE_EXHAUSTED

    for _ in range(2):  # what was held is given back
        asyncio.run(hold(4))
