"""Requests that TensorFlow Serving asks itself when it loads a version, before others may.

The first request of a signature is slow: memory is found, graphs are optimized. See
TensorFlow Serving's `g3doc/saved_model_warmup.md`.
"""

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

_TEXTS = ("captions", "choices")
FILE = "tf_serving_warmup_requests"  # in a version's `assets.extra`


def write_requests(path, signatures):
    """Writes a request for each signature.

    Args:
        path: the file.
        signatures: a dict from a name to a list of `tf.TensorSpec`s.
    """
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, specs in signatures.items():
            writer.write(_log(name, specs).SerializeToString(deterministic=True))


def read_requests(path):
    """Returns the `PredictRequest`s of a file.

    Raises:
        ValueError: it holds something else.
    """
    requests = []
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            log = prediction_log_pb2.PredictionLog.FromString(record)
            requests.append(log.predict_log.request)
    except (tf.errors.OpError, ValueError) as error:
        raise ValueError(f"{path} does not hold requests for warming up: {error}") from error
    return requests


def _log(name, specs):
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = name
    for spec in specs:
        request.inputs[spec.name].CopyFrom(tf.make_tensor_proto(example(spec)))
    return prediction_log_pb2.PredictionLog(
        predict_log=prediction_log_pb2.PredictLog(request=request)
    )


def example(spec, rows=1):
    """Returns a tensor that a signature takes: a count of rows, or rows of zeros, or of files.

    Texts are empty, which have no words that a vocabulary may lack. Numbers that are one for all
    rows are 1, such as steps or a temperature, of which there is no 0; a seed may be 0.
    """
    shape = [rows if size is None else size for size in spec.shape]
    if spec.name == "count":
        return tf.constant(rows, spec.dtype)
    if spec.name in _TEXTS:
        return tf.fill(shape, "")
    if spec.dtype == tf.string:
        return tf.fill([rows], tf.io.encode_png(tf.zeros([1, 1, 1], tf.uint8)))
    if not shape and spec.name != "seed":
        return tf.ones(shape, spec.dtype)
    return tf.zeros(shape, spec.dtype)


def random_example(spec, rows):
    """Returns an array that a signature takes: as `example`, with numbers in [0, 1) for zeros.

    A mask has 0 and 1.
    """
    value = example(spec, rows).numpy()
    if value.dtype.kind != "f":
        return value
    numbers = np.random.default_rng(rows).random(value.shape).astype(value.dtype)
    return np.round(numbers) if spec.name == "mask" else numbers
