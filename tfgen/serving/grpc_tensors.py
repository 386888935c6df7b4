"""Tensors of protocol buffers to arrays, and arrays to tensors."""

import contextlib

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
    views = {key: _view(key, tensor) for key, tensor in tensors.items()}
    arrays = {key: array for key, (array, _) in views.items()}
    signature.check(arrays)
    size = sum(array.nbytes for array in arrays.values())
    if size > max_request_bytes:
        raise invalid(
            f"A request's tensors may have at most {max_request_bytes} bytes. Received: {size}."
        )
    claims = [key for key, (_, is_claim) in views.items() if is_claim]
    return {**arrays, **{key: _to_array(key, tensors[key]) for key in claims}}


def _view(name, tensor):
    """Returns an array that takes no memory, and whether it is only a claim.

    It is the tensor's content as it was sent, or of the type and shape that the tensor claims.
    """
    with _as_invalid(name):
        dtype = tf.as_dtype(tensor.dtype)
        if not dtype.is_numpy_compatible:
            raise ValueError(f"{dtype.name} has no values to send")
        if tensor.tensor_shape.unknown_rank:
            raise ValueError("its shape is not known")
        shape = [dim.size for dim in tensor.tensor_shape.dim]
        if min(shape, default=0) < 0:
            raise ValueError(f"its shape is {shape}")
        content = tensor.tensor_content
        if content and dtype != tf.string:
            return np.frombuffer(content, dtype.as_numpy_dtype).reshape(shape), False
        return np.broadcast_to(np.zeros([], dtype.as_numpy_dtype), shape), True


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


# Clients may read these fields themselves, as TensorFlow Serving fills them.
_FIELDS = {"int32": "int_val", "int64": "int64_val", "bool": "bool_val", "object": "string_val"}
# Floats are in memory as they are on the wire, behind a tag and the number of their bytes.
_TAGS = {"float32": b"\x2a", "float64": b"\x32"}  # of `float_val` and `double_val`


def write(array, tensor):
    """Puts an array into an empty `TensorProto`."""
    kind = array.dtype.name
    if kind not in {*_FIELDS, *_TAGS}:
        tensor.CopyFrom(tf.make_tensor_proto(array))
        return
    tensor.dtype = tf.as_dtype(array.dtype).as_datatype_enum
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    if kind in _TAGS:
        # A field of bytes is written so too, and differs by its tag: five times as fast.
        content = tensor_pb2.TensorProto(string_val=[array.tobytes()]).SerializeToString()
        tensor.MergeFromString(_TAGS[kind] + content[1:])
    else:
        getattr(tensor, _FIELDS[kind]).extend(array.ravel().tolist())
