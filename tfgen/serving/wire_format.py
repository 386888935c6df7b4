"""A look at a protocol buffer's bytes before they are parsed.

Two bytes of a message can be a field that takes fifty in memory, such as an empty `dim {}` in a
tensor's shape. The wire format tells how many fields there are, and large ones are skipped by their
length: https://protobuf.dev/programming-guides/encoding/.
"""

import functools

import numpy as np
from google.protobuf.descriptor import FieldDescriptor

MOST_FIELDS = 2**16
_VARINT, _LENGTH = 0, 2  # types of the wire format
_FIXED = {1: 8, 5: 4}  # from the types of numbers of one length to their bytes
_SIZES = {  # the bytes of a number in memory, of which one to ten are sent
    FieldDescriptor.CPPTYPE_INT32: 4,
    FieldDescriptor.CPPTYPE_UINT32: 4,
    FieldDescriptor.CPPTYPE_ENUM: 4,
    FieldDescriptor.CPPTYPE_INT64: 8,
    FieldDescriptor.CPPTYPE_UINT64: 8,
}


def check_message(content, descriptor, most_bytes):
    """Raises an error if parsing a message would take far more memory than its bytes.

    It takes a microsecond a field, until there are too many of them.

    Args:
        content: the message's bytes.
        descriptor: that of its type.
        most_bytes: how many bytes its packed numbers may take in memory.

    Raises:
        ValueError: the bytes are no message, have more than `MOST_FIELDS` fields, those of messages
            within it included, or numbers of more bytes.

    Example:
        >>> check_message(content, predict_pb2.PredictRequest.DESCRIPTOR, 2**26)
    """
    fields = unpacked = 0
    pending = [(descriptor, 0, len(content))]
    while pending:
        descriptor, start, end = pending.pop()
        inside = _inside(descriptor)
        for number, first, last in _fields(content, start, end):
            fields += 1
            if fields > MOST_FIELDS:
                raise ValueError(f"it has more than {MOST_FIELDS} fields")
            found = inside.get(number)
            if isinstance(found, int):
                unpacked += found * _count_numbers(content, first, last)
                if unpacked > most_bytes:
                    raise ValueError(f"its numbers may take more than {most_bytes} bytes")
            elif found is not None:
                pending.append((found, first, last))


@functools.cache
def _inside(descriptor):
    """Returns what may take more memory than its bytes, by the numbers of a message's fields.

    It is the descriptor of a message, or how many bytes of memory a number takes.
    """
    return {
        field.number: field.message_type or _SIZES[field.cpp_type]
        for field in descriptor.fields
        if field.message_type or field.cpp_type in _SIZES
    }


def _fields(content, position, end):
    """Yields the number of each field, and where its value starts and ends."""
    while position < end:
        tag, start = _number(content, position)
        kind = tag & 7
        if kind == _LENGTH:
            size, start = _number(content, start)
            position = start + size
        elif kind == _VARINT:
            _, position = _number(content, start)
        elif kind in _FIXED:
            position = start + _FIXED[kind]
        else:
            raise ValueError("it has groups, or is no message")
        if position > end:
            raise ValueError("it ends too early")
        yield tag >> 3, start, position


def _count_numbers(content, first, last):
    """Returns how many numbers end in a part of a message."""
    return np.count_nonzero(np.frombuffer(content, np.uint8, last - first, first) < 128)


def _number(content, position):
    """Returns a number of 7 bits a byte, the lowest first, and where it ends."""
    value = shift = 0
    for byte in content[position : position + 10]:
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7
    raise ValueError("it ends too early, or is no message")
