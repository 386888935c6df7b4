"""One version of a model, loaded: its signatures as functions of NumPy arrays.

It runs in a session, as in TensorFlow Serving. Of a `tf.function` TensorFlow keeps the error of
each refused request for ever: see the notes on "aborted rendezvous" in its source
`core/framework/local_rendezvous.h`. It keeps parts of each replaced version, too.
"""

import inspect
import math
import pathlib

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2

from tfgen.serving.cost import cost_of
from tfgen.serving.definitions import read_graph
from tfgen.serving.description import description_of
from tfgen.serving.errors import Code, ServingError, invalid, sentence_of

# As it is, without the advice to new code that TensorFlow logs before it.
_restore = inspect.unwrap(tf.compat.v1.saved_model.load)

# Each model has a thread of its own, which runs its calls. In TensorFlow's pool, which all models
# share, calls that take long would keep the others waiting; and each would change threads.
_IN_THIS_THREAD = tf.compat.v1.RunOptions(inter_op_thread_pool=-1)

# What the graph makes of a request that the specification let through, and what to answer.
_CODES = {
    tf.errors.InvalidArgumentError: Code.INVALID_ARGUMENT,
    tf.errors.OutOfRangeError: Code.INVALID_ARGUMENT,
    tf.errors.ResourceExhaustedError: Code.RESOURCE_EXHAUSTED,
    tf.errors.UnimplementedError: Code.UNIMPLEMENTED,
    tf.errors.FailedPreconditionError: Code.FAILED_PRECONDITION,
    tf.errors.NotFoundError: Code.NOT_FOUND,
}


class Servable:
    """A SavedModel with signatures: any, not only an export of ours.

    `description` tells what its model can do, see `tfgen.serving.description`.

    Args:
        path: its folder, whose name is the version's number.

    Raises:
        OSError: there is no such SavedModel.
        ValueError: it has no signatures.

    Example:
        >>> servable = Servable("saved_models/vae_fashion/1")
        >>> servable.signature("sample")({"count": np.int32(4), "seed": np.int64(0)})["images"]
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.version = int(self.path.name)
        # Read now: the files may be gone while the version is still served.
        described = read_graph(self.path)
        definitions = dict(described.signature_def)
        session = tf.compat.v1.Session(graph=tf.Graph())
        with session.graph.as_default():
            _restore(session, list(described.meta_info_def.tags), str(self.path))
            self.signatures = {
                name: Signature(name, definition, session, owner=self)
                for name, definition in definitions.items()
                if not name.startswith("__")
            }
        self.definitions = get_model_metadata_pb2.SignatureDefMap(signature_def=definitions)
        self.description = description_of(self.path, self.signatures)
        if not self.signatures:
            raise ValueError(f"The SavedModel in {self.path} has no signatures to serve.")

    def signature(self, name):
        """Returns a `Signature`.

        Raises:
            ServingError: there is none of that name.
        """
        if name not in self.signatures:
            raise invalid(
                f'Serving signature name: "{name}" not found in signature def. There are: '
                f"{', '.join(sorted(self.signatures))}."
            )
        return self.signatures[name]


class Signature:
    """A signature of a SavedModel.

    Args:
        name: its name.
        definition: its `SignatureDef`.
        session: a session that the SavedModel was loaded into. Its graph is the default.
        owner: the `Servable`: its signatures are called one after the other.
    """

    def __init__(self, name, definition, session, owner):
        self.name = name
        self.owner = owner
        self.inputs, self.outputs = _specs(definition.inputs), _specs(definition.outputs)
        self._call = session.make_callable(
            [definition.outputs[key].name for key in self.outputs],
            [definition.inputs[key].name for key in self.inputs],
            accept_options=True,
        )
        # As lists, since TensorFlow's own shapes take long to compare for each request.
        self._shapes = {key: _listed(spec.shape) for key, spec in self.inputs.items()}
        self.dtypes = {key: spec.dtype.as_numpy_dtype for key, spec in self.inputs.items()}
        shapes = [*self._shapes.values(), *(_listed(spec.shape) for spec in self.outputs.values())]
        # As in TensorFlow Serving: such requests can be put together and their answers cut apart.
        self.is_batched = bool(self.inputs) and all(map(_has_rows, shapes))
        self._numbers_per_row = sum(map(_numbers_per_row, self.outputs.values()))

    def __call__(self, inputs):
        """Answers a request.

        Args:
            inputs: a dict of NumPy arrays of the right types.

        Returns:
            A dict of NumPy arrays; strings are bytes.

        Raises:
            ServingError: the shapes are wrong, or the graph refuses the values.
        """
        self.check(inputs)
        try:
            outputs = self._call(*(inputs[key] for key in self.inputs), options=_IN_THIS_THREAD)
        except tf.errors.OpError as error:
            code = _CODES.get(type(error), Code.INTERNAL)
            raise ServingError(code, sentence_of(error)) from error
        except UnicodeDecodeError as error:  # of a message that quotes a request's bytes
            raise invalid(f"The signature {self.name} cannot take these bytes.") from error
        return {
            key: np.asarray(output, spec.dtype.as_numpy_dtype)
            for (key, spec), output in zip(self.outputs.items(), outputs, strict=True)
        }

    def check(self, inputs):
        """Raises a ServingError unless a request's arrays are those that the signature takes."""
        if inputs.keys() != self.inputs.keys():
            raise invalid(
                f"The signature {self.name} takes the inputs {', '.join(sorted(self.inputs))}. "
                f"Received: {', '.join(sorted(inputs)) or 'none'}."
            )
        for key, spec in self.inputs.items():
            value = inputs[key]
            if value.dtype != self.dtypes[key]:
                raise invalid(
                    f"The input {key} must be of type {spec.dtype.name}. Received: {value.dtype}."
                )
            self.check_shape(key, value.shape)
        sizes = self._sizes(inputs)
        if self.is_batched and len(sizes) > 1:
            raise invalid(
                f"The inputs of a batch must have as many rows. Received: {sorted(sizes)}."
            )

    def check_shape(self, key, shape):
        """Raises a ServingError unless an input takes arrays of a shape."""
        wanted = self._shapes[key]
        if not _fits(shape, wanted):
            raise invalid(
                f"The input {key} must be of shape {_text(wanted)}. Received: {_text(shape)}."
            )

    def rows_of(self, key, shape):
        """Returns how many rows an input of a shape has."""
        return shape[0] if _has_rows(self._shapes[key]) else 1

    def rows(self, inputs):
        """Returns how many rows a request's arrays have; at most, if they have differently many."""
        return max(self._sizes(inputs), default=1)

    def cost(self, inputs):
        """Returns what a request costs, in rows, see `tfgen.serving.cost`."""
        return cost_of(inputs, self.rows(inputs), self._numbers_per_row)

    def _sizes(self, inputs):
        return {len(inputs[key]) for key, shape in self._shapes.items() if _has_rows(shape)}


def _specs(tensors):
    """Returns a dict from names to `tf.TensorSpec`s for one to `TensorInfo`s, sorted."""
    return {
        name: tf.TensorSpec(tensors[name].tensor_shape, tensors[name].dtype, name)
        for name in sorted(tensors)
    }


def _listed(shape):
    """Returns a shape as a list, in which `None` is any size; `None` for any shape."""
    return None if shape.rank is None else shape.as_list()


def _has_rows(shape):
    return bool(shape) and shape[0] is None


def _fits(shape, wanted):
    if wanted is None or len(shape) != len(wanted):
        return wanted is None
    return [
        given if size is None else size for size, given in zip(wanted, shape, strict=True)
    ] == list(shape)


def _numbers_per_row(spec):
    """Returns how many numbers an output has for a row, as far as its specification tells."""
    return math.prod(size or 1 for size in spec.shape[1:]) if _has_rows(_listed(spec.shape)) else 0


def _text(shape):
    return "[?]" if shape is None else str(["?" if size is None else size for size in shape])
