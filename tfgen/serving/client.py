"""Asks models over the wire: TensorFlow Serving, or `python -m tfgen serve`.

Two clients with the same methods, for REST and for gRPC. Both wait for an answer no longer than
they are told to, and ask again where the server was busy or away.
"""

import base64
import json
import math
import time
import urllib.parse

import grpc
import numpy as np
import requests
import tensorflow as tf
import urllib3
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tfgen.utils.deprecation import renamed_arguments

_BUSY = (429, 503)  # worth another try: too many requests, away


class ServedError(Exception):
    """A server refused a request, or did not answer in time."""


class ServerUnavailable(ServedError, ConnectionError):
    """No server is there, or it is busy: it did not begin with the request. Ask again later."""


class RestClient:
    """Asks over REST, in columns.

    Args:
        url: the server's, such as "http://localhost:8501" or "localhost:8501".
        timeout: how many seconds a request may wait for its answer to begin, all tries together.
        retries: how often to ask again, after waits that double. A request that was sent is asked
            again only if the server says that it is busy or away.
        token: what the server wants its requests to bear, if it does.

    Raises:
        ValueError: `url` is of another protocol than HTTP.

    Example:
        >>> client = RestClient("http://localhost:8501")
        >>> client.predict("vae_fashion", "sample", count=4, seed=7)["images"].shape
        (4, 28, 28, 1)
    """

    @renamed_arguments(seconds="timeout")
    def __init__(self, url, timeout=30.0, retries=3, token=None):
        scheme, _, _ = url.rpartition("://")
        if scheme not in ("", "http", "https"):
            raise ValueError(
                f"`url` must be a server's, such as 'http://localhost:8501'. Received: {url!r}."
            )
        self.url = (url if scheme else f"http://{url}").rstrip("/")
        self.timeout = timeout
        self._waits = [0.2 * 2**attempt for attempt in range(retries)]
        self._session = requests.Session()
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def predict(self, model, signature="serving_default", version=None, **inputs):
        """Asks a signature.

        Args:
            model: the model's name.
            signature: the signature's.
            version: a number, or a label (a string); `None` for the newest.
            **inputs: numbers, strings, bytes, or arrays of them.

        Returns:
            A dict of NumPy arrays.

        Raises:
            ServedError: the server refused, or did not answer; a `ServerUnavailable`, which is a
                `ConnectionError`, if it is not there or busy.
        """
        body = json.dumps({"signature_name": signature, "inputs": inputs}, default=_to_json)
        answer = self._ask("POST", f"{_path(model, version)}:predict", body)["outputs"]
        # Of a single output TensorFlow Serving leaves out the name: the signature has it.
        if not isinstance(answer, dict):
            answer = {self._single_output(model, version, signature): answer}
        return {key: _to_array(value) for key, value in answer.items()}

    def status(self, model):
        """Returns a dict from a model's versions to their states, such as `{1: "AVAILABLE"}`."""
        answer = self._ask("GET", _path(model, None))
        return {int(each["version"]): each["state"] for each in answer["model_version_status"]}

    def _single_output(self, model, version, signature):
        answer = self._ask("GET", f"{_path(model, version)}/metadata")
        (name,) = answer["metadata"]["signature_def"]["signature_def"][signature]["outputs"]
        return name

    def _ask(self, method, path, body=None):
        end = time.monotonic() + self.timeout
        for wait in (*self._waits, math.inf):
            try:
                # A sleep may take longer than it should.
                return self._try(method, path, body, max(end - time.monotonic(), 0.001))
            except ServerUnavailable:
                if time.monotonic() + wait >= end:
                    raise
            time.sleep(wait)

    def _try(self, method, path, body, timeout):
        try:
            response = self._session.request(
                method, self.url + path, data=body, timeout=urllib3.Timeout(timeout)
            )
        except requests.RequestException as error:
            if reason := _refusal(error):
                raise _unavailable(self.url, reason) from error
            raise ServedError(f"{self.url} does not answer: {error}") from error
        kind = ServerUnavailable if response.status_code in _BUSY else ServedError
        try:
            answer = response.json(object_hook=_from_base64)
        except requests.JSONDecodeError as error:
            raise kind(
                f"{self.url} answers {response.status_code} without JSON: is it a model server?"
            ) from error
        if not response.ok:
            raise kind(f"{response.status_code}: {answer.get('error', answer)}")
        return answer


class GrpcClient:
    """Asks over gRPC, which is faster for large arrays; methods and errors as `RestClient`.

    Args:
        address: the server's, such as "localhost:8500".
        timeout: how many seconds an answer may take, all tries together.
        retries: how often to ask again, at most 4.
        token: what the server wants its requests to bear, if it does.

    Raises:
        ValueError: `address` is a URL.

    Example:
        >>> client = GrpcClient("localhost:8500")
        >>> client.predict("vae_fashion", "encode", images=images)["mean"]
    """

    @renamed_arguments(seconds="timeout")
    def __init__(self, address, timeout=30.0, retries=3, token=None):
        if "//" in address:
            raise ValueError(
                "`address` must be a host and the port of gRPC, such as 'localhost:8500', without "
                f"'http://'. Received: {address!r}."
            )
        self.address = address
        self.timeout = timeout
        self._metadata = [] if token is None else [("authorization", f"Bearer {token}")]
        policy = {
            "maxAttempts": 1 + retries,
            "initialBackoff": "0.2s",
            "maxBackoff": "2s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
        }
        configuration = {"methodConfig": [{"name": [{}], "retryPolicy": policy}]}
        options = [("grpc.max_receive_message_length", -1)]
        if retries:
            options.append(("grpc.service_config", json.dumps(configuration)))
        self._channel = grpc.insecure_channel(address, options)
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def predict(self, model, signature="serving_default", version=None, **inputs):
        """Asks a signature, see `RestClient.predict`. Arrays must be of the signature's types."""
        request = predict_pb2.PredictRequest()
        _specify(request.model_spec, model, version)
        request.model_spec.signature_name = signature
        for key, value in inputs.items():
            request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
        outputs = self._ask(self._prediction.Predict, request).outputs
        return {key: tf.make_ndarray(value) for key, value in outputs.items()}

    def status(self, model):
        """Returns a dict from a model's versions to their states, such as `{1: "AVAILABLE"}`."""
        request = get_model_status_pb2.GetModelStatusRequest()
        _specify(request.model_spec, model, None)
        answer = self._ask(self._models.GetModelStatus, request)
        name = get_model_status_pb2.ModelVersionStatus.State.Name
        return {each.version: name(each.state) for each in answer.model_version_status}

    def _ask(self, method, request):
        try:
            return method(request, timeout=self.timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                raise _unavailable(self.address, error.details()) from error
            raise ServedError(f"{error.code().name}: {error.details()}") from error


def _path(model, version):
    kind = "labels" if isinstance(version, str) else "versions"
    rest = "" if version is None else f"/{kind}/{_quoted(str(version))}"
    return f"/v1/models/{_quoted(model)}{rest}"


def _quoted(part):
    return urllib.parse.quote(part, safe="")


def _specify(spec, model, version):
    spec.name = model
    if isinstance(version, str):
        spec.version_label = version
    elif version is not None:
        spec.version.value = version


def _refusal(error):
    """Returns why there was no connection, so that no request was sent; `None` if there was one."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if not isinstance(reason, urllib3.exceptions.NewConnectionError):
        return None
    return getattr(reason.__cause__, "strerror", None) or str(reason)


def _unavailable(address, reason):
    return ServerUnavailable(
        f"There is no server at {address}, or it does not answer: {reason}. Start one, such as "
        "`python -m tfgen serve saved_models`, or name another address."
    )


def _to_json(value):
    """Returns what stands for bytes, or an array, which the JSON library cannot write."""
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    return np.asarray(value).tolist()


def _from_base64(value):
    """Returns the bytes that an object of JSON stands for, or the object as it is."""
    if value.keys() == {"b64"} and isinstance(value["b64"], str):
        return base64.b64decode(value["b64"])
    return value


def _to_array(value):
    """Returns an array; bytes and text are objects, since NumPy's own types of them drop zeros."""
    array = np.array(value)
    if array.dtype.kind in "SU":
        return np.array(value, object)
    return array.astype(np.float32) if array.dtype == np.float64 else array
