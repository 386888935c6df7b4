"""Signatures that take and give images as PNG files, for clients that have no arrays."""

import tensorflow as tf

from tfgen.serving import png_files


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
        for what is no PNG file, or too large, see `tfgen.serving.png_files`.
    """
    height, width, channels = shape
    brought_to = tf.size(files, tf.int64) * height * width

    def decode_one(file):
        pixels = tf.io.decode_png(file, channels)
        return tf.image.resize(tf.cast(pixels, tf.float32) / 255.0, [height, width], antialias=True)

    # One after the other: each may take 200 MB on its way.
    result = tf.TensorSpec(shape, tf.float32)
    with tf.control_dependencies([png_files.check_pixels(brought_to)]):
        files = png_files.checked(files)
    return tf.map_fn(decode_one, files, fn_output_signature=result, parallel_iterations=1)


def encode(images):
    """Returns PNG files, strings `[batch]`, of images in [0, 1].

    In the graph `tf.errors.InvalidArgumentError` is raised if they have too many pixels together.
    """
    sizes = tf.shape(images, tf.int64)
    with tf.control_dependencies([png_files.check_pixels(tf.reduce_prod(sizes[:3]))]):
        images = tf.identity(images)
    pixels = tf.cast(tf.round(255.0 * tf.clip_by_value(images, 0.0, 1.0)), tf.uint8)
    return tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.TensorSpec([], tf.string))


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
