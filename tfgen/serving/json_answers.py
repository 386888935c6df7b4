"""Writes tensors as JSON, in the two formats of TensorFlow Serving's REST API.

The contract is that of its `g3doc/api_rest.md` and `util/json_tensor.cc`: rows (`predictions`) or
columns (`outputs`); bytes as `{"b64": ...}`; NaN and Infinity as the tokens of JavaScript.
"""

import base64

import numpy as np
import orjson

from tfgen.serving.errors import invalid

_KINDS = "biuf"  # NumPy's kinds of numbers that JSON has


def write(outputs, rows):
    """Returns the body of an answer.

    Args:
        outputs: a dict of NumPy arrays; those of strings are binary if their name ends in `_bytes`.
        rows: whether to write a row for each example. All must then have as many.

    Returns:
        Bytes, JSON in UTF-8. Numbers have as many digits as their type needs to come back as they
        were.

    Raises:
        ServingError: there are no rows, or different numbers of them, or a type of numbers that
            JSON has not.
    """
    values = {name: _writable(name, array) for name, array in outputs.items()}
    if not rows:
        return _dump({"outputs": values if len(values) > 1 else next(iter(values.values()))})
    counts = {name: len(array) if array.ndim else None for name, array in outputs.items()}
    if None in counts.values() or len(set(counts.values())) > 1:
        raise invalid(
            f"The outputs have no common number of rows: {counts}. Ask with 'inputs' instead of "
            "'instances'."
        )
    if len(values) == 1:
        return _dump({"predictions": next(iter(values.values()))})
    count = next(iter(counts.values()))
    return _dump(
        {
            "predictions": [
                {name: value[index] for name, value in values.items()} for index in range(count)
            ]
        }
    )


def _writable(name, array):
    """Returns what the JSON library can write: numbers as an array, anything else as lists."""
    if array.dtype.kind == "O":
        texts = [_from_bytes(name, each) for each in array.ravel()]
        return np.reshape(np.array(texts, object), array.shape).tolist()
    # Types that NumPy itself has not, such as bfloat16, the JSON library does not know either.
    if array.dtype.kind not in _KINDS or array.dtype.isbuiltin != 1:
        raise invalid(
            f"Failed to write JSON value for tensor type: {array.dtype}, of the output {name}. Ask "
            "over gRPC."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return _with_tokens(array)
    return np.ascontiguousarray(array) if array.ndim else array[()]


def _from_bytes(name, value):
    if name.endswith("_bytes"):
        return {"b64": base64.b64encode(value).decode()}
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise invalid(
            f"The output {name} is not text: its name would have to end in _bytes."
        ) from error


def _with_tokens(array):
    """Returns lists in which NaN and Infinity stand as fragments of JSON."""
    tokens = {np.inf: b"Infinity", -np.inf: b"-Infinity"}

    def token(value):
        if np.isfinite(value):
            return float(str(value))
        return orjson.Fragment(b"NaN" if np.isnan(value) else tokens[float(value)])

    if not array.ndim:
        return token(array[()])
    return [_with_tokens(part) if array.ndim > 1 else token(part) for part in array]


def _dump(document):
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
