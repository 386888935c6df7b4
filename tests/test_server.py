"""The server as users start it, asked over the wire."""

import contextlib
import http.server
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import grpc
import httpx2
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from tests.releases import write_served
from tests.servables import half_plus, write, write_all
from tfgen.serving import grpc_tensors
from tfgen.serving.client import GrpcClient, RestClient, ServedError
from tfgen.serving.release import digest_of


@contextlib.contextmanager
def started(folder, *options):
    """Starts the command; yields its process and the addresses that it prints."""
    command = [sys.executable, "-m", "tfgen", "serve", str(folder)]
    process = subprocess.Popen(
        [*command, "--rest-port=0", "--grpc-port=0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        printed = "".join(process.stdout.readline() for _ in range(4))
        rest, grpc_address = re.findall(r"((?:127\.0\.0\.1|0\.0\.0\.0|\[[:1]+\]):\d+)", printed)
        yield process, f"http://{rest}", grpc_address
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_all(folder)
    return folder


@pytest.fixture(scope="module")
def addresses(folder):
    with started(folder) as (_, rest, grpc_address):
        yield rest, grpc_address


@pytest.fixture(scope="module")
def channel(addresses):
    with grpc.insecure_channel(addresses[1]) as channel:
        yield channel


@pytest.fixture
def predict(channel):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def ask(signature="", outputs=(), version=None, timeout=10, **inputs):
        request = predict_pb2.PredictRequest(output_filter=outputs)
        request.model_spec.name = "parts"
        request.model_spec.signature_name = signature
        if version is not None:
            request.model_spec.version.value = version
        for key, value in inputs.items():
            if not isinstance(value, tensor_pb2.TensorProto):
                value = tf.make_tensor_proto(value)
            request.inputs[key].CopyFrom(value)
        return stub.Predict(request, timeout=timeout)

    return ask


def refused(code, message):
    return pytest.raises(grpc.RpcError, match=rf"(?s)StatusCode.{code}.*{message}")


def test_grpc_answers(predict):
    x = np.array([[1, 2], [3, 4]], np.float32)
    label = np.array([2, 3], np.int32)
    response = predict("two", x=x, label=label, version=7)
    assert response.model_spec.name == "parts" and response.model_spec.version.value == 7
    assert response.model_spec.signature_name == "two"
    found = {key: tf.make_ndarray(value) for key, value in response.outputs.items()}
    assert found.keys() == {"scaled", "label"}
    np.testing.assert_array_equal(found["scaled"], [[2, 4], [9, 12]])
    np.testing.assert_array_equal(found["label"], label)
    assert list(predict("two", outputs=["label"], x=x, label=label).outputs) == ["label"]
    assert list(predict("text", text=[b"a", b"b"]).outputs["text"].string_val) == [b"A", b"B"]
    assert predict(x=np.ones(1, np.float32)).model_spec.signature_name == "serving_default"


@pytest.mark.parametrize(
    ("signature", "field", "inputs", "expected"),
    [
        ("", "float_val", {"x": np.array([1, 2], np.float32)}, {"y": [2.5, 3.0]}),
        ("truth", "bool_val", {"x": np.array([-1, 1])}, {"positive": [False, True]}),
        (
            "two",
            "int_val",
            {"x": np.zeros([2, 2], np.float32), "label": np.array([2, -3], np.int32)},
            {"label": [2, -3]},
        ),
        ("text", "string_val", {"text": [b"a\0", b"b"]}, {"text": [b"A\0", b"B"]}),
    ],
)
def test_values_stand_where_clients_look_for_them(predict, signature, field, inputs, expected):
    outputs = predict(signature, **inputs).outputs
    for key, values in expected.items():
        assert list(getattr(outputs[key], field)) == values and not outputs[key].tensor_content


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8", "u1", "?", "c8"])
def test_arrays_of_all_types_and_shapes_are_written(dtype):
    for shape in ((), (0, 3), (1,), (2, 3)):
        array = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
        tensor = tensor_pb2.TensorProto()
        grpc_tensors.write(array, tensor)
        tensor = tensor_pb2.TensorProto.FromString(tensor.SerializeToString())
        found = tf.make_ndarray(tensor)
        assert found.dtype == array.dtype and found.shape == shape
        np.testing.assert_array_equal(found, array)


def test_a_tensor_of_one_value_repeated_is_read(predict):
    tensor = tf.make_tensor_proto(np.float32(2))
    tensor.tensor_shape.dim.add().size = 3
    np.testing.assert_array_equal(tf.make_ndarray(predict(x=tensor).outputs["y"]), [3, 3, 3])


def test_grpc_refuses(predict):
    x = np.ones(1, np.float32)
    with refused("NOT_FOUND", r"Specific\(parts, 9\)"):
        predict(x=x, version=9)
    with refused("INVALID_ARGUMENT", "not found in signature def"):
        predict("none", x=x)
    with refused("INVALID_ARGUMENT", "alias not found in signature: z"):
        predict(outputs=["z"], x=x)
    with refused("INVALID_ARGUMENT", "takes the inputs x. Received: none"):
        predict()
    with refused("INVALID_ARGUMENT", "must be of type float32. Received: float64"):
        predict(x=np.ones(1))
    with refused("INVALID_ARGUMENT", "must be of shape"):
        predict(x=np.ones([1, 1], np.float32))
    with refused("INVALID_ARGUMENT", "x must not be negative"):
        predict("roots", x=-x)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (2**40, "tensors may have at most"),
        (2**62, "The input x is not a tensor"),
        (-1, "The input x is not a tensor"),
    ],
)
def test_a_small_message_does_not_become_a_large_tensor(predict, size, message):
    tensor = tf.make_tensor_proto(np.float32(2))
    tensor.tensor_shape.dim.add().size = size
    with refused("INVALID_ARGUMENT", message):
        predict(x=tensor)


@pytest.mark.parametrize(
    ("method", "request_type"),
    [
        ("Classify", classification_pb2.ClassificationRequest),
        ("Regress", regression_pb2.RegressionRequest),
    ],
)
def test_what_tensorflow_2_exports_no_signatures_for_is_refused(channel, method, request_type):
    request = request_type()
    request.model_spec.name = "parts"
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    with refused("INVALID_ARGUMENT", f"{method.lower()}. Was: tensorflow/serving/predict"):
        getattr(stub, method)(request)


def test_small_tensors_do_not_become_much_together(predict, addresses):
    tensor = tf.make_tensor_proto(np.float32(2))
    tensor.tensor_shape.dim.add().size = 2**23  # 32 MiB, and twice so much is too much
    with refused("INVALID_ARGUMENT", "takes the inputs x. Received: a0, a1"):
        predict(**{f"a{index}": tensor for index in range(100)})
    tensor.tensor_shape.dim.add().size = 2
    label = tf.make_tensor_proto(np.int32(2))
    label.tensor_shape.dim.add().size = 2**23
    with refused("INVALID_ARGUMENT", "may have at most 67108864 bytes. Received: 100663296"):
        predict("two", x=tensor, label=label)


def test_a_tensor_without_values_is_refused(predict):
    with refused("INVALID_ARGUMENT", "resource has no values"):
        predict(x=tensor_pb2.TensorProto(dtype=tf.resource.as_datatype_enum))


def test_grpc_tells_of_models(channel):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "parts"
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    stub.GetModelMetadata(request).metadata["signature_def"].Unpack(signatures)
    assert set(signatures.signature_def["two"].inputs) == {"x", "label"}
    request.metadata_field[:] = ["weights"]
    with refused("INVALID_ARGUMENT", "Received: weights"):
        stub.GetModelMetadata(request)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "parts"
    (status,) = (
        model_service_pb2_grpc.ModelServiceStub(channel)
        .GetModelStatus(request)
        .model_version_status
    )
    assert (status.version, status.state) == (7, status.AVAILABLE)


def test_rest_answers_beside_it(addresses):
    rest, _ = addresses
    found = httpx2.post(f"{rest}/v1/models/parts:predict", json={"instances": [1]}).json()
    assert found == {"predictions": [2.5]}
    assert httpx2.get(f"{rest}/healthz").json() == {"models": ["half_plus", "parts"]}
    assert httpx2.get(f"{rest}/other").status_code == 404
    large = httpx2.post(f"{rest}/v1/models/parts:predict", content=b" " * (65 * 2**20))
    assert large.status_code == 400 and "at most" in large.json()["error"]


def test_rest_answers_without_waiting_for_the_network(addresses):
    """An answer in two packets waits 40 ms if the second is held back for the first's receipt."""
    times = []
    with httpx2.Client() as client:
        for _ in range(20):
            start = time.perf_counter()
            client.post(f"{addresses[0]}/v1/models/parts:predict", json={"instances": [1]})
            times.append(time.perf_counter() - start)
    assert min(times[10:]) < 0.03


@pytest.fixture(params=["rest", "grpc"])
def client(request, addresses):
    return RestClient(addresses[0]) if request.param == "rest" else GrpcClient(addresses[1])


def test_clients_of_both_kinds_get_the_same(client):
    x, label = np.array([[1, 2], [3, 4]], np.float32), np.array([2, 3], np.int32)
    answer = client.predict("parts", "two", version=7, x=x, label=label)
    assert answer.keys() == {"scaled", "label"}
    np.testing.assert_array_equal(answer["scaled"], [[2, 4], [9, 12]])
    assert answer["scaled"].dtype == np.float32 and answer["label"].tolist() == [2, 3]
    single = client.predict("parts", x=np.ones(1, np.float32))
    np.testing.assert_array_equal(single.pop("y"), np.array([2.5], np.float32), strict=True)
    assert single == {}
    for data in ([b"\xff", b"a"], np.array([b"\xff", b"a"], object)):
        answer = client.predict("parts", "bytes", data=data)
        assert answer["data_bytes"].tolist() == [b"\xff", b"a"]
    drawn = [client.predict("parts", "count", count=np.int32(3), seed=np.int64(7)) for _ in "ab"]
    np.testing.assert_array_equal(drawn[0]["drawn"], drawn[1]["drawn"])
    assert client.status("half_plus") == {2: "AVAILABLE"}


def test_clients_say_why_there_is_no_answer(client):
    with pytest.raises(ServedError, match="must not be negative"):
        client.predict("parts", "roots", x=np.float32([-1]))
    with pytest.raises(ServedError, match="404.*not found|NOT_FOUND.*not found"):
        client.predict("nothing", x=np.float32([1]))
    with pytest.raises(ServedError, match="Could not find any versions"):
        client.status("nothing/../parts")


@pytest.mark.parametrize("kind", [RestClient, GrpcClient])
def test_clients_do_not_wait_for_ever(kind):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        client = kind(f"http://{address}" if kind is RestClient else address, 0.2, retries=0)
        with pytest.raises(ServedError):
            client.status("parts")


def test_a_client_asks_again_where_the_server_is_busy():
    class Busy(http.server.BaseHTTPRequestHandler):
        asked = 0

        def do_GET(self):
            type(self).asked += 1
            self.send_response(200 if self.asked == 3 else 429)
            self.end_headers()
            self.wfile.write(b'{"model_version_status": []}')

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = RestClient(f"http://127.0.0.1:{server.server_port}")
        assert client.status("parts") == {} and Busy.asked == 3
        server.shutdown()


@pytest.mark.slow
def test_versions_are_swapped_while_requests_come(tmp_path):
    write(tmp_path, "half", 1, half_plus(1))
    with started(tmp_path) as (process, rest, _):
        answers, enough = [], threading.Event()

        def ask():
            with httpx2.Client() as client:
                while not enough.is_set():
                    response = client.post(f"{rest}/v1/models/half:predict", json={"inputs": [0]})
                    answers.append((response.status_code, response.json().get("outputs")))

        clients = [threading.Thread(target=ask) for _ in range(4)]
        for client in clients:
            client.start()
        write(tmp_path, "unfinished", 2, half_plus(2)).rename(tmp_path / "half" / "2")
        for _ in range(200):
            if (200, [2.0]) in answers[-4:]:
                break
            enough.wait(0.1)
        enough.set()
        for client in clients:
            client.join()
        assert set(map(str, answers)) == {"(200, [1.0])", "(200, [2.0])"}
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors


@pytest.mark.slow
def test_a_release_is_served_by_its_file_and_by_its_address(tmp_path):
    path = write_served(tmp_path / "half.tfgen", half_plus(1))
    address = f"{path.as_uri()}#sha256={digest_of(path)}"
    for root in (path, address):
        with started(root) as (process, rest, _):
            assert httpx2.get(f"{rest}/healthz").json() == {"models": ["half"]}
            answer = httpx2.post(f"{rest}/v1/models/half:predict", json={"inputs": [0]}).json()
            assert answer == {"outputs": [1.0]}
            assert "<title>" in httpx2.get(f"{rest}/").text  # the explorer


@pytest.mark.slow
def test_the_first_lines_say_what_to_open(folder):
    command = [sys.executable, "-m", "tfgen", "serve", str(folder), "--rest-port=0"]
    process = subprocess.Popen([*command, "--grpc-port=0"], stdout=subprocess.PIPE, text=True)
    try:
        printed = [process.stdout.readline() for _ in range(4)]
    finally:
        process.terminate()
        process.communicate()
    assert printed[0] == f"Serving {folder}, until Ctrl-C. Open the explorer in a browser:\n"
    assert re.fullmatch(r"  http://127\.0\.0\.1:\d+/\n", printed[1])
    assert printed[2] == "Programs ask that address over REST, and over gRPC:\n"
    assert re.fullmatch(r"  127\.0\.0\.1:\d+\n", printed[3])


@pytest.mark.slow
@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
@pytest.mark.parametrize(("host", "asked"), [("::1", "::1"), ("::", "::1"), ("::", "127.0.0.1")])
def test_addresses_of_ipv6_are_listened_at(folder, host, asked):
    with started(folder, f"--host={host}") as (_, *addresses):
        rest, of_grpc = (
            address.replace(f"[{host}]", f"[{asked}]" if ":" in asked else asked)
            for address in addresses
        )
        for client in (RestClient(rest), GrpcClient(of_grpc)):
            assert client.predict("half_plus", x=np.float32([2]))["y"] == [4]


SERVE = """
import os, signal, sys
from tfgen.serving.server import ServerSettings, serve

def started(rest_port, grpc_port):
    print([name for name in sys.argv[2:] if name in sys.modules])
    os.kill(os.getpid(), signal.SIGTERM)

serve(ServerSettings(sys.argv[1], rest_port=0, grpc_port=0), started)
"""


@pytest.mark.slow
def test_a_server_has_no_use_for_what_trains_models(tmp_path):
    """TensorFlow itself imports Keras; no code of ours does, nor what takes seconds to import."""
    write_served(tmp_path / "half.tfgen", half_plus(1))
    modules = ["tensorflow_probability", "tf_keras", "tfgen.models", "tfgen.serving.load"]
    command = [sys.executable, "-c", SERVE, str(tmp_path), *modules, "tfgen.serving.server"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    assert found == "['tfgen.serving.server']\n"


CHOSEN = """model_config_list {
  config {
    name: "half"
    base_path: "/models/half_plus"
    model_version_policy { all {} }
    version_labels { key: "stable" value: 1 }
  }
}
"""


@pytest.mark.slow
def test_versions_are_asked_by_labels_that_can_be_changed(folder, tmp_path):
    file = tmp_path / "models.config"
    file.write_text(CHOSEN)
    with started(folder, f"--config={file}") as (_, rest, address):
        clients = [RestClient(rest), GrpcClient(address)]

        def by_label():
            return [
                client.predict("half", version="stable", x=np.zeros(1, np.float32))["y"].tolist()
                for client in clients
            ]

        assert by_label() == [[2.0], [2.0]]
        with grpc.insecure_channel(address) as channel:
            stub = model_service_pb2_grpc.ModelServiceStub(channel)
            request = model_management_pb2.ReloadConfigRequest()
            config = text_format.Parse(CHOSEN, request.config).model_config_list.config[0]
            config.version_labels["stable"] = 2
            assert stub.HandleReloadConfigRequest(request).status.error_code == 0
            assert by_label() == [[3.0], [3.0]]
            config.version_labels["stable"] = 9
            with refused("FAILED_PRECONDITION", "version 9 of model half"):
                stub.HandleReloadConfigRequest(request)
            config.base_path = ""
            with refused("INVALID_ARGUMENT", "base path of half"):
                stub.HandleReloadConfigRequest(request)
        assert by_label() == [[3.0], [3.0]]


def test_a_token_is_wanted_where_there_is_one(tmp_path):
    write(tmp_path, "half", 1, half_plus(1))
    (tmp_path / "token").write_text("secret\n")
    with started(tmp_path, f"--token-file={tmp_path / 'token'}") as (_, rest, grpc_address):
        path, bearer = f"{rest}/v1/models/half", {"authorization": "Bearer secret"}
        figures = f"{rest}/monitoring/prometheus/metrics"
        assert httpx2.get(figures).status_code == 401
        assert "tfgen_rows_waiting" in httpx2.get(figures, headers=bearer).text
        assert httpx2.get(f"{rest}/healthz").json() == {"models": []}
        assert httpx2.get(f"{rest}/healthz", headers=bearer).json() == {"models": ["half"]}
        for headers in ({}, {"authorization": "Bearer secre"}):
            response = httpx2.get(path, headers=headers)
            assert (
                response.status_code == 401 and "Authorization: Bearer" in response.json()["error"]
            )
        assert httpx2.get(path, headers=bearer).status_code == 200
        described = path.replace("/v1/", "/tfgen/")
        assert httpx2.get(described).status_code == 401
        assert httpx2.get(described, headers=bearer).json()["abilities"] == []
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "half"
        with grpc.insecure_channel(grpc_address) as channel:
            stub = model_service_pb2_grpc.ModelServiceStub(channel)
            with refused("UNAUTHENTICATED", "Authorization: Bearer"):
                stub.GetModelStatus(request)
            assert stub.GetModelStatus(request, metadata=tuple(bearer.items()))


@pytest.mark.slow
def test_what_cannot_be_served_is_one_line(addresses, folder, tmp_path):
    port = addresses[0].rsplit(":")[-1]
    (tmp_path / "token").write_text("\n")
    (tmp_path / "models.config").write_text(CHOSEN.replace("half_plus", "half_minus"))
    for options, message in (
        ([tmp_path / "nothing"], "no folder"),
        ([folder, f"--token-file={tmp_path / 'token'}"], "no token in"),
        ([folder, f"--config={tmp_path / 'models.config'}"], "no version to serve of half"),
        ([folder, f"--rest-port={port}", "--grpc-port=0"], f"The port {port} of 127.0.0.1"),
        ([folder, "--rest-port=0", f"--grpc-port={port}"], f"The port {port} of 127.0.0.1"),
    ):
        command = [sys.executable, "-m", "tfgen", "serve", *map(str, options)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert result.returncode == 1 and "Traceback" not in result.stderr
        assert re.search(rf"^tfgen: .*{message}", result.stderr, re.M), result.stderr
