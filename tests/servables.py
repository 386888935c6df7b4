"""Small SavedModels to serve: `python -m tests.servables FOLDER` writes them."""

import pathlib
import sys

import tensorflow as tf


def spec(name, dtype=tf.float32, shape=(None,)):
    return tf.TensorSpec(shape, dtype, name)


def write(folder, name, version, signatures):
    """Writes signatures, a dict from a name to a function and its specifications."""
    module = tf.Module()
    functions = {}
    for key, (function, specs) in signatures.items():
        traced = tf.function(function, input_signature=specs)
        setattr(module, key, traced)
        functions[key] = traced.get_concrete_function()
    path = pathlib.Path(folder, name, str(version))
    tf.saved_model.save(module, str(path), signatures=functions)
    return path


def half_plus(amount):
    """The model of TensorFlow Serving's own tests."""
    return {"serving_default": (lambda x: {"y": 0.5 * x + amount}, [spec("x")])}


def refuse_negative(x):
    tf.debugging.assert_non_negative(x, "x must not be negative")
    return {"y": tf.sqrt(x)}


SIGNATURES = {
    "serving_default": (lambda x: {"y": 0.5 * x + 2.0}, [spec("x")]),
    "two": (
        lambda x, label: {
            "scaled": x * tf.cast(label, tf.float32)[:, tf.newaxis],
            "label": label,
        },
        [spec("x", shape=(None, 2)), spec("label", tf.int32)],
    ),
    "text": (lambda text: {"text": tf.strings.upper(text)}, [spec("text", tf.string)]),
    "bytes": (lambda data: {"data_bytes": data}, [spec("data", tf.string)]),
    "count": (
        lambda count, seed: {"drawn": tf.random.stateless_uniform([count], tf.stack([seed, seed]))},
        [spec("count", tf.int32, ()), spec("seed", tf.int64, ())],
    ),
    "roots": (refuse_negative, [spec("x")]),
    "truth": (lambda x: {"positive": x > 0}, [spec("x", tf.int64)]),
    "mean": (lambda x: {"mean": tf.reduce_mean(x)}, [spec("x")]),
    "constant": (lambda: {"one": tf.constant([1.0])}, []),
    "wave": (lambda x: {"wave": tf.complex(x, x)}, [spec("x")]),
}


def write_all(folder):
    write(folder, "parts", 7, SIGNATURES)
    write(folder, "half_plus", 1, half_plus(2.0))
    write(folder, "half_plus", 2, half_plus(3.0))


if __name__ == "__main__":
    write_all(sys.argv[1])
