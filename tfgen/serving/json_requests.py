"""Reads tensors from JSON, in the two formats of TensorFlow Serving's REST API.

The contract is that of its `g3doc/api_rest.md` and `util/json_tensor.cc`: rows (`instances`) or
columns (`inputs`); bytes as `{"b64": ...}`; NaN and Infinity as the tokens of JavaScript.
"""

import base64
import binascii
import codecs
import itertools
import json

import numpy as np
import orjson

from tfgen.serving.errors import Code, ServingError, invalid

_SHOWN = 200  # characters of a value in an error
_DEEPEST = 32
# What JSON must hold for NumPy's kinds of numbers: no whole number for a boolean, no fraction for
# a whole number.
_KINDS = {"b": {bool}, "i": {int}, "u": {int}, "f": {int, float}}


def parse(body):
    """Returns the object that a request's body holds.

    Args:
        body: bytes, JSON in UTF-8, behind a byte order mark or none, in which NaN, Infinity and
            -Infinity are numbers.

    Raises:
        ServingError: it is no JSON, or no object.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = _parse_with_tokens(body)
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {_show(document)} Is not object")
    return document


def signature_name(document):
    """Returns the signature that a request names.

    Raises:
        ServingError: it is not a string.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {_show(document)} not formatted correctly. 'signature_name' key must be "
            "a string value."
        )
    return name or "serving_default"


def read(document, dtypes):
    """Returns the tensors of a request, and whether they came as rows.

    Args:
        document: what `parse` returned.
        dtypes: a dict from the name of each of the signature's inputs to its NumPy type; strings
            are `object`.

    Returns:
        A dict of NumPy arrays, and a boolean.

    Raises:
        ServingError: something is missing, or is not of the type or shape that it must be.

    Example:
        >>> read({"instances": [[1.0, 2.0]]}, {"latents": np.dtype(np.float32)})
        ({'latents': array([[1., 2.]], dtype=float32)}, True)
    """
    # TensorFlow Serving answers signatures without inputs over gRPC alone; here `{}` is enough.
    if not dtypes and document.get("inputs") != {}:
        raise invalid(
            "Failed to get input map for signature: it has no inputs. Ask with 'inputs': {}."
        )
    if "instances" in document and "inputs" in document:
        raise invalid(
            f"JSON Value: {_show(document)} Not formatted correctly expecting only one of 'inputs' "
            "or 'instances' keys to exist "
        )
    if "instances" in document:
        return _read_rows(document["instances"], dtypes), True
    if "inputs" in document:
        return _read_columns(document["inputs"], dtypes), False
    raise invalid("Missing 'inputs' or 'instances' key")


def _parse_with_tokens(body):
    """Parses JSON as TensorFlow Serving does: with NaN and Infinity, or with more behind it."""
    try:
        text = body.decode().lstrip()
        document, _ = json.JSONDecoder().raw_decode(text)
        if "\\u" in text:  # only so a text can hold half a character, which no answer could quote
            json.dumps(document, ensure_ascii=False).encode()
        return document
    except UnicodeDecodeError as error:
        raise invalid(f"JSON Parse error: Invalid encoding ({error.reason})") from error
    except json.JSONDecodeError as error:
        raise invalid(
            f"JSON Parse error: Invalid value ({error.msg}) at offset: {error.pos}"
        ) from error
    except RecursionError as error:
        raise invalid("JSON Parse error: nested too deeply") from error
    except ValueError as error:  # half a character, or a number of more digits than Python reads
        raise invalid(f"JSON Parse error: Invalid value ({error})") from error


def _read_rows(instances, dtypes):
    if not isinstance(instances, list):
        raise invalid(f"JSON Value: {_show(instances)} Expecting 'instances' to be an list/array")
    if not instances:
        raise invalid("No values in 'instances' array")
    if not _is_named(instances[0]):
        if len(dtypes) > 1:
            raise invalid(
                "instances is a plain list, but expecting list of objects as multiple input "
                f"tensors required: {', '.join(sorted(dtypes))}"
            )
        if any(map(_is_named, instances)):
            raise invalid("Expecting value/list but got object in 'instances'")
        (name, dtype), *_ = dtypes.items()
        return {name: _to_array(instances, dtype, name)}
    for index, row in enumerate(instances):
        if not _is_named(row):
            raise invalid(f"Expecting object but got list at item {index} of input list")
        if row.keys() != dtypes.keys():
            raise invalid(
                f"Failed to process element: {index} of 'instances' list. JSON object: "
                f"{_show(row)} keys must be equal to: {','.join(sorted(dtypes))}"
            )
    return {
        name: _to_array([row[name] for row in instances], dtype, name)
        for name, dtype in dtypes.items()
    }


def _read_columns(inputs, dtypes):
    if not _is_named(inputs):
        if len(dtypes) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                f"required: {', '.join(sorted(dtypes))}"
            )
        (name, dtype), *_ = dtypes.items()
        return {name: _to_array(inputs, dtype, name)}
    for name in dtypes:
        if name not in inputs:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: _to_array(inputs[name], dtype, name) for name, dtype in dtypes.items()}


def _is_named(value):
    """Tells an object of named tensors from the object that stands for bytes."""
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value):
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def _to_array(value, dtype, name):
    shape = _shape_of(value, name)
    leaves = [value]
    for level, size in enumerate(shape):
        for each in leaves:
            if not isinstance(each, list):
                raise _unexpected(each, name, f"found at level {level}, expected a list")
            if len(each) != size:
                raise _unexpected(
                    each, name, f"is a list of {len(each)} at level {level}, expected {size}"
                )
        leaves = list(itertools.chain.from_iterable(leaves))
    return _convert(leaves, np.dtype(dtype), name).reshape(shape)


def _shape_of(value, name):
    """Returns the shape that a value has if it is regular: that of its first parts."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if len(shape) > _DEEPEST:
            raise invalid(f"The input {name} is nested deeper than {_DEEPEST} lists.")
        if not value:
            break
        value = value[0]
    return shape


def _convert(leaves, dtype, name):
    if dtype.kind == "O":
        return np.array([_to_bytes(each, name) for each in leaves], object)
    if dtype.kind not in _KINDS:
        raise ServingError(
            Code.UNIMPLEMENTED, f"The input {name} is of type {dtype}, which JSON cannot express."
        )
    for kind in set(map(type, leaves)) - _KINDS[dtype.kind]:
        wrong = next(each for each in leaves if type(each) is kind)
        raise _unexpected(wrong, name, f"is not of expected type: {dtype}")
    try:
        with np.errstate(over="raise"):
            if dtype.kind == "f":
                return np.array(leaves, np.float64).astype(dtype)
            return np.array(leaves, dtype)
    except (OverflowError, FloatingPointError) as error:
        raise invalid(f"The input {name} holds numbers beyond the range of {dtype}.") from error


def _to_bytes(value, name):
    try:
        if isinstance(value, str):
            return value.encode()
        if _is_base64(value):
            return _from_base64(value["b64"])
    except binascii.Error as error:
        raise invalid(f"Unable to base64 decode the input {name} ({error})") from error
    raise _unexpected(value, name, "is not of expected type: string")


def _from_base64(text):
    """Decodes base64 as TensorFlow Serving does: in lines or in one, padded or not."""
    packed = b"".join(text.encode().split())
    if not packed.endswith(b"="):
        packed += b"=" * (-len(packed) % 4)
    return base64.b64decode(packed, validate=True)


def _unexpected(value, name, what):
    return invalid(f"The input {name}: JSON Value: {_show(value)} {what}")


def _show(value):
    """Returns the beginning of a value as JSON, of which no more is written than is shown."""
    text = ""
    for part in json.JSONEncoder().iterencode(value):
        text += part
        if len(text) > _SHOWN:
            return f"{text[:_SHOWN]}..."
    return text
