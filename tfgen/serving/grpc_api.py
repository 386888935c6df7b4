"""TensorFlow Serving's gRPC services, by its own protocol buffers."""

import asyncio
import threading

from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2,
    predict_pb2,
    prediction_service_pb2,
)

from tfgen.serving import grpc_tensors
from tfgen.serving.backend import aside, no_method
from tfgen.serving.choices import choices_of
from tfgen.serving.errors import Code, ServingError, invalid
from tfgen.serving.grpc_guard import Method

_SMALL = 2**16  # bytes of a message that asks for words, not numbers
_MOST_BYTES_OF_A_CONFIGURATION = 2**20


def methods_of(backend):
    """Returns what the server answers, a dict from a method's path to its `Method`.

    Args:
        backend: a `Backend`.
    """
    large = {
        "Predict": backend.max_request_bytes,
        "HandleReloadConfigRequest": _MOST_BYTES_OF_A_CONFIGURATION,
    }
    return {
        f"/{service.descriptor.full_name}/{method.name}": Method(
            getattr(service, method.name), method.input_type, large.get(method.name, _SMALL)
        )
        for service in (PredictionService(backend), ModelService(backend))
        for method in service.descriptor.methods
    }


class _Service:
    def __init__(self, backend):
        self.backend = backend


class PredictionService(_Service):
    """Answers `Predict` and `GetModelMetadata`; says why it does not classify and regress.

    Args:
        backend: a `Backend`.
    """

    descriptor = prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"]

    async def Predict(self, request, context):
        which = _which(request)
        servable = self.backend.models.get(*which)
        signature = servable.signature(request.model_spec.signature_name or "serving_default")
        names = _chosen(request.output_filter, signature)
        size, most = request.ByteSize(), self.backend.max_request_bytes
        inputs = await aside(size, grpc_tensors.read, request.inputs, signature, most)
        del request  # its bytes: the arrays stay while others are answered
        outputs = await self.backend.answer(signature, inputs, context.time_remaining())
        response = predict_pb2.PredictResponse()
        _specify(response.model_spec, which, servable, signature.name)
        size = sum(outputs[name].nbytes for name in names)
        await aside(size, _write, outputs, names, response)
        return response

    async def GetModelMetadata(self, request, context):
        which = _which(request)
        if list(request.metadata_field) != ["signature_def"]:
            raise invalid(
                "The metadata there are: signature_def. "
                f"Received: {', '.join(request.metadata_field)[:100] or 'none'}."
            )
        servable = self.backend.models.get(*which)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        _specify(response.model_spec, which, servable, "")
        response.metadata["signature_def"].Pack(servable.definitions)
        return response

    async def Classify(self, request, context):
        raise self._no_method(request, "classify")

    async def Regress(self, request, context):
        raise self._no_method(request, "regress")

    async def MultiInference(self, request, context):
        raise ServingError(
            Code.UNIMPLEMENTED,
            "This server answers Predict alone. Received: MultiInference. TensorFlow Serving "
            "answers it for models of TensorFlow 1.",
        )

    def _no_method(self, request, method):
        servable = self.backend.models.get(*_which(request))
        name = request.model_spec.signature_name or "serving_default"
        return no_method(servable, name, method)


class ModelService(_Service):
    """Answers `GetModelStatus` and `HandleReloadConfigRequest`.

    Args:
        backend: a `Backend`.
    """

    descriptor = model_service_pb2.DESCRIPTOR.services_by_name["ModelService"]

    def __init__(self, backend):
        super().__init__(backend)
        self._choosing = asyncio.Lock()  # or those who wait for each other would take all threads

    async def GetModelStatus(self, request, context):
        response = get_model_status_pb2.GetModelStatusResponse()
        for version in self.backend.models.status(*_which(request)):
            status = response.model_version_status.add()
            status.version = version.number
            status.state = version.state.value
            status.status.error_code = 2 if version.error else 0  # UNKNOWN, OK
            status.status.error_message = version.error
        return response

    async def HandleReloadConfigRequest(self, request, context):
        try:
            choices = choices_of(request.config)
        except ValueError as error:
            raise invalid(f"The configuration is refused: {error}") from error
        given_up = threading.Event()
        try:
            async with self._choosing:
                await asyncio.to_thread(self.backend.models.choose, choices, given_up)
        finally:
            given_up.set()  # where the client has gone, no more is loaded
        return model_management_pb2.ReloadConfigResponse()


def _which(request):
    """Returns the name, number and label of the version that a request names.

    Raises:
        ServingError: it names no model.
    """
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    spec = request.model_spec
    if not spec.name:
        raise invalid("ModelSpec has no name specified.")
    choice = spec.WhichOneof("version_choice")
    return (
        spec.name,
        spec.version.value if choice == "version" else None,
        spec.version_label if choice == "version_label" else None,
    )


def _specify(answer, which, servable, signature):
    answer.name, _, _ = which
    answer.version.value = servable.version
    answer.signature_name = signature


def _chosen(names, signature):
    """Returns the names of the outputs that a request wants, which is all if it names none."""
    chosen = {}
    for name in names:
        if name not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {name} Outputs expected to be in "
                f"the set {{{','.join(sorted(signature.outputs))}}}."
            )
        if name in chosen:
            raise invalid(f"duplicate output tensor alias: {name}")
        chosen[name] = None
    return list(chosen or signature.outputs)


def _write(outputs, names, response):
    for name in names:
        grpc_tensors.write(outputs[name], response.outputs[name])
