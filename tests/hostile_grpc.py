"""Messages that no server should answer: the gRPC half of `python -m tests.hostile`."""

import struct

import grpc
import numpy as np
import tensorflow as tf
from hypothesis import strategies as st
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

SIZE = 3  # of the model's latents
PREDICTION = "/tensorflow.serving.PredictionService"
MODEL = "/tensorflow.serving.ModelService"
REFUSALS = {"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "UNIMPLEMENTED"}

INT64 = st.integers(-(2**63), 2**63 - 1)
NAMES = st.text(max_size=20)
BYTES = st.binary(max_size=60)


def predict(signature="serving_default", outputs=(), inputs=None, **others):
    request = predict_pb2.PredictRequest(output_filter=outputs)
    request.model_spec.name = "vae"
    request.model_spec.signature_name = signature
    for name, tensor in (inputs or others).items():
        if not isinstance(tensor, tensor_pb2.TensorProto):
            tensor = tf.make_tensor_proto(tensor)
        request.inputs[name].CopyFrom(tensor)
    return f"{PREDICTION}/Predict", request


def latents(rows=1):
    return np.zeros([rows, SIZE], np.float32)


def tensor(parts):
    dtype, sizes, content, floats, strings = parts
    proto = tensor_pb2.TensorProto(
        dtype=dtype, tensor_content=content, float_val=floats, string_val=strings
    )
    for size in sizes:
        proto.tensor_shape.dim.add().size = size
    return proto


def which(**choice):
    _, request = predict(latents=latents())
    for key, value in choice.items():
        if key == "version":
            request.model_spec.version.value = value
        else:
            setattr(request.model_spec, key, value)
    return f"{PREDICTION}/Predict", request


def ask_other(method, request_type, signature):
    request = request_type()
    request.model_spec.name = "vae"
    request.model_spec.signature_name = signature
    return f"{PREDICTION}/{method}", request


def reload(parts):
    names, path, platform = parts
    request = model_management_pb2.ReloadConfigRequest()
    for name in [*names, "vae", "vae"]:  # at the latest the second is refused
        request.config.model_config_list.config.add(
            name=name, base_path=path, model_platform=platform
        )
    return f"{MODEL}/HandleReloadConfigRequest", request


def metadata(fields):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = "vae"
    return f"{PREDICTION}/GetModelMetadata", request


def status(name):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = name
    return f"{MODEL}/GetModelStatus", request


def field(number, content):
    """Returns a field of the wire format that has a length: bytes, a message or packed numbers."""
    size, start = len(content), bytes([number << 3 | 2])
    while size > 127:
        start, size = start + bytes([size & 127 | 128]), size >> 7
    return start + bytes([size]) + content


def of_tensor(content):
    """Returns the bytes of a `PredictRequest` for latents whose tensor has this content."""
    _, request = predict()
    latents = field(1, b"latents") + field(2, content)
    return f"{PREDICTION}/Predict", request.SerializeToString() + field(2, latents)


def with_dims(count):
    """A tensor's shape of so many empty sizes: two bytes each, and fifty in memory."""
    return of_tensor(field(2, field(2, b"") * count))


def in_tensors(depth):
    """A tensor in a variant in a tensor, and so on."""
    content = b""
    for _ in range(depth):
        content = field(15, field(3, content))
    return of_tensor(content)


def with_inputs(count):
    _, request = predict()
    return f"{PREDICTION}/Predict", request.SerializeToString() + field(2, b"") * count


def with_configs(count):
    return f"{MODEL}/HandleReloadConfigRequest", field(1, field(1, field(1, b"") * count))


def multi_inference(names):
    request = inference_pb2.MultiInferenceRequest()
    for name in names:
        request.tasks.add().model_spec.name = name
    return f"{PREDICTION}/MultiInference", request


def without_model(method):
    return f"{PREDICTION}/{method}", b""


# Sizes that are never those of latents: the last is not theirs.
SIZES = st.lists(INT64 | st.integers(0, 5), max_size=4).filter(lambda sizes: sizes[-1:] != [SIZE])
TENSORS = st.tuples(
    st.integers(0, 30) | st.integers(100, 130),
    SIZES,
    BYTES,
    st.lists(st.floats(width=32), max_size=4),
    st.lists(BYTES, max_size=3),
).map(tensor)
NOT_FINITE = st.lists(st.floats(width=32), min_size=SIZE, max_size=SIZE).filter(
    lambda row: not np.isfinite(row).all()
)
OTHER_COUNTS = st.integers(-(2**31), 0) | st.integers(4097, 2**31 - 1)
# Two bytes that begin no field, and then anything.
NO_MESSAGE = BYTES.map(lambda content: (f"{PREDICTION}/Predict", b"\x07\x07" + content))

KINDS = {
    "no message": NO_MESSAGE,
    "any tensor": TENSORS.map(lambda tensor: predict(latents=tensor)),
    "any inputs": st.dictionaries(NAMES.filter(lambda name: name != "latents"), TENSORS).map(
        lambda inputs: predict(inputs=inputs)
    ),
    "not finite": NOT_FINITE.map(lambda row: predict(latents=latents() + np.float32(row))),
    "other type": st.tuples(
        st.sampled_from([np.float64, np.int32, bool, np.complex64]), st.integers(0, 1000)
    ).map(lambda parts: predict(latents=latents(parts[1]).astype(parts[0]))),
    "too many rows": st.integers(4097, 5000).map(lambda rows: predict(latents=latents(rows))),
    "other count": OTHER_COUNTS.map(
        lambda count: predict("sample", count=np.int32(count), seed=np.int64(0))
    ),
    "count of a shape": st.lists(st.integers(0, 9), min_size=1, max_size=4).map(
        lambda sizes: predict("sample", count=np.ones(sizes, np.int32), seed=np.int64(0))
    ),
    "no image": BYTES.map(lambda content: predict("encode_png", images_bytes=[content])),
    "bombs": st.integers(4097, 2**32 - 1).map(
        lambda side: predict("encode_png", images_bytes=[_header(side) + b"\0" * 20])
    ),
    "other signature": NAMES.filter(lambda name: name not in ("", "serving_default")).map(
        lambda name: predict(name, latents=latents())
    ),
    "other outputs": st.lists(NAMES.filter(lambda name: name != "images"), min_size=1).map(
        lambda names: predict(outputs=names, latents=latents())
    ),
    "other model": NAMES.filter(lambda name: name != "vae").map(lambda name: which(name=name)),
    "other version": INT64.filter(lambda number: number != 1).map(
        lambda number: which(version=number)
    ),
    "any label": NAMES.map(lambda label: which(version_label=label)),
    "classify": NAMES.map(
        lambda name: ask_other("Classify", classification_pb2.ClassificationRequest, name)
    ),
    "regress": NAMES.map(lambda name: ask_other("Regress", regression_pb2.RegressionRequest, name)),
    "reload": st.tuples(st.lists(NAMES, max_size=2), NAMES, NAMES).map(reload),
    "metadata": st.lists(NAMES, max_size=3).map(metadata),
    "many sizes": st.integers(9, 10**6).map(with_dims),
    "many inputs": st.integers(1, 10**6).map(with_inputs),
    "many strings": st.integers(1, 10**6).map(lambda count: of_tensor(field(8, b"") * count)),
    "many numbers": st.integers(1, 10**7).map(lambda count: of_tensor(field(10, b"\0" * count))),
    "tensors in tensors": st.integers(1, 2000).map(in_tensors),
    "groups": st.integers(1, 10**5).map(lambda depth: of_tensor(b"\x0b" * depth)),
    "many models": st.integers(1, 10**6).map(with_configs),
    "long name": st.integers(2**16, 10**6).map(lambda size: status("a" * size)),
    "no model": st.sampled_from(["Predict", "Classify", "Regress", "GetModelMetadata"]).map(
        without_model
    ),
    "output twice": st.integers(2, 1000).map(
        lambda count: predict(outputs=["images"] * count, latents=latents())
    ),
    "several at once": st.lists(NAMES, max_size=3).map(multi_inference),
    "status": NAMES.filter(lambda name: name != "vae").map(status),
}


def _header(side):
    """The beginning of a PNG file that claims to be an image of so many pixels a side."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)


def ask(channel, parts, seconds, refusals):
    """Asks, and returns the status by which it was refused, which must be one of these."""
    method, request = parts
    content = request if isinstance(request, bytes) else request.SerializeToString()
    try:
        channel.unary_unary(method)(content, timeout=seconds)
    except grpc.RpcError as error:
        assert error.code().name in refusals, (method, str(request)[:500], error.details())
        return error.code().name
    raise AssertionError(f"{method} was answered: {str(request)[:500]}")


def check_that_it_lives(channel, seconds, token):
    """Fails unless the server answers what it should."""
    method, request = predict(latents=latents())
    metadata = [] if token is None else [("authorization", f"Bearer {token}")]
    channel.unary_unary(method)(request.SerializeToString(), timeout=seconds, metadata=metadata)
