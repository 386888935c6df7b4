"""Tensors of protocol buffers to arrays, and arrays to tensors."""

import functools

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from tfgen.serving.errors import invalid


def read(tensors, signature, max_request_bytes):
    """Returns a request's tensors as arrays.

    One value may stand for all of a tensor, however large: they are checked before they are made.

    Args:
        tensors: a map from names to `TensorProto`s.
        signature: the `Signature` that is asked.
        max_request_bytes: how many bytes all arrays may have.

    Raises:
        ServingError: they are no tensors, too large, or not those that the signature takes.
    """
    arrays = {key: _converted(_content, key, tensor) for key, tensor in tensors.items()}
    claims = [key for key, array in arrays.items() if array is None]
    if claims:
        arrays |= {key: _converted(_claim, key, tensors[key]) for key in claims}
        signature.check(arrays)
        size = sum(array.nbytes for array in arrays.values())
        if size > max_request_bytes:
            raise invalid(
                f"A request's tensors may have at most {max_request_bytes} bytes. Received: {size}."
            )
        arrays |= {key: _converted(_to_array, key, tensors[key]) for key in claims}
    return arrays


def _converted(function, name, tensor):
    try:
        return function(tensor)
    except (TypeError, ValueError) as error:
        raise invalid(f"The input {name} is not a tensor: {error}.") from error


def _content(tensor):
    """Returns a tensor's content as it was sent, which takes no memory; `None` without one."""
    dtype, shape = _dtype(tensor.dtype), _shape(tensor.tensor_shape)
    content = tensor.tensor_content
    return np.frombuffer(content, dtype).reshape(shape) if content and dtype.kind != "O" else None


def _claim(tensor):
    """Returns an array of the type and shape that a tensor claims, which takes no memory."""
    zero = np.zeros([], _dtype(tensor.dtype))
    return np.broadcast_to(zero, _shape(tensor.tensor_shape))


def _to_array(tensor):
    if _dtype(tensor.dtype).kind == "O":
        return np.array(list(tensor.string_val), object).reshape(_shape(tensor.tensor_shape))
    return tf.make_ndarray(tensor)


@functools.cache
def _dtype(number):
    """Returns NumPy's type for TensorFlow's number of it."""
    dtype = tf.as_dtype(number)
    if not dtype.is_numpy_compatible:
        raise ValueError(f"{dtype.name} has no values to send")
    return np.dtype(dtype.as_numpy_dtype)


def _shape(proto):
    if proto.unknown_rank:
        raise ValueError("its shape is not known")
    shape = [dim.size for dim in proto.dim]
    if min(shape, default=0) < 0:
        raise ValueError(f"its shape is {shape}")
    return shape


# Clients may read these fields themselves, as TensorFlow Serving fills them.
_FIELDS = {
    np.dtype(kind): field
    for kind, field in {
        "int32": "int_val",
        "int64": "int64_val",
        "bool": "bool_val",
        "object": "string_val",
    }.items()
}
# Floats are in memory as they are on the wire, behind a tag and the number of their bytes.
_TAGS = {np.dtype("float32"): b"\x2a", np.dtype("float64"): b"\x32"}  # of float_val, double_val
_NUMBERS = {kind: tf.as_dtype(kind).as_datatype_enum for kind in (*_FIELDS, *_TAGS)}


def write(array, tensor):
    """Puts an array into an empty `TensorProto`."""
    kind = array.dtype
    if kind not in _NUMBERS:
        tensor.CopyFrom(tf.make_tensor_proto(array))
        return
    tensor.dtype = _NUMBERS[kind]
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    if kind in _TAGS:
        # A field of bytes is written so too, and differs by its tag: five times as fast.
        content = tensor_pb2.TensorProto(string_val=[array.tobytes()]).SerializeToString()
        tensor.MergeFromString(_TAGS[kind] + content[1:])
    else:
        getattr(tensor, _FIELDS[kind]).extend(array.ravel().tolist())
