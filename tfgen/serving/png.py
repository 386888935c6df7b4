"""Signatures that take and give images as PNG files, for clients that have no arrays."""

import tensorflow as tf

MOST = 4096  # pixels in a row or column: a small file can claim to be far larger


def png_signatures(signatures):
    """Returns, for each signature with images in it, one with files in their place.

    `sample_png` answers as `sample` does, with `images_bytes` instead of `images`: strings, over
    REST `{"b64": ...}`. Images that are taken may be of any size, and are brought to the model's.

    Args:
        signatures: a dict from a name to a function and its specifications, see
            `GenerativeModel.signatures`.

    Returns:
        Such a dict, the names with `_png` at their end.
    """
    found = {}
    for name, (function, specs) in signatures.items():
        graph = tf.function(function, input_signature=specs, autograph=False)
        traced = graph.get_concrete_function()
        if _is_image(traced.structured_outputs.get("images")) or any(map(_is_image, specs)):
            found[f"{name}_png"] = (_with_files(function, specs), [_as_file(s) for s in specs])
    return found


def decode(files, shape):
    """Returns images in [0, 1] of PNG files.

    Args:
        files: strings `[batch]`.
        shape: `(height, width, channels)` that they are brought to.

    Returns:
        A float32 tensor `[batch, *shape]`. In the graph `tf.errors.InvalidArgumentError` is raised
        for what is no PNG file, or too large.
    """
    height, width, channels = shape

    def decode_one(file):
        with tf.control_dependencies([_check_size(file)]):
            pixels = tf.io.decode_png(file, channels)
        return tf.image.resize(tf.cast(pixels, tf.float32) / 255.0, [height, width], antialias=True)

    # One after the other: each may take 200 MB on its way.
    result = tf.TensorSpec(shape, tf.float32)
    return tf.map_fn(decode_one, files, fn_output_signature=result, parallel_iterations=1)


def encode(images):
    """Returns PNG files, strings `[batch]`, of images in [0, 1]."""
    pixels = tf.cast(tf.round(255.0 * tf.clip_by_value(images, 0.0, 1.0)), tf.uint8)
    return tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.TensorSpec([], tf.string))


def _check_size(file):
    """Reads width and height in a PNG file's header, before memory is found for its pixels."""
    header = tf.io.decode_raw(tf.strings.substr(file, 16, 8), tf.uint8)
    sizes = tf.reduce_sum(
        tf.reshape(tf.cast(header, tf.int64), [2, 4])
        * tf.constant([2**24, 2**16, 2**8, 1], tf.int64),
        axis=1,
    )
    return tf.debugging.assert_less_equal(
        sizes, tf.constant(MOST, tf.int64), f"An image may have at most {MOST} pixels a side"
    )


def _is_image(spec):
    return (
        spec is not None
        and spec.dtype == tf.float32
        and spec.shape.rank == 4
        and spec.shape[-1] in (1, 3)
    )


def _as_file(spec):
    if not _is_image(spec):
        return spec
    return tf.TensorSpec([None], tf.string, f"{spec.name}_bytes")


def _with_files(function, specs):
    def call(*inputs):
        outputs = function(
            *(
                decode(value, spec.shape[1:]) if _is_image(spec) else value
                for value, spec in zip(inputs, specs, strict=True)
            )
        )
        return {
            f"{key}_bytes" if _is_image(value) else key: encode(value)
            if _is_image(value)
            else value
            for key, value in outputs.items()
        }

    return call
