"""The graph and the signatures of a SavedModel as its file says them, without loading it."""

import pathlib

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2


def read_definitions(path):
    """Returns the signatures of a SavedModel, a dict from a name to a `SignatureDef`.

    Names that begin with "__" are TensorFlow's own, and nobody asks for them.

    Args:
        path: its folder.

    Raises:
        OSError: there is no SavedModel.
        ValueError: its file is not whole.

    Example:
        >>> sorted(read_definitions("saved_models/vae_fashion/1"))
        ['__saved_model_init_op', 'encode', 'reconstruct', 'sample', 'score', 'serving_default']
    """
    return dict(read_graph(path).signature_def)


def read_graph(path):
    """Returns the graph of a SavedModel with its tags and signatures, a `MetaGraphDef`.

    Args:
        path: its folder.

    Raises:
        OSError: there is no SavedModel.
        ValueError: its file is not whole.
    """
    file = pathlib.Path(path, "saved_model.pb")
    try:
        return saved_model_pb2.SavedModel.FromString(file.read_bytes()).meta_graphs[0]
    except (DecodeError, IndexError) as error:
        raise ValueError(f"{file} is not a whole SavedModel: {error}.") from error


def text_of(tensor):
    """Returns the type and the shape of a `TensorInfo`, such as "float32 [?, 28, 28, 1]"."""
    sizes = ["?" if dim.size < 0 else str(dim.size) for dim in tensor.tensor_shape.dim]
    return f"{tf.as_dtype(tensor.dtype).name} [{', '.join(sizes)}]"
