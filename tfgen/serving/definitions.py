"""The signatures of a SavedModel as its file says them, without loading it."""

import pathlib

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2


def read_definitions(path):
    """Returns the signatures of a SavedModel, a dict from a name to a `SignatureDef`.

    Names that begin with "__" are TensorFlow's own, and nobody asks for them.

    Args:
        path: its folder.

    Raises:
        OSError: there is no SavedModel.

    Example:
        >>> sorted(read_definitions("saved_models/vae_fashion/1"))
        ['__saved_model_init_op', 'encode', 'reconstruct', 'sample', 'score', 'serving_default']
    """
    content = pathlib.Path(path, "saved_model.pb").read_bytes()
    return dict(saved_model_pb2.SavedModel.FromString(content).meta_graphs[0].signature_def)


def text_of(tensor):
    """Returns the type and the shape of a `TensorInfo`, such as "float32 [?, 28, 28, 1]"."""
    sizes = ["?" if dim.size < 0 else str(dim.size) for dim in tensor.tensor_shape.dim]
    return f"{tf.as_dtype(tensor.dtype).name} [{', '.join(sizes)}]"
