"""The check of PNG files in an export's graph, before any of their pixels are unpacked.

TensorFlow's decoder takes other kinds of files for PNG, finds memory for any size that a file
claims, and unpacks texts that belong to no pixel. So the graph reads the files' headers first, see
the specification of PNG, section 5: https://www.w3.org/TR/png-3/.
"""

import tensorflow as tf

MOST = 4096  # pixels in a row or column: a small file can claim to be far larger
# Of a request's images together: as many as the largest image has. One core decodes them in 0.2 s
# and encodes them in 0.5 s. That is 64 images of 512 x 512.
MOST_PIXELS = MOST**2
_BYTES_OF_A_PIXEL = 8  # at most: four channels of 16 bits
_OTHER_BYTES = 2**14  # of a file: headers, a palette, a colour profile
_MOST_CHUNKS = 2**13  # of a file: encoders put 8 KiB or more in each
_START = list(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
# Texts and colour profiles can unpack to a thousand times their bytes: those of a request's files
# together to 64 MiB, which takes a second. A usual profile has 3,000 bytes.
_PACKED = [b"zTXt", b"iTXt", b"iCCP"]
MOST_PACKED_BYTES = 2**16


def checked(files):
    """Returns PNG files once they are known to be cheap to decode.

    Args:
        files: strings `[batch]`.

    Returns:
        The same. In the graph `tf.errors.InvalidArgumentError` is raised for what is no PNG file,
        has too many pixels alone or together, or holds what unpacks to more than its pixels.
    """
    for check in (_check_start, _check_sizes, _check_chunks):
        with tf.control_dependencies(check(files)):
            files = tf.identity(files)
    return files


def check_pixels(count):
    """Returns a check that a request's images have no more pixels than `MOST_PIXELS`."""
    return tf.debugging.assert_less_equal(
        tf.cast(count, tf.int64),
        tf.constant(MOST_PIXELS, tf.int64),
        f"The images of a request may have at most {MOST_PIXELS} pixels together",
    )


def _check_start(files):
    start = tf.io.decode_raw(files, tf.uint8, fixed_length=len(_START))
    return [_check(start == tf.constant(_START, tf.uint8), "Each image must be a PNG file")]


def _check_sizes(files):
    header = tf.io.decode_raw(files, tf.uint8, fixed_length=24)
    sizes = _numbers(tf.reshape(header[:, 16:], [-1, 2, 4]))
    checks = [
        tf.debugging.assert_less_equal(
            sizes, tf.constant(MOST, tf.int64), f"An image may have at most {MOST} pixels a side"
        )
    ]
    with tf.control_dependencies(checks):
        pixels = tf.reduce_prod(sizes, axis=1)
    fits = _lengths(files) <= _BYTES_OF_A_PIXEL * pixels + _OTHER_BYTES
    message = (
        "A PNG file has more bytes than its pixels need: save it without texts and colour profile"
    )
    return [*checks, check_pixels(tf.reduce_sum(pixels)), _check(fits, message)]


def _check_chunks(files):
    """Goes from chunk to chunk, in all files at once."""
    lengths = _lengths(files)

    def is_inside(place):
        return place + 8 <= lengths

    def goes_on(count, places, packed):
        return (count < _MOST_CHUNKS) & tf.reduce_any(is_inside(places))

    def step(count, places, packed):
        begins = tf.where(is_inside(places), places, 0)
        heads = tf.strings.substr(files, begins, 8 * tf.ones_like(begins))
        kinds = tf.strings.substr(heads, 4, 4)
        sizes = _numbers(tf.io.decode_raw(heads, tf.uint8, fixed_length=8)[:, :4])
        is_packed = tf.reduce_any(kinds[:, tf.newaxis] == tf.constant(_PACKED), axis=1)
        packed += tf.reduce_sum(tf.where(is_packed, sizes, 0))
        return count + 1, tf.where(kinds == b"IEND", lengths, places + 12 + sizes), packed

    first = tf.fill(tf.shape(files), tf.constant(8, tf.int64))
    _, places, packed = tf.while_loop(
        goes_on, step, (0, first, tf.constant(0, tf.int64)), parallel_iterations=1
    )
    return [
        tf.debugging.assert_less_equal(
            packed,
            tf.constant(MOST_PACKED_BYTES, tf.int64),
            f"The PNG files of a request may have at most {MOST_PACKED_BYTES} bytes of packed "
            "texts and colour profiles: save them without",
        ),
        _check(~is_inside(places), f"A PNG file may have at most {_MOST_CHUNKS} chunks"),
    ]


def _lengths(files):
    return tf.cast(tf.strings.length(files), tf.int64)


def _numbers(digits):
    """Returns numbers of their four bytes `[..., 4]`, the most significant first."""
    values = tf.constant([2**24, 2**16, 2**8, 1], tf.int64)
    return tf.reduce_sum(tf.cast(digits, tf.int64) * values, axis=-1)


def _check(right, message):
    return tf.debugging.Assert(tf.reduce_all(right), [message])
