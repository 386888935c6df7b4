"""TensorFlow Serving's gRPC services, by its own protocol buffers."""

import asyncio
import functools
import math
import time

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tfgen.serving.backend import as_serving_error, no_method
from tfgen.serving.choices import choices_of
from tfgen.serving.errors import invalid


def answered(method):
    """Lets a method raise a ServingError, which the client gets as a status of gRPC."""

    @functools.wraps(method)
    async def wrapped(self, request, context):
        since, code, message = time.monotonic(), "OK", ""
        try:
            self.backend.authorize(dict(context.invocation_metadata()).get("authorization", ""))
            return await method(self, request, context)
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
    """Answers `Predict` and `GetModelMetadata`, and says why it answers the others not.

    Args:
        backend: a `Backend`.
    """

    @answered
    async def Predict(self, request, context):
        servable = self.backend.models.get(*_which(request.model_spec))
        signature = servable.signature(request.model_spec.signature_name or "serving_default")
        inputs = {
            key: _to_array(key, tensor, self.backend.largest)
            for key, tensor in request.inputs.items()
        }
        outputs = await self.backend.answer(signature, inputs, context.time_remaining())
        response = predict_pb2.PredictResponse()
        _specify(response.model_spec, request.model_spec, servable, signature.name)
        for key in request.output_filter or outputs:
            if key not in outputs:
                raise invalid(f"output tensor alias not found in signature: {key}")
            response.outputs[key].CopyFrom(tf.make_tensor_proto(outputs[key]))
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


def _to_array(name, tensor, largest):
    """Returns a protocol buffer's tensor as an array of at most `largest` bytes."""
    try:
        dtype = tf.as_dtype(tensor.dtype)
        if not dtype.is_numpy_compatible:
            raise ValueError(f"{dtype.name} has no values to send")
        shape = [dim.size for dim in tensor.tensor_shape.dim]
        # One value may stand for all of a tensor, however large.
        if tensor.tensor_shape.unknown_rank or min(shape, default=0) < 0:
            raise ValueError("its shape is not known")
        if math.prod(shape) * (dtype.size or 1) > largest:
            raise ValueError(f"a shape of {shape} needs more than {largest} bytes")
        if dtype == tf.string:
            return np.array(list(tensor.string_val), object).reshape(shape)
        return tf.make_ndarray(tensor)
    except (TypeError, ValueError) as error:
        raise invalid(f"The input {name} is not a tensor: {error}.") from error
