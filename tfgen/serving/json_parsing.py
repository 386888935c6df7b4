"""Parses JSON as TensorFlow Serving does, at the rate of a fast parser.

The contract is that of RapidJSON with the flags of TensorFlow Serving's `util/json_tensor.cc`: NaN,
Inf and Infinity are numbers; of two equal keys in an object the first counts; bytes in strings need
not be UTF-8; what follows the document is ignored. orjson parses what needs none of that.
"""

import codecs
import json
import math
import re

import orjson

from tfgen.serving.errors import invalid

_SHOWN = 200  # characters of a value in an error
_MOST_LISTS = 1_200_000  # and objects: 1,024 images of 32x32x1 pixels have 1,082,369
_DEEPEST = 64  # levels; a tensor has fewer
# In these texts no quote is escaped: `_without_escaped_quotes`.
_SHORT_TOKEN = re.compile(r'"[^"]*"|-NaN|Inf(?!inity)')
_LONG_TOKENS = {"-NaN": "NaN", "Inf": "Infinity"}
_BRACKET = re.compile(r'"[^"]*"|[][{}]')
# The first half of a character without the second, or the second without the first.
_HALF = re.compile(
    r"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]", re.DOTALL
)


def parse(body):
    """Returns the object that a request's body holds.

    Args:
        body: bytes, JSON in UTF-8, behind a byte order mark or none.

    Returns:
        A dict. Bytes of strings that are not UTF-8 are in it as `surrogateescape` has them.

    Raises:
        ServingError: it is no JSON, or no object, or has too many lists and objects.

    Example:
        >>> parse(b'{"inputs": [1, Inf], "inputs": 2}')
        {'inputs': [1, inf]}
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    # Each takes more memory than its text. So they are counted before any is made.
    if len(body) > _MOST_LISTS and (lists := body.count(b"[") + body.count(b"{")) > _MOST_LISTS:
        raise invalid(
            f"A request's JSON may have at most {_MOST_LISTS} lists and objects. Received: {lists}."
            " Send several requests, or ask over gRPC."
        )
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = _parse_slowly(body)
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {show(document)} Is not object")
    if body.count(b'"') != 2 * _count_strings(document):
        del document  # its memory is wanted for the other
        return _parse_slowly(body)
    return document


def show(value):
    """Returns the beginning of a value as JSON, of which no more is written than is shown."""
    text = ""
    for part in json.JSONEncoder().iterencode(value):
        text += part
        if len(text) > _SHOWN:
            return f"{text[:_SHOWN]}..."
    return text


def _count_strings(document):
    """Returns how many strings a request of numbers has: its keys, and a signature's name.

    A document that has more has strings elsewhere, or a key twice, of which orjson keeps the last.
    """
    objects = [document, document.get("inputs")]
    rows = document.get("instances")
    if isinstance(rows, list) and rows and isinstance(rows[0], dict):
        objects += rows
    keys = sum(len(each) for each in objects if isinstance(each, dict))
    return keys + isinstance(document.get("signature_name"), str)


def _parse_slowly(body):
    text = body.decode(errors="surrogateescape").lstrip(" \t\n\r")
    if "\\u" in text and _HALF.search(_without_escaped_quotes(text)):
        raise invalid("JSON Parse error: The surrogate pair in string is invalid.")
    if "Inf" in text or "-NaN" in text:
        text = _SHORT_TOKEN.sub(
            lambda found: _LONG_TOKENS.get(found[0], found[0]), _without_escaped_quotes(text)
        )
    try:
        try:
            return _DECODER.raw_decode(text)[0]
        except RecursionError:
            return _DECODER.raw_decode(_without_depths(text))[0]
    except json.JSONDecodeError as error:
        raise invalid(
            f"JSON Parse error: Invalid value ({error.msg}) at offset: {error.pos}"
        ) from error
    except ValueError as error:
        raise invalid(f"JSON Parse error: Invalid value ({error})") from error


def _without_escaped_quotes(text):
    """Returns the same JSON, in which each quote begins or ends a string."""
    return text.replace(r"\\", r"\u005c").replace(r"\"", r"\u0022")


def _without_depths(text):
    """Returns JSON in which null stands for what is nested deeper than any tensor."""
    text = _without_escaped_quotes(text)
    kept, depth, start = [], 0, 0
    for found in _BRACKET.finditer(text):
        if found[0] in ("[", "{"):
            depth += 1
            if depth == _DEEPEST:
                kept += [text[start : found.start()], "null"]
        elif found[0] in ("]", "}"):
            if depth == _DEEPEST:
                start = found.end()
            depth -= 1
            if depth == 0:
                return "".join(kept) + text[start:]
    raise invalid(f"JSON Parse error: lists and objects are not closed, at offset: {len(text)}")


def _first_of_each(pairs):
    return dict(reversed(pairs))


def _to_float(text):
    value = float(text)
    if math.isinf(value):
        raise ValueError("Number too big to be stored in double")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_first_of_each, parse_float=_to_float)
