"""TensorFlow Serving's gRPC services, by its own protocol buffers."""

import asyncio
import contextlib
import functools
import time

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tfgen.serving.backend import as_serving_error, aside, no_method
from tfgen.serving.choices import choices_of
from tfgen.serving.errors import invalid


def answered(method):
    """Lets a method raise a ServingError, which the client gets as a status of gRPC."""

    @functools.wraps(method)
    async def wrapped(self, request, context):
        since, code, message = time.monotonic(), "CANCELLED", ""
        try:
            self.backend.authorize(dict(context.invocation_metadata()).get("authorization", ""))
            answer = await method(self, request, context)
            code = "OK"
            return answer
        except Exception as error:
            error = as_serving_error(error)
            code, message = error.code.name, error.message
        finally:
            self.backend.metrics.count("grpc", _name(request), code, since)
        await context.abort(grpc.StatusCode[code], message)

    return wrapped


class _Service:
    def __init__(self, backend):
        self.backend = backend


class PredictionService(_Service, prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers `Predict` and `GetModelMetadata`; says why it does not classify and regress.

    Args:
        backend: a `Backend`.
    """

    @answered
    async def Predict(self, request, context):
        servable = self.backend.models.get(*_which(request.model_spec))
        signature = servable.signature(request.model_spec.signature_name or "serving_default")
        size = request.ByteSize()
        inputs = await aside(size, _read, request.inputs, signature, self.backend.max_request_bytes)
        outputs = await self.backend.answer(signature, inputs, context.time_remaining())
        response = predict_pb2.PredictResponse()
        _specify(response.model_spec, request.model_spec, servable, signature.name)
        size = sum(value.nbytes for value in outputs.values())
        await aside(size, _write, outputs, request.output_filter, response.outputs)
        return response

    @answered
    async def GetModelMetadata(self, request, context):
        if list(request.metadata_field) != ["signature_def"]:
            raise invalid(
                "The metadata there are: signature_def. "
                f"Received: {', '.join(request.metadata_field) or 'none'}."
            )
        servable = self.backend.models.get(*_which(request.model_spec))
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        _specify(response.model_spec, request.model_spec, servable, "")
        response.metadata["signature_def"].Pack(servable.definitions)
        return response

    @answered
    async def Classify(self, request, context):
        raise self._no_method(request, "classify")

    @answered
    async def Regress(self, request, context):
        raise self._no_method(request, "regress")

    def _no_method(self, request, method):
        servable = self.backend.models.get(*_which(request.model_spec))
        name = request.model_spec.signature_name or "serving_default"
        return no_method(servable, name, method)


class ModelService(_Service, model_service_pb2_grpc.ModelServiceServicer):
    """Answers `GetModelStatus` and `HandleReloadConfigRequest`.

    Args:
        backend: a `Backend`.
    """

    @answered
    async def GetModelStatus(self, request, context):
        response = get_model_status_pb2.GetModelStatusResponse()
        for version in self.backend.models.status(*_which(request.model_spec)):
            status = response.model_version_status.add()
            status.version = version.number
            status.state = version.state.value
            status.status.error_code = 2 if version.error else 0  # UNKNOWN, OK
            status.status.error_message = version.error
        return response

    @answered
    async def HandleReloadConfigRequest(self, request, context):
        try:
            choices = choices_of(request.config)
        except ValueError as error:
            raise invalid(f"The configuration is refused: {error}") from error
        await asyncio.to_thread(self.backend.models.choose, choices)
        return model_management_pb2.ReloadConfigResponse()


def _name(request):
    """Returns the name of the model that a request is for, if it is for one."""
    return request.model_spec.name if "model_spec" in request.DESCRIPTOR.fields_by_name else ""


def _which(spec):
    """Returns the name, number and label of the version that a request names."""
    choice = spec.WhichOneof("version_choice")
    return (
        spec.name,
        spec.version.value if choice == "version" else None,
        spec.version_label if choice == "version_label" else None,
    )


def _specify(answer, asked, servable, signature):
    answer.name = asked.name
    answer.version.value = servable.version
    answer.signature_name = signature


def _read(tensors, signature, max_request_bytes):
    """Returns a request's tensors as arrays.

    One value may stand for all of a tensor, however large: they are checked before they are made.
    """
    claimed = {key: _claimed(key, tensor) for key, tensor in tensors.items()}
    signature.check(claimed)
    size = sum(array.nbytes for array in claimed.values())
    if size > max_request_bytes:
        raise invalid(
            f"A request's tensors may have at most {max_request_bytes} bytes. Received: {size}."
        )
    return {key: _to_array(key, tensor) for key, tensor in tensors.items()}


def _claimed(name, tensor):
    """Returns an array of the type and shape that a tensor claims to have. It takes no memory."""
    with _as_invalid(name):
        dtype = tf.as_dtype(tensor.dtype)
        if not dtype.is_numpy_compatible:
            raise ValueError(f"{dtype.name} has no values to send")
        if tensor.tensor_shape.unknown_rank:
            raise ValueError("its shape is not known")
        shape = [dim.size for dim in tensor.tensor_shape.dim]
        return np.broadcast_to(np.zeros([], dtype.as_numpy_dtype), shape)


def _to_array(name, tensor):
    with _as_invalid(name):
        if tensor.dtype == tf.string.as_datatype_enum:
            shape = [dim.size for dim in tensor.tensor_shape.dim]
            return np.array(list(tensor.string_val), object).reshape(shape)
        return tf.make_ndarray(tensor)


@contextlib.contextmanager
def _as_invalid(name):
    try:
        yield
    except (TypeError, ValueError) as error:
        raise invalid(f"The input {name} is not a tensor: {error}.") from error


def _write(outputs, names, tensors):
    """Puts outputs, all or those that are named, into a response's tensors."""
    for name in names or outputs:
        if name not in outputs:
            raise invalid(f"output tensor alias not found in signature: {name}")
        tensors[name].CopyFrom(_to_tensor(outputs[name]))


# Clients may read these fields themselves, as TensorFlow Serving fills them.
_FIELDS = {"int32": "int_val", "int64": "int64_val", "bool": "bool_val", "object": "string_val"}
# Floats are in memory as they are on the wire, behind a tag and the number of their bytes.
_TAGS = {"float32": b"\x2a", "float64": b"\x32"}  # of `float_val` and `double_val`


def _to_tensor(array):
    kind = array.dtype.name
    if kind not in {*_FIELDS, *_TAGS}:
        return tf.make_tensor_proto(array)
    tensor = tensor_pb2.TensorProto(dtype=tf.as_dtype(array.dtype).as_datatype_enum)
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    if kind in _TAGS:
        # A field of bytes is written so too, and differs by its tag: five times as fast.
        content = tensor_pb2.TensorProto(string_val=[array.tobytes()]).SerializeToString()
        tensor.MergeFromString(_TAGS[kind] + content[1:])
    else:
        getattr(tensor, _FIELDS[kind]).extend(array.ravel().tolist())
    return tensor
