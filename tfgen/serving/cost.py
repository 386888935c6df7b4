"""What a request costs a server, told by its inputs and its signature before any work is done.

The unit is a row: an example of up to 262,144 numbers, such as an image of 256 x 256 pixels with 4
channels. Larger examples cost several rows.
"""

import math
import struct

NUMBERS = 2**18  # of a row
_PNG = b"\x89PNG\r\n\x1a\n"
_CHANNELS = 4  # that a PNG file has at most


def cost_of(inputs, rows, numbers_per_row):
    """Returns what a request costs, in rows, at least 1.

    Examples that are only counted, by a scalar input `count`, cost as much as those that are sent.
    A PNG file costs what the pixels do that its header claims.

    Args:
        inputs: a dict of NumPy arrays.
        rows: how many rows the arrays have.
        numbers_per_row: how many numbers the signature answers for a row.

    Example:
        >>> cost_of({"count": np.int32(4096), "seed": np.int64(7)}, rows=1, numbers_per_row=784)
        4096
    """
    rows = max(1, rows, _count(inputs))
    numbers = max(sum(map(_numbers, inputs.values())), rows * numbers_per_row)
    return max(rows, math.ceil(numbers / NUMBERS))


def bytes_of(inputs):
    """Returns how much memory a request's arrays take, in bytes."""
    return sum(value.nbytes + sum(map(len, _strings(value))) for value in inputs.values())


def _count(inputs):
    count = inputs.get("count")
    is_number = count is not None and count.ndim == 0 and count.dtype.kind in "iu"
    return int(count) if is_number else 0


def _numbers(value):
    return value.size if value.dtype != object else sum(map(_pixels, _strings(value))) * _CHANNELS


def _pixels(file):
    """Returns how many pixels a PNG file claims to have; 0 of what is no such file."""
    if not file.startswith(_PNG) or len(file) < 24:
        return 0
    width, height = struct.unpack_from(">II", file, 16)
    return width * height


def _strings(value):
    return value.flat if value.dtype == object else ()
