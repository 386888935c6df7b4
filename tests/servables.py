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


def write_regression(folder, name, version):
    """Writes a SavedModel as TensorFlow 1 did, which parses examples in its graph."""
    v1 = tf.compat.v1
    path = pathlib.Path(folder, name, str(version))
    with tf.Graph().as_default(), v1.Session() as session:
        examples = v1.placeholder(tf.string, [None])
        x = tf.io.parse_example(examples, {"x": tf.io.FixedLenFeature([1], tf.float32)})["x"]
        half = v1.get_variable("half", initializer=0.5)
        session.run(v1.global_variables_initializer())
        regression = v1.saved_model.regression_signature_def(examples, x * half)
        builder = v1.saved_model.Builder(str(path))
        builder.add_meta_graph_and_variables(
            session, ["serve"], signature_def_map={"regress_x_to_y": regression}
        )
        builder.save()
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
    "column": (lambda x: {"y": 0.5 * x + 2.0}, [spec("x", shape=(None, 1))]),
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
