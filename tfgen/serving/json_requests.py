"""Reads tensors from JSON, in the two formats of TensorFlow Serving's REST API.

The contract is that of its `g3doc/api_rest.md` and `util/json_tensor.cc`: rows (`instances`) or
columns (`inputs`); bytes as `{"b64": ...}`; NaN and Infinity as the tokens of JavaScript.
"""

import base64
import binascii
import itertools

import numpy as np

from tfgen.serving.errors import Code, ServingError, invalid
from tfgen.serving.json_parsing import show

_DEEPEST = 32
# What JSON must hold for NumPy's kinds of numbers: no whole number for a boolean, no fraction for
# a whole number.
_KINDS = {"b": {bool}, "i": {int}, "u": {int}, "f": {int, float}}


def signature_name(document):
    """Returns the signature that a request names.

    Raises:
        ServingError: it is not a string.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {show(document)} not formatted correctly. 'signature_name' key must be "
            "a string value."
        )
    # What is not UTF-8 names no signature, and no error can quote it.
    return name.encode(errors="surrogateescape").decode(errors="replace") or "serving_default"


def read(document, dtypes, check=lambda name, shape: None):
    """Returns the tensors of a request, and whether they came as rows.

    Args:
        document: what `json_parsing.parse` returned.
        dtypes: a dict from the name of each of the signature's inputs to its NumPy type; strings
            are `object`.
        check: a function that is called with the name and shape of each tensor before any is made,
            and raises what there is to say against it.

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
            f"JSON Value: {show(document)} Not formatted correctly expecting only one of 'inputs' "
            "or 'instances' keys to exist "
        )
    if "instances" in document:
        values = _find_rows(document["instances"], dtypes)
    elif "inputs" in document:
        values = _find_columns(document["inputs"], dtypes)
    else:
        raise invalid("Missing 'inputs' or 'instances' key")
    shapes = {name: _shape_of(value, name) for name, value in values.items()}
    for name, shape in shapes.items():
        check(name, shape)
    arrays = {
        name: _to_array(value, shapes[name], dtypes[name], name) for name, value in values.items()
    }
    return arrays, "instances" in document


def _find_rows(instances, dtypes):
    if not isinstance(instances, list):
        raise invalid(f"JSON Value: {show(instances)} Expecting 'instances' to be an list/array")
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
        return {name: instances for name in dtypes}
    for index, row in enumerate(instances):
        if not _is_named(row):
            raise invalid(f"Expecting object but got list at item {index} of input list")
        if row.keys() != dtypes.keys():
            raise invalid(
                f"Failed to process element: {index} of 'instances' list. JSON object: "
                f"{show(row)} keys must be equal to: {','.join(sorted(dtypes))}"
            )
    return {name: [row[name] for row in instances] for name in dtypes}


def _find_columns(inputs, dtypes):
    if not _is_named(inputs):
        if len(dtypes) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                f"required: {', '.join(sorted(dtypes))}"
            )
        return {name: inputs for name in dtypes}
    for name in dtypes:
        if name not in inputs:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: inputs[name] for name in dtypes}


def _is_named(value):
    """Tells an object of named tensors from the object that stands for bytes."""
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value):
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def _to_array(value, shape, dtype, name):
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
        if dtype.kind == "f":
            with np.errstate(over="ignore"):  # beyond float32 is infinity, as in TensorFlow Serving
                return np.array(leaves, np.float64).astype(dtype)
        return np.array(leaves, dtype)
    except OverflowError as error:
        raise invalid(f"The input {name} holds numbers beyond the range of {dtype}.") from error


def _to_bytes(value, name):
    try:
        if isinstance(value, str):
            return value.encode(errors="surrogateescape")
        if _is_base64(value):
            return _from_base64(value["b64"])
    except binascii.Error as error:
        raise invalid(f"Unable to base64 decode the input {name} ({error})") from error
    raise _unexpected(value, name, "is not of expected type: string")


def _from_base64(text):
    """Decodes base64 as TensorFlow Serving does: in lines or in one, padded or not."""
    packed = b"".join(text.encode(errors="surrogateescape").split())
    if not packed.endswith(b"="):
        packed += b"=" * (-len(packed) % 4)
    return base64.b64decode(packed, validate=True)


def _unexpected(value, name, what):
    return invalid(f"The input {name}: JSON Value: {show(value)} {what}")
