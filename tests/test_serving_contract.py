"""What a server must answer that says it speaks as TensorFlow Serving does.

The embedded server is always asked. A real TensorFlow Serving is if TF_SERVING_URL is set, such as
http://localhost:8501; it must serve what `python -m tests.servables FOLDER` writes.
"""

import json
import os

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.servables import write_all
from tests.serving_cases import CASES, HALF, PARTS
from tfgen.serving.backend import Backend
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
    return client.post(path, content=body if isinstance(body, str) else json.dumps(body))


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
